//! The root file system: mmdebstrap in namespaces of its own.

use std::sync::Arc;

use kiste_comm::quote;
use kiste_core::Stream;
use kiste_core::host::{HostError, Program};
use kiste_core::step::Step;
use kiste_providers::capability::Kernel;

use super::hooks::STAGES;
use super::{Bootstrap, find};
use crate::deadline::limited;
use crate::error::Error;
use crate::namespace;
use crate::steps::Context;

/// Lines of output kept for the error.
const KEPT: usize = 12;
/// Documentation and translations that a machine nobody reads manuals on does without. Licences stay.
const LEFT_OUT: [&str; 6] = [
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/locale/*",
    "path-include=/usr/share/locale/locale.alias",
];

/// The step.
pub struct Root {
    /// The build.
    pub bootstrap: Arc<Bootstrap>,
}

impl<'a> Step<Context<'a>> for Root {
    type Error = Error;

    fn name(&self) -> &'static str {
        "root file system"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let bootstrap = self.bootstrap.as_ref();
        let reporter = context.run.reporter;
        reporter.say(format!("Making a root file system of `{}` with {} packages", bootstrap.suite, bootstrap.packages.len()));
        let program = bootstrap.mmdebstrap(context);
        let mut wait = reporter.wait("the packages", bootstrap.bootstrap_timeout);
        let mut said: Vec<String> = Vec::new();
        let (ended, late) = limited(context.run.cancel, bootstrap.bootstrap_timeout, |cancel| {
            program.stream(cancel, |stream, line| {
                if let Some(seen) = condense(line) {
                    wait.saw(seen);
                }
                if stream == Stream::Stderr || line.starts_with("dpkg") {
                    said.push(line.to_owned());
                }
            })
        });
        if late {
            let what = "the root file system was not complete".to_owned();
            let limit = kiste_core::Span(bootstrap.bootstrap_timeout);
            return Err(Error::TooSlow { what, limit, last_seen: wait.last_seen().to_owned() });
        }
        let status = ended?;
        if !status.success() {
            return Err(HostError::Failed { program: "mmdebstrap".to_owned(), status, stderr: reason(&said) }.into());
        }
        wait.finish();
        context.kernel = Some(Kernel { kernel: context.dir.kernel(), initrd: Some(context.dir.initrd()), cmdline: String::new() });
        Ok(())
    }
}

impl Bootstrap {
    fn mmdebstrap(&self, context: &Context<'_>) -> Program {
        let mut program = namespace::program("mmdebstrap").args(["--mode=root", "--format=directory", "--verbose"]);
        program = program.arg(format!("--variant={}", self.variant)).arg(format!("--architectures={}", self.architecture));
        program = program.arg(format!("--include={}", self.packages.join(",")));
        program = program.arg("--aptopt=Acquire::Languages \"none\"").arg("--aptopt=Acquire::Retries \"3\"");
        if !self.recommends {
            program = program.arg("--aptopt=APT::Install-Recommends \"false\"");
        }
        if !self.documentation {
            program = program.args(LEFT_OUT.map(|o| format!("--dpkgopt={o}")));
        }
        for keyring in &self.keyrings {
            program = program.arg(format!("--keyring={}", keyring.display()));
        }
        for (stage, _) in STAGES {
            let script = context.dir.hook(stage).display().to_string();
            program = program.arg(format!("--{stage}-hook=sh {} \"$1\"", quote::word(&script)));
        }
        program = program.arg(&self.suite).arg(context.dir.root_fs()).args(&self.sources);
        let path = std::env::var("PATH").unwrap_or_default();
        program.env("PATH", format!("{path}:/usr/sbin:/sbin")).env("LC_ALL", "C.UTF-8").env("TMPDIR", context.dir.root())
    }
}

/// Is it there? Says so before a build that would only fail later.
pub fn mke2fs() -> String {
    find("mke2fs").unwrap_or_else(|| "mke2fs".to_owned())
}

/// The phase or package that a line of output is about.
fn condense(line: &str) -> Option<String> {
    let word = |n: usize| line.split_whitespace().nth(n).unwrap_or_default().trim_end_matches([':', '.']).to_owned();
    if let Some(phase) = line.strip_prefix("I: ") {
        // The words of a hook are ours and long.
        return Some(phase.split(" in shell: ").next().unwrap_or(phase).to_owned());
    }
    match line.split_whitespace().next()? {
        first if first.starts_with("Get:") => Some(format!("downloading {}", if word(4).is_empty() { word(1) } else { word(4) })),
        "Unpacking" => Some(format!("unpacking {}", word(1))),
        "Setting" => Some(format!("setting up {}", word(2))),
        "update-initramfs" | "update-initramfs:" => Some("making the initial RAM disk".to_owned()),
        _ => None,
    }
}

/// What went wrong: the errors, else the last lines.
fn reason(said: &[String]) -> String {
    let is_error = |l: &&String| l.starts_with("E: ") || l.starts_with("dpkg: error") || l.starts_with("Err:");
    let errors: Vec<&String> = said.iter().filter(is_error).collect();
    let shown = if errors.is_empty() { said.iter().collect() } else { errors };
    shown[shown.len().saturating_sub(KEPT)..].iter().map(|l| format!("{l}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_becomes_phases() {
        for (line, seen) in [
            ("I: running apt-get update...", Some("running apt-get update...")),
            ("I: running --customize-hook in shell: sh -c 'x'", Some("running --customize-hook")),
            ("Get:12 http://m/debian bookworm/main amd64 rsync amd64 3.2 [417 kB]", Some("downloading rsync")),
            ("Setting up libc6:amd64 (2.36) ...", Some("setting up libc6:amd64")),
            ("Unpacking rsync (3.2) ...", Some("unpacking rsync")),
            ("Reading package lists...", None),
            ("", None),
        ] {
            let word = condense(line);
            assert_eq!(word.as_deref(), seen, "{line}");
        }
    }

    #[test]
    fn errors_come_before_noise() {
        let said = ["I: a", "E: Unable to locate package nope", "W: b", "E: mmdebstrap failed"].map(str::to_owned);
        assert_eq!(reason(&said), "E: Unable to locate package nope\nE: mmdebstrap failed\n");
        assert_eq!(reason(&["x".to_owned()]), "x\n");
    }
}
