//! Dates by Go's reference layout: `2006-01-02 15:04:05 MST` is the pattern, every other text is itself.

/// Parts of the layout and what strftime calls them. Longer ones first where one begins another.
const PARTS: [(&str, &str); 28] = [
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("MST", "UTC"),
    ("2006", "%Y"),
    ("Z07:00", "Z"),
    ("Z0700", "Z"),
    ("-07:00", "+00:00"),
    ("-0700", "+0000"),
    ("-07", "+00"),
    (".000000000", ".%9f"),
    (".000000", ".%6f"),
    (".000", ".%3f"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("PM", "%p"),
    ("_2", "%e"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
];

/// The instant `at`, in UTC, in `layout`.
pub fn format(layout: &str, at: jiff::Timestamp) -> String {
    let mut pattern = String::new();
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        let part = PARTS.iter().find(|(go, _)| rest.starts_with(go));
        let length = match part {
            Some((go, strftime)) => {
                pattern.push_str(strftime);
                go.len()
            }
            None if rest.starts_with("pm") => {
                pattern.push_str("%P");
                2
            }
            None if first == '5' => {
                pattern.push_str("%-S");
                1
            }
            None => {
                pattern.push_str(if first == '%' { "%%" } else { &rest[..first.len_utf8()] });
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    at.strftime(&pattern).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_layout_is_understood() {
        let at: jiff::Timestamp = "2026-03-07T05:04:09Z".parse().unwrap();
        for (layout, text) in [
            ("2006-01-02 15:04:05 MST", "2026-03-07 05:04:09 UTC"),
            ("20060102150405", "20260307050409"),
            ("Mon Jan _2 3:04PM", "Sat Mar  7 5:04AM"),
            ("2006-01-02T15:04:05Z07:00", "2026-03-07T05:04:09Z"),
            ("100%", "300%"),
        ] {
            assert_eq!(format(layout, at), text, "{layout}");
        }
    }
}
