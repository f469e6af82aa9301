//! Packer's command line as it is: `-var-file=x` becomes `--var-file=x`, `-force=false` nothing; and whether kiste was called `packer`.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Options that those who know Packer write with one dash: their name, ours, and whether they take a value.
const GO_STYLE: &[(&str, &str, Takes)] = &[
    ("var", "var", Takes::Value),
    ("var-file", "var-file", Takes::Value),
    ("only", "only", Takes::Value),
    ("except", "except", Takes::Value),
    ("on-error", "on-error", Takes::Value),
    ("parallel-builds", "parallel-builds", Takes::Value),
    ("config-type", "config-type", Takes::Value),
    ("output-file", "output-file", Takes::Value),
    ("color", "color", Takes::Bool),
    ("validate", "validate", Takes::Bool),
    ("write", "write", Takes::Bool),
    ("force", "force", Takes::Nothing),
    ("debug", "pause", Takes::Nothing),
    ("timestamp-ui", "timestamp-ui", Takes::Nothing),
    ("warn-on-undeclared-var", "warn-on-undeclared-var", Takes::Nothing),
    ("no-warn-undeclared-var", "no-warn-undeclared-var", Takes::Nothing),
    ("evaluate-datasources", "evaluate-datasources", Takes::Nothing),
    ("ignore-prerelease-plugins", "ignore-prerelease-plugins", Takes::Nothing),
    ("use-sequential-evaluation", "use-sequential-evaluation", Takes::Nothing),
    ("skip-enforcement", "skip-enforcement", Takes::Nothing),
    ("machine-readable", "machine-readable", Takes::Nothing),
    ("syntax-only", "syntax-only", Takes::Nothing),
    ("check", "check", Takes::Nothing),
    ("diff", "diff", Takes::Nothing),
    ("recursive", "recursive", Takes::Nothing),
    ("upgrade", "upgrade", Takes::Nothing),
    ("with-annotations", "with-annotations", Takes::Nothing),
    ("help", "help", Takes::Nothing),
];

/// What an option takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// A value, behind `=` or as the next word.
    Value,
    /// `true` or `false` behind `=`, else it is true.
    Bool,
    /// The same, but false is what it is anyway.
    Nothing,
}

/// Commands that take Packer's options.
const PACKERS: [&str; 7] = ["build", "validate", "inspect", "fix", "fmt", "console", "hcl2_upgrade"];

/// A command line in our own form.
#[derive(Debug, PartialEq)]
pub struct Words {
    /// The words.
    pub words: Vec<OsString>,
    /// Whether kiste was called by the name `packer`.
    pub as_packer: bool,
    /// Where the command stands.
    pub command: Option<usize>,
}

impl Words {
    /// The command.
    pub fn command(&self) -> Option<&str> {
        self.command.and_then(|i| self.words[i].to_str())
    }
}

/// The command line with every option in our own form.
pub fn normalise(words: impl IntoIterator<Item = OsString>) -> Words {
    let words: Vec<OsString> = words.into_iter().collect();
    let as_packer = words.first().and_then(|w| Path::new(w).file_stem()).is_some_and(|name| name == "packer");
    let command = words.iter().skip(1).position(|w| !w.to_string_lossy().starts_with('-')).map(|i| i + 1);
    let is_packers = command.is_some_and(|i| as_packer || PACKERS.iter().any(|c| words[i] == *c));
    let mut done = Words { words, as_packer, command };
    if is_packers {
        translate(&mut done);
    }
    done
}

fn translate(line: &mut Words) {
    let command = line.command.unwrap_or_default();
    let end = line.words.iter().position(|w| w == "--").unwrap_or(line.words.len());
    let words = std::mem::take(&mut line.words);
    for (i, word) in words.into_iter().enumerate() {
        let before = i < command && word != "-machine-readable";
        let kept = if i == 0 || before || i >= end { Some(word) } else { ours(word, line.as_packer) };
        if i == command {
            line.command = Some(line.words.len());
        }
        line.words.extend(kept);
    }
    if line.as_packer
        && let Some(name) = line.command().filter(|c| ["init", "plugins", "version"].contains(c)).map(|c| format!("packer-{c}"))
        && let Some(i) = line.command
    {
        line.words[i] = name.into();
    }
}

/// `-name` or `-name=value` of a known name with two dashes; none for a switch that is off.
fn ours(word: OsString, as_packer: bool) -> Option<OsString> {
    let Some(text) = word.to_str().and_then(|t| t.strip_prefix('-')) else { return Some(word) };
    let text = text.strip_prefix('-').filter(|_| as_packer).unwrap_or(text);
    let (name, value) = text.split_once('=').map_or((text, None), |(n, v)| (n, Some(v)));
    let Some((_, ours, takes)) = GO_STYLE.iter().find(|(theirs, _, _)| *theirs == name) else { return Some(word) };
    let truth = value.map(|v| match v {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => "true",
        "0" | "f" | "F" | "false" | "FALSE" | "False" => "false",
        other => other,
    });
    match (takes, truth) {
        (Takes::Nothing, Some("false")) => None,
        (Takes::Nothing, Some("true")) | (_, None) => Some(format!("--{ours}").into()),
        (Takes::Bool, Some(truth)) => Some(format!("--{ours}={truth}").into()),
        _ => Some(format!("--{ours}={}", value.unwrap_or_default()).into()),
    }
}

impl Words {
    /// Whether something that is no option stands behind the command, or help is asked for.
    pub fn is_of_template(&self) -> bool {
        let behind = self.command.map_or(&[][..], |i| &self.words[i + 1..]);
        behind.iter().any(|w| w == "-" || w == "--help" || w == "-h" || !w.to_string_lossy().starts_with('-'))
    }

    /// Whether the command is one of Packer's. `validate` is when it is given a template; without one it checks the Kistefile.
    pub fn is_packers(&self) -> bool {
        match self.command() {
            Some("validate") => self.as_packer || self.is_of_template(),
            Some(command) => self.as_packer || PACKERS.contains(&command),
            None => self.as_packer,
        }
    }
}

/// Whether one of the words is `word`.
pub fn has(words: &[OsString], word: &str) -> bool {
    words.iter().any(|w| w == OsStr::new(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(line: &str) -> String {
        let words: Vec<OsString> = normalise(line.split(' ').map(OsString::from)).words;
        words.join(std::ffi::OsStr::new(" ")).into_string().unwrap()
    }

    #[test]
    fn one_dash_becomes_two() {
        assert_eq!(normal("kiste build -var a=b -var-file=x -force=true t.json"), "kiste build --var a=b --var-file=x --force t.json");
        assert_eq!(normal("kiste --json build -debug -f t.json"), "kiste --json build --pause -f t.json");
        assert_eq!(normal("kiste build -force=false -color=0 t.json"), "kiste build --color=false t.json");
        assert_eq!(normal("kiste -machine-readable build t.json"), "kiste --machine-readable build t.json");
    }

    #[test]
    fn other_commands_are_left_alone() {
        assert_eq!(normal("kiste ssh -force -- -var"), "kiste ssh -force -- -var");
        assert_eq!(normal("kiste build -- -var"), "kiste build -- -var");
        assert_eq!(normal("kiste"), "kiste");
    }

    #[test]
    fn by_the_name_packer_its_commands_are_meant() {
        assert_eq!(normal("/usr/bin/packer version -machine-readable"), "/usr/bin/packer packer-version --machine-readable");
        assert_eq!(normal("packer build --debug --color=false t.json"), "packer build --pause --color=false t.json");
        assert_eq!(normalise(["packer", "-machine-readable", "init", "x"].map(OsString::from)).command(), Some("packer-init"));
    }
}
