//! Whatever is in the file, reading it ends in a project or in mistakes.

use proptest::prelude::*;

use super::Case;
use crate::error::Error;

/// Lines that are nearly right, in any order.
fn lines() -> impl Strategy<Value = String> {
    let known = include_str!("../../testdata/everything.toml").lines().map(str::to_owned).collect::<Vec<_>>();
    let line = prop_oneof![
        8 => proptest::sample::select(known),
        1 => "\\PC{0,20}",
        1 => Just("[machines.\"x y\"]".to_owned()),
        1 => "(count|index|ports|folders|params|ssh) = ('\\{\\{[a-z. \"{}]{0,9}\\}\\}'|[0-9.-]{1,20}|\\[[0-9:'\"]{0,8}\\])",
    ];
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

fn ends(text: &str, set: &str) -> Result<(), TestCaseError> {
    match Case::new(text).set(set).load() {
        Ok(project) => prop_assert!(!project.machines.is_empty()),
        Err(Error::Mistakes(mistakes)) => {
            prop_assert!(!mistakes.is_empty());
            let order: Vec<_> = mistakes.iter().filter(|m| m.line > 0).map(|m| (m.line, m.column)).collect();
            prop_assert!(order.is_sorted(), "{:?}", order);
            for m in mistakes.iter().filter(|m| m.line > 0) {
                prop_assert!(m.line <= text.lines().count() + 1, "{m}");
                prop_assert!(!m.message.is_empty());
            }
        }
        Err(other) => prop_assert!(false, "{other}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC*", set in "\\PC*") {
        ends(&text, &set)?;
    }

    #[test]
    fn any_toml(text in "[a-z\\[\\]{}=\"'.,#0-9\n \\\\]{0,80}") {
        ends(&text, "cpus=1")?;
    }

    #[test]
    fn nearly_right(text in lines(), set in "(machines|params|ports|ssh|x)(\\.[a-z0-9]{1,3}){0,3}=[0-9a-z'\\[{}]{0,5}") {
        ends(&text, &set)?;
    }
}

#[test]
fn deep_nesting_is_told() {
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}1", "{ a = ".repeat(100_000)),
        format!("{}a = 1", "a.".repeat(100_000)),
        format!("[{}a]", "a.".repeat(100_000)),
        format!("a = '{}x'", "{{#if a}}".repeat(100_000)),
        format!("a = '{{{{lower {}'", "(lower ".repeat(100_000)),
    ] {
        ends(&text, "cpus=1").unwrap();
    }
}
