//! The rules of the house, executable: floors, monopolies, budgets, names, number of dependencies.
//!
//! A failing rule lists every place that breaks it. The rules themselves are explained in `docs/house.md`.

#[path = "house/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use source::{Source, root, sources};

/// Crates by floor; a crate may import only from floors strictly below its own.
const FLOORS: &[(&str, u8)] = &[
    ("kiste", 5),
    ("kiste-lifecycle", 4),
    ("kiste-templates", 4),
    ("kiste-registry", 4),
    ("kiste-guest", 3),
    ("kiste-providers", 3),
    ("kiste-comm", 2),
    ("kiste-config", 2),
    ("kiste-boxes", 2),
    ("kiste-core", 1),
];

/// Longest function, in lines.
const FUNCTION_LINES: usize = 80;
/// Median of all functions, in lines.
const FUNCTION_MEDIAN: usize = 10;
/// Longest file, in lines, tests aside.
const FILE_LINES: usize = 500;
/// Median of all files, in lines, tests aside.
const FILE_MEDIAN: usize = 120;
/// Packages in the lock file that are not ours: the registry brought its database and its objects' store.
const LOCKED: usize = 420;
/// Names that attract everything and mean nothing.
const DRAWERS: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "imp"];

fn verdict(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}\n  {}\n", broken.join("\n  "));
}

fn manifest(path: &Path) -> toml::Table {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn crates() -> BTreeMap<String, toml::Table> {
    let top = manifest(&root().join("Cargo.toml"));
    let members = top["workspace"]["members"].as_array().expect("members").iter().filter_map(|m| m.as_str().map(str::to_owned));
    let mut all: BTreeMap<String, toml::Table> = members
        .map(|m| {
            let table = manifest(&root().join(m).join("Cargo.toml"));
            (table["package"]["name"].as_str().expect("a name").to_owned(), table)
        })
        .collect();
    all.insert("kiste".to_owned(), top);
    all
}

fn floor(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(n, _)| *n == name).map(|(_, f)| *f)
}

#[test]
fn crates_import_only_from_floors_below() {
    let mut broken = Vec::new();
    for (name, table) in crates() {
        let Some(mine) = floor(&name) else {
            broken.push(format!("{name} stands on no floor"));
            continue;
        };
        let dependencies = table.get("dependencies").and_then(|d| d.as_table()).cloned().unwrap_or_default();
        for other in dependencies.keys().filter(|d| d.starts_with("kiste")) {
            if floor(other).is_none_or(|f| f >= mine) {
                broken.push(format!("{name} (floor {mine}) imports {other}"));
            }
        }
    }
    verdict("a crate imports only from floors strictly below:", &broken);
}

/// Places whose code (comments, strings and tests aside where `code` is asked) holds one of `words`.
fn places(words: &[&str], allowed: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources().iter().filter(|s| !allowed(&s.name)) {
        for (line, text) in source.code_lines() {
            found.extend(words.iter().filter(|w| text.contains(**w)).map(|w| format!("{}:{line} has `{w}`", source.name)));
        }
    }
    found
}

#[test]
fn only_cli_prints_prompts_and_exits() {
    let words = ["println!", "print!(", "eprintln!", "eprint!(", "process::exit", "io::stdin(", "dbg!("];
    // The built-in ssh terminal is the one place below cli whose very purpose is the user's terminal.
    let allowed = |name: &str| name.starts_with("src/cli/") || name == "src/comm/ssh/interactive.rs";
    verdict("only src/cli prints, prompts and exits:", &places(&words, allowed));
}

#[test]
fn only_cli_imports_config() {
    verdict("only src/cli imports config:", &places(&["kiste_config::"], |n| n.starts_with("src/cli/")));
    let importers: Vec<String> = crates()
        .iter()
        .filter(|(name, table)| {
            name.as_str() != "kiste" && table.get("dependencies").and_then(|d| d.as_table()).is_some_and(|d| d.contains_key("kiste-config"))
        })
        .map(|(name, _)| name.clone())
        .collect();
    verdict("only the root package depends on config:", &importers);
}

#[test]
fn only_host_starts_programs() {
    let words = ["process::Command", "Command::new("];
    let allowed = |name: &str| name == "src/core/host.rs" || name.starts_with("src/cli/");
    verdict("only core/host.rs starts host programs:", &places(&words, allowed));
    verdict("src/cli starts none either:", &places(&["process::Command"], |n| !n.starts_with("src/cli/")));
}

#[test]
fn only_dirs_spells_state_paths() {
    let words = ["\".kiste\"", "\".kiste/", "\"KISTE_HOME\"", "XDG_DATA_HOME"];
    let allowed = |name: &str| name == "src/core/dirs.rs";
    let mut found = Vec::new();
    for source in sources().iter().filter(|s| !allowed(&s.name)) {
        for (line, text) in source.text_lines() {
            let hit = words.iter().filter(|w| text.contains(**w) && !text.trim_start().starts_with("//"));
            found.extend(hit.map(|w| format!("{}:{line} spells {w}", source.name)));
        }
    }
    verdict("only core/dirs.rs spells a path of state:", &found);
}

#[test]
fn only_boxes_speaks_to_a_registry() {
    let words = ["api/v1", "api/v2"];
    let mut found = Vec::new();
    for source in sources().iter().filter(|s| !s.name.starts_with("boxes/")) {
        let hits = source.text_lines().filter(|(_, t)| words.iter().any(|w| t.contains(w)) && !t.trim_start().starts_with("//"));
        found.extend(hits.map(|(line, _)| format!("{}:{line}", source.name)));
    }
    verdict("only boxes speaks to a registry:", &found);
}

#[test]
fn nobody_branches_on_a_providers_name() {
    let mut found = Vec::new();
    let home = |n: &str| n.starts_with("providers/") || n.starts_with("templates/builders/");
    for source in sources().iter().filter(|s| !home(&s.name)) {
        for (line, text) in source.text_lines() {
            let names = ["\"qemu\"", "\"virtualbox\"", "\"esxi\""];
            let branches =
                |n: &&str| text.contains(&format!("== {n}")) || text.contains(&format!("{n} =>")) || text.contains(&format!("{n} |"));
            if names.iter().any(branches) {
                found.push(format!("{}:{line}: {}", source.name, text.trim()));
            }
        }
    }
    verdict("ask for a capability, never for a provider's name:", &found);
}

#[test]
fn files_keep_their_budget() {
    let all = sources();
    let long = |s: &&Source| s.lines() > FILE_LINES;
    let broken: Vec<String> = all.iter().filter(long).map(|s| format!("{} has {} lines", s.name, s.lines())).collect();
    verdict(&format!("no file over {FILE_LINES} lines, tests aside:"), &broken);
    let median = median(all.iter().map(Source::lines).collect());
    assert!(median <= FILE_MEDIAN, "the median file has {median} lines, more than {FILE_MEDIAN}");
}

#[test]
fn functions_keep_their_budget() {
    let functions: Vec<(String, usize)> = sources().iter().flat_map(Source::functions).collect();
    let broken: Vec<String> =
        functions.iter().filter(|(_, n)| *n > FUNCTION_LINES).map(|(name, n)| format!("{name} has {n} lines")).collect();
    verdict(&format!("no function over {FUNCTION_LINES} lines:"), &broken);
    let median = median(functions.iter().map(|(_, n)| *n).collect());
    assert!(median <= FUNCTION_MEDIAN, "the median function has {median} lines, more than {FUNCTION_MEDIAN}");
}

fn median(mut numbers: Vec<usize>) -> usize {
    assert!(!numbers.is_empty(), "nothing to measure");
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent = |s: &&Source| !s.text.starts_with("//! ");
    let broken: Vec<String> = sources().iter().filter(silent).map(|s| s.name.clone()).collect();
    verdict("each file opens with `//!`:", &broken);
}

#[test]
fn no_file_is_a_drawer() {
    let drawer = |name: &&String| {
        let parts: BTreeSet<&str> = name.split('/').map(|p| p.trim_end_matches(".rs")).collect();
        DRAWERS.iter().any(|d| parts.contains(d))
    };
    let names: Vec<String> = sources().into_iter().map(|s| s.name).collect();
    let broken: Vec<String> = names.iter().filter(drawer).cloned().collect();
    verdict("files are named for what they hold:", &broken);
}

#[test]
fn dependencies_stay_below_their_cap() {
    let lock = manifest(&root().join("Cargo.lock"));
    let packages = lock["package"].as_array().expect("packages");
    let locked = packages.iter().filter(|p| !p["name"].as_str().is_some_and(|n| n.starts_with("kiste"))).count();
    assert!(locked <= LOCKED, "{locked} locked packages, more than {LOCKED}");
}

#[test]
fn every_dependency_says_what_it_is_for() {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let section = text.split("[workspace.dependencies]").nth(1).and_then(|s| s.split("\n[").next()).expect("workspace.dependencies");
    let bare = |l: &&str| l.contains('=') && !l.starts_with('#') && !l.contains("path =") && !l.contains('#');
    let broken: Vec<String> = section.lines().filter(bare).map(str::to_owned).collect();
    verdict("a comment beside each dependency says what it is for:", &broken);
}
