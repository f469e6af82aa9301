//! What everything that runs scripts shares, in guests and on the host: the scripts themselves, their variables, the judgement of their end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::duration;
use crate::error::Error;
use crate::live::Live;
use crate::options::Options;
use crate::provisioner::ProvisionerRun;

/// A script.
#[derive(Debug, PartialEq)]
pub enum Script {
    /// A file of the host, as the template names it.
    File(PathBuf),
    /// Lines of the template, rendered again when they run.
    Inline(Vec<String>),
}

impl Script {
    /// As it is named in what people read.
    pub fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Inline(_) => "(inline)".to_owned(),
        }
    }

    /// What is in it now.
    pub fn bytes(&self, shebang: Option<&str>, live: &Live<'_>) -> Result<Vec<u8>, Error> {
        match self {
            Self::File(path) => std::fs::read(path).map_err(Error::file(path)),
            Self::Inline(lines) => Ok(inline_text(lines, shebang, live)?.into_bytes()),
        }
    }
}

/// Longest wait for a guest that restarts, where the template says nothing.
pub const START_RETRY: Duration = Duration::from_secs(300);

/// `pause_after`.
pub fn pause(time: Duration, run: &ProvisionerRun<'_>) -> Result<(), Error> {
    if !time.is_zero() {
        run.reporter.say(format!("Pausing {} after this provisioner...", duration::shown(time)));
        run.cancel.sleep(time)?;
    }
    Ok(())
}

/// The rules of everything that runs scripts in guests.
pub const GUEST_RULES: Rules = Rules {
    command: None,
    none: "Either a script file or inline script must be specified.",
    two_files: "Only one of script or scripts can be specified.",
    both: "Only a script file or an inline script can be specified, not both.",
};

/// How a template may name scripts, and the words for its mistakes.
pub struct Rules {
    /// The old option for one line, where there is one.
    pub command: Option<&'static str>,
    /// Nothing is given.
    pub none: &'static str,
    /// `script` and `scripts`.
    pub two_files: &'static str,
    /// Files and lines.
    pub both: &'static str,
}

/// Reads `inline`, `script` and `scripts`.
pub fn scripts(options: &mut Options<'_>, rules: &Rules) -> Vec<Script> {
    let keys = ["inline", "script", "scripts"];
    let at = keys.map(|key| options.place(key));
    let mut inline = options.list("inline").filter(|l| !l.is_empty());
    let script = options.text("script");
    let scripts = options.list("scripts").filter(|l| !l.is_empty());
    let first = at.into_iter().flatten().next();
    if let Some(command) = rules.command.and_then(|key| options.text(key)) {
        if inline.is_some() || script.is_some() || scripts.is_some() {
            options.problem(first, rules.both);
        }
        inline = Some(vec![command]);
    } else if inline.is_none() && script.is_none() && scripts.is_none() {
        options.problem(first, rules.none);
    } else if inline.is_some() && (script.is_some() || scripts.is_some()) {
        options.problem(first, rules.both);
    }
    if script.is_some() && scripts.is_some() {
        options.problem(at[1], rules.two_files);
    }
    let files: Vec<PathBuf> = script.into_iter().chain(scripts.into_iter().flatten()).map(PathBuf::from).collect();
    for file in &files {
        exists(options, at[1].or(at[2]), "script", file);
    }
    match inline {
        Some(lines) => vec![Script::Inline(lines)],
        None => files.into_iter().map(Script::File).collect(),
    }
}

/// Tells when a file that will be run is none.
pub fn exists(options: &mut Options<'_>, at: Option<crate::problem::Place>, what: &str, file: &Path) {
    match std::fs::metadata(file) {
        Ok(found) if found.is_file() => {}
        Ok(_) => options.problem(at, format!("Bad {what} '{}': not a file", file.display())),
        Err(error) => options.problem(at, format!("Bad {what} '{}': {}", file.display(), stat(file, &error))),
    }
}

/// An error about a path in the peers' words.
pub fn stat(path: &Path, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => format!("stat {}: no such file or directory", path.display()),
        _ => format!("stat {}: {error}", path.display()),
    }
}

/// The text of a script that is made of lines.
pub fn inline_text(lines: &[String], shebang: Option<&str>, live: &Live<'_>) -> Result<String, Error> {
    let mut text = shebang.map(|s| format!("#!{s}\n")).unwrap_or_default();
    for line in lines {
        text.push_str(&live.render("inline", line)?);
        text.push('\n');
    }
    Ok(text)
}

/// Variables for scripts.
#[derive(Debug)]
pub struct Variables {
    /// Name and value as the template gives them.
    own: Vec<(String, String)>,
    /// How one is written: `%s='%s' `.
    format: String,
}

impl Variables {
    /// Reads `environment_vars` and `env_var_format`.
    pub fn of(options: &mut Options<'_>, default_format: &str) -> Self {
        let at = options.place("environment_vars");
        let mut own = Vec::new();
        for entry in options.list("environment_vars").unwrap_or_default() {
            match entry.split_once('=') {
                Some((name, value)) if !name.is_empty() => own.push((name.to_owned(), value.to_owned())),
                _ => options.problem(at, format!("Environment variable not in format 'key=value': {entry}")),
            }
        }
        Self { own, format: options.text("env_var_format").unwrap_or_else(|| default_format.to_owned()) }
    }

    /// Another format than `env_var_format`.
    pub fn set_format(&mut self, format: String) {
        self.format = format;
    }

    /// All of them, the build's own too, by name; `escape` is for values that the template gave.
    pub fn all(&self, live: &Live<'_>, escape: fn(&str) -> String) -> Result<Vec<(String, String)>, Error> {
        let mut all = std::collections::BTreeMap::from([
            ("PACKER_BUILD_NAME".to_owned(), live.facts.build_name.clone().unwrap_or_default()),
            ("PACKER_BUILDER_TYPE".to_owned(), live.facts.build_type.clone().unwrap_or_default()),
        ]);
        for (name, field) in
            [("PACKER_HTTP_ADDR", "PackerHTTPAddr"), ("PACKER_HTTP_IP", "PackerHTTPIP"), ("PACKER_HTTP_PORT", "PackerHTTPPort")]
        {
            all.extend(live.field(field).map(|value| (name.to_owned(), value.to_owned())));
        }
        for (name, value) in &self.own {
            all.insert(name.clone(), escape(&live.render("environment_vars", value)?));
        }
        Ok(all.into_iter().collect())
    }

    /// All of them in the template's format, one after the other.
    pub fn text(&self, live: &Live<'_>, escape: fn(&str) -> String) -> Result<String, Error> {
        Ok(self.all(live, escape)?.iter().map(|(name, value)| formatted(&self.format, [name, value])).collect())
    }
}

/// For values between single quotes of a POSIX shell: quotes are closed, written, opened again.
pub fn escape_single(value: &str) -> String {
    value.replace('\'', r#"'"'"'"#)
}

/// A format with `%s`, as Go fills it.
fn formatted(format: &str, words: [&str; 2]) -> String {
    let (mut out, mut rest, mut next) = (String::new(), format, 0);
    while let Some((plain, after)) = rest.split_once('%') {
        out.push_str(plain);
        let explicit = ["[1]", "[2]"].iter().position(|n| after.starts_with(n));
        let after = if explicit.is_some() { &after[3..] } else { after };
        let mut chars = after.chars();
        match chars.next() {
            Some('%') => out.push('%'),
            Some('s' | 'v') => {
                let index = explicit.unwrap_or(next);
                out.push_str(words.get(index).copied().unwrap_or("%!s(MISSING)"));
                next = index + 1;
            }
            Some(other) => out.push_str(&format!("%!{other}(unknown verb)")),
            None => out.push_str("%!(NOVERB)"),
        }
        rest = chars.as_str();
    }
    out + rest
}

/// Exit codes that are fine.
#[derive(Debug, Clone)]
pub struct ValidCodes(Vec<i32>);

impl ValidCodes {
    /// Reads `valid_exit_codes`.
    pub fn of(options: &mut Options<'_>) -> Self {
        Self(options.codes("valid_exit_codes").filter(|c| !c.is_empty()).unwrap_or_else(|| vec![0]))
    }

    /// Whether this one is.
    pub fn allow(&self, code: i32) -> bool {
        self.0.contains(&code)
    }

    /// The error of one that is not.
    pub fn check(&self, code: i32) -> Result<(), Error> {
        if self.allow(code) { Ok(()) } else { Err(Error::Script { code, allowed: self.0.clone() }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_filled_as_go_does() {
        for (format, expected) in [
            ("%s='%s' ", "A='b' "),
            ("export %s=%s%%;", "export A=b%;"),
            ("%[2]s %[1]s", "b A"),
            ("%s %s %s", "A b %!s(MISSING)"),
            ("x", "x"),
            ("%", "%!(NOVERB)"),
        ] {
            assert_eq!(formatted(format, ["A", "b"]), expected);
        }
    }
}
