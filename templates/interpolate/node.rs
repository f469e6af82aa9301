//! The tree of a text, and how Go writes its parts back (errors show them).

use std::fmt::{Display, Formatter, Result, Write};

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Node {
    /// Offset in bytes.
    pub at: usize,
    /// What.
    pub kind: NodeKind,
}

/// Kinds of [`Node`].
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// Text between actions.
    Text(String),
    /// A pipeline whose value is written (unless it declares); as written, with delimiters.
    Action(Pipe, String),
    /// `if`.
    If(Branch),
    /// `with`.
    With(Branch),
    /// `range`.
    Range(Branch),
    /// `template`.
    Template(String, Option<Pipe>),
    /// `break`.
    Break,
    /// `continue`.
    Continue,
}

/// A control with its lists.
#[derive(Clone, Debug)]
pub struct Branch {
    /// What decides.
    pub pipe: Pipe,
    /// Then.
    pub list: Vec<Node>,
    /// Else.
    pub other: Option<Vec<Node>>,
}

/// A pipeline.
#[derive(Clone, Debug)]
pub struct Pipe {
    /// Offset.
    pub at: usize,
    /// Variables that get its value.
    pub variables: Vec<String>,
    /// They exist already.
    pub assigns: bool,
    /// Stages.
    pub commands: Vec<Command>,
}

/// A stage of a pipeline: a function with arguments, or a value.
#[derive(Clone, Debug)]
pub struct Command {
    /// Offset.
    pub at: usize,
    /// At least one.
    pub operands: Vec<Operand>,
}

/// A word of a command.
#[derive(Clone, Debug)]
pub struct Operand {
    /// Offset.
    pub at: usize,
    /// What.
    pub kind: OperandKind,
}

/// Kinds of [`Operand`].
#[derive(Clone, Debug)]
pub enum OperandKind {
    /// A function's name.
    Function(String),
    /// `.`
    Dot,
    /// `nil`
    Nil,
    /// `true`, `false`
    Bool(bool),
    /// A number.
    Number(super::number::Number),
    /// A string: as written, and its value.
    Text(String, String),
    /// `.A.B`
    Field(Vec<String>),
    /// `$x.A`: name with `$`, fields.
    Variable(String, Vec<String>),
    /// `(…).A`
    Chain(Box<Operand>, Vec<String>),
    /// `(…)`
    Pipe(Pipe),
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.kind {
            NodeKind::Text(text) => f.write_str(text),
            NodeKind::Action(pipe, _) => write!(f, "{{{{{pipe}}}}}"),
            NodeKind::If(branch) => branch.show("if", f),
            NodeKind::With(branch) => branch.show("with", f),
            NodeKind::Range(branch) => branch.show("range", f),
            NodeKind::Template(name, None) => write!(f, "{{{{template {}}}}}", super::format::quote(name)),
            NodeKind::Template(name, Some(pipe)) => write!(f, "{{{{template {} {pipe}}}}}", super::format::quote(name)),
            NodeKind::Break => f.write_str("{{break}}"),
            NodeKind::Continue => f.write_str("{{continue}}"),
        }
    }
}

impl Branch {
    fn show(&self, word: &str, f: &mut Formatter<'_>) -> Result {
        write!(f, "{{{{{word} {}}}}}", self.pipe)?;
        self.list.iter().try_for_each(|node| node.fmt(f))?;
        if let Some(other) = &self.other {
            f.write_str("{{else}}")?;
            other.iter().try_for_each(|node| node.fmt(f))?;
        }
        f.write_str("{{end}}")
    }
}

impl Display for Pipe {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if !self.variables.is_empty() {
            write!(f, "{} := ", self.variables.join(", "))?;
        }
        for (i, command) in self.commands.iter().enumerate() {
            if i > 0 {
                f.write_str(" | ")?;
            }
            command.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (i, operand) in self.operands.iter().enumerate() {
            if i > 0 {
                f.write_char(' ')?;
            }
            match &operand.kind {
                OperandKind::Pipe(pipe) => write!(f, "({pipe})")?,
                _ => operand.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let fields = |f: &mut Formatter<'_>, names: &[String]| names.iter().try_for_each(|name| write!(f, ".{name}"));
        match &self.kind {
            OperandKind::Function(name) => f.write_str(name),
            OperandKind::Dot => f.write_char('.'),
            OperandKind::Nil => f.write_str("nil"),
            OperandKind::Bool(value) => value.fmt(f),
            OperandKind::Number(number) => f.write_str(&number.text),
            OperandKind::Text(written, _) => f.write_str(written),
            OperandKind::Field(names) => fields(f, names),
            OperandKind::Variable(name, names) => {
                f.write_str(name)?;
                fields(f, names)
            }
            OperandKind::Chain(inner, names) => {
                match &inner.kind {
                    OperandKind::Pipe(pipe) => write!(f, "({pipe})")?,
                    _ => inner.fmt(f)?,
                }
                fields(f, names)
            }
            OperandKind::Pipe(pipe) => pipe.fmt(f),
        }
    }
}
