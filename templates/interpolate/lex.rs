//! Cuts a text with `{{ … }}` into Go's tokens, with Go's words for what cannot be cut.

use super::escape::printable;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No further token is possible; the text says why.
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

const WORDS: [(&str, Kind); 11] = [
    ("block", Kind::Block),
    ("break", Kind::Break),
    ("continue", Kind::Continue),
    ("define", Kind::Define),
    ("else", Kind::Else),
    ("end", Kind::End),
    ("if", Kind::If),
    ("nil", Kind::Nil),
    ("range", Kind::Range),
    ("template", Kind::Template),
    ("with", Kind::With),
];

/// A token: what, as written, where.
#[derive(Clone, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// As written; of an error, the reason.
    pub text: String,
    /// Offset in bytes.
    pub at: usize,
    /// From 1.
    pub line: usize,
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_word = self.kind == Kind::Dot || WORDS.iter().any(|(_, kind)| *kind == self.kind);
        match self.kind {
            Kind::Eof => f.write_str("EOF"),
            Kind::Error => f.write_str(&self.text),
            _ if is_word => write!(f, "<{}>", self.text),
            _ if self.text.len() > 10 => {
                let first: String = self.text.chars().take(10).collect();
                write!(f, "{}...", super::format::quote(&first))
            }
            _ => f.write_str(&super::format::quote(&self.text)),
        }
    }
}

/// All tokens; the last one is the end or an error.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, start: 0, line: 1, tokens: Vec::new() };
    if let Err(reason) = lexer.run() {
        lexer.tokens.push(Token { kind: Kind::Error, text: reason, at: lexer.start, line: lexer.line });
    }
    lexer.tokens
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    start: usize,
    /// Of `start`.
    line: usize,
    tokens: Vec<Token>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn emit(&mut self, kind: Kind) {
        let text = self.text[self.start..self.at].to_owned();
        self.tokens.push(Token { kind, text, at: self.start, line: self.line });
        self.ignore();
    }

    fn ignore(&mut self) {
        self.line += self.text[self.start..self.at].matches('\n').count();
        self.start = self.at;
    }

    fn run(&mut self) -> Result<(), String> {
        while let Some(found) = self.rest().find("{{") {
            let end = self.at + found;
            self.at = end;
            if trims_left(&self.text[end + 2..]) {
                self.at = self.start + self.text[self.start..end].trim_end_matches(is_space).len();
            }
            if self.at > self.start {
                self.emit(Kind::Text);
            }
            self.at = end;
            self.ignore();
            self.delimiter()?;
        }
        self.at = self.text.len();
        if self.at > self.start {
            self.emit(Kind::Text);
        }
        self.emit(Kind::Eof);
        Ok(())
    }

    fn delimiter(&mut self) -> Result<(), String> {
        self.at += 2;
        let marker = if trims_left(self.rest()) { 2 } else { 0 };
        if self.rest()[marker..].starts_with("/*") {
            self.at += marker;
            return self.comment();
        }
        self.emit(Kind::LeftDelim);
        self.at += marker;
        self.ignore();
        self.action()
    }

    fn comment(&mut self) -> Result<(), String> {
        self.ignore();
        let end = self.rest()[2..].find("*/").ok_or("unclosed comment")?;
        self.at += end + 4;
        let trims = self.at_right().ok_or("comment ends before closing delimiter")?;
        self.at += if trims { 4 } else { 2 };
        self.trim(trims);
        self.ignore();
        Ok(())
    }

    fn trim(&mut self, trims: bool) {
        if trims {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(is_space).len();
        }
    }

    /// Whether a closing delimiter stands here, and whether it trims.
    fn at_right(&self) -> Option<bool> {
        let rest = self.rest();
        if rest.starts_with("}}") {
            return Some(false);
        }
        let mut chars = rest.chars();
        (chars.next().is_some_and(is_space) && chars.as_str().starts_with("-}}")).then_some(true)
    }

    fn action(&mut self) -> Result<(), String> {
        let mut depth = 0_usize;
        loop {
            if let Some(trims) = self.at_right() {
                if depth > 0 {
                    return Err("unclosed left paren".to_owned());
                }
                self.at += if trims { 2 } else { 0 };
                self.ignore();
                self.at += 2;
                self.emit(Kind::RightDelim);
                self.trim(trims);
                self.ignore();
                return Ok(());
            }
            match self.next().ok_or("unclosed action")? {
                '(' => {
                    self.emit(Kind::LeftParen);
                    depth += 1;
                }
                ')' => {
                    self.emit(Kind::RightParen);
                    depth = depth.checked_sub(1).ok_or("unexpected right paren")?;
                }
                c => self.inside(c)?,
            }
        }
    }

    fn inside(&mut self, c: char) -> Result<(), String> {
        match c {
            c if is_space(c) => self.space(),
            '=' => self.emit(Kind::Assign),
            ':' if self.next() == Some('=') => self.emit(Kind::Declare),
            ':' => return Err("expected :=".to_owned()),
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', Kind::String, "unterminated quoted string")?,
            '`' => {
                let end = self.rest().find('`').ok_or("unterminated raw quoted string")?;
                self.at += end + 1;
                self.emit(Kind::RawString);
            }
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant")?,
            '$' => self.name(Kind::Variable)?,
            '.' if !self.peek().is_some_and(|c| c.is_ascii_digit()) => self.name(Kind::Field)?,
            '.' | '+' | '-' | '0'..='9' => {
                self.at = self.start;
                self.number()?;
            }
            c if is_alphanumeric(c) => self.name(Kind::Identifier)?,
            c if c.is_ascii() && !c.is_ascii_control() => self.emit(Kind::Char),
            c => return Err(format!("unrecognized character in action: {}", named(Some(c)))),
        }
        Ok(())
    }

    fn space(&mut self) {
        while self.peek().is_some_and(is_space) {
            // The last space may belong to a trimming `-}}`.
            if self.at_right() == Some(true) {
                break;
            }
            self.next();
        }
        self.emit(Kind::Space);
    }

    fn quoted(&mut self, quote: char, kind: Kind, unterminated: &str) -> Result<(), String> {
        loop {
            match self.next() {
                Some('\\') if self.next().is_some_and(|c| c != '\n') => {}
                Some(c) if c == quote => break,
                None | Some('\n' | '\\') => return Err(unterminated.to_owned()),
                Some(_) => {}
            }
        }
        self.emit(kind);
        Ok(())
    }

    /// Words, `.fields`, `$variables`, and `.` and `$` alone.
    fn name(&mut self, kind: Kind) -> Result<(), String> {
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
        if !self.at_terminator() {
            return Err(format!("bad character {}", named(self.peek())));
        }
        let word = &self.text[self.start..self.at];
        let kind = match (kind, word) {
            (_, ".") => Kind::Dot,
            (Kind::Identifier, "true" | "false") => Kind::Bool,
            (Kind::Identifier, word) => WORDS.iter().find(|(w, _)| *w == word).map_or(Kind::Identifier, |(_, kind)| *kind),
            (kind, _) => kind,
        };
        self.emit(kind);
        Ok(())
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(' | ' ' | '\t' | '\r' | '\n') => true,
            Some(_) => self.rest().starts_with("}}"),
        }
    }

    fn number(&mut self) -> Result<(), String> {
        let bad = |lexer: &Self| format!("bad number syntax: {}", super::format::quote(&lexer.text[lexer.start..lexer.at]));
        if !self.scan_number() {
            return Err(bad(self));
        }
        if self.peek().is_some_and(|c| c == '+' || c == '-') {
            if !self.scan_number() || !self.text[..self.at].ends_with('i') {
                return Err(bad(self));
            }
            self.emit(Kind::Complex);
        } else {
            self.emit(Kind::Number);
        }
        Ok(())
    }

    fn accept(&mut self, set: &str) -> bool {
        let found = self.peek().is_some_and(|c| set.contains(c));
        if found {
            self.next();
        }
        found
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        while self.accept(digits) {}
        if self.accept(".") {
            while self.accept(digits) {}
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if self.accept(exponent) {
            self.accept("+-");
            while self.accept("0123456789_") {}
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn trims_left(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| rest.starts_with(is_space))
}

/// Go's `%#U`.
fn named(c: Option<char>) -> String {
    match c {
        None => "U+FFFFFFFFFFFFFFFF".to_owned(),
        Some(c) if printable(c) => format!("U+{:04X} '{c}'", u32::from(c)),
        Some(c) => format!("U+{:04X}", u32::from(c)),
    }
}
