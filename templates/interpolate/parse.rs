//! Go's text/template grammar: tokens become a tree, with Go's words for what is wrong.

use std::collections::BTreeMap;

use super::lex::{Kind, Token, tokens};
use super::node::{Branch, Command, Node, NodeKind, Operand, OperandKind, Pipe};
use super::number::{Number, unquote};

/// Nesting beyond this is refused; every level costs stack while it is rendered.
const DEEPEST: usize = 60;

/// Name of the text itself among its templates.
pub const ROOT: &str = "root";

/// All templates of a text: the text itself is [`ROOT`], others are its `define`s and `block`s.
pub type Templates = BTreeMap<String, Vec<Node>>;

/// Parses a text.
pub fn parse(text: &str, knows: &dyn Fn(&str) -> Result<(), String>) -> Result<Templates, String> {
    let parser = Parser {
        text,
        tokens: tokens(text),
        next: 0,
        seen: 0,
        variables: vec!["$".to_owned()],
        action_line: 0,
        ranges: 0,
        depth: 0,
        templates: BTreeMap::new(),
        knows,
    };
    parser.run()
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    /// The furthest token that was looked at; errors tell its line.
    seen: usize,
    variables: Vec<String>,
    action_line: usize,
    ranges: usize,
    depth: usize,
    templates: Templates,
    knows: &'a dyn Fn(&str) -> Result<(), String>,
}

type Parsed<T> = Result<T, String>;

/// What ends a list.
enum End {
    End,
    Else,
}

impl End {
    fn shown(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

enum Item {
    Node(Node),
    End(End),
}

impl Parser<'_> {
    fn error<T>(&self, reason: impl std::fmt::Display) -> Parsed<T> {
        Err(format!("template: {ROOT}:{}: {reason}", self.tokens[self.seen].line))
    }

    fn unexpected<T>(&self, token: &Token, context: &str) -> Parsed<T> {
        if token.kind != Kind::Error {
            return self.error(format!("unexpected {token} in {context}"));
        }
        let mut extra = String::new();
        if self.action_line != 0 && self.action_line != token.line {
            let action = if token.text.ends_with(" action") { "" } else { " in action" };
            extra = format!("{action} started at {ROOT}:{}", self.action_line);
        }
        self.error(format!("{token}{extra}"))
    }

    fn peek(&mut self) -> Token {
        self.seen = self.seen.max(self.next);
        self.tokens[self.next].clone()
    }

    fn take(&mut self) -> Token {
        let token = self.peek();
        // The last token, the end or an error, is there as often as it is asked for.
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn peek_word(&mut self) -> Token {
        while self.peek().kind == Kind::Space {
            self.take();
        }
        self.peek()
    }

    fn take_word(&mut self) -> Token {
        self.peek_word();
        self.take()
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<Token> {
        let token = self.take_word();
        if token.kind == kind { Ok(token) } else { self.unexpected(&token, context) }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.error(format!("nested deeper than {DEEPEST} levels"));
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn run(mut self) -> Parsed<Templates> {
        let mut root = Vec::new();
        while self.peek().kind != Kind::Eof {
            if self.peek().kind == Kind::LeftDelim {
                let start = self.next;
                self.take();
                if self.take_word().kind == Kind::Define {
                    self.define()?;
                    continue;
                }
                self.next = start;
            }
            match self.item()? {
                Item::Node(node) => root.push(node),
                Item::End(end) => return self.error(format!("unexpected {}", end.shown())),
            }
        }
        self.add(ROOT.to_owned(), root)?;
        Ok(self.templates)
    }

    fn add(&mut self, name: String, list: Vec<Node>) -> Parsed<()> {
        let is_empty = |list: &[Node]| list.iter().all(|n| matches!(&n.kind, NodeKind::Text(text) if text.trim().is_empty()));
        match self.templates.get(&name) {
            Some(old) if !is_empty(old) && !is_empty(&list) => {
                return self.error(format!("template: multiple definition of template {}", super::format::quote(&name)));
            }
            Some(old) if !is_empty(old) => {}
            _ => drop(self.templates.insert(name, list)),
        }
        Ok(())
    }

    fn define(&mut self) -> Parsed<()> {
        let context = "define clause";
        let token = self.take_word();
        let name = self.template_name(&token, context)?;
        self.expect(Kind::RightDelim, context)?;
        self.body(name, context)
    }

    /// The list of a `define` or `block`: no variables and no loop of the outside are seen in it.
    fn body(&mut self, name: String, context: &str) -> Parsed<()> {
        let outer = (std::mem::replace(&mut self.variables, vec!["$".to_owned()]), std::mem::take(&mut self.ranges));
        let (list, end) = self.deeper(Self::list)?;
        if let End::Else = end {
            return self.error(format!("unexpected {} in {context}", end.shown()));
        }
        (self.variables, self.ranges) = outer;
        self.add(name, list)
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Parsed<String> {
        match token.kind {
            Kind::String | Kind::RawString => unquote(&token.text).or_else(|reason| self.error(reason)),
            _ => self.unexpected(token, context),
        }
    }

    fn list(&mut self) -> Parsed<(Vec<Node>, End)> {
        let mut list = Vec::new();
        while self.peek_word().kind != Kind::Eof {
            match self.item()? {
                Item::Node(node) => list.push(node),
                Item::End(end) => return Ok((list, end)),
            }
        }
        self.error("unexpected EOF")
    }

    fn item(&mut self) -> Parsed<Item> {
        let token = self.take_word();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node { at: token.at, kind: NodeKind::Text(token.text) })),
            Kind::LeftDelim => {
                self.action_line = token.line;
                let item = self.action(token.at);
                self.action_line = 0;
                item
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self, start: usize) -> Parsed<Item> {
        let back = self.next;
        let token = self.take_word();
        let node = match token.kind {
            Kind::Else => return self.else_control(),
            Kind::End => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Item::End(End::End));
            }
            Kind::If => self.control("if", true)?,
            Kind::With => self.control("with", false)?,
            Kind::Range => self.control("range", false)?,
            Kind::Template => self.template()?,
            Kind::Block => self.block()?,
            Kind::Break => self.jump(&token, "break", NodeKind::Break)?,
            Kind::Continue => self.jump(&token, "continue", NodeKind::Continue)?,
            _ => {
                self.next = back;
                let at = self.peek().at;
                let pipe = self.pipe("command", Kind::RightDelim)?;
                let end = self.tokens[self.next - 1].at + 2;
                Node { at, kind: NodeKind::Action(pipe, self.text[start..end].to_owned()) }
            }
        };
        Ok(Item::Node(node))
    }

    fn jump(&mut self, token: &Token, word: &str, kind: NodeKind) -> Parsed<Node> {
        let next = self.take_word();
        if next.kind != Kind::RightDelim {
            return self.unexpected(&next, &format!("{{{{{word}}}}}"));
        }
        if self.ranges == 0 {
            return self.error(format!("{{{{{word}}}}} outside {{{{range}}}}"));
        }
        Ok(Node { at: token.at, kind })
    }

    fn else_control(&mut self) -> Parsed<Item> {
        // The `if` of an `else if` is left where it is.
        if self.peek_word().kind != Kind::If {
            self.expect(Kind::RightDelim, "else")?;
        }
        Ok(Item::End(End::Else))
    }

    fn control(&mut self, word: &str, allows_else_if: bool) -> Parsed<Node> {
        self.deeper(|parser| {
            let known = parser.variables.len();
            let branch = parser.branch(word, allows_else_if)?;
            parser.variables.truncate(known);
            let at = branch.pipe.at;
            Ok(Node {
                at,
                kind: match word {
                    "if" => NodeKind::If(branch),
                    "with" => NodeKind::With(branch),
                    _ => NodeKind::Range(branch),
                },
            })
        })
    }

    fn branch(&mut self, word: &str, allows_else_if: bool) -> Parsed<Branch> {
        let pipe = self.pipe(word, Kind::RightDelim)?;
        let in_range = usize::from(word == "range");
        self.ranges += in_range;
        let (list, end) = self.list()?;
        self.ranges -= in_range;
        let other = match end {
            End::End => None,
            End::Else if allows_else_if && self.peek().kind == Kind::If => {
                self.take();
                Some(vec![self.control("if", true)?])
            }
            End::Else => {
                let (other, end) = self.list()?;
                if let End::Else = end {
                    return self.error(format!("expected end; found {}", end.shown()));
                }
                Some(other)
            }
        };
        Ok(Branch { pipe, list, other })
    }

    fn template(&mut self) -> Parsed<Node> {
        let context = "template clause";
        let token = self.take_word();
        let name = self.template_name(&token, context)?;
        let pipe = if self.peek_word().kind == Kind::RightDelim {
            self.take();
            None
        } else {
            Some(self.pipe(context, Kind::RightDelim)?)
        };
        Ok(Node { at: token.at, kind: NodeKind::Template(name, pipe) })
    }

    fn block(&mut self) -> Parsed<Node> {
        let context = "block clause";
        let token = self.take_word();
        let name = self.template_name(&token, context)?;
        let pipe = self.pipe(context, Kind::RightDelim)?;
        self.body(name.clone(), context)?;
        Ok(Node { at: token.at, kind: NodeKind::Template(name, Some(pipe)) })
    }

    fn pipe(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let at = self.peek_word().at;
        let (variables, assigns) = self.declarations(context)?;
        let mut pipe = Pipe { at, variables, assigns, commands: Vec::new() };
        loop {
            let token = self.peek_word();
            match token.kind {
                kind if kind == end => {
                    self.take();
                    return self.checked(pipe, context);
                }
                Kind::Bool | Kind::CharConstant | Kind::Complex | Kind::Dot | Kind::Field | Kind::Identifier | Kind::Number | Kind::Nil => {
                    pipe.commands.push(self.command()?);
                }
                Kind::RawString | Kind::String | Kind::Variable | Kind::LeftParen => pipe.commands.push(self.command()?),
                _ => {
                    self.take();
                    return self.unexpected(&token, context);
                }
            }
        }
    }

    fn checked(&self, pipe: Pipe, context: &str) -> Parsed<Pipe> {
        if pipe.commands.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        for (i, command) in pipe.commands.iter().enumerate().skip(1) {
            use OperandKind as O;
            if matches!(command.operands[0].kind, O::Bool(_) | O::Dot | O::Nil | O::Number(_) | O::Text(..)) {
                return self.error(format!("non executable command in pipeline stage {}", i + 1));
            }
        }
        Ok(pipe)
    }

    /// `$x :=`, `$x =`, and of ranges `$i, $x :=`.
    fn declarations(&mut self, context: &str) -> Parsed<(Vec<String>, bool)> {
        let mut variables = Vec::new();
        loop {
            let back = self.next;
            let token = self.peek_word();
            if token.kind != Kind::Variable {
                return Ok((variables, false));
            }
            self.take();
            let next = self.peek_word();
            let comma = next.kind == Kind::Char && next.text == ",";
            if !comma && !matches!(next.kind, Kind::Assign | Kind::Declare) {
                self.next = back;
                return Ok((variables, false));
            }
            self.take();
            variables.push(token.text.clone());
            self.variables.push(token.text);
            if !comma {
                return Ok((variables, next.kind == Kind::Assign));
            }
            if context != "range" || variables.len() > 1 {
                return self.error(format!("too many declarations in {context}"));
            }
            if !matches!(self.peek_word().kind, Kind::Variable | Kind::RightDelim | Kind::RightParen) {
                return self.error("range can only initialize variables");
            }
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        let at = self.peek_word().at;
        let mut operands = Vec::new();
        loop {
            self.peek_word();
            operands.extend(self.operand()?);
            let token = self.peek();
            match token.kind {
                Kind::RightDelim | Kind::RightParen => break,
                Kind::Space | Kind::Pipe => drop(self.take()),
                _ => return self.unexpected(&token, "operand"),
            }
            if token.kind == Kind::Pipe {
                break;
            }
        }
        if operands.is_empty() { self.error("empty command") } else { Ok(Command { at, operands }) }
    }

    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(mut operand) = self.term()? else { return Ok(None) };
        if self.peek().kind != Kind::Field {
            return Ok(Some(operand));
        }
        let at = self.peek().at;
        let mut names = Vec::new();
        while self.peek().kind == Kind::Field {
            names.push(self.take().text[1..].to_owned());
        }
        use OperandKind as O;
        match &mut operand.kind {
            O::Field(fields) | O::Variable(_, fields) => {
                fields.append(&mut names);
                operand.at = at;
            }
            O::Bool(_) | O::Text(..) | O::Number(_) | O::Nil | O::Dot => {
                let shown = super::format::quote(&operand.to_string());
                return self.error(format!("unexpected . after term {shown}"));
            }
            _ => operand = Operand { at, kind: O::Chain(Box::new(operand), names) },
        }
        Ok(Some(operand))
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        use OperandKind as O;
        let back = self.next;
        let token = self.take_word();
        let kind = match token.kind {
            Kind::Identifier => match (self.knows)(&token.text) {
                Ok(()) => O::Function(token.text),
                Err(reason) => return self.error(reason),
            },
            Kind::Dot => O::Dot,
            Kind::Nil => O::Nil,
            Kind::Variable if self.variables.contains(&token.text) => O::Variable(token.text, Vec::new()),
            Kind::Variable => return self.error(format!("undefined variable {}", super::format::quote(&token.text))),
            Kind::Field => O::Field(vec![token.text[1..].to_owned()]),
            Kind::Bool => O::Bool(token.text == "true"),
            Kind::CharConstant | Kind::Complex | Kind::Number => match Number::parse(&token.text, token.kind) {
                Ok(number) => O::Number(number),
                Err(reason) => return self.error(reason),
            },
            Kind::LeftParen => {
                let pipe = self.deeper(|parser| parser.pipe("parenthesized pipeline", Kind::RightParen))?;
                return Ok(Some(Operand { at: pipe.at, kind: O::Pipe(pipe) }));
            }
            Kind::String | Kind::RawString => match unquote(&token.text) {
                Ok(value) => O::Text(token.text, value),
                Err(reason) => return self.error(reason),
            },
            _ => {
                self.next = back;
                return Ok(None);
            }
        };
        Ok(Some(Operand { at: token.at, kind }))
    }
}
