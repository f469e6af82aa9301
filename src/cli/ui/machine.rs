//! `--machine-readable`: the peers' line protocol on standard output, `EPOCH,TARGET,TYPE,DATA…`.

use std::io::Write;

use kiste_core::event::Outcome;
use kiste_core::{Event, Scope, Ui};

use super::{clean, words};

/// The sink. Asks nobody.
pub struct Machine;

impl Ui for Machine {
    fn emit(&self, scope: &Scope, event: Event) {
        for (target, kind, data) in records(scope, event) {
            write(&target, &kind, &data);
        }
    }

    fn confirm(&self, _: &Scope, _: &str) -> Option<bool> {
        None
    }

    fn ask(&self, _: &Scope, _: &str, _: bool) -> Option<String> {
        None
    }
}

/// One record on standard output, stamped now.
pub fn write(target: &str, kind: &str, data: &[String]) {
    let mut out = std::io::stdout().lock();
    let line = line(jiff::Timestamp::now().as_second(), target, kind, data);
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn line(now: i64, target: &str, kind: &str, data: &[String]) -> String {
    let mut line = format!("{now},{},{kind}", escape(target));
    for column in data {
        line.push(',');
        line.push_str(&escape(column));
    }
    line
}

fn escape(text: &str) -> String {
    text.replace(',', "%!(VAGRANT_COMMA)").replace('\n', "\\n").replace('\r', "\\r")
}

type Record = (String, String, Vec<String>);

fn target(scope: &Scope) -> String {
    match scope {
        Scope::Machine(name) | Scope::Build(name) => name.clone(),
        Scope::Project | Scope::Box => String::new(),
    }
}

fn records(scope: &Scope, event: Event) -> Vec<Record> {
    let ui = |kind: &str, lead: &str, text: &str| {
        let text = words::prefixed(scope, lead, &clean::text(text));
        vec![(target(scope), "ui".to_owned(), vec![kind.to_owned(), text])]
    };
    match event {
        Event::ActionStarted { action } => vec![(target(scope), "action".to_owned(), vec![action, "start".to_owned()])],
        Event::ActionFinished { action, .. } => vec![(target(scope), "action".to_owned(), vec![action, "end".to_owned()])],
        Event::Say { text } => ui("info", "==>", &text),
        Event::Detail { text } => ui("detail", "   ", &text),
        Event::Success { text } => ui("success", "==>", &text),
        Event::Warn { text } => ui("warn", "==>", &text),
        Event::Error { text } => ui("error", "==>", &text),
        Event::TransferStarted { label, .. } => ui("detail", "   ", &label),
        Event::WaitStarted { what, timeout, .. } => ui("detail", "   ", &words::waiting(&what, timeout)),
        Event::WaitFinished { outcome: Outcome::Ok, .. } => Vec::new(),
        Event::WaitSaw { seen, .. } => ui("detail", "   ", &seen),
        Event::Output { line, .. } => ui("output", "   ", &line),
        Event::Machine { kind, data } => vec![(target(scope), kind, data)],
        Event::BuildEnded { .. }
        | Event::StepStarted { .. }
        | Event::StepFinished { .. }
        | Event::StepUndone { .. }
        | Event::StepReleased { .. }
        | Event::TransferProgress { .. }
        | Event::TransferFinished { .. }
        | Event::WaitFinished { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_escaped_as_the_peers_do() {
        let data = ["a,b".to_owned(), "two\nlines\r".to_owned()];
        assert_eq!(line(7, "web", "ui", &data), "7,web,ui,a%!(VAGRANT_COMMA)b,two\\nlines\\r");
    }

    #[test]
    fn headlines_keep_their_prefix() {
        let said = records(&Scope::Machine("web".into()), Event::Say { text: "Booting".into() });
        assert_eq!(said, [("web".to_owned(), "ui".to_owned(), vec!["info".to_owned(), "==> web: Booting".to_owned()])]);
    }
}
