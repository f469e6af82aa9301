//! Objects as `vim-cmd` prints them: `(Type) {`, `key = value,` … `}`, after title lines.
//!
//! Strings are not escaped and may span lines, so a string ends at a quote that ends its line (with or without a comma); an object is read
//! line by line. Commas between fields are optional: versions disagree.

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `"text"`.
    Text(String),
    /// A number, `true`, `false`, or another bare word.
    Word(String),
    /// `<unset>` or `(Type) null`.
    Unset,
    /// `'vim.Type:id'`.
    Reference(String),
    /// `(Type) { … }`.
    Object(Object),
    /// `(Type) [ … ]`.
    List(Vec<Value>),
}

/// An object: its type and its fields, unknown ones too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// `vim.vm.GuestInfo` …
    pub kind: String,
    fields: Vec<(String, Value)>,
}

/// Text that ends in the middle of an object, or is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The line, from 1.
    pub line: usize,
}

/// A fault that stands for the whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `NotFound`, `InvalidPowerState` …
    pub kind: String,
    /// The host's sentence.
    pub message: String,
}

impl Value {
    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The fields of an object.
    pub fn object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The entries of a list; none for anything else (an unset list is an empty one).
    pub fn entries(&self) -> &[Self] {
        match self {
            Self::List(entries) => entries,
            _ => &[],
        }
    }

    /// A whole number.
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Word(word) => word.parse().ok(),
            _ => None,
        }
    }
}

impl Object {
    /// A field; none where it is missing or unset.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.fields.iter().find(|(k, _)| k == key).map(|(_, v)| v).filter(|v| **v != Value::Unset)
    }

    /// A field along a path of objects (`runtime.powerState`).
    pub fn at(&self, path: &str) -> Option<&Value> {
        match path.split_once('.') {
            Some((head, rest)) => self.get(head)?.object()?.at(rest),
            None => self.get(path),
        }
    }

    /// The text of such a field.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.at(path)?.text()
    }
}

/// Reads the first value at the margin of a line; titles before it are passed over.
pub fn parse(text: &str) -> Result<Value, Malformed> {
    let lines: Vec<&str> = text.lines().map(|l| l.trim_end_matches('\r')).collect();
    let start = lines.iter().position(|l| l.starts_with('(') && value_opens(l)).ok_or(Malformed { line: lines.len() })?;
    let mut reader = Reader { lines, at: start };
    let line = reader.next()?;
    reader.value(line)
}

/// The fault, if one stands at the margin of a line. Faults inside of an object are none.
pub fn fault(text: &str) -> Option<Fault> {
    let head = text.lines().find(|l| l.starts_with("(vim.fault.") || l.starts_with("(vmodl.fault."))?;
    let kind = head.split(['(', ')']).nth(1)?.rsplit('.').next()?.to_owned();
    let message = match parse(text) {
        Ok(Value::Object(object)) => object.text("msg").unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    Some(Fault { kind, message })
}

fn value_opens(line: &str) -> bool {
    let line = line.trim_end_matches(',');
    line.ends_with(") {") || line.ends_with(") [") || line.ends_with(") null") || line.ends_with(") []")
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<&'a str, Malformed> {
        let line = self.lines.get(self.at).ok_or(Malformed { line: self.at })?;
        self.at += 1;
        Ok(line)
    }

    /// The value that begins with `text`, which is the rest of the line just read.
    fn value(&mut self, text: &str) -> Result<Value, Malformed> {
        let text = text.trim_start();
        if let Some(open) = text.strip_prefix('"') {
            return self.string(open);
        }
        let bare = text.trim_end().trim_end_matches(',');
        if let Some((kind, rest)) = bare.strip_prefix('(').and_then(|t| t.split_once(") ")) {
            return match rest {
                "{" => self.fields(kind),
                "[" => self.entries(),
                "[]" => Ok(Value::List(Vec::new())),
                "null" => Ok(Value::Unset),
                _ => Err(Malformed { line: self.at }),
            };
        }
        match bare.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
            Some(reference) => Ok(Value::Reference(reference.to_owned())),
            None if bare == "<unset>" => Ok(Value::Unset),
            None if bare.is_empty() => Err(Malformed { line: self.at }),
            None => Ok(Value::Word(bare.to_owned())),
        }
    }

    /// A string whose first quote is read: it ends with the first line that ends in a quote.
    fn string(&mut self, open: &str) -> Result<Value, Malformed> {
        let mut text = String::new();
        let mut line = open;
        loop {
            let end = line.trim_end();
            if let Some(last) = end.strip_suffix("\",").or_else(|| end.strip_suffix('"')) {
                text.push_str(last);
                return Ok(Value::Text(text));
            }
            text.push_str(line);
            text.push('\n');
            line = self.next()?;
        }
    }

    fn fields(&mut self, kind: &str) -> Result<Value, Malformed> {
        let mut object = Object { kind: kind.to_owned(), fields: Vec::new() };
        loop {
            let line = self.next()?;
            let trimmed = line.trim();
            if trimmed.trim_end_matches(',') == "}" {
                return Ok(Value::Object(object));
            }
            if trimmed.is_empty() {
                continue;
            }
            let (key, rest) = line.split_once(" = ").ok_or(Malformed { line: self.at })?;
            let value = self.value(rest)?;
            object.fields.push((key.trim().to_owned(), value));
        }
    }

    fn entries(&mut self) -> Result<Value, Malformed> {
        let mut entries = Vec::new();
        loop {
            let line = self.next()?;
            let trimmed = line.trim();
            if trimmed.trim_end_matches(',') == "]" {
                return Ok(Value::List(entries));
            }
            if !trimmed.is_empty() {
                entries.push(self.value(line)?);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_FOUND: &str = "(vim.fault.NotFound) {\n   faultCause = (vmodl.MethodFault) null,\n   faultMessage = <unset>\n   \
                             msg = \"Unable to find a VM corresponding to \"9\"\"\n}\n";
    const OLD: &str = "Listsummary:\n\n(vim.vm.Summary) {\n   dynamicType = <unset>,\n   vm = 'vim.VirtualMachine:16',\n   runtime = \
                       (vim.vm.RuntimeInfo) {\n      dynamicType = <unset>,\n      powerState = \"poweredOn\",\n      question = \
                       (vim.vm.QuestionInfo) null,\n      memoryOverhead = 73207808,\n   },\n   config = (vim.vm.Summary.ConfigSummary) {\n      \
                       annotation = \"one\ntwo \"three\", four\nfive\",\n      template = false,\n   },\n   customValue = (vim.CustomValue) \
                       [],\n}\n";

    #[test]
    fn a_fault_tells_its_kind_and_keeps_the_quotes_inside_its_sentence() {
        let seen = fault(NOT_FOUND).unwrap();
        assert_eq!((seen.kind.as_str(), seen.message.as_str()), ("NotFound", "Unable to find a VM corresponding to \"9\""));
    }

    #[test]
    fn a_fault_inside_of_an_object_is_none() {
        assert_eq!(fault("(vim.TaskInfo) {\n   error = (vim.fault.Timedout) {\n      msg = \"late\"\n   }\n}\n"), None);
    }

    #[test]
    fn commas_after_the_last_field_and_text_of_several_lines_are_read() {
        let value = parse(OLD).unwrap();
        let summary = value.object().unwrap();
        assert_eq!(summary.text("runtime.powerState"), Some("poweredOn"));
        assert_eq!(summary.at("runtime.question"), None);
        assert_eq!(summary.at("runtime.memoryOverhead").and_then(Value::number), Some(73_207_808));
        assert_eq!(summary.text("config.annotation"), Some("one\ntwo \"three\", four\nfive"));
        assert_eq!(summary.get("vm"), Some(&Value::Reference("vim.VirtualMachine:16".to_owned())));
        assert!(summary.get("customValue").unwrap().entries().is_empty());
    }

    #[test]
    fn carriage_returns_do_not_matter() {
        assert_eq!(parse(&OLD.replace('\n', "\r\n")).unwrap().object().unwrap().text("runtime.powerState"), Some("poweredOn"));
    }

    #[test]
    fn text_that_stops_anywhere_is_malformed_and_never_a_panic() {
        for end in 0..NOT_FOUND.len() - 2 {
            assert!(parse(&NOT_FOUND[..end]).is_err(), "{end}");
        }
        assert!(parse("").is_err() && parse("Guest information:\n").is_err());
    }
}
