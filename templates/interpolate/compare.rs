//! `eq`, `lt` and the like, with Go's rules for what can be compared.

use super::value::Value;

#[derive(PartialEq)]
enum Basic<'a> {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Complex(f64, f64),
    Text(&'a str),
}

impl<'a> Basic<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        Some(match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Integer(*value),
            Value::Byte(value) => Self::Integer(i64::from(*value)),
            Value::Float(value) => Self::Float(*value),
            Value::Complex(re, im) => Self::Complex(*re, *im),
            Value::Text(text) => Self::Text(text),
            Value::Nil | Value::Map(_) => return None,
        })
    }
}

const INCOMPATIBLE: &str = "incompatible types for comparison";
const INVALID: &str = "invalid type for comparison";

/// Whether the first equals any of the others.
pub fn equal(first: &Value, others: &[Value]) -> Result<bool, String> {
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in others {
        if equal_to(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal_to(a: &Value, b: &Value) -> Result<bool, String> {
    match (Basic::of(a), Basic::of(b)) {
        (Some(Basic::Integer(a)), Some(Basic::Integer(b))) => Ok(a == b),
        (Some(a), Some(b)) if std::mem::discriminant(&a) == std::mem::discriminant(&b) => Ok(a == b),
        (Some(_), Some(_)) => Err(INCOMPATIBLE.to_owned()),
        (None, None) if *b == Value::Nil => Ok(*a == Value::Nil),
        // Go has them in this order.
        (None, None) => Err(format!("non-comparable type {}: {}", b.written(), b.type_name())),
        // `nil` equals nothing but itself, and may be asked.
        _ if *a == Value::Nil || *b == Value::Nil => Ok(false),
        _ => Err(INCOMPATIBLE.to_owned()),
    }
}

/// Whether the first comes before the second.
pub fn less(a: &Value, b: &Value) -> Result<bool, String> {
    match (Basic::of(a).ok_or(INVALID)?, Basic::of(b).ok_or(INVALID)?) {
        (Basic::Integer(a), Basic::Integer(b)) => Ok(a < b),
        (Basic::Float(a), Basic::Float(b)) => Ok(a < b),
        (Basic::Text(a), Basic::Text(b)) => Ok(a < b),
        (Basic::Bool(_), Basic::Bool(_)) | (Basic::Complex(..), Basic::Complex(..)) => Err(INVALID.to_owned()),
        _ => Err(INCOMPATIBLE.to_owned()),
    }
}

/// Whether it comes before it or equals it.
pub fn less_or_equal(a: &Value, b: &Value) -> Result<bool, String> {
    if less(a, b)? { Ok(true) } else { equal(a, std::slice::from_ref(b)) }
}
