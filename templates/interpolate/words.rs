//! The helpers that handlebars calls: Go's functions as they are, and the words that the translation writes around them.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError, Renderable, ScopedJson, StringOutput,
    Template,
};
use serde_json::Value as Json;

use super::engine::{LONGEST, Run};
use super::value::Value;
use super::{Data, builtins};
use crate::functions;

/// A helper.
pub struct Word<'a> {
    /// The rendering it belongs to.
    pub run: &'a Run<'a>,
    /// What it does.
    pub kind: Kind,
}

/// What a helper does. Those of the first group give values, the others write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Remembers a place.
    At,
    /// A variable's value.
    Slot,
    /// The same, as a part of the text.
    Variable,
    /// A literal.
    Literal,
    /// Fields of a value.
    Fields,
    /// Sets a variable.
    Set,
    /// Refuses a value of another type.
    Typed,
    /// Ends the rendering.
    Fail,
    /// Calls a function.
    Function(&'static str),
    /// Writes a text.
    Text,
    /// Writes a value.
    Put,
    /// Evaluates only.
    Drop,
    /// Gives a template's value to who asked for it.
    Yield,
    /// Renders a template.
    Invoke,
    /// `break`, `continue`
    Jump,
    /// `if`
    If,
    /// `with`
    With,
    /// `range`
    Range,
}

/// Names in the translation.
pub const WORDS: [(&str, Kind); 17] = [
    ("at", Kind::At),
    ("slot", Kind::Slot),
    ("variable", Kind::Variable),
    ("literal", Kind::Literal),
    ("fields", Kind::Fields),
    ("set", Kind::Set),
    ("typed", Kind::Typed),
    ("fail", Kind::Fail),
    ("text", Kind::Text),
    ("put", Kind::Put),
    ("drop", Kind::Drop),
    ("yield", Kind::Yield),
    ("invoke", Kind::Invoke),
    ("jump", Kind::Jump),
    ("if", Kind::If),
    ("with", Kind::With),
    ("range", Kind::Range),
];

fn json<'h>(h: &'h Helper<'_>, index: usize) -> &'h Json {
    h.param(index).map_or(&Json::Null, |p| p.value())
}

fn number(h: &Helper<'_>, index: usize) -> usize {
    json(h, index).as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
}

fn value(h: &Helper<'_>, index: usize) -> Value {
    Value::from_json(json(h, index))
}

impl HelperDef for Word<'_> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        r: &'reg Handlebars<'reg>,
        ctx: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        self.run.count()?;
        let value = match self.kind {
            Kind::Function(name @ ("and" | "or")) => self.first_that_decides(name == "or", h, &mut |name| {
                let template = r.get_template(name);
                template.map_or(Ok(()), |t| t.render(r, ctx, rc, &mut StringOutput::new()))
            })?,
            Kind::Function(name) => self.function(name, h)?,
            _ => self.value(h)?,
        };
        Ok(ScopedJson::Derived(value.to_json()))
    }

    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        r: &'reg Handlebars<'reg>,
        ctx: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        self.run.count()?;
        match self.kind {
            Kind::Text => self.write(&self.run.program.texts[number(h, 0)], out),
            Kind::Put => self.put(h, out),
            Kind::Drop => Ok(()),
            Kind::Yield => {
                self.run.state().yielded = Some(value(h, 0));
                Ok(())
            }
            Kind::Jump => {
                self.run.state().jump = Some(json(h, 0) == &Json::Bool(true));
                Err(handlebars::RenderErrorReason::Other("jump".to_owned()).into())
            }
            Kind::Invoke => {
                let Some(template) = r.get_template(json(h, 1).as_str().unwrap_or_default()) else { return Ok(()) };
                self.run.enter(number(h, 0), value(h, 2))?;
                let result = template.render(r, ctx, rc, out);
                self.run.leave();
                result
            }
            _ => self.control(h, &mut |template| template.render(r, ctx, rc, out)),
        }
    }
}

impl Word<'_> {
    fn write(&self, text: &str, out: &mut dyn Output) -> HelperResult {
        self.run.wrote(text.len())?;
        Ok(out.write(text)?)
    }

    fn put(&self, h: &Helper<'_>, out: &mut dyn Output) -> HelperResult {
        self.run.state().place = number(h, 0);
        if h.param(2).is_some() && matches!(self.run.data, Data::Later) {
            return self.write(&self.run.program.texts[number(h, 2)], out);
        }
        self.write(&value(h, 1).written(), out)
    }

    fn value(&self, h: &Helper<'_>) -> Result<Value, RenderError> {
        let run = self.run;
        match self.kind {
            Kind::Slot => return Ok(run.slot(number(h, 0))),
            Kind::Set => {
                let value = value(h, 1);
                run.set(number(h, 0), value.clone());
                return Ok(value);
            }
            Kind::Typed => return self.typed(json(h, 0).as_str().unwrap_or_default(), value(h, 1)),
            _ => {}
        }
        // Without a place of its own it is the last part's fault.
        if json(h, 0).is_number() {
            run.state().place = number(h, 0);
        }
        match self.kind {
            Kind::Variable => Ok(run.slot(number(h, 1))),
            Kind::Literal => Ok(run.program.values[number(h, 1)].clone()),
            Kind::Fields => self.fields(h),
            Kind::Fail => Err(run.fail_here(&run.program.texts[number(h, 1)])),
            _ => Ok(Value::Nil),
        }
    }

    fn typed(&self, wanted: &str, value: Value) -> Result<Value, RenderError> {
        match &value {
            Value::Nil => Err(self.run.fail_here(&format!("invalid value; expected {wanted}"))),
            value if value.type_name() != wanted => {
                let found = value.type_name();
                Err(self.run.fail_here(&format!("wrong type for value; expected {wanted}; got {found}")))
            }
            _ => Ok(value),
        }
    }

    fn fields(&self, h: &Helper<'_>) -> Result<Value, RenderError> {
        let names = &self.run.program.fields[number(h, 1)];
        let has_arguments = json(h, 2) == &Json::Bool(true);
        let mut at = value(h, 4);
        for (i, name) in names.iter().enumerate() {
            at = match at {
                Value::Nil => Value::Nil,
                Value::Map(_) if has_arguments && i + 1 == names.len() => {
                    return Err(self.run.fail_here(&format!("{name} is not a method but has arguments")));
                }
                Value::Map(map) => match map.get(name) {
                    Some(text) => Value::Text(text.clone()),
                    None if matches!(self.run.data, Data::Known(_)) => {
                        let there: Vec<String> = map.keys().map(|k| format!(".{k}")).collect();
                        let there = there.join(", ");
                        return Err(self.run.fail_here(&format!("can't evaluate field {name}: here are only {there}")));
                    }
                    None => Value::Nil,
                },
                other => {
                    // What a map holds is of no known type.
                    let kind = if i > 0 { "interface {}" } else { other.type_name() };
                    return Err(self.run.fail_here(&format!("can't evaluate field {name} in type {kind}")));
                }
            };
        }
        Ok(at)
    }

    fn function(&self, name: &str, h: &Helper<'_>) -> Result<Value, RenderError> {
        let run = self.run;
        let call = &run.program.calls[number(h, 0)];
        let mut values: Vec<Value> = h.params().iter().skip(3).map(|p| Value::from_json(p.value())).collect();
        if let Some(wanted) = call.last {
            let last = value(h, 1);
            values.push(if wanted == super::signature::Type::Any { last } else { self.typed(wanted.name(), last)? });
        }
        let result = match builtins::call(name, &values) {
            Some(result) => result,
            None => functions::call(name, &values, run.scope, run.data).map(Value::Text),
        };
        match result {
            Ok(Value::Text(text)) if text.len() > LONGEST => Err(run.fail(call.place, &format!("a text is longer than {LONGEST} bytes"))),
            Ok(value) => Ok(value),
            Err(reason) => Err(run.fail(call.place, &format!("error calling {name}: {reason}"))),
        }
    }

    /// `and`, `or`: the rest is not even evaluated.
    fn first_that_decides(
        &self,
        decides: bool,
        h: &Helper<'_>,
        evaluate: &mut dyn FnMut(&str) -> Result<(), RenderError>,
    ) -> Result<Value, RenderError> {
        let mut result = Value::Nil;
        for param in h.params().iter().skip(3) {
            evaluate(param.value().as_str().unwrap_or_default())?;
            result = self.run.state().yielded.take().unwrap_or(Value::Nil);
            if result.is_true() == decides {
                return Ok(result);
            }
        }
        let has_last = self.run.program.calls[number(h, 0)].last.is_some();
        Ok(if has_last { value(h, 1) } else { result })
    }

    fn control<'rc>(&self, h: &Helper<'rc>, render: &mut dyn FnMut(&'rc Template) -> Result<(), RenderError>) -> Result<(), RenderError> {
        let decides = value(h, 1);
        if self.kind == Kind::Range {
            return self.range(h, decides, render);
        }
        let list = if decides.is_true() { h.template() } else { h.inverse() };
        if self.kind == Kind::With {
            self.run.set(number(h, 2), decides);
        }
        list.map_or(Ok(()), render)
    }

    fn range<'rc>(
        &self,
        h: &Helper<'rc>,
        over: Value,
        render: &mut dyn FnMut(&'rc Template) -> Result<(), RenderError>,
    ) -> Result<(), RenderError> {
        let entries = match over {
            Value::Nil => std::collections::BTreeMap::new(),
            Value::Map(entries) => entries,
            other => return Err(self.run.fail_here(&format!("range can't iterate over {}", other.written()))),
        };
        if entries.is_empty() {
            return h.inverse().map_or(Ok(()), render);
        }
        for (key, element) in entries {
            self.run.set(number(h, 2), Value::Text(element.clone()));
            for (param, value) in [(3, key), (4, element)] {
                if json(h, param).is_number() {
                    self.run.set(number(h, param), Value::Text(value));
                }
            }
            let result = h.template().map_or(Ok(()), &mut *render);
            if let Err(error) = result {
                match self.run.state().jump.take() {
                    Some(true) => break,
                    Some(false) => {}
                    None => return Err(error),
                }
            }
        }
        Ok(())
    }
}
