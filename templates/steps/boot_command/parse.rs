//! The language of boot commands: text, `<keys>`, `<waits>`; and `<wait "text">`, which is ours.

use std::time::Duration;

use super::keys::{self, Key};

/// How long `<wait "text">` waits when it does not say.
pub const TEXT_LIMIT: Duration = Duration::from_secs(300);
/// `<wait>`.
const PLAIN_WAIT: Duration = Duration::from_secs(1);
/// Units of times, in the order they are looked for.
const UNITS: [(&str, f64); 8] =
    [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("μs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A character of text.
    Character(char, Key),
    /// A named key, pressed and released.
    Press(Key),
    /// A key that stays down (`<leftShiftOn>`) or is let go.
    Hold {
        /// Which.
        key: Key,
        /// Down, or up.
        down: bool,
    },
    /// Time passes.
    Wait(Duration),
    /// A text has to be seen.
    WaitText {
        /// Text.
        text: String,
        /// Longest time.
        limit: Duration,
    },
}

/// Reads a whole command; every mistake, or what to do.
pub fn parse(text: &str) -> Result<Vec<Action>, Vec<String>> {
    let (mut actions, mut mistakes) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (read, length) = expression(rest).unwrap_or_else(|| (character(c), c.len_utf8()));
        match read {
            Ok(action) => actions.push(action),
            Err(mistake) if mistakes.contains(&mistake) => {}
            Err(mistake) => mistakes.push(mistake),
        }
        rest = &rest[length..];
    }
    if mistakes.is_empty() { Ok(actions) } else { Err(mistakes) }
}

type Read = Result<Action, String>;

fn character(c: char) -> Read {
    keys::of(c).map(|key| Action::Character(c, key)).ok_or_else(|| {
        format!(
            "the character `{}` (U+{:04X}) cannot be typed on a US keyboard, which is the one boot commands use",
            c.escape_debug(),
            c as u32
        )
    })
}

/// What stands in `<…>` at the beginning of `rest`, and its length with the brackets; none when `<` is only a character.
fn expression(rest: &str) -> Option<(Read, usize)> {
    let inside = rest.strip_prefix('<')?;
    if let Some((read, length)) = wait_text(inside) {
        return Some((read, length + 1));
    }
    // `<>on>`: the key may be the very character that ends an expression.
    let toggled = inside.chars().next().and_then(|c| toggle(c, &inside[c.len_utf8()..]));
    let end = inside.find('>');
    let wait = end.and_then(|end| wait(&inside[..end]).map(|read| (read, end + 2)));
    wait.or(toggled).or_else(|| {
        let end = end?;
        special(&inside[..end]).map(|action| (Ok(action), end + 2))
    })
}

/// `on>` or `off>` after a character.
fn toggle(c: char, after: &str) -> Option<(Read, usize)> {
    let (word, _) = after.split_once('>')?;
    let down = on_or_off(word)?;
    let read =
        keys::of(c).map(|key| Action::Hold { key, down }).ok_or_else(|| format!("`<{}{word}>`: there is no such key", c.escape_debug()));
    Some((read, 1 + c.len_utf8() + word.len() + 1))
}

fn on_or_off(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn special(inside: &str) -> Option<Action> {
    if let Some(key) = keys::named(inside) {
        return Some(Action::Press(key));
    }
    [2, 3].into_iter().find_map(|length| {
        let at = inside.len().checked_sub(length).filter(|at| inside.is_char_boundary(*at))?;
        let (name, word) = inside.split_at(at);
        Some(Action::Hold { key: keys::named(name)?, down: on_or_off(word)? })
    })
}

fn wait(inside: &str) -> Option<Read> {
    let time = inside.strip_prefix("wait")?;
    if time.is_empty() {
        return Some(Ok(Action::Wait(PLAIN_WAIT)));
    }
    let whole = time.bytes().all(|b| b.is_ascii_digit()) && (time == "0" || !time.starts_with('0'));
    if whole {
        return Some(time.parse().map(|s| Action::Wait(Duration::from_secs(s))).map_err(|_| format!("`<wait{time}>` waits too long")));
    }
    Some(positive(time, seconds(time)?).map(Action::Wait))
}

fn positive(text: &str, seconds: f64) -> Result<Duration, String> {
    let time = Duration::try_from_secs_f64(seconds).unwrap_or(if seconds > 0.0 { Duration::MAX } else { Duration::ZERO });
    match time {
        Duration::ZERO => Err(format!("Expecting a positive wait value. Got {}", if seconds < 0.0 { text } else { "0s" })),
        Duration::MAX => Err(format!("`{text}` is too long a wait")),
        time => Ok(time),
    }
}

/// Seconds of `1.5h`, `2h45m`, `-5s`; none when it is not a time.
fn seconds(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let length = number(rest)?;
        let value: f64 = rest[..length].parse().ok()?;
        rest = &rest[length..];
        let (unit, factor) = UNITS.iter().find(|(unit, _)| rest.starts_with(unit))?;
        sum += value * factor;
        rest = &rest[unit.len()..];
    }
    Some(sum)
}

/// Length of a number without leading zeros, maybe negative, maybe with a fraction.
fn number(text: &str) -> Option<usize> {
    let digits = |t: &str| t.bytes().take_while(u8::is_ascii_digit).count();
    let sign = usize::from(text.starts_with('-'));
    let whole = digits(&text[sign..]);
    if whole == 0 || (whole > 1 && text[sign..].starts_with('0')) {
        return None;
    }
    let end = sign + whole;
    let fraction = text[end..].strip_prefix('.').map_or(0, digits);
    Some(if fraction > 0 { end + 1 + fraction } else { end })
}

/// `wait "text"` with an optional time, up to and with `>`; its length.
fn wait_text(inside: &str) -> Option<(Read, usize)> {
    let after = inside.strip_prefix("wait")?.trim_start_matches(' ').strip_prefix('"')?;
    let mut text = String::new();
    let mut chars = after.char_indices();
    let close = loop {
        match chars.next()? {
            (at, '"') => break at,
            (_, '\\') => text.push(chars.next()?.1),
            (_, c) => text.push(c),
        }
    };
    let tail = &after[close + 1..];
    let end = tail.find('>')?;
    let length = inside.len() - tail.len() + end + 1;
    let time = tail[..end].trim();
    let limit = match (time.is_empty(), seconds(time)) {
        (true, _) => Ok(TEXT_LIMIT),
        (false, Some(seconds)) => positive(time, seconds),
        (false, None) => Err(format!("`<wait \"{text}\" {time}>`: `{time}` is not a time (write `60s`, `5m`)")),
    };
    if text.trim().is_empty() {
        return Some((Err("`<wait \"…\">` needs a text to wait for".to_owned()), length));
    }
    Some((limit.map(|limit| Action::WaitText { text, limit }), length))
}
