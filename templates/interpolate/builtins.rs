//! The functions of Go's templates themselves, but for `and` and `or`.

use super::value::Value;
use super::{compare, escape, format};

/// Calls one; none when it is not one of these.
pub fn call(name: &str, values: &[Value]) -> Option<Result<Value, String>> {
    let text = |text: String| Ok(Value::Text(text));
    Some(match (name, values) {
        ("print", values) => text(format::sprint(values)),
        ("println", values) => text(format::sprintln(values)),
        ("printf", [Value::Text(pattern), rest @ ..]) => text(format::sprintf(pattern, rest)),
        ("html", values) => text(escape::html(&joined(values))),
        ("js", values) => text(escape::js(&joined(values))),
        ("urlquery", values) => text(escape::url(&joined(values))),
        ("len", [value]) => len(value),
        ("index", [value, indexes @ ..]) => index(value, indexes),
        ("slice", [value, indexes @ ..]) => slice(value, indexes),
        ("not", [value]) => Ok(Value::Bool(!value.is_true())),
        ("call", [Value::Nil, ..]) => Err("call of nil".to_owned()),
        ("call", [value, ..]) => Err(format!("non-function of type {}", value.type_name())),
        ("eq", [first, rest @ ..]) => compare::equal(first, rest).map(Value::Bool),
        ("ne", [a, b]) => compare::equal(a, std::slice::from_ref(b)).map(|equal| Value::Bool(!equal)),
        ("lt", [a, b]) => compare::less(a, b).map(Value::Bool),
        ("le", [a, b]) => compare::less_or_equal(a, b).map(Value::Bool),
        ("gt", [a, b]) => compare::less_or_equal(a, b).map(|less| Value::Bool(!less)),
        ("ge", [a, b]) => compare::less(a, b).map(|less| Value::Bool(!less)),
        _ => return None,
    })
}

/// One text, or all as `print` would write them.
fn joined(values: &[Value]) -> String {
    match values {
        [Value::Text(text)] => text.clone(),
        values => {
            let shown: Vec<Value> =
                values.iter().map(|v| if *v == Value::Nil { Value::Text("<no value>".to_owned()) } else { v.clone() }).collect();
            format::sprint(&shown)
        }
    }
}

fn len(value: &Value) -> Result<Value, String> {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::Map(map) => map.len(),
        Value::Nil => return Err("reflect: call of reflect.Value.Type on zero Value".to_owned()),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn index(value: &Value, indexes: &[Value]) -> Result<Value, String> {
    if *value == Value::Nil {
        return Err("index of untyped nil".to_owned());
    }
    let mut value = value.clone();
    for index in indexes {
        value = match (&value, index) {
            (Value::Text(text), index) => {
                let at = position(index, text.len())?;
                Value::Byte(*text.as_bytes().get(at).ok_or("reflect: string index out of range")?)
            }
            (Value::Map(map), Value::Text(key)) => map.get(key).cloned().map_or(Value::Nil, Value::Text),
            (Value::Map(_), Value::Nil) => return Err("value is nil; should be of type string".to_owned()),
            (Value::Map(_), other) => return Err(format!("value has type {}; should be string", other.type_name())),
            (Value::Nil, _) => return Err("index of nil pointer".to_owned()),
            (other, _) => return Err(format!("can't index item of type {}", other.type_name())),
        };
    }
    Ok(value)
}

fn position(index: &Value, length: usize) -> Result<usize, String> {
    let at = match index {
        Value::Int(at) => *at,
        Value::Byte(at) => i64::from(*at),
        Value::Nil => return Err("cannot index slice/array with nil".to_owned()),
        other => return Err(format!("cannot index slice/array with type {}", other.type_name())),
    };
    usize::try_from(at).ok().filter(|at| *at <= length).ok_or_else(|| format!("index out of range: {at}"))
}

fn slice(value: &Value, indexes: &[Value]) -> Result<Value, String> {
    if *value == Value::Nil {
        return Err("slice of untyped nil".to_owned());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let Value::Text(text) = value else { return Err(format!("can't slice item of type {}", value.type_name())) };
    if indexes.len() == 3 {
        return Err("cannot 3-index slice a string".to_owned());
    }
    let mut ends = [0, text.len()];
    for (end, index) in ends.iter_mut().zip(indexes) {
        *end = position(index, text.len())?;
    }
    let [from, to] = ends;
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    // Go cuts bytes; half a character becomes U+FFFD here.
    Ok(Value::Text(String::from_utf8_lossy(&text.as_bytes()[from..to]).into_owned()))
}
