//! Phrases that several sinks share: prefixes, times, amounts.

use std::time::Duration;

use kiste_core::Scope;

/// The name a scope's lines carry.
pub fn name(scope: &Scope) -> &str {
    match scope {
        Scope::Project => "kiste",
        Scope::Box => "box",
        Scope::Machine(name) | Scope::Build(name) => name,
    }
}

/// `LEAD NAME: ` before each line of `text`.
pub fn prefixed(scope: &Scope, lead: &str, text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|l| format!("{lead} {}: {l}", name(scope)).trim_end().to_owned()).collect();
    lines.join("\n")
}

/// `Waiting for X (at most 5m)...`
pub fn waiting(what: &str, timeout: Duration) -> String {
    // A timeout may be what was left of a longer one: nobody wants its nanoseconds.
    let whole = kiste_core::Span::secs(timeout.as_secs() + u64::from(timeout.subsec_nanos() > 0));
    if timeout.is_zero() { format!("Waiting for {what}...") } else { format!("Waiting for {what} (at most {whole})...") }
}

/// A time as people say it: `0.3 s`, `12 s`, `3 min 05 s`.
pub fn took(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match time.as_secs() {
        _ if seconds < 0.9995 => format!("{:.0} ms", seconds * 1000.0),
        0..10 => format!("{seconds:.1} s"),
        10..60 => format!("{seconds:.0} s"),
        s if s < 3600 => format!("{} min {:02} s", s / 60, s % 60),
        s => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}

/// A number of things: `1 file`, `2 files`.
pub fn count(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// An amount of bytes as people say it: `12.3 MiB`.
pub fn amount(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// Bytes per second, `None` when the time is too short to say.
pub fn rate(bytes: u64, time: Duration) -> Option<String> {
    if time < Duration::from_millis(50) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shown with three digits")]
    let per_second = (bytes as f64 / time.as_secs_f64()) as u64;
    Some(format!("{}/s", amount(per_second)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        let said = [1, 999, 1_234, 59_400, 61_000, 3_720_000].map(|ms| took(Duration::from_millis(ms)));
        assert_eq!(said, ["1 ms", "999 ms", "1.2 s", "59 s", "1 min 01 s", "1 h 02 min"]);
    }

    #[test]
    fn each_line_has_its_prefix() {
        assert_eq!(prefixed(&Scope::Machine("web".into()), "==>", "a\n\nb"), "==> web: a\n==> web:\n==> web: b");
    }
}
