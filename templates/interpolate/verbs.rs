//! How `printf` writes one value by one verb.

use super::escape::printable;
use super::floats;
use super::value::Value;

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flags {
    /// `+`
    pub plus: bool,
    /// `-`
    pub minus: bool,
    /// `#`
    pub sharp: bool,
    /// A space.
    pub space: bool,
    /// `0`
    pub zero: bool,
    /// Least width, in characters.
    pub width: Option<usize>,
    /// After the point.
    pub precision: Option<usize>,
}

impl Flags {
    fn pad(&self, out: &mut String, text: &str) {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        let fill = if self.zero { "0" } else { " " }.repeat(missing);
        if self.minus {
            out.push_str(text);
            out.push_str(&fill);
        } else {
            out.push_str(&fill);
            out.push_str(text);
        }
    }

    fn spaces(&self) -> Self {
        Self { zero: false, ..*self }
    }
}

/// Writes `value` by `verb`; a verb that does not fit is told in Go's form.
pub fn write_value(out: &mut String, value: &Value, verb: char, flags: &Flags) {
    let known = match (verb, value) {
        ('T', Value::Nil) | ('v', Value::Nil) => {
            flags.pad(out, "<nil>");
            true
        }
        ('T', value) => {
            flags.pad(out, value.type_name());
            true
        }
        (_, Value::Nil) => false,
        ('t' | 'v', Value::Bool(value)) => {
            flags.pad(out, if *value { "true" } else { "false" });
            true
        }
        (_, Value::Bool(_)) => false,
        (_, Value::Int(value)) => integer(out, value.unsigned_abs(), *value < 0, verb, flags),
        ('v', Value::Byte(value)) if flags.sharp => {
            integer(out, u64::from(*value), false, 'x', &Flags { sharp: true, plus: false, ..*flags })
        }
        (_, Value::Byte(value)) => integer(out, u64::from(*value), false, verb, flags),
        (_, Value::Float(value)) => float(out, *value, verb, flags),
        (_, Value::Complex(re, im)) => complex(out, *re, *im, verb, flags),
        (_, Value::Text(text)) => string(out, text, verb, flags),
        (_, Value::Map(map)) => {
            out.push_str("map[");
            for (i, (key, value)) in map.iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                write_value(out, &Value::Text(key.clone()), verb, flags);
                out.push(':');
                write_value(out, &Value::Text(value.clone()), verb, flags);
            }
            out.push(']');
            true
        }
    };
    if !known {
        unfit(out, value, verb, flags);
    }
}

fn unfit(out: &mut String, value: &Value, verb: char, flags: &Flags) {
    out.push_str(&format!("%!{verb}("));
    if *value == Value::Nil {
        out.push_str("<nil>");
    } else {
        out.push_str(value.type_name());
        out.push('=');
        write_value(out, value, 'v', flags);
    }
    out.push(')');
}

fn integer(out: &mut String, magnitude: u64, negative: bool, verb: char, flags: &Flags) -> bool {
    let digits = match verb {
        'v' | 'd' => magnitude.to_string(),
        'b' => format!("{magnitude:b}"),
        'o' | 'O' => format!("{magnitude:o}"),
        'x' => format!("{magnitude:x}"),
        'X' => format!("{magnitude:X}"),
        'c' | 'q' | 'U' => return character(out, magnitude, negative, verb, flags),
        _ => return false,
    };
    if flags.precision == Some(0) && magnitude == 0 {
        flags.spaces().pad(out, "");
        return true;
    }
    let has_sign = negative || flags.plus || flags.space;
    let least = match (flags.precision, flags.width) {
        (Some(precision), _) => precision,
        (None, Some(width)) if flags.zero => width - usize::from(has_sign && width > 0),
        _ => 0,
    };
    let mut digits = "0".repeat(least.saturating_sub(digits.len())) + &digits;
    let prefix = match verb {
        'O' => "0o",
        _ if !flags.sharp => "",
        'b' => "0b",
        'o' if !digits.starts_with('0') => "0",
        'x' => "0x",
        'X' => "0X",
        _ => "",
    };
    digits.insert_str(0, prefix);
    let sign = match () {
        () if negative => "-",
        () if flags.plus => "+",
        () if flags.space => " ",
        () => "",
    };
    digits.insert_str(0, sign);
    flags.spaces().pad(out, &digits);
    true
}

fn character(out: &mut String, magnitude: u64, negative: bool, verb: char, flags: &Flags) -> bool {
    let code = u32::try_from(magnitude).ok().filter(|_| !negative).and_then(char::from_u32);
    let c = code.unwrap_or('\u{FFFD}');
    match verb {
        'c' => flags.pad(out, &c.to_string()),
        'q' => flags.pad(out, &quoted(&c.to_string(), '\'', flags.plus)),
        _ => {
            let digits = flags.precision.unwrap_or(4).max(4);
            let value = if negative { magnitude.wrapping_neg() } else { magnitude };
            let mut text = format!("U+{value:0digits$X}");
            if flags.sharp && code.is_some_and(printable) {
                text.push_str(&format!(" '{c}'"));
            }
            flags.spaces().pad(out, &text);
        }
    }
    true
}

fn string(out: &mut String, text: &str, verb: char, flags: &Flags) -> bool {
    let cut: String = flags.precision.map_or_else(|| text.to_owned(), |n| text.chars().take(n).collect());
    match verb {
        'v' if flags.sharp => flags.pad(out, &quote(&cut)),
        'v' | 's' => flags.pad(out, &cut),
        'q' if flags.sharp && !cut.contains(|c: char| c == '`' || c == '\u{7f}' || c == '\u{FEFF}' || (c < ' ' && c != '\t')) => {
            flags.pad(out, &format!("`{cut}`"));
        }
        'q' => flags.pad(out, &quoted(&cut, '"', flags.plus)),
        'x' | 'X' => flags.pad(out, &hexadecimal(text, verb, flags)),
        _ => return false,
    }
    true
}

fn hexadecimal(text: &str, verb: char, flags: &Flags) -> String {
    let bytes = &text.as_bytes()[..flags.precision.unwrap_or(text.len()).min(text.len())];
    let prefix = match verb {
        _ if !flags.sharp => "",
        'x' => "0x",
        _ => "0X",
    };
    let one = |byte: &u8| if verb == 'x' { format!("{byte:02x}") } else { format!("{byte:02X}") };
    let each: Vec<String> = bytes.iter().map(one).collect();
    match each.is_empty() {
        true => String::new(),
        false if flags.space => each.iter().map(|b| format!("{prefix}{b}")).collect::<Vec<_>>().join(" "),
        false => format!("{prefix}{}", each.concat()),
    }
}

fn float(out: &mut String, value: f64, verb: char, flags: &Flags) -> bool {
    let Some(text) = floats::format(value, verb, flags.precision, flags.sharp) else { return false };
    let unsigned = text.trim_start_matches('-');
    let sign = match text.starts_with('-') {
        true => "-",
        false if flags.plus => "+",
        false if flags.space => " ",
        false => "",
    };
    match flags.width {
        // Zeros come between the sign and the number.
        Some(width) if flags.zero && !sign.is_empty() => {
            out.push_str(sign);
            Flags { width: width.checked_sub(1), ..*flags }.pad(out, unsigned);
        }
        _ => flags.pad(out, &format!("{sign}{unsigned}")),
    }
    true
}

fn complex(out: &mut String, re: f64, im: f64, verb: char, flags: &Flags) -> bool {
    let mut inner = "(".to_owned();
    if !float(&mut inner, re, verb, flags) {
        return false;
    }
    float(&mut inner, im, verb, &Flags { plus: true, ..*flags });
    out.push_str(&inner);
    out.push_str("i)");
    true
}

/// Go's `%q`.
pub fn quote(text: &str) -> String {
    quoted(text, '"', false)
}

fn quoted(text: &str, mark: char, ascii: bool) -> String {
    let mut out = String::from(mark);
    for c in text.chars() {
        match c {
            c if c == mark || c == '\\' => out.extend(['\\', c]),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            c if printable(c) && (c.is_ascii() || !ascii) => out.push(c),
            c if c < ' ' || c == '\x7f' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push(mark);
    out
}
