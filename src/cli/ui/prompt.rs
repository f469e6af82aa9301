//! Questions on the terminal.

use std::io::{BufRead, IsTerminal, Write};
use std::sync::mpsc;
use std::time::Duration;

use kiste_core::Cancel;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// Whether somebody can answer.
pub fn possible() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks until the answer is yes or no; an empty line is no, the end of input and Ctrl-C are no answer.
pub fn confirm(question: &str, cancel: &Cancel) -> Option<bool> {
    loop {
        match ask(question, false, cancel)?.to_ascii_lowercase().as_str() {
            "y" | "yes" => return Some(true),
            "n" | "no" | "" => return Some(false),
            _ => {}
        }
    }
}

/// Asks for a line; what is typed stays invisible when `secret`.
pub fn ask(question: &str, secret: bool, cancel: &Cancel) -> Option<String> {
    let mut out = std::io::stderr().lock();
    let _ = write!(out, "{question}").and_then(|()| out.flush());
    let hidden = secret.then(Hidden::begin).flatten();
    let answer = line(cancel);
    if hidden.is_some() || answer.is_none() {
        let _ = writeln!(out);
    }
    answer
}

/// A line of a standard input that is no terminal.
pub fn piped(cancel: &Cancel) -> Option<String> {
    line(cancel)
}

/// A line of standard input. Read beside, because a read can't be ended by Ctrl-C.
fn line(cancel: &Cancel) -> Option<String> {
    let (send, answers) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        // The asker may have gone on without us.
        let _ = send.send(matches!(read, Ok(n) if n > 0).then(|| answer.trim().to_owned()));
    });
    loop {
        match answers.recv_timeout(Duration::from_millis(30)) {
            Ok(answer) => return answer,
            Err(mpsc::RecvTimeoutError::Timeout) if !cancel.is_cancelled() => {}
            Err(_) => return None,
        }
    }
}

/// Echo is off while this lives.
struct Hidden(rustix::termios::Termios);

impl Hidden {
    fn begin() -> Option<Self> {
        let before = tcgetattr(std::io::stdin()).ok()?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &silent).ok()?;
        Some(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}
