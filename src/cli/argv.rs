//! Go-style options of `build` and `validate` (`-var-file=x`, `-only a`) become ours (`--var-file=x`, `--only a`).

use std::ffi::OsString;

/// Options that those who know Packer write with one dash, and what we call them.
const GO_STYLE: &[(&str, &str)] = &[
    ("var", "var"),
    ("var-file", "var-file"),
    ("only", "only"),
    ("except", "except"),
    ("force", "force"),
    ("on-error", "on-error"),
    ("debug", "pause"),
    ("color", "color"),
    ("parallel-builds", "parallel-builds"),
    ("timestamp-ui", "timestamp-ui"),
    ("machine-readable", "machine-readable"),
    ("syntax-only", "syntax-only"),
    ("help", "help"),
];

/// The command line with every option in our own form.
pub fn normalise(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let words: Vec<OsString> = words.into_iter().collect();
    let command = words.iter().skip(1).position(|w| !w.to_string_lossy().starts_with('-')).map(|i| i + 1);
    let Some(command) = command.filter(|i| words[*i] == "build" || words[*i] == "validate") else { return words };
    let end = words.iter().position(|w| w == "--").unwrap_or(words.len());
    let options = words.into_iter().enumerate();
    options.map(|(i, word)| if i > command && i < end { long(&word).unwrap_or(word) } else { word }).collect()
}

/// `-name` or `-name=value` of a known name with two dashes.
fn long(word: &OsString) -> Option<OsString> {
    let text = word.to_str()?.strip_prefix('-').filter(|t| !t.starts_with('-'))?;
    let (name, value) = text.split_once('=').map_or((text, None), |(n, v)| (n, Some(v)));
    let (_, ours) = GO_STYLE.iter().find(|(theirs, _)| *theirs == name)?;
    let switch = !matches!(*ours, "var" | "var-file" | "only" | "except" | "on-error" | "parallel-builds" | "color");
    match value {
        // A switch given `=true` is a switch; `=false` is the same as leaving it out, which `--` options can't say.
        Some("true") if switch => Some(format!("--{ours}").into()),
        Some(value) => Some(format!("--{ours}={value}").into()),
        None => Some(format!("--{ours}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(line: &str) -> String {
        let words: Vec<OsString> = normalise(line.split(' ').map(OsString::from));
        words.join(std::ffi::OsStr::new(" ")).into_string().unwrap()
    }

    #[test]
    fn one_dash_becomes_two() {
        assert_eq!(normal("kiste build -var a=b -var-file=x -force=true t.json"), "kiste build --var a=b --var-file=x --force t.json");
        assert_eq!(normal("kiste --json build -debug -f t.json"), "kiste --json build --pause -f t.json");
    }

    #[test]
    fn other_commands_are_left_alone() {
        assert_eq!(normal("kiste ssh -force -- -var"), "kiste ssh -force -- -var");
        assert_eq!(normal("kiste build -- -var"), "kiste build -- -var");
        assert_eq!(normal("kiste"), "kiste");
    }
}
