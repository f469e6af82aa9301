//! Laws of merging, on any tables.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::{machine, tables};
use crate::document::{Node, Source, parse};

fn node(value: &toml::Table) -> Node {
    parse(&Source::file("/p/Kistefile".as_ref(), value.to_string())).unwrap()
}

fn table() -> impl Strategy<Value = toml::Table> {
    let scalar = prop_oneof![(0i64..4).prop_map(toml::Value::from), "[a-c]".prop_map(toml::Value::from)];
    let value = scalar.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(toml::Value::from),
            proptest::collection::btree_map("[a-d]", inner, 0..3).prop_map(|m| toml::Value::Table(m.into_iter().collect())),
        ]
    });
    proptest::collection::btree_map("[a-d]", value, 0..4).prop_map(|m| typed(m.into_iter().collect()))
}

/// As after reading: under one key there is always a table or never.
fn typed(table: toml::Table) -> toml::Table {
    let fits = |key: &str, value: &toml::Value| value.is_table() == (key > "b");
    let deep = |value| if let toml::Value::Table(t) = value { toml::Value::Table(typed(t)) } else { value };
    table.into_iter().filter(|(key, value)| fits(key, value)).map(|(key, value)| (key, deep(value))).collect()
}

/// Entries of an appended list: names from few, so that they meet.
fn named() -> impl Strategy<Value = toml::Table> {
    let entry = ("[a-c]", 0i64..9).prop_map(|(name, value)| {
        toml::Value::Table([("name".to_owned(), name.into()), ("value".to_owned(), value.into())].into_iter().collect())
    });
    let unique = |list: Vec<toml::Value>| {
        let mut seen = std::collections::BTreeSet::new();
        list.into_iter().filter(|e| seen.insert(e["name"].to_string())).collect::<Vec<_>>()
    };
    proptest::collection::vec(entry, 0..4).prop_map(move |list| [("containers".to_owned(), unique(list).into())].into_iter().collect())
}

fn names(tree: &Node) -> Vec<&str> {
    tree.list("containers").iter().filter_map(|n| n.text("name")).collect()
}

/// Without the order of keys.
fn plain(node: &Node) -> Json {
    node.to_json()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_changes_nothing(a in table()) {
        let (a, empty) = (node(&a), node(&toml::Table::new()));
        prop_assert_eq!(plain(&tables(&a, &empty)), plain(&a));
        prop_assert_eq!(plain(&tables(&empty, &a)), plain(&a));
        prop_assert_eq!(plain(&tables(&a, &a)), plain(&a));
    }

    #[test]
    fn it_does_not_matter_which_two_are_merged_first(a in table(), b in table(), c in table()) {
        let (a, b, c) = (node(&a), node(&b), node(&c));
        prop_assert_eq!(plain(&tables(&tables(&a, &b), &c)), plain(&tables(&a, &tables(&b, &c))));
    }

    #[test]
    fn lists_keep_everything_and_the_later_wins(a in named(), b in named(), c in named()) {
        let (a, b, c) = (node(&a), node(&b), node(&c));
        let merged = machine(&a, &b);
        for element in b.list("containers") {
            let json = element.to_json();
            prop_assert!(merged.list("containers").iter().any(|n| n.to_json() == json));
        }
        for name in names(&a) {
            prop_assert_eq!(names(&merged).iter().filter(|n| **n == name).count(), 1);
        }
        prop_assert_eq!(plain(&machine(&machine(&a, &b), &c)), plain(&machine(&a, &machine(&b, &c))));
    }
}
