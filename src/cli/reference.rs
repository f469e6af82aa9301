//! Makes `docs/cli.md` from the tree of commands, and fails when the file says something else.
//!
//! `KISTE_WRITE_DOCS=1 cargo test --bin kiste reference` writes it.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Command, CommandFactory};

use crate::app::App;

const HEAD: &str = "# The command line\n\nMade from the program itself by `KISTE_WRITE_DOCS=1 cargo test --bin kiste reference`.\n";

const EXIT_CODES: &str = "
## Exit codes

| code | meaning |
|---|---|
| 0 | it worked |
| 1 | it failed |
| 2 | the command line or a file of yours is wrong |
| 3 | a machine, box or version does not exist |
| 4 | a provider or host program is missing or too old |
| 5 | the guest can't be reached |
| 6 | a registry or the network failed |
| 7 | a checksum, signature or lock did not hold |
| 130 | interrupted |

`ssh` gives the exit code of the shell or command in the guest. `destroy` gives 1 when every machine was declined at the prompt
and 2 when some were.
";

fn page() -> String {
    let mut app = App::command().term_width(100).max_term_width(100);
    app.build();
    let mut page = HEAD.to_owned();
    section(&mut page, &app, "kiste", 2);
    page.push_str(EXIT_CODES);
    page
}

fn section(page: &mut String, command: &Command, name: &str, level: usize) {
    // What every command has stands once, in the first section.
    let top = level == 2 && name == "kiste";
    let mut shown = command.clone().mut_args(|a| if a.is_global_set() && !top { a.hide(true) } else { a });
    let help: Vec<String> = shown.render_long_help().to_string().lines().map(|l| l.trim_end().to_owned()).collect();
    let _ = write!(page, "\n{} {name}\n\n```text\n{}\n```\n", "#".repeat(level), help.join("\n").trim());
    for child in command.get_subcommands().filter(|c| c.get_name() != "help" && !c.is_hide_set()) {
        section(page, child, &format!("{name} {}", child.get_name()), level.max(2) + usize::from(top));
    }
}

#[test]
fn the_reference_says_what_the_program_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    let page = page();
    if std::env::var_os("KISTE_WRITE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/cli.md is old; write it anew with KISTE_WRITE_DOCS=1 cargo test --bin kiste reference");
}

#[test]
fn the_tree_of_commands_is_sound() {
    App::command().debug_assert();
}

/// The words of a line as a shell would split them; only double quotes are known.
fn words(line: &str) -> Vec<String> {
    let quoted = line.split('"').enumerate();
    let pieces = quoted.flat_map(|(i, piece)| match i % 2 {
        0 => piece.split_whitespace().map(str::to_owned).collect(),
        _ => vec![piece.to_owned()],
    });
    pieces.collect()
}

#[test]
fn the_examples_about_registries_are_command_lines() {
    use clap::Parser;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/registry-client.md");
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("$ ")).collect();
    assert!(lines.len() > 20, "{}", lines.len());
    for line in lines {
        let parsed = App::try_parse_from(words(line));
        assert!(parsed.is_ok(), "{line}: {}", parsed.err().map(|e| e.to_string()).unwrap_or_default());
    }
}
