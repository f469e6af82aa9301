//! JSON with places: strict, duplicate keys noticed, every value knows where it stands in the text.

use crate::problem::{Place, Problem};

/// Nesting beyond this is refused.
const DEEPEST: usize = 100;

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where.
    pub at: Place,
    /// What.
    pub value: Value,
}

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Node>),
    /// An object, in the order of the text; of a duplicate key only the first.
    Map(Vec<(Key, Node)>),
}

/// A key of an object and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Where.
    pub at: Place,
    /// Name.
    pub name: String,
}

impl Value {
    /// Its kind in words, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }
}

/// Parses a whole text. A syntax error is the only problem then; duplicate keys are all told, the value is there all the same.
pub fn parse(text: &str) -> (Option<Node>, Vec<Problem>) {
    let mut parser = Parser::new(text);
    let node = parser.document();
    match node {
        Ok(node) => (Some(node), parser.duplicates),
        Err(Fault { offset, what }) => (None, vec![parser.syntax(offset, &what)]),
    }
}

struct Fault {
    offset: usize,
    what: String,
}

struct Parser<'a> {
    text: &'a str,
    offset: usize,
    lines: Vec<usize>,
    duplicates: Vec<Problem>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Self { text, offset: 0, lines, duplicates: Vec::new() }
    }

    fn place(&self, offset: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines[line - 1];
        Place { line, column: self.text[start..offset].chars().count() + 1 }
    }

    fn syntax(&self, offset: usize, what: &str) -> Problem {
        let place = self.place(offset);
        let line = |n: usize| self.text.lines().nth(n).unwrap_or_default();
        let mut shown = String::new();
        if place.line > 1 {
            shown.push_str(&format!("\n  {:>4}: {}", place.line - 1, line(place.line - 2)));
        }
        shown.push_str(&format!("\n  {:>4}: {}\n        {}^", place.line, line(place.line - 1), " ".repeat(place.column - 1)));
        Problem::at(place, format!("Error parsing JSON: {what}{shown}"))
    }

    fn fault<T>(&self, what: impl Into<String>) -> Result<T, Fault> {
        Err(Fault { offset: self.offset, what: what.into() })
    }

    fn peek(&self) -> Option<char> {
        self.text[self.offset..].chars().next()
    }

    fn space(&mut self) {
        self.offset += self.text[self.offset..].bytes().take_while(|b| b" \t\r\n".contains(b)).count();
    }

    fn take(&mut self, c: char) -> bool {
        let there = self.peek() == Some(c);
        self.offset += if there { c.len_utf8() } else { 0 };
        there
    }

    fn expect(&mut self, c: char, after: &str) -> Result<(), Fault> {
        if self.take(c) { Ok(()) } else { self.fault(format!("expected `{c}` {after}, found {}", self.found())) }
    }

    fn found(&self) -> String {
        self.peek().map_or_else(|| "the end of the text".to_owned(), |c| format!("`{c}`"))
    }

    fn document(&mut self) -> Result<Node, Fault> {
        let node = self.node(0)?;
        self.space();
        if self.peek().is_some() { self.fault(format!("expected the end of the text, found {}", self.found())) } else { Ok(node) }
    }

    fn node(&mut self, depth: usize) -> Result<Node, Fault> {
        if depth > DEEPEST {
            return self.fault("nested too deep");
        }
        self.space();
        let at = self.place(self.offset);
        let value = match self.peek() {
            Some('{') => self.map(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Value::Text(self.string()?),
            Some('-' | '0'..='9') => self.number()?,
            _ => self.literal()?,
        };
        Ok(Node { at, value })
    }

    fn literal(&mut self) -> Result<Value, Fault> {
        for (word, value) in [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))] {
            if self.text[self.offset..].starts_with(word) {
                self.offset += word.len();
                return Ok(value);
            }
        }
        self.fault(format!("expected a value, found {}", self.found()))
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let rest = &self.text[self.offset..];
        let length = rest.bytes().take_while(|b| b.is_ascii_digit() || b"+-.eE".contains(b)).count();
        let text = &rest[..length];
        if serde_json::from_str::<serde_json::Number>(text).is_err() {
            return self.fault(format!("`{text}` is not a number"));
        }
        self.offset += length;
        Ok(Value::Number(text.to_owned()))
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.offset;
        let mut escaped = false;
        for (i, c) in self.text[start..].char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    let raw = &self.text[start..=start + i];
                    let text = serde_json::from_str(raw).map_err(|e| Fault { offset: start, what: bare(&e) })?;
                    self.offset = start + i + 1;
                    return Ok(text);
                }
                '\n' => break,
                _ => {}
            }
        }
        self.fault("this string has no end on its line")
    }

    fn list(&mut self, depth: usize) -> Result<Value, Fault> {
        self.expect('[', "")?;
        let mut items = Vec::new();
        self.space();
        if self.take(']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.node(depth + 1)?);
            self.space();
            if self.take(']') {
                return Ok(Value::List(items));
            }
            self.expect(',', "or `]` after an element")?;
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Fault> {
        self.expect('{', "")?;
        let mut entries: Vec<(Key, Node)> = Vec::new();
        self.space();
        if self.take('}') {
            return Ok(Value::Map(entries));
        }
        loop {
            self.space();
            let at = self.place(self.offset);
            if self.peek() != Some('"') {
                return self.fault(format!("expected a key in double quotes, found {}", self.found()));
            }
            let key = Key { at, name: self.string()? };
            self.space();
            self.expect(':', "after a key")?;
            let node = self.node(depth + 1)?;
            if entries.iter().any(|(k, _)| k.name == key.name) {
                self.duplicates.push(Problem::at(key.at, format!("template has duplicate field: {}", key.name)));
            } else {
                entries.push((key, node));
            }
            self.space();
            if self.take('}') {
                return Ok(Value::Map(entries));
            }
            self.expect(',', "or `}` after a value")?;
        }
    }
}

/// serde_json's message without its own idea of the place, which counts from the string's start.
fn bare(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> String {
        parse(text).1.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn values_know_their_place() {
        let (node, problems) = parse("{\n  \"ä\": [1, \"x\\n\"]\n}");
        assert!(problems.is_empty());
        let Value::Map(entries) = node.unwrap().value else { panic!("no map") };
        assert_eq!(entries[0].1.at, Place { line: 2, column: 8 });
        let Value::List(items) = &entries[0].1.value else { panic!("no list") };
        assert_eq!((items[1].at.column, &items[1].value), (12, &Value::Text("x\n".into())));
    }

    #[test]
    fn every_duplicate_key_is_told() {
        assert_eq!(
            problems("{\"a\": 1,\n \"a\": 2, \"b\": {\"c\": 1, \"c\": 1}}"),
            "At line 2, column 2: template has duplicate field: a\nAt line 2, column 24: template has duplicate field: c"
        );
    }

    #[test]
    fn a_syntax_error_is_shown_in_its_line() {
        let text = problems("{\n  \"a\": 1\n  \"b\": 2\n}");
        assert!(text.starts_with("At line 3, column 3: Error parsing JSON: expected `,` or `}` after a value, found `\"`"), "{text}");
        assert!(text.ends_with("\n     2:   \"a\": 1\n     3:   \"b\": 2\n          ^"), "{text}");
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in ["", "{", "[1,]", "{\"a\" 1}", "01", "nul", "{} x", "\"a", "{'a': 1}", "{\"a\": // c\n1}", "\"\\x\"", "[1 2]"] {
            assert_eq!(parse(text).1.len(), 1, "{text}");
        }
        assert_eq!(parse(&"[".repeat(5000)).1.len(), 1);
    }
}
