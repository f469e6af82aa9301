//! Writes a parsed text as handlebars templates.
//!
//! Handlebars gets no text and no literal of the user's to parse: they stand in tables, the templates name them by number. Go's functions
//! are helpers in sub-expressions, its controls block helpers, its variables numbered slots. What `and` and `or` may leave unevaluated, and
//! every `define`, is a template of its own.

use super::node::{Branch, Command, Node, NodeKind, Operand, OperandKind, Pipe};
use super::parse::{ROOT, Templates};
use super::signature::{Type, signature};
use super::value::Value;

/// A text, translated.
#[derive(Debug, Default)]
pub struct Program {
    /// Texts between actions, reasons of errors, names.
    pub texts: Vec<String>,
    /// Literals.
    pub values: Vec<Value>,
    /// Places that errors tell.
    pub places: Vec<Place>,
    /// Calls.
    pub calls: Vec<Call>,
    /// Fields of a value, one after the other.
    pub fields: Vec<Vec<String>>,
    /// Handlebars templates: name and text.
    pub templates: Vec<(String, String)>,
}

/// Where an error is: offset, the part of the text as Go writes it, and the template.
#[derive(Clone, Debug)]
pub struct Place {
    /// Offset in bytes.
    pub at: usize,
    /// The part.
    pub shown: String,
    /// Name of its template.
    pub template: usize,
}

/// A function's call.
#[derive(Debug)]
pub struct Call {
    /// The whole command.
    pub place: usize,
    /// The pipe's last value comes first among the parameters, of this type.
    pub last: Option<Type>,
}

/// Handlebars' name of a template of the text's own.
pub fn template_name(index: usize) -> String {
    format!("t{index}")
}

/// Translates.
pub fn translate(templates: &Templates) -> Program {
    let mut program = Program::default();
    let names: Vec<&String> = templates.keys().collect();
    for (index, (name, list)) in templates.iter().enumerate() {
        let mut writer =
            Writer { program: &mut program, names: &names, template: index, dot: 0, slots: 1, scope: vec![("$".to_owned(), 0)] };
        let text = writer.list(list);
        program.templates.push((if name == ROOT { ROOT.to_owned() } else { template_name(index) }, text));
    }
    program
}

struct Writer<'a> {
    program: &'a mut Program,
    names: &'a [&'a String],
    template: usize,
    /// Slot of `.`.
    dot: usize,
    slots: usize,
    /// Variables that are seen, inner ones last.
    scope: Vec<(String, usize)>,
}

impl Writer<'_> {
    fn text(&mut self, text: &str) -> usize {
        self.program.texts.push(text.to_owned());
        self.program.texts.len() - 1
    }

    fn place(&mut self, at: usize, shown: impl ToString) -> usize {
        self.program.places.push(Place { at, shown: shown.to_string(), template: self.template });
        self.program.places.len() - 1
    }

    fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    fn fail(&mut self, operand: &Operand, reason: &str, last: Option<&str>) -> String {
        let place = self.place(operand.at, operand);
        let reason = self.text(reason);
        format!("(fail {place} {reason} {})", last.unwrap_or("0"))
    }

    fn list(&mut self, list: &[Node]) -> String {
        list.iter().map(|node| self.node(node)).collect()
    }

    fn node(&mut self, node: &Node) -> String {
        match &node.kind {
            NodeKind::Text(text) => format!("{{{{text {}}}}}", self.text(text)),
            NodeKind::Action(pipe, written) => self.action(node, pipe, written),
            NodeKind::If(branch) => self.branch("if", node, branch),
            NodeKind::With(branch) => self.branch("with", node, branch),
            NodeKind::Range(branch) => self.branch("range", node, branch),
            NodeKind::Template(name, pipe) => self.template(node, name, pipe.as_ref()),
            NodeKind::Break => "{{jump true}}".to_owned(),
            NodeKind::Continue => "{{jump false}}".to_owned(),
        }
    }

    fn action(&mut self, node: &Node, pipe: &Pipe, written: &str) -> String {
        let place = self.place(node.at, node);
        let value = self.pipe(pipe);
        if !pipe.variables.is_empty() {
            return format!("{{{{drop {value}}}}}");
        }
        // A field alone may have to stay as it is written, for a later rendering.
        let is_field = pipe.commands.len() == 1
            && pipe.commands[0].operands.len() == 1
            && matches!(&pipe.commands[0].operands[0].kind, OperandKind::Field(_));
        if is_field {
            let written = self.text(written);
            return format!("{{{{put {place} {value} {written}}}}}");
        }
        format!("{{{{put {place} {value}}}}}")
    }

    /// What is declared in a control is seen until its end only.
    fn branch(&mut self, word: &str, node: &Node, branch: &Branch) -> String {
        let (known, dot) = (self.scope.len(), self.dot);
        let place = self.place(node.at, node);
        let value = self.pipe(&branch.pipe);
        let declared = self.scope.len();
        let mut head = format!("{place} {value}");
        if word != "if" {
            self.dot = self.slot();
            head.push_str(&format!(" {}", self.dot));
        }
        if word == "range" {
            let slots: Vec<usize> = branch.pipe.variables.iter().filter_map(|name| self.find(name)).collect();
            let shown = |slot: Option<&usize>| slot.map_or("null".to_owned(), usize::to_string);
            let (key, element) = if slots.len() == 2 { (slots.first(), slots.get(1)) } else { (None, slots.first()) };
            head.push_str(&format!(" {} {}", shown(key), shown(element)));
        }
        let list = self.list(&branch.list);
        self.dot = dot;
        self.scope.truncate(declared);
        let other = branch.other.as_ref().map(|other| self.list(other));
        self.scope.truncate(known);
        let other = other.map(|text| format!("{{{{else}}}}{text}")).unwrap_or_default();
        format!("{{{{#{word} {head}}}}}{list}{other}{{{{/{word}}}}}")
    }

    fn template(&mut self, node: &Node, name: &str, pipe: Option<&Pipe>) -> String {
        let place = self.place(node.at, node);
        match self.names.iter().position(|n| *n == name) {
            None => {
                let reason = self.text(&format!("template {} not defined", super::format::quote(name)));
                format!("{{{{drop (fail {place} {reason} 0)}}}}")
            }
            Some(index) => {
                let target = if name == ROOT { ROOT.to_owned() } else { template_name(index) };
                let value = pipe.map_or_else(|| "null".to_owned(), |pipe| self.pipe(pipe));
                format!("{{{{invoke {place} \"{target}\" {value}}}}}")
            }
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.scope.iter().rev().find(|(n, _)| n == name).map(|(_, slot)| *slot)
    }

    fn pipe(&mut self, pipe: &Pipe) -> String {
        let mut value: Option<String> = None;
        for command in &pipe.commands {
            value = Some(self.command(command, value.as_deref(), pipe));
        }
        let mut value = value.unwrap_or_else(|| "null".to_owned());
        for name in &pipe.variables {
            let slot = if pipe.assigns { self.find(name) } else { Some(self.slot()) };
            let Some(slot) = slot else {
                let reason = self.text(&format!("undefined variable: {name}"));
                return format!("(fail null {reason} {value})");
            };
            if !pipe.assigns {
                self.scope.push((name.clone(), slot));
            }
            value = format!("(set {slot} {value})");
        }
        value
    }

    fn command(&mut self, command: &Command, last: Option<&str>, pipe: &Pipe) -> String {
        let first = &command.operands[0];
        let has_arguments = command.operands.len() > 1 || last.is_some();
        let not_a_function = || format!("can't give argument to non-function {first}");
        match &first.kind {
            OperandKind::Function(name) => self.call(first, name, Some(command), last),
            OperandKind::Nil if !has_arguments => self.fail(first, "nil is not a command", last),
            OperandKind::Pipe(inner) if !has_arguments => self.pipe(inner),
            OperandKind::Pipe(_) => {
                let place = if last.is_some() { "null".to_owned() } else { self.place(pipe.at, pipe).to_string() };
                let reason = self.text(&not_a_function());
                format!("(fail {place} {reason} {})", last.unwrap_or("0"))
            }
            OperandKind::Variable(name, _) if has_arguments && self.find(name).is_none() => {
                self.fail(first, &format!("undefined variable: {name}"), last)
            }
            OperandKind::Field(names) => self.fields(first, names, has_arguments, &format!("(slot {})", self.dot), last),
            OperandKind::Variable(_, names) | OperandKind::Chain(_, names) if !names.is_empty() => {
                let start = self.start(first);
                self.fields(first, names, has_arguments, &start, last)
            }
            _ if has_arguments => self.fail(first, &not_a_function(), last),
            _ => self.literal(first),
        }
    }

    /// What a chain of fields begins with.
    fn start(&mut self, operand: &Operand) -> String {
        match &operand.kind {
            OperandKind::Variable(name, _) => self.variable(operand, name),
            OperandKind::Chain(inner, _) if matches!(inner.kind, OperandKind::Nil) => {
                self.fail(operand, &format!("indirection through explicit nil in {operand}"), None)
            }
            OperandKind::Chain(inner, _) => self.argument(inner, Type::Any),
            _ => format!("(slot {})", self.dot),
        }
    }

    fn fields(&mut self, operand: &Operand, names: &[String], has_arguments: bool, start: &str, last: Option<&str>) -> String {
        // Behind parentheses it is the last part inside that Go names.
        let place = match &operand.kind {
            OperandKind::Chain(..) => "null".to_owned(),
            _ => self.place(operand.at, operand).to_string(),
        };
        self.program.fields.push(names.to_vec());
        let fields = self.program.fields.len() - 1;
        format!("(fields {place} {fields} {has_arguments} {} {start})", last.unwrap_or("0"))
    }

    fn variable(&mut self, operand: &Operand, name: &str) -> String {
        match self.find(name) {
            Some(slot) => {
                let place = self.place(operand.at, operand);
                format!("(variable {place} {slot})")
            }
            None => self.fail(operand, &format!("undefined variable: {name}"), None),
        }
    }

    /// A value that is no function's.
    fn literal(&mut self, operand: &Operand) -> String {
        let value = match &operand.kind {
            OperandKind::Variable(name, _) => return self.variable(operand, name),
            OperandKind::Dot => {
                let place = self.place(operand.at, operand);
                return format!("(variable {place} {})", self.dot);
            }
            OperandKind::Bool(value) => Value::Bool(*value),
            OperandKind::Text(_, text) => Value::Text(text.clone()),
            OperandKind::Number(number) => match number.ideal() {
                Ok(value) => value,
                Err(reason) => return self.fail(operand, &reason, None),
            },
            _ => Value::Nil,
        };
        self.value(operand, value)
    }

    fn value(&mut self, operand: &Operand, value: Value) -> String {
        let place = self.place(operand.at, operand);
        self.program.values.push(value);
        format!("(literal {place} {})", self.program.values.len() - 1)
    }

    fn call(&mut self, function: &Operand, name: &str, command: Option<&Command>, last: Option<&str>) -> String {
        let arguments = command.map_or(&[][..], |c| &c.operands[1..]);
        let Some(signature) = signature(name) else {
            return self.fail(function, &format!("{} is not a defined function", super::format::quote(name)), last);
        };
        let given = arguments.len() + usize::from(last.is_some());
        if let Some(wanted) = signature.refuses(given) {
            let got = if signature.rest.is_some() { arguments.len() } else { given };
            return self.fail(function, &format!("wrong number of args for {name}: want {wanted} got {got}"), last);
        }
        let place = match command {
            Some(command) => self.place(command.at, command),
            None => self.place(function.at, function),
        };
        let at = self.place(function.at, function);
        let is_lazy = matches!(name, "and" | "or");
        let arguments = arguments.iter().enumerate().map(|(i, argument)| {
            let value = self.argument(argument, signature.of(i));
            if is_lazy { self.later(&value) } else { value }
        });
        let arguments: Vec<String> = arguments.collect();
        let last_type = last.map(|_| signature.of(given - 1));
        self.program.calls.push(Call { place, last: last_type });
        let call = self.program.calls.len() - 1;
        format!("({name} {call} {} (at {at}) {})", last.unwrap_or("null"), arguments.join(" "))
    }

    /// A value of its own template, evaluated when it is asked for.
    fn later(&mut self, value: &str) -> String {
        let name = format!("v{}", self.program.templates.len());
        self.program.templates.push((name.clone(), format!("{{{{yield {value}}}}}")));
        format!("\"{name}\"")
    }

    fn argument(&mut self, operand: &Operand, wanted: Type) -> String {
        use OperandKind as O;
        let value = match &operand.kind {
            O::Function(name) => self.call(operand, name, None, None),
            O::Pipe(pipe) => self.pipe(pipe),
            O::Field(names) => self.fields(operand, names, false, &format!("(slot {})", self.dot), None),
            O::Variable(_, names) | O::Chain(_, names) if !names.is_empty() => {
                let start = self.start(operand);
                self.fields(operand, names, false, &start, None)
            }
            O::Dot | O::Variable(..) => self.literal(operand),
            O::Nil if wanted == Type::Any => return self.literal(operand),
            O::Nil => return self.fail(operand, &format!("cannot assign nil to {}", wanted.name()), None),
            O::Number(number) if wanted == Type::Int && number.int.is_some() => {
                return self.value(operand, Value::Int(number.int.unwrap_or_default()));
            }
            O::Text(..) if wanted == Type::Text => return self.literal(operand),
            _ if wanted == Type::Any => return self.literal(operand),
            _ => {
                let expected = if wanted == Type::Int { "integer" } else { "string" };
                return self.fail(operand, &format!("expected {expected}; found {operand}"), None);
            }
        };
        if wanted == Type::Any { value } else { format!("(typed \"{}\" {value})", wanted.name()) }
    }
}
