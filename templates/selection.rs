//! `-only` and `-except`: which builds and post-processors are meant, by exact name or by pattern.

use crate::problem::Problem;
use crate::request::BuildRequest;
use crate::template::Block;

/// Whether a list of names and patterns (`*`, `?`) has this name.
pub fn lists(list: &[String], name: &str) -> bool {
    list.iter().any(|pattern| pattern == name || matches(pattern, name))
}

/// Whether the build of this name is meant.
pub fn selected(request: &BuildRequest, name: &str) -> bool {
    (request.only.is_empty() || lists(&request.only, name)) && !lists(&request.except, name)
}

/// Names that nothing in the template has. The peer says nothing of them, and builds nothing.
pub fn unknown(request: &BuildRequest, named: &[(&Block, String)]) -> Vec<Problem> {
    let build = |n: &String| named.iter().any(|(_, name)| lists(std::slice::from_ref(n), name));
    let processor = |n: &String| request.template.post_processors.iter().flatten().any(|b| lists(std::slice::from_ref(n), &b.name));
    let only = request.only.iter().filter(|n| !build(n)).map(|n| format!("`-only={n}` names no build of this template"));
    let except = request.except.iter().filter(|n| !build(n) && !processor(n));
    let except = except.map(|n| format!("`-except={n}` names no build and no post-processor of this template"));
    only.chain(except).map(Problem::nowhere).collect()
}

fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*').peekable();
    let Some(mut rest) = parts.next().and_then(|p| starts(p, name)) else { return false };
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        let ends = |at: usize| starts(part, &rest[at..]).filter(|after| !last || after.is_empty());
        // The first place that fits leaves the most to the parts behind it.
        let Some(after) = rest.char_indices().map(|(i, _)| i).chain([rest.len()]).find_map(ends) else { return false };
        rest = after;
    }
    true
}

/// What follows `part` at the beginning of `text`; `?` is any character.
fn starts<'a>(part: &str, text: &'a str) -> Option<&'a str> {
    let mut letters = text.chars();
    for wanted in part.chars() {
        letters.next().filter(|c| wanted == '?' || *c == wanted)?;
    }
    Some(letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_names() {
        for (pattern, name) in
            [("qemu", "qemu"), ("q*", "qemu"), ("*", ""), ("*u", "qemu"), ("q*m*", "qemu"), ("qe?u", "qemu"), ("a*a", "aa")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("qem", "qemu"), ("q*x", "qemu"), ("?", ""), ("a*a", "a"), ("", "x")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        assert!(lists(&["a[1]".to_owned()], "a[1]"));
    }
}
