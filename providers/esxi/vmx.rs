//! VMX files: `key = "value"`, keys without case. A host rewrites them, so they are changed by key and never made anew.

/// A VMX in the order of its lines; lines of another form are kept as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vmx {
    lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Setting { key: String, value: String },
    Other(String),
}

impl Vmx {
    /// Reads any text.
    pub fn parse(text: &str) -> Self {
        Self { lines: text.lines().map(line).collect() }
    }

    /// A setting, by any case of its key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| match line {
            Line::Setting { key: k, value } if k.eq_ignore_ascii_case(key) => Some(value.as_str()),
            _ => None,
        })
    }

    /// Changes a setting where it stands, or adds it at the end.
    pub fn set(&mut self, key: &str, value: &str) {
        for line in &mut self.lines {
            if let Line::Setting { key: k, value: v } = line
                && k.eq_ignore_ascii_case(key)
            {
                value.clone_into(v);
                return;
            }
        }
        self.lines.push(Line::Setting { key: key.to_owned(), value: value.to_owned() });
    }

    /// Takes settings out whose key says so (in lower case).
    pub fn remove(&mut self, unwanted: impl Fn(&str) -> bool) {
        self.lines.retain(|line| !matches!(line, Line::Setting { key, .. } if unwanted(&key.to_ascii_lowercase())));
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        self.lines.iter().map(shown).collect()
    }

    /// MAC address of a card: the one it was given, or the one the host made.
    pub fn mac(&self, card: u8) -> Option<&str> {
        self.get(&format!("ethernet{card}.address")).or_else(|| self.get(&format!("ethernet{card}.generatedAddress")))
    }
}

fn line(text: &str) -> Line {
    let setting = || {
        let (key, rest) = text.split_once('=')?;
        let value = rest.trim().strip_prefix('"')?.strip_suffix('"')?;
        let key = key.trim();
        (!key.is_empty() && !key.starts_with('#')).then(|| Line::Setting { key: key.to_owned(), value: unescaped(value) })
    };
    setting().unwrap_or_else(|| Line::Other(text.to_owned()))
}

fn shown(line: &Line) -> String {
    match line {
        Line::Setting { key, value } => format!("{key} = \"{}\"\n", escaped(value)),
        Line::Other(text) => format!("{text}\n"),
    }
}

/// `|22` is a quote, `|0A` a line's end, `|7C` the bar itself.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('|');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) => {
                plain.push(char::from(code));
                plain.push_str(&part[2..]);
            }
            None => {
                plain.push('|');
                plain.push_str(part);
            }
        }
    }
    plain
}

fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => shown.push_str("|22"),
            '|' => shown.push_str("|7C"),
            '\n' => shown.push_str("|0A"),
            '\r' => shown.push_str("|0D"),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = ".encoding = \"UTF-8\"\n# kept\ndisplayName = \"it|22s|0Amine\"\nethernet0.generatedAddress = \"00:0c:29:00:00:01\"\n\
                        uuid.bios = \"56 4d\"\n";

    #[test]
    fn what_was_not_changed_stays_as_it_was() {
        let mut vmx = Vmx::parse(FILE);
        assert_eq!(vmx.text(), FILE);
        vmx.set("DISPLAYNAME", "other");
        vmx.set("memSize", "512");
        vmx.remove(|key| key.starts_with("uuid."));
        let expected = ".encoding = \"UTF-8\"\n# kept\ndisplayName = \"other\"\nethernet0.generatedAddress = \"00:0c:29:00:00:01\"\nmemSize = \
                        \"512\"\n";
        assert_eq!(vmx.text(), expected);
    }

    #[test]
    fn quotes_and_ends_of_lines_are_bars_in_the_file() {
        let mut vmx = Vmx::parse(FILE);
        assert_eq!(vmx.get("displayname"), Some("it\"s\nmine"));
        vmx.set("annotation", "a|b \"c\"");
        assert_eq!(Vmx::parse(&vmx.text()).get("annotation"), Some("a|b \"c\""));
        assert_eq!(Vmx::parse("a = \"x|\u{e9}9 |zz\"\n").get("a"), Some("x|\u{e9}9 |zz"));
    }

    #[test]
    fn a_given_address_goes_before_a_made_one() {
        let mut vmx = Vmx::parse(FILE);
        assert_eq!(vmx.mac(0), Some("00:0c:29:00:00:01"));
        vmx.set("ethernet0.address", "00:50:56:00:00:02");
        assert_eq!((vmx.mac(0), vmx.mac(1)), (Some("00:50:56:00:00:02"), None));
    }
}
