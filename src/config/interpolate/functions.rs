//! Functions of templates: `env`, `add`, `sub`, `mul`, `lower`, `upper`, `replace`, `raw`.

use handlebars::{Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason, ScopedJson};
use serde_json::{Value as Json, json};

use super::Environment;

/// Their names.
pub const NAMES: [&str; 8] = ["env", "add", "sub", "mul", "lower", "upper", "replace", "raw"];

/// A function: its name, how many arguments, and what it does with them.
struct Function<F> {
    name: &'static str,
    arguments: usize,
    apply: F,
}

impl<F: Fn(&[Json], Option<&Json>) -> Result<Json, String> + Send + Sync> HelperDef for Function<F> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let fail = |message: String| RenderError::from(RenderErrorReason::Other(message));
        if helper.params().len() != self.arguments {
            return Err(fail(format!("`{}` takes {} arguments, not {}", self.name, self.arguments, helper.params().len())));
        }
        let mut values = Vec::new();
        for param in helper.params() {
            if param.is_value_missing() {
                return Err(RenderErrorReason::MissingVariable(param.relative_path().cloned()).into());
            }
            values.push(param.value().clone());
        }
        let default = helper.hash_get("default").map(|d| d.value());
        (self.apply)(&values, default).map(ScopedJson::Derived).map_err(fail)
    }
}

/// Makes all of them known.
pub fn register<'a>(to: &mut Handlebars<'a>, env: Environment<'a>) {
    let variable = move |values: &[Json], default: Option<&Json>| {
        let name = text(&values[0]);
        let found = env(&name).or_else(|| default.map(text));
        found
            .map(Json::String)
            .ok_or_else(|| format!("the environment variable `{name}` is not set (a default: `{{{{env \"{name}\" default=\"…\"}}}}`)"))
    };
    add(to, "env", 1, variable);
    for (name, operation) in
        [("add", i64::checked_add as fn(i64, i64) -> Option<i64>), ("sub", i64::checked_sub), ("mul", i64::checked_mul)]
    {
        add(to, name, 2, move |values: &[Json], _: Option<&Json>| {
            let (a, b) = (number(name, &values[0])?, number(name, &values[1])?);
            operation(a, b).map(|n| json!(n)).ok_or_else(|| format!("`{name} {a} {b}` is too large a number"))
        });
    }
    add(to, "lower", 1, |values: &[Json], _: Option<&Json>| Ok(json!(text(&values[0]).to_lowercase())));
    add(to, "upper", 1, |values: &[Json], _: Option<&Json>| Ok(json!(text(&values[0]).to_uppercase())));
    add(to, "raw", 1, |values: &[Json], _: Option<&Json>| Ok(json!(text(&values[0]))));
    add(to, "replace", 3, |values: &[Json], _: Option<&Json>| Ok(json!(text(&values[0]).replace(&text(&values[1]), &text(&values[2])))));
}

fn add<'a, F>(to: &mut Handlebars<'a>, name: &'static str, arguments: usize, apply: F)
where
    F: Fn(&[Json], Option<&Json>) -> Result<Json, String> + Send + Sync + 'a,
{
    to.register_helper(name, Box::new(Function { name, arguments, apply }));
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn number(name: &str, value: &Json) -> Result<i64, String> {
    let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
    number.ok_or_else(|| format!("`{name}` needs whole numbers, not `{}`", text(value)))
}
