//! Renders `{{ … }}` in a template's strings.
//!
//! A small evaluator of Go's text templates: calls, nested calls, pipes, `.Fields`, comments and trimming.
//! Control words (`if`, `range`, `with` …) are named as not built in yet; an unknown function is an error.

use std::collections::BTreeMap;

use crate::functions;

/// What a text may use.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// User variables, rendered.
    pub variables: &'a BTreeMap<String, String>,
    /// What belongs to the whole run and to this build.
    pub facts: &'a Facts,
    /// What `.Name` gives; none while nothing runs yet: then fields stay as they are written.
    pub fields: Option<&'a BTreeMap<String, String>>,
    /// Inside `variables` (and their values from outside): `env` is allowed, an unknown variable is an error.
    pub in_variables: bool,
}

/// What functions tell about the run and the build.
#[derive(Clone, Debug)]
pub struct Facts {
    /// When the run began.
    pub start: jiff::Timestamp,
    /// The template's folder; none for standard input.
    pub template_dir: Option<String>,
    /// Name of the build; none inside `variables`.
    pub build_name: Option<String>,
    /// Type of its builder.
    pub build_type: Option<String>,
}

/// A value between functions: text; numbers are text too.
pub(crate) type Term = String;

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Plain(String),
    Action(Pipeline),
}

type Pipeline = Vec<Command>;

#[derive(Clone, Debug, PartialEq)]
enum Command {
    Call(String, Vec<Argument>),
    Value(Argument),
}

#[derive(Clone, Debug, PartialEq)]
enum Argument {
    Literal(String),
    Field(String),
    Nested(Pipeline),
    Function(String),
}

const CONTROL: [&str; 9] = ["if", "else", "end", "with", "range", "template", "define", "block", "break"];

/// Renders a text.
pub fn render(text: &str, scope: &Scope<'_>) -> Result<String, String> {
    let mut out = String::new();
    for piece in pieces(text)? {
        match piece {
            Piece::Plain(text) => out.push_str(&text),
            Piece::Action(pipeline) => out.push_str(&run(&pipeline, scope)?),
        }
    }
    Ok(out)
}

/// Parses a text that is rendered later: its form and its functions.
pub fn check(text: &str) -> Result<(), String> {
    for piece in pieces(text)? {
        if let Piece::Action(pipeline) = piece {
            check_pipeline(&pipeline)?;
        }
    }
    Ok(())
}

fn check_pipeline(pipeline: &Pipeline) -> Result<(), String> {
    for command in pipeline {
        let arguments = match command {
            Command::Call(name, arguments) => {
                functions::known(name)?;
                arguments.as_slice()
            }
            Command::Value(argument) => std::slice::from_ref(argument),
        };
        for argument in arguments {
            match argument {
                Argument::Nested(inner) => check_pipeline(inner)?,
                Argument::Function(name) => functions::known(name)?,
                Argument::Literal(_) | Argument::Field(_) => {}
            }
        }
    }
    Ok(())
}

fn run(pipeline: &Pipeline, scope: &Scope<'_>) -> Result<Term, String> {
    let mut last: Option<Term> = None;
    for command in pipeline {
        last = Some(match command {
            Command::Value(argument) if last.is_none() => evaluate(argument, scope)?,
            Command::Value(_) => return Err("a value cannot take the result of a pipe".to_owned()),
            Command::Call(name, arguments) => {
                let mut terms = arguments.iter().map(|a| evaluate(a, scope)).collect::<Result<Vec<_>, _>>()?;
                terms.extend(last);
                functions::call(name, &terms, scope)?
            }
        });
    }
    last.ok_or_else(|| "missing value for command".to_owned())
}

fn evaluate(argument: &Argument, scope: &Scope<'_>) -> Result<Term, String> {
    match argument {
        Argument::Literal(text) => Ok(text.clone()),
        Argument::Nested(pipeline) => run(pipeline, scope),
        Argument::Function(name) => functions::call(name, &[], scope),
        Argument::Field(name) => match scope.fields {
            None => Ok(format!("{{{{ .{name} }}}}")),
            Some(fields) => fields.get(name).cloned().ok_or_else(|| {
                let known: Vec<String> = fields.keys().map(|k| format!(".{k}")).collect();
                format!("there is no field .{name} here ({})", known.join(", "))
            }),
        },
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trim_next = false;
    while let Some(start) = rest.find("{{") {
        let mut plain = &rest[..start];
        let (inside, after) = action(&rest[start + 2..])?;
        let (inside, trim_before, trim_after) = trims(inside);
        if trim_next {
            plain = plain.trim_start();
        }
        if trim_before {
            plain = plain.trim_end();
        }
        pieces.push(Piece::Plain(plain.to_owned()));
        if !(inside.starts_with("/*") && inside.ends_with("*/")) {
            pieces.push(Piece::Action(parse(inside)?));
        }
        trim_next = trim_after;
        rest = after;
    }
    pieces.push(Piece::Plain(if trim_next { rest.trim_start() } else { rest }.to_owned()));
    Ok(pieces)
}

/// Splits at the `}}` that is outside of every string.
fn action(text: &str) -> Result<(&str, &str), String> {
    let mut quote = None;
    let mut escaped = false;
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some('"'), _) if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quote = Some(c),
            (None, '}') if text[i..].starts_with("}}") => return Ok((&text[..i], &text[i + 2..])),
            (None, _) => {}
        }
    }
    Err(format!("`{{{{` without its `}}}}` in `{{{{{}`", text.chars().take(30).collect::<String>()))
}

fn trims(inside: &str) -> (&str, bool, bool) {
    let (inside, before) = match inside.strip_prefix('-') {
        Some(rest) if rest.starts_with(char::is_whitespace) => (rest, true),
        _ => (inside, false),
    };
    let (inside, after) = match inside.strip_suffix('-') {
        Some(rest) if rest.ends_with(char::is_whitespace) => (rest, true),
        _ => (inside, false),
    };
    (inside.trim(), before, after)
}

fn parse(inside: &str) -> Result<Pipeline, String> {
    let tokens = tokens(inside)?;
    let mut cursor = tokens.as_slice();
    let pipeline = pipeline(&mut cursor, false)?;
    if cursor.is_empty() { Ok(pipeline) } else { Err(format!("unexpected `)` in `{{{{{inside}}}}}`")) }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Literal(String),
    Word(String),
    Pipe,
    Open,
    Close,
}

fn tokens(inside: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = inside.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '|' | '(' | ')' => {
                tokens.push(match first {
                    '|' => Token::Pipe,
                    '(' => Token::Open,
                    _ => Token::Close,
                });
                1
            }
            '`' => {
                let end = rest[1..].find('`').ok_or("unterminated raw quoted string")?;
                tokens.push(Token::Literal(rest[1..=end].to_owned()));
                end + 2
            }
            '"' => {
                let (text, length) = quoted(rest)?;
                tokens.push(Token::Literal(text));
                length
            }
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "|()`\"".contains(c)).unwrap_or(rest.len());
                tokens.push(word(&rest[..end]));
                end
            }
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn word(text: &str) -> Token {
    if text.parse::<i64>().is_ok() { Token::Literal(text.to_owned()) } else { Token::Word(text.to_owned()) }
}

fn quoted(rest: &str) -> Result<(String, usize), String> {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                let text = serde_json::from_str(&rest[..=i]).map_err(|_| format!("bad string {}", &rest[..=i]))?;
                return Ok((text, i + 1));
            }
            _ => {}
        }
    }
    Err("unterminated quoted string".to_owned())
}

fn pipeline(cursor: &mut &[Token], nested: bool) -> Result<Pipeline, String> {
    let mut commands = vec![command(cursor, nested)?];
    while cursor.first() == Some(&Token::Pipe) {
        *cursor = &cursor[1..];
        commands.push(command(cursor, nested)?);
    }
    Ok(commands)
}

fn command(cursor: &mut &[Token], nested: bool) -> Result<Command, String> {
    let mut arguments = Vec::new();
    while let Some((token, rest)) = cursor.split_first() {
        match token {
            Token::Pipe => break,
            Token::Close if nested => break,
            Token::Close => return Err("unexpected `)`".to_owned()),
            Token::Open => {
                *cursor = rest;
                let inner = pipeline(cursor, true)?;
                let Some((Token::Close, rest)) = cursor.split_first() else { return Err("unclosed `(`".to_owned()) };
                *cursor = rest;
                arguments.push(Argument::Nested(inner));
            }
            Token::Literal(text) => {
                *cursor = rest;
                arguments.push(Argument::Literal(text.clone()));
            }
            Token::Word(text) => {
                *cursor = rest;
                arguments.push(named(text)?);
            }
        }
    }
    let mut arguments = arguments.into_iter();
    match arguments.next() {
        None => Err("missing value for command".to_owned()),
        Some(Argument::Function(name)) => Ok(Command::Call(name, arguments.collect())),
        Some(value) if arguments.len() == 0 => Ok(Command::Value(value)),
        Some(_) => Err("only a function takes arguments".to_owned()),
    }
}

fn named(word: &str) -> Result<Argument, String> {
    if CONTROL.contains(&word) || word.starts_with('$') {
        return Err(format!("`{word}` in a template text is not built in yet"));
    }
    match word.strip_prefix('.') {
        Some("") => Err("`.` alone is not built in yet".to_owned()),
        Some(name) => Ok(Argument::Field(name.to_owned())),
        None => Ok(Argument::Function(word.to_owned())),
    }
}

#[cfg(test)]
#[path = "interpolate_tests.rs"]
mod tests;
