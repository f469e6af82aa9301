//! `print`, `println`, `printf` as Go's package `fmt` has them.

use super::value::Value;
use super::verbs::{Flags, write_value};

pub use super::verbs::quote;

/// Longest width or precision.
const WIDEST: i64 = 1_000_000;

/// Values after one another; spaces where neither neighbour is a text.
pub fn sprint(values: &[Value]) -> String {
    let mut out = String::new();
    for (i, value) in values.iter().enumerate() {
        let is_text = |v: &Value| matches!(v, Value::Text(_));
        if i > 0 && !is_text(value) && !is_text(&values[i - 1]) {
            out.push(' ');
        }
        write_value(&mut out, value, 'v', &Flags::default());
    }
    out
}

/// Values with spaces between, and a line's end.
pub fn sprintln(values: &[Value]) -> String {
    let mut out = String::new();
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        write_value(&mut out, value, 'v', &Flags::default());
    }
    out.push('\n');
    out
}

/// Values in a format.
pub fn sprintf(format: &str, values: &[Value]) -> String {
    let mut printer = Printer { rest: format, values, next: 0, reordered: false, good: true, out: String::new() };
    while let Some(found) = printer.rest.find('%') {
        printer.out.push_str(&printer.rest[..found]);
        printer.rest = &printer.rest[found + 1..];
        printer.verb();
        // Widths make long texts of short formats: what is too long anyway need not be finished.
        if printer.out.len() > super::engine::LONGEST {
            return printer.out;
        }
    }
    printer.out.push_str(printer.rest);
    printer.extra();
    printer.out
}

struct Printer<'a> {
    rest: &'a str,
    values: &'a [Value],
    next: usize,
    /// Some `[n]` was given: then values may be left over.
    reordered: bool,
    good: bool,
    out: String,
}

impl Printer<'_> {
    fn accept(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn verb(&mut self) {
        let mut flags = self.flags();
        self.good = true;
        self.reordered = false;
        let mut after_index = self.index();
        self.width(&mut flags, &mut after_index);
        self.precision(&mut flags, &mut after_index);
        if !after_index {
            self.index();
        }
        let Some(verb) = self.rest.chars().next() else { return self.out.push_str("%!(NOVERB)") };
        self.rest = &self.rest[verb.len_utf8()..];
        // `%+v` shows more of structures, not a sign.
        flags.plus &= verb != 'v';
        match self.values.get(self.next) {
            _ if verb == '%' => self.out.push('%'),
            _ if !self.good => self.out.push_str(&format!("%!{verb}(BADINDEX)")),
            None => self.out.push_str(&format!("%!{verb}(MISSING)")),
            Some(value) => {
                write_value(&mut self.out, value, verb, &flags);
                self.next += 1;
            }
        }
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        loop {
            if self.accept('#') {
                flags.sharp = true;
            } else if self.accept('0') {
                flags.zero = !flags.minus;
            } else if self.accept('+') {
                flags.plus = true;
            } else if self.accept('-') {
                flags.minus = true;
                flags.zero = false;
            } else if self.accept(' ') {
                flags.space = true;
            } else {
                return flags;
            }
        }
    }

    fn width(&mut self, flags: &mut Flags, after_index: &mut bool) {
        if self.accept('*') {
            match self.number_of_value() {
                Some(width) => {
                    if width < 0 {
                        flags.minus = true;
                        flags.zero = false;
                    }
                    flags.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => self.out.push_str("%!(BADWIDTH)"),
            }
            *after_index = false;
        } else {
            flags.width = self.digits();
            if *after_index && flags.width.is_some() {
                self.good = false;
            }
        }
    }

    fn precision(&mut self, flags: &mut Flags, after_index: &mut bool) {
        if !self.accept('.') {
            return;
        }
        if *after_index {
            self.good = false;
        }
        *after_index = self.index();
        if self.accept('*') {
            flags.precision = self.number_of_value().and_then(|p| usize::try_from(p).ok());
            if flags.precision.is_none() {
                self.out.push_str("%!(BADPREC)");
            }
            *after_index = false;
        } else {
            flags.precision = Some(self.digits().unwrap_or(0));
        }
    }

    /// Digits; a digit more than the widest takes the whole format with it.
    fn digits(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(10)) {
            let before = number.unwrap_or(0);
            if before > WIDEST {
                self.rest = "";
                return None;
            }
            number = Some(before * 10 + i64::from(digit));
            self.rest = &self.rest[1..];
        }
        number.and_then(|n| usize::try_from(n).ok())
    }

    fn number_of_value(&mut self) -> Option<i64> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        let number = match value {
            Value::Int(n) => Some(*n),
            Value::Byte(n) => Some(i64::from(*n)),
            _ => None,
        };
        number.filter(|n| n.abs() <= WIDEST)
    }

    /// `[n]`: which value is next.
    fn index(&mut self) -> bool {
        if !self.rest.starts_with('[') {
            return false;
        }
        self.reordered = true;
        let Some(end) = self.rest.find(']') else {
            self.good = false;
            self.rest = &self.rest[1..];
            return false;
        };
        let number = self.rest[1..end].parse::<usize>().ok();
        self.rest = &self.rest[end + 1..];
        match number.and_then(|n| n.checked_sub(1)).filter(|n| *n < self.values.len()) {
            Some(n) => self.next = n,
            None => self.good = false,
        }
        number.is_some()
    }

    fn extra(&mut self) {
        if self.reordered || self.next >= self.values.len() {
            return;
        }
        let shown = self.values[self.next..].iter().map(|value| match value {
            Value::Nil => "<nil>".to_owned(),
            value => format!("{}={}", value.type_name(), sprint(std::slice::from_ref(value))),
        });
        let shown: Vec<String> = shown.collect();
        self.out.push_str(&format!("%!(EXTRA {})", shown.join(", ")));
    }
}
