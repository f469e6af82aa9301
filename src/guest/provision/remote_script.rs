//! A script brought into a guest and run there: shared by the `shell` provisioner and everything that works like it.

use std::collections::BTreeMap;

use kiste_comm::{GuestCommand, quote};
use kiste_core::Cancel;
use kiste_core::provision::ShellArgs;

use super::output::{Scrubber, Sink};
use crate::{Error, Guest};

/// What to run, and how.
#[derive(Clone, Debug, Default)]
pub struct RemoteScript {
    /// The script's bytes as they shall be in the guest.
    pub bytes: Vec<u8>,
    /// Its arguments: a line is given to the guest's shell as it is, the elements of a list are quoted.
    pub args: ShellArgs,
    /// Its environment; values are taken literally.
    pub env: BTreeMap<String, String>,
    /// Run as root.
    pub privileged: bool,
    /// Where to put it, and leave it; none: a new name in `/tmp`, removed afterwards.
    pub upload_path: Option<String>,
    /// Leave its own colours alone.
    pub keep_color: bool,
    /// Keep the values of `env` out of output and errors.
    pub sensitive: bool,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Exit code.
    pub code: i32,
    /// Tail of standard error, else of standard output; without secrets.
    pub said: String,
}

impl RemoteScript {
    /// Uploads and runs it; its output goes to the guest's reporter as it comes. Any exit code is `Ok`.
    pub fn run(&self, guest: &Guest<'_>) -> Result<Ran, Error> {
        let path = self.upload_path.clone().unwrap_or_else(|| format!("/tmp/kiste-shell-{}", uuid::Uuid::new_v4().simple()));
        let result = self.attempt(guest, &path);
        if result.is_err() && self.upload_path.is_none() {
            sweep(guest, &path);
        }
        result
    }

    fn attempt(&self, guest: &Guest<'_>, path: &str) -> Result<Ran, Error> {
        guest.comm.upload_bytes(&self.bytes, path, 0o700, guest.cancel)?;
        let scrubber = Scrubber::new(self.env.values().filter(|_| self.sensitive).map(String::as_str));
        let mut sink = Sink::new(guest.reporter, self.keep_color, scrubber);
        let exit = guest.comm.run(&self.command(path), guest.cancel, &mut |stream, bytes| sink.push(stream, bytes));
        let said = sink.finish();
        Ok(Ran { code: exit?.code, said })
    }

    fn command(&self, path: &str) -> GuestCommand {
        let arguments = match &self.args {
            ShellArgs::Line(line) => format!(" {line}"),
            ShellArgs::List(list) if list.is_empty() => String::new(),
            ShellArgs::List(list) => format!(" {}", quote::words(list)),
        };
        // A name without a slash would be looked up on the guest's PATH.
        let file = if path.contains('/') || path.starts_with('~') { path.to_owned() } else { format!("./{path}") };
        let file = quote::guest_path(&file);
        let sweep = if self.upload_path.is_none() { format!("rm -f {file}\n") } else { String::new() };
        // The shell runs the file by its own shebang, or as its own language without one. Where files in /tmp cannot be run
        // (mounted noexec), its interpreter is called by name.
        let by_name = self.interpreter();
        let text = format!(
            "{{\nchmod +x {file}\nif [ -x {file} ]; then {file}{arguments}\nelse {by_name} {file}{arguments}\nfi\nkiste_status=$?\n{sweep}exit $kiste_status\n}}\n"
        );
        GuestCommand { text, env: self.env.clone(), privileged: self.privileged, ..GuestCommand::default() }
    }

    /// Words that run the script without executing its file.
    fn interpreter(&self) -> String {
        let first = self.bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let shebang = std::str::from_utf8(first).ok().and_then(|l| l.strip_prefix("#!")).map(str::trim).filter(|l| !l.is_empty());
        let Some(line) = shebang else { return "\"${BASH:-sh}\"".to_owned() };
        // As the kernel does: the program, then the rest as one word.
        match line.split_once(char::is_whitespace) {
            Some((program, rest)) => quote::words([program, rest.trim()]),
            None => quote::word(line),
        }
    }
}

/// Best effort after a failure: the connection may be gone, and with it the means to be tidy.
fn sweep(guest: &Guest<'_>, path: &str) {
    let command = GuestCommand::words(["rm", "-f", path]);
    if let Err(e) = guest.comm.run(&command, &Cancel::new(), &mut |_, _| {}) {
        tracing::debug!("cannot tidy up in the guest: {e}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &str, path: &str) -> String {
        let args = ShellArgs::List(vec!["$(x)".to_owned()]);
        RemoteScript { bytes: bytes.as_bytes().to_vec(), args, upload_path: Some(path.to_owned()), ..RemoteScript::default() }
            .command(path)
            .text
    }

    #[test]
    fn names_and_arguments_are_words() {
        let text = text("#!/bin/sh\n", "~/it's $HOME");
        assert!(text.contains("~/'it'\\''s $HOME' '$(x)'\n"), "{text}");
        assert!(!text.contains("rm -f"), "the user's own path stays");
        assert!(self::text("", "plain").contains("\nif [ -x ./plain ]"));
    }

    #[test]
    fn a_file_that_cannot_be_executed_is_still_read_by_its_interpreter() {
        for (shebang, by) in [
            ("#! /usr/bin/env python3\n", "else /usr/bin/env python3 /x"),
            ("#!/usr/bin/env -S sh -e\n", "else /usr/bin/env '-S sh -e' /x"),
            ("#!/bin/sh", "else /bin/sh /x"),
            ("echo", "else \"${BASH:-sh}\" /x"),
            ("\u{1}\n", "else \"${BASH:-sh}\" /x"),
        ] {
            assert!(text(shebang, "/x").contains(by), "{}", text(shebang, "/x"));
        }
    }
}
