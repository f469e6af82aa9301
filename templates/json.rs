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
    /// An object, in the order of the text; of a duplicate key only the first, unless they were asked for.
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
    /// Its type as Go names it, which the peer's messages do.
    pub fn go_type(&self) -> &'static str {
        match self {
            Self::Null => "nil",
            Self::Bool(_) => "bool",
            Self::Number(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
        }
    }

    /// Its kind as Go names it.
    pub fn go_kind(&self) -> &'static str {
        match self {
            Self::List(_) => "slice",
            Self::Map(_) => "map",
            other => other.go_type(),
        }
    }

    /// Itself as Go prints it.
    pub fn go_text(&self) -> String {
        match self {
            Self::Null => "<nil>".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(text) | Self::Text(text) => text.clone(),
            Self::List(items) => format!("[{}]", items.iter().map(|n| n.value.go_text()).collect::<Vec<_>>().join(" ")),
            Self::Map(entries) => {
                let mut parts: Vec<String> = entries.iter().map(|(k, n)| format!("{}:{}", k.name, n.value.go_text())).collect();
                parts.sort();
                format!("map[{}]", parts.join(" "))
            }
        }
    }

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

/// [`parse`] as Go's own decoder reads: a key may stand there several times, and all of its values are given.
pub fn parse_all(text: &str) -> (Option<Node>, Vec<Problem>) {
    let mut parser = Parser { keep_all: true, ..Parser::new(text) };
    match parser.document() {
        Ok(node) => (Some(node), Vec::new()),
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
    keep_all: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Self { text, offset: 0, lines, duplicates: Vec::new(), keep_all: false }
    }

    fn place(&self, offset: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines[line - 1];
        Place { line, column: self.text[start..offset].chars().count() + 1 }
    }

    fn syntax(&self, offset: usize, what: &str) -> Problem {
        let place = self.place(offset);
        let line = |n: usize| self.text.lines().nth(n).unwrap_or_default();
        let mut shown = format!("\nAt line {}, column {} (offset {offset}):", place.line, place.column);
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

    fn expect(&mut self, c: char, place: &str) -> Result<(), Fault> {
        if self.take(c) { Ok(()) } else { self.unexpected(place) }
    }

    /// What stands here cannot stand here, in the words of the peer's decoder.
    fn unexpected<T>(&self, place: &str) -> Result<T, Fault> {
        match self.peek() {
            None => self.fault("unexpected end of JSON input"),
            Some(c) => self.fault(format!("invalid character {} {place}", quoted(c))),
        }
    }

    fn document(&mut self) -> Result<Node, Fault> {
        let node = self.node(0)?;
        self.space();
        if self.peek().is_some() { self.unexpected("after top-level value") } else { Ok(node) }
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
        let words = [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))];
        let Some((word, value)) = words.into_iter().find(|(w, _)| self.peek() == w.chars().next()) else {
            return self.unexpected("looking for beginning of value");
        };
        for letter in word.chars() {
            self.expect(letter, &format!("in literal {word} (expecting '{letter}')"))?;
        }
        Ok(value)
    }

    fn digits(&mut self, place: &str) -> Result<(), Fault> {
        let count = self.text[self.offset..].bytes().take_while(u8::is_ascii_digit).count();
        self.offset += count;
        if count == 0 { self.unexpected(place) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let start = self.offset;
        self.take('-');
        if !self.take('0') {
            self.digits("in numeric literal")?;
        }
        if self.take('.') {
            self.digits("after decimal point in numeric literal")?;
        }
        if self.take('e') || self.take('E') {
            let _ = self.take('+') || self.take('-');
            self.digits("in exponent of numeric literal")?;
        }
        Ok(Value::Number(self.text[start..self.offset].to_owned()))
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.offset;
        self.offset += 1;
        loop {
            match self.peek() {
                Some('"') => break,
                Some('\\') => {
                    self.offset += 1;
                    self.escape()?;
                }
                Some(c) if c >= ' ' => self.offset += c.len_utf8(),
                _ => return self.unexpected("in string literal"),
            }
        }
        self.offset += 1;
        let raw = &self.text[start..self.offset];
        // What is left to be wrong are halves of surrogate pairs, which the peer replaces.
        serde_json::from_str(raw).or_else(|e| self.fault(e.to_string().split(" at line ").next().unwrap_or_default()))
    }

    fn escape(&mut self) -> Result<(), Fault> {
        if self.take('u') {
            for _ in 0..4 {
                match self.peek() {
                    Some(c) if c.is_ascii_hexdigit() => self.offset += 1,
                    _ => return self.unexpected("in \\u hexadecimal character escape"),
                }
            }
            return Ok(());
        }
        match self.peek() {
            Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => {
                self.offset += 1;
                Ok(())
            }
            _ => self.unexpected("in string escape code"),
        }
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
            self.expect(',', "after array element")?;
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
                return self.unexpected("looking for beginning of object key string");
            }
            let key = Key { at, name: self.string()? };
            self.space();
            self.expect(':', "after object key")?;
            let node = self.node(depth + 1)?;
            if !self.keep_all && entries.iter().any(|(k, _)| k.name == key.name) {
                self.duplicates.push(Problem::at(key.at, format!("template has duplicate field: {}", key.name)));
            } else {
                entries.push((key, node));
            }
            self.space();
            if self.take('}') {
                return Ok(Value::Map(entries));
            }
            self.expect(',', "after object key:value pair")?;
        }
    }
}

/// A character as Go quotes it.
fn quoted(c: char) -> String {
    match c {
        '\'' | '\\' => format!("'\\{c}'"),
        '"' => "'\"'".to_owned(),
        c if c.is_ascii_control() => format!("'{}'", c.escape_default()),
        c => format!("'{c}'"),
    }
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
            "template has duplicate field: a (at line 2, column 2)\ntemplate has duplicate field: c (at line 2, column 24)"
        );
    }

    #[test]
    fn a_syntax_error_is_shown_in_its_line() {
        let text = problems("{\n  \"a\": 1\n  \"b\": 2\n}");
        let first = "Error parsing JSON: invalid character '\"' after object key:value pair\nAt line 3, column 3 (offset 13):\n";
        assert!(text.starts_with(first), "{text}");
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
