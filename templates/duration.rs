//! Times as Go writes them: `1h2m3.5s`; a bare number counts nanoseconds.

use std::time::Duration;

use crate::json::Value;

/// The time a value means, or why it is none. Negative times count as zero.
pub fn of(value: &Value) -> Result<Duration, String> {
    match value {
        Value::Number(text) => match text.parse::<i64>() {
            Ok(nanoseconds) => Ok(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))),
            Err(_) => Err(format!("invalid duration {text}")),
        },
        Value::Text(text) => parse(text),
        other => Err(format!("a duration is a string such as \"90s\", not {}", other.kind())),
    }
}

/// Parses a text. What is wrong is told in Go's words.
pub fn parse(text: &str) -> Result<Duration, String> {
    let invalid = || format!("time: invalid duration \"{text}\"");
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" || rest.is_empty() {
        return if rest.is_empty() { Err(invalid()) } else { Ok(Duration::ZERO) };
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| invalid())?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit() || c == '.').map_or(rest.len(), |i| digits + i);
        let name = &rest[digits..unit_end];
        if name.is_empty() {
            return Err(format!("time: missing unit in duration \"{text}\""));
        }
        seconds += number * unit(name).ok_or_else(|| format!("time: unknown unit \"{name}\" in duration \"{text}\""))?;
        rest = &rest[unit_end..];
    }
    if negative { Ok(Duration::ZERO) } else { Duration::try_from_secs_f64(seconds).map_err(|_| invalid()) }
}

/// A time as Go shows it: `1m30s`, `5m0s`, `300ms`.
pub fn shown(time: Duration) -> String {
    let (whole, nanoseconds) = (time.as_secs(), time.subsec_nanos());
    let fraction = |value: f64| value.to_string();
    if whole == 0 {
        return match nanoseconds {
            0 => "0s".to_owned(),
            n if n < 1_000 => format!("{n}ns"),
            n if n < 1_000_000 => format!("{}µs", fraction(f64::from(n) / 1e3)),
            n => format!("{}ms", fraction(f64::from(n) / 1e6)),
        };
    }
    let (hours, minutes) = (whole / 3600, whole / 60 % 60);
    let seconds = fraction((whole % 60) as f64 + f64::from(nanoseconds) / 1e9);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

fn unit(name: &str) -> Option<f64> {
    Some(match name {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_go_reads_them() {
        for (text, millis) in [("90s", 90_000), ("1h2m3.5s", 3_723_500), ("250ms", 250), ("0", 0), ("-5s", 0), ("1.5m", 90_000)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "abc", "5 s", "s", "1d", "1..5s", "999999999999999999999h"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(of(&Value::Number("1000000000".into())), Ok(Duration::from_secs(1)));
    }
}
