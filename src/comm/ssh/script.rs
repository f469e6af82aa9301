//! The shell text that a command becomes in the guest.
//!
//! What sshd is told to execute is constant: the shell reads one line from its standard input, decodes it and evaluates it. So
//! neither the command nor its variables ever show in the guest's list of processes, no length limit of arguments applies, and
//! whatever follows that line is the command's own standard input. With a terminal, where a line would be echoed and cut, the same
//! text is put into a private file that is removed by the shell that reads it.
//!
//! The decoded text prints a mark first, then runs the command in a subshell and prints its exit code behind a second mark. What the
//! login profile printed stands before the first mark; a process left in the background can keep the streams open, but not hide
//! that the command has ended.

use crate::communicator::GuestCommand;
use crate::error::Error;
use crate::quote;

use super::target::SshTarget;

/// Reads a line, decodes it, runs it.
const BOOTSTRAP: &str = r#"IFS= read -r k; eval "$(printf %b "$k")""#;
/// Begins every mark: a character no program prints by chance (record separator).
pub(super) const MARK: char = '\u{1e}';
/// Where there is no bash: what its `-l` would have read.
const PROFILES: &str = "[ -r /etc/profile ] && . /etc/profile; [ -r ~/.profile ] && . ~/.profile";

/// A command, ready to be sent.
pub(super) struct Script {
    text: String,
    privileged: bool,
    /// Distinguishes this command's marks from everything it could print.
    pub(super) nonce: String,
}

impl Script {
    /// Of a command for this target; fails when a variable's name is none.
    pub(super) fn new(target: &SshTarget, command: &GuestCommand, pty: bool, agent: Option<&str>) -> Result<Self, Error> {
        let mut bytes = [0; 12];
        openssl::rand::rand_bytes(&mut bytes).map_err(|e| Error::Key { path: "random number".to_owned(), reason: e.to_string() })?;
        let nonce = bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let mut exports: Vec<String> = agent.map(|socket| quote::export("SSH_AUTH_SOCK", socket)).transpose()?.into_iter().collect();
        for name in &target.forward_env {
            if let Some(value) = std::env::var_os(name) {
                exports.push(quote::export(name, &value.to_string_lossy())?);
            }
        }
        for (name, value) in &command.env {
            exports.push(quote::export(name, value)?);
        }
        let stderr_mark = if pty { String::new() } else { format!("printf '\\036%s\\n' {nonce} >&2") };
        let lines = [
            "unset k".to_owned(),
            format!("printf '\\036%s %s\\n' {nonce} \"$$\""),
            stderr_mark,
            "(".to_owned(),
            exports.join("\n"),
            format!("eval {}", quote::word(&command.text)),
            ")".to_owned(),
            "k=$?".to_owned(),
            format!("printf '\\036%s exit %s\\n' {nonce} \"$k\""),
            "exit \"$k\"".to_owned(),
        ];
        let privileged = command.privileged && !(target.user == "root" && target.sudo_command.trim_start().starts_with("sudo "));
        Ok(Self { text: lines.join("\n"), privileged, nonce })
    }

    /// What comes first on the standard input.
    pub(super) fn first_line(&self, shell: &Shell) -> Vec<u8> {
        format!("{}\n", quote::one_line(&self.for_shell(shell))).into_bytes()
    }

    /// The same for a file.
    pub(super) fn for_shell(&self, shell: &Shell) -> String {
        if shell.profiles { format!("{PROFILES}\n{}", self.text) } else { self.text.clone() }
    }

    /// What sshd is told to execute when the text comes by standard input.
    pub(super) fn exec_line(&self, target: &SshTarget, shell: &Shell) -> String {
        self.by_shell(target, shell, BOOTSTRAP)
    }

    /// The same when the text is in a file of the guest.
    pub(super) fn exec_file(&self, target: &SshTarget, shell: &Shell, file: &str) -> String {
        let file = quote::word(file);
        self.by_shell(target, shell, &format!("k=$(cat {file}); rm -f {file}; eval \"$k\""))
    }

    fn by_shell(&self, target: &SshTarget, shell: &Shell, text: &str) -> String {
        let line = format!("{} -c {}", shell.words, quote::word(text));
        if self.privileged { quote::fill(&target.sudo_command, &line) } else { line }
    }

    /// Ends the command whose shell is `pid`, with all that it started and still waits for.
    pub(super) fn kill_line(&self, target: &SshTarget, pid: u32) -> String {
        let text =
            format!("g=$(ps -o pgid= -p {pid} 2>/dev/null | tr -cd 0-9); kill -s TERM -- -${{g:-{pid}}} 2>/dev/null || kill -s TERM {pid}");
        let line = format!("sh -c {}", quote::word(&text));
        if self.privileged { quote::fill(&target.sudo_command, &line) } else { line }
    }
}

/// Makes a private file of its standard input and prints the file's name behind a mark.
pub(super) fn keep_file(nonce: &str) -> String {
    let text = format!("umask 077; f=$(mktemp) && cat > \"$f\" && printf '\\036%s %s\\n' {nonce} \"$f\"");
    quote::words(["sh", "-c", &text])
}

/// The shell that commands run in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shell {
    words: String,
    profiles: bool,
}

impl Shell {
    /// As the target says.
    pub(super) fn wanted(target: &SshTarget) -> Self {
        Self { words: target.shell.clone(), profiles: false }
    }

    /// `sh`, for guests without the one that is wanted.
    pub(super) fn plain(target: &SshTarget) -> Self {
        let login = target.shell.split_whitespace().skip(1).any(|w| w == "-l" || w == "--login");
        Self { words: "sh".to_owned(), profiles: login }
    }

    /// Fails with 126 or 127 when the shell is not there.
    pub(super) fn probe(&self) -> String {
        format!("{} -c :", self.words.split_whitespace().next().unwrap_or("sh"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> SshTarget {
        SshTarget::new("h", 22, "vagrant")
    }

    #[test]
    fn secrets_are_in_the_first_line_only() {
        let command = GuestCommand::script("echo $TOKEN").sudo().env("TOKEN", "s3cret");
        let script = Script::new(&target(), &command, false, None).unwrap();
        let shell = Shell::wanted(&target());
        let line = script.exec_line(&target(), &shell);
        assert!(!line.contains("s3cret") && !line.contains("TOKEN"));
        assert!(line.starts_with("sudo -E -H bash -l -c 'IFS= read"));
        let first = String::from_utf8(script.first_line(&shell)).unwrap();
        assert!(first.contains("export TOKEN=s3cret"));
        assert_eq!(first.matches('\n').count(), 1);
    }

    #[test]
    fn root_needs_no_sudo() {
        let root = SshTarget::new("h", 22, "root");
        let script = Script::new(&root, &GuestCommand::script("id").sudo(), false, None).unwrap();
        assert!(script.exec_line(&root, &Shell::wanted(&root)).starts_with("bash -l -c "));
    }

    #[test]
    fn a_bad_variable_is_refused() {
        let command = GuestCommand::script("id").env("A B", "x");
        assert!(matches!(Script::new(&target(), &command, false, None), Err(Error::Variable { .. })));
    }
}
