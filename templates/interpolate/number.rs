//! Constants of texts as Go reads them: numbers that are several kinds at once, characters, quoted strings.

use super::lex::Kind;
use super::value::Value;

/// A constant; it is of every kind that can hold it.
#[derive(Clone, Debug)]
pub struct Number {
    /// As written.
    pub text: String,
    /// As an integer.
    pub int: Option<i64>,
    /// As an integer without a sign.
    pub uint: Option<u64>,
    /// As a float.
    pub float: Option<f64>,
    /// With an imaginary part.
    pub complex: Option<(f64, f64)>,
    is_char: bool,
}

impl Number {
    /// Reads a token.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, String> {
        let mut number = Self { text: text.to_owned(), int: None, uint: None, float: None, complex: None, is_char: false };
        match kind {
            Kind::CharConstant => number.char()?,
            Kind::Complex => {
                let split = text.rfind(['+', '-']).unwrap_or(0);
                let (re, im) = (float(&text[..split]), text[split..].strip_suffix('i').and_then(float));
                number.simplify(re.ok_or("syntax error scanning complex number")?, im.ok_or("syntax error scanning complex number")?);
            }
            _ => match text.strip_suffix('i').and_then(float) {
                Some(im) => number.simplify(0.0, im),
                None => number.real()?,
            },
        }
        Ok(number)
    }

    fn char(&mut self) -> Result<(), String> {
        let inner = self.text[1..].strip_suffix('\'').ok_or("invalid syntax")?;
        let mut chars = inner.chars();
        let (code, rest) = match chars.next() {
            None => return Err("invalid syntax".to_owned()),
            Some('\\') => {
                let (escape, rest) = escape(chars.as_str(), '\'').ok_or("invalid syntax")?;
                (
                    match escape {
                        Escape::Char(c) => u32::from(c),
                        Escape::Byte(b) => u32::from(b),
                    },
                    rest,
                )
            }
            Some(c) => (u32::from(c), chars.as_str()),
        };
        if !rest.is_empty() {
            return Err(format!("malformed character constant: {}", self.text));
        }
        self.is_char = true;
        (self.int, self.uint, self.float) = (Some(i64::from(code)), Some(u64::from(code)), Some(f64::from(code)));
        Ok(())
    }

    fn simplify(&mut self, re: f64, im: f64) {
        self.complex = Some((re, im));
        if im == 0.0 {
            self.float = Some(re);
            self.integers(re);
        }
    }

    /// The integers that a float equals.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
    fn integers(&mut self, float: f64) {
        self.int = Some(float as i64).filter(|i| *i as f64 == float);
        self.uint = Some(float as u64).filter(|u| *u as f64 == float);
    }

    #[allow(clippy::cast_precision_loss)]
    fn real(&mut self) -> Result<(), String> {
        let (negative, magnitude) = magnitude(&self.text);
        if let Some(value) = magnitude {
            self.uint = Some(value).filter(|_| !self.text.starts_with(['+', '-']) || value == 0);
            self.int = if negative { 0_i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() };
            self.float = self.int.map(|i| i as f64).or(self.uint.map(|u| u as f64));
        }
        if self.float.is_none()
            && let Some(value) = float(&self.text)
        {
            if !self.text.contains(['.', 'e', 'E', 'p', 'P']) {
                return Err(format!("integer overflow: {}", super::format::quote(&self.text)));
            }
            self.float = Some(value);
            self.integers(value);
        }
        if self.float.is_none() { Err(format!("illegal number syntax: {}", super::format::quote(&self.text))) } else { Ok(()) }
    }

    /// Its value where any type is fine.
    pub fn ideal(&self) -> Result<Value, String> {
        let is_hex = self.text.len() > 2 && self.text.starts_with('0') && matches!(self.text.as_bytes()[1], b'x' | b'X');
        let is_hex = is_hex && !self.text.contains(['p', 'P']);
        match self {
            Self { complex: Some((re, im)), .. } => Ok(Value::Complex(*re, *im)),
            Self { float: Some(f), .. } if !is_hex && !self.is_char && self.text.contains(['.', 'e', 'E', 'p', 'P']) => {
                Ok(Value::Float(*f))
            }
            Self { int: Some(i), .. } => Ok(Value::Int(*i)),
            _ => Err(format!("{} overflows int", self.text)),
        }
    }
}

/// Go's underscores: between digits, or after a base's prefix.
fn plain(text: &str) -> Option<String> {
    let text = text.trim_start_matches(['+', '-']);
    let bytes = text.as_bytes();
    for (i, byte) in bytes.iter().enumerate() {
        if *byte == b'_' {
            let before = i.checked_sub(1).map(|i| bytes[i]);
            let after = bytes.get(i + 1).copied().unwrap_or(0);
            let good = before.is_some_and(|b| b.is_ascii_hexdigit() || matches!(b, b'x' | b'X' | b'o' | b'O' | b'b' | b'B'));
            if !good || !after.is_ascii_hexdigit() {
                return None;
            }
        }
    }
    Some(text.replace('_', ""))
}

/// The sign, and the value of an integer in any base.
fn magnitude(text: &str) -> (bool, Option<u64>) {
    let negative = text.starts_with('-');
    let Some(digits) = plain(text) else { return (negative, None) };
    let lower = digits.to_ascii_lowercase();
    let value = match (lower.get(..2), lower.get(2..)) {
        (Some("0x"), Some(rest)) => u64::from_str_radix(rest, 16),
        (Some("0o"), Some(rest)) => u64::from_str_radix(rest, 8),
        (Some("0b"), Some(rest)) => u64::from_str_radix(rest, 2),
        _ if lower.len() > 1 && lower.starts_with('0') => u64::from_str_radix(&lower[1..], 8),
        _ => lower.parse(),
    };
    (negative, value.ok().filter(|_| digits.bytes().last().is_some_and(|b| b.is_ascii_hexdigit()) && !digits.contains(['+', '-'])))
}

#[allow(clippy::cast_precision_loss)]
fn float(text: &str) -> Option<f64> {
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    let digits = if text.contains('_') { plain(text)? } else { text.trim_start_matches(['+', '-']).to_owned() };
    let lower = digits.to_ascii_lowercase();
    if let Some(hex) = lower.strip_prefix("0x") {
        // Hexadecimal floats need their exponent.
        let (mantissa, exponent) = hex.split_once('p')?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let value = u64::from_str_radix(&format!("{whole}{fraction}"), 16).ok()? as f64;
        let shift = exponent.parse::<i32>().ok()? - 4 * i32::try_from(fraction.len()).ok()?;
        return Some(sign * value * 2_f64.powi(shift)).filter(|f| f.is_finite());
    }
    let known = lower.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-'));
    let value = lower.parse::<f64>().ok().filter(|f| known && f.is_finite())?;
    Some(sign * value)
}

/// What a backslash in a constant stands for.
enum Escape {
    Char(char),
    Byte(u8),
}

/// The escape whose backslash is gone already, and what follows it.
fn escape(text: &str, quote: char) -> Option<(Escape, &str)> {
    let mut chars = text.chars();
    let first = chars.next()?;
    let rest = chars.as_str();
    let code = |digits: usize, radix: u32, from: &'_ str| from.get(..digits).and_then(|d| u32::from_str_radix(d, radix).ok());
    let simple = |c| Some((Escape::Char(c), rest));
    match first {
        'a' => simple('\x07'),
        'b' => simple('\x08'),
        'f' => simple('\x0c'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\x0b'),
        '\\' => simple('\\'),
        c if c == quote => simple(c),
        'x' => Some((Escape::Byte(u8::try_from(code(2, 16, rest)?).ok()?), &rest[2..])),
        'u' => Some((Escape::Char(char::from_u32(code(4, 16, rest)?)?), &rest[4..])),
        'U' => Some((Escape::Char(char::from_u32(code(8, 16, rest)?)?), &rest[8..])),
        '0'..='7' => Some((Escape::Byte(u8::try_from(code(3, 8, text)?).ok()?), &text[3..])),
        _ => None,
    }
}

/// The value of a string as written. Bytes that are no UTF-8 become U+FFFD.
pub fn unquote(written: &str) -> Result<String, String> {
    if let Some(raw) = written.strip_prefix('`') {
        return Ok(raw.trim_end_matches('`').replace('\r', ""));
    }
    let inner = written.get(1..written.len().saturating_sub(1)).ok_or("invalid syntax")?;
    let mut out = Vec::new();
    let mut rest = inner;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        if first != '\\' {
            out.extend(first.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let (value, after) = escape(rest, '"').ok_or("invalid syntax")?;
        match value {
            Escape::Char(c) => out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            Escape::Byte(b) => out.push(b),
        }
        rest = after;
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}
