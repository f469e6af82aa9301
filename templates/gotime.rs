//! Dates by Go's reference layout, `2006-01-02 15:04:05 MST`: known parts stand for the same part of another date, the rest is literal.
//! And `strftime`, with what Packer's library knows of it.

/// The layout of `isotime` without an argument.
pub const RFC3339: &str = "2006-01-02T15:04:05Z07:00";

/// Parts of the layout and jiff's pattern for them; longer ones first where one begins another. All times are UTC.
const PARTS: [(&str, &str); 34] = [
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("MST", "UTC"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("1", "%-m"),
    ("2006", "%Y"),
    ("2", "%-d"),
    ("__2", "%_j"),
    ("_2006", "_%Y"),
    ("_2", "%e"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("-07:00:00", "+00:00:00"),
    ("-07:00", "+00:00"),
    ("-070000", "+000000"),
    ("-0700", "+0000"),
    ("-07", "+00"),
    ("Z07:00:00", "Z"),
    ("Z07:00", "Z"),
    ("Z070000", "Z"),
    ("Z0700", "Z"),
    ("Z07", "Z"),
];

/// `strftime`'s letters as parts of the layout.
const LETTERS: [(char, &str); 16] = [
    ('A', "Monday"),
    ('a', "Mon"),
    ('B', "January"),
    ('b', "Jan"),
    ('d', "02"),
    ('H', "15"),
    ('I', "03"),
    ('L', ".000"),
    ('M', "04"),
    ('m', "01"),
    ('p', "PM"),
    ('S', "05"),
    ('Y', "2006"),
    ('y', "06"),
    ('Z', "MST"),
    ('z', "-0700"),
];

/// The instant `at`, in UTC, in `layout`.
pub fn format(layout: &str, at: jiff::Timestamp) -> String {
    let mut out = String::new();
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        let length = match (fraction(rest), part(rest)) {
            (Some(length), _) => {
                out.push_str(&nanoseconds(&rest[..length], at));
                length
            }
            (None, Some((part, pattern))) => {
                out.push_str(&at.strftime(pattern).to_string());
                part.len()
            }
            (None, None) => {
                out.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    out
}

fn part(rest: &str) -> Option<(&'static str, &'static str)> {
    let (part, pattern) = PARTS.iter().find(|(part, _)| rest.starts_with(part))?;
    // `Janus` is no January.
    let continues = *part == "Jan" && rest[3..].starts_with(|c: char| c.is_ascii_lowercase());
    let continues = continues || *part == "Mon" && rest[3..].starts_with(|c: char| c.is_ascii_lowercase());
    (!continues).then_some((part, pattern))
}

/// Length of a fraction of a second that stands here: a point or comma and nothing but zeros, or nothing but nines.
fn fraction(rest: &str) -> Option<usize> {
    let digits = rest.strip_prefix(['.', ','])?;
    let kind = digits.chars().next().filter(|c| *c == '0' || *c == '9')?;
    let after = digits.trim_start_matches(kind);
    (!after.starts_with(|c: char| c.is_ascii_digit())).then_some(rest.len() - after.len())
}

/// Zeros keep their places, nines drop zeros at the end.
fn nanoseconds(pattern: &str, at: jiff::Timestamp) -> String {
    let all = format!("{:09}", at.subsec_nanosecond());
    let digits = &all[..(pattern.len() - 1).min(9)];
    let digits = if pattern.ends_with('9') { digits.trim_end_matches('0') } else { digits };
    if digits.is_empty() { String::new() } else { format!("{}{digits}", &pattern[..1]) }
}

/// The instant in a format of `strftime`; letters it does not know stay.
pub fn strftime(pattern: &str, at: jiff::Timestamp) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '%' { chars.next() } else { None }) {
            ('%', Some('%')) => out.push('%'),
            ('%', Some(letter)) => match LETTERS.iter().find(|(l, _)| *l == letter) {
                Some((_, layout)) => out.push_str(&format(layout, at)),
                None => out.extend(['%', letter]),
            },
            (c, _) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_layout_is_understood() {
        let at: jiff::Timestamp = "2026-03-07T05:04:09.0625Z".parse().unwrap();
        for (layout, text) in [
            ("2006-01-02 15:04:05 MST", "2026-03-07 05:04:09 UTC"),
            ("20060102150405", "20260307050409"),
            ("Mon Jan _2 3:04PM", "Sat Mar  7 5:04AM"),
            ("Monday, January 2 06 pm", "Saturday, March 7 26 am"),
            ("2006-01-02T15:04:05Z07:00", "2026-03-07T05:04:09Z"),
            ("002 __2 _2006", "066  66 _2026"),
            ("-07:00:00 -070000 -0700 -07 Z0700 Z07", "+00:00:00 +000000 +0000 +00 Z Z"),
            ("5.000 5,000000 5.99999 5.9 5.0x 5.0001", "9.062 9,062500 9.0625 9 9.0x 9.0003"),
            ("100%", "300%"),
            ("Janus Months Jan", "Janus Months Mar"),
            ("1 3 4 5 15 03", "3 5 4 9 05 05"),
        ] {
            assert_eq!(format(layout, at), text, "{layout}");
        }
    }

    #[test]
    fn letters_of_strftime() {
        let at: jiff::Timestamp = "2026-03-07T15:04:09.0625Z".parse().unwrap();
        assert_eq!(
            strftime("%Y-%m-%d %H:%M:%S%L %I%p %y %B %b %A %a %Z %z", at),
            "2026-03-07 15:04:09.062 03PM 26 March Mar Saturday Sat UTC +0000"
        );
        assert_eq!(strftime("%j %% %", at), "%j % %");
    }
}
