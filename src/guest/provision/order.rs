//! The row in which provisioners run.

use kiste_core::provision::Provisioner;

use crate::Error;

/// Puts provisioners in a row, as Vagrant does: those with neither `before` nor `after` as written; those that name another right
/// beside it, several of them as written; `each` before or after every one of these; `all` before or after everything.
/// Only an `each` one stands in the row more than once. Errors: every target that is not there or has a target itself.
pub fn order(list: &[Provisioner]) -> Result<Vec<&Provisioner>, Error> {
    let mistakes: Vec<String> = list.iter().filter_map(|p| mistake(p, list)).collect();
    if !mistakes.is_empty() {
        return Err(Error::Mistakes(mistakes));
    }
    let select = |f: fn(&Provisioner) -> &Option<String>, word: &str| -> Vec<&Provisioner> {
        list.iter().filter(|p| f(p).as_deref() == Some(word)).collect()
    };
    let (before_each, after_each) = (select(|p| &p.before, "each"), select(|p| &p.after, "each"));
    let (before_all, after_all) = (select(|p| &p.before, "all"), select(|p| &p.after, "all"));
    let mut row = before_all;
    for p in beside(list) {
        row.extend(&before_each);
        row.push(p);
        row.extend(&after_each);
    }
    row.extend(after_all);
    Ok(row)
}

/// The plain ones, each between those that name it.
fn beside(list: &[Provisioner]) -> Vec<&Provisioner> {
    let mut row = Vec::new();
    let mut placed: Vec<&str> = Vec::new();
    for plain in list.iter().filter(|p| is_plain(p)) {
        // A name stands for the first of that name.
        let name = plain.name.as_deref().filter(|n| !placed.contains(n));
        placed.extend(name);
        row.extend(list.iter().filter(|p| name.is_some() && p.before.as_deref() == name));
        row.push(plain);
        row.extend(list.iter().filter(|p| name.is_some() && p.after.as_deref() == name));
    }
    row
}

fn is_plain(p: &Provisioner) -> bool {
    p.before.is_none() && p.after.is_none()
}

fn mistake(p: &Provisioner, list: &[Provisioner]) -> Option<String> {
    let (word, target) = match (&p.before, &p.after) {
        (Some(_), Some(_)) => return Some(format!("provisioner `{}`: `before` and `after` exclude each other", p.label())),
        (Some(t), None) => ("before", t),
        (None, Some(t)) => ("after", t),
        (None, None) => return None,
    };
    if ["each", "all"].contains(&target.as_str()) {
        return None;
    }
    let mut named = list.iter().filter(|o| o.name.as_deref() == Some(target)).peekable();
    if named.peek().is_none() {
        return Some(format!("provisioner `{}`: {word} = `{target}`, but no provisioner has this name", p.label()));
    }
    (!named.any(is_plain))
        .then(|| format!("provisioner `{}`: {word} = `{target}`, but `{target}` has a `before` or `after` of its own", p.label()))
}

#[cfg(test)]
mod tests {
    use kiste_core::provision::{ProvisionerKind, Run, Shell};
    use proptest::prelude::*;

    use super::*;

    fn one(name: &str, before: Option<&str>, after: Option<&str>) -> Provisioner {
        Provisioner {
            name: Some(name.to_owned()),
            kind: ProvisionerKind::Shell(Shell::default()),
            run: Run::Once,
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            preserve_order: false,
            communicator_required: true,
        }
    }

    fn names(list: &[Provisioner]) -> String {
        order(list).unwrap().iter().map(|p| p.label()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn neighbours_each_and_all() {
        let list = [
            one("a", None, None),
            one("last", None, Some("all")),
            one("x", Some("b"), None),
            one("b", None, None),
            one("y", None, Some("b")),
            one("z", None, Some("b")),
            one("e", Some("each"), None),
            one("f", None, Some("each")),
            one("first", Some("all"), None),
        ];
        assert_eq!(names(&list), "first e a f e x f e b f e y f e z f last");
    }

    #[test]
    fn wrong_targets_are_all_named() {
        let list = [one("a", Some("nobody"), None), one("b", None, Some("a")), one("c", Some("b"), Some("b"))];
        let text = order(&list).unwrap_err().to_string();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("no provisioner has this name") && text.contains("of its own") && text.contains("exclude each other"));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_only_each_repeats(shape in prop::collection::vec(0u8..6, 1..12)) {
            let mut list = vec![one("p", None, None)];
            for (i, kind) in shape.iter().enumerate() {
                let name = format!("n{i}");
                let word = Some(if kind % 2 == 0 { "each" } else { "all" });
                list.push(match kind {
                    0 => one(&name, None, None),
                    1 => one(&name, Some("p"), None),
                    2 | 3 => one(&name, word, None),
                    4 => one(&name, None, Some("p")),
                    _ => one(&name, None, word),
                });
            }
            let row = order(&list).unwrap();
            for p in &list {
                let times = row.iter().filter(|r| std::ptr::eq(**r, p)).count();
                let each = [&p.before, &p.after].iter().any(|t| t.as_deref() == Some("each"));
                if each { prop_assert!(times >= 1) } else { prop_assert_eq!(times, 1) }
            }
            // Plain ones keep their order.
            let plain: Vec<&str> = row.iter().filter(|p| is_plain(p)).map(|p| p.label()).collect();
            let written: Vec<&str> = list.iter().filter(|p| is_plain(p)).map(Provisioner::label).collect();
            prop_assert_eq!(plain, written);
        }
    }
}
