//! The last lines of commands whose output is not shown (`-q`): when such a step fails, they are what explains it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use kiste_core::Scope;

/// Lines that are kept of each scope.
const MOST: usize = 10;

/// The last lines, by scope.
#[derive(Debug, Default)]
pub struct Tail(Mutex<Vec<(Scope, VecDeque<String>)>>);

impl Tail {
    /// One more line.
    pub fn push(&self, scope: &Scope, line: String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = all.iter().position(|(s, _)| s == scope).unwrap_or_else(|| {
            all.push((scope.clone(), VecDeque::new()));
            all.len() - 1
        });
        let lines = &mut all[index].1;
        if lines.len() == MOST {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// All that is kept of a scope; nothing is, then.
    pub fn take(&self, scope: &Scope) -> Vec<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = all.iter_mut().find(|(s, _)| s == scope).map(|(_, lines)| std::mem::take(lines));
        lines.unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_of_each_scope_are_kept_once() {
        let (tail, a, b) = (Tail::default(), Scope::Build("a".into()), Scope::Build("b".into()));
        for n in 0..MOST + 3 {
            tail.push(&a, n.to_string());
        }
        tail.push(&b, "x".into());
        let kept = tail.take(&a);
        assert_eq!((kept.len(), kept[0].as_str()), (MOST, "3"));
        assert!(tail.take(&a).is_empty());
        assert_eq!(tail.take(&b), ["x"]);
    }
}
