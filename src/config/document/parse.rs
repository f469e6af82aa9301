//! TOML text to a tree, with every syntax error.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Entry, Node, Place, Source, Table, Value};
use crate::mistake::Mistake;

/// Parses a whole file. All its syntax errors are told, not only the first.
pub fn parse(source: &Arc<Source>) -> Result<Node, Vec<Mistake>> {
    let (table, errors) = DeTable::parse_recoverable(source.text());
    let mut mistakes: Vec<Mistake> = errors.iter().map(|e| syntax(source, e)).collect();
    mistakes.sort_by_key(|m| (m.line, m.column));
    // What follows on the same line is mostly an echo of its first error.
    mistakes.dedup_by_key(|m| m.line);
    let place = Place::new(source, 0..0);
    let node = Node::new(place, Value::Table(entries(source, table.into_inner(), &mut mistakes)));
    if mistakes.is_empty() { Ok(node) } else { Err(mistakes) }
}

/// Parses one value (of a `--set`); none when it is not TOML.
pub fn parse_value(source: &Arc<Source>) -> Option<Node> {
    let value = DeValue::parse(source.text()).ok()?;
    let mut mistakes = Vec::new();
    let node = node(source, value, &mut mistakes);
    mistakes.is_empty().then_some(node)
}

fn syntax(source: &Arc<Source>, error: &toml::de::Error) -> Mistake {
    let place = Place::new(source, error.span().unwrap_or(0..0));
    let message = match error.message() {
        "duplicate key" => format!("`{}` stands here a second time", place.text()),
        other => other.replace('\n', ", "),
    };
    Mistake::new(&place, "", message)
}

fn entries(source: &Arc<Source>, table: DeTable<'_>, mistakes: &mut Vec<Mistake>) -> Table {
    let entry = |(key, value): (Spanned<_>, Spanned<DeValue<'_>>)| {
        let place = Place::new(source, key.span());
        let key: std::borrow::Cow<'_, str> = key.into_inner();
        Entry { key: key.into_owned(), place, node: node(source, value, mistakes) }
    };
    table.into_iter().map(entry).collect()
}

fn node(source: &Arc<Source>, spanned: Spanned<DeValue<'_>>, mistakes: &mut Vec<Mistake>) -> Node {
    let place = Place::new(source, spanned.span());
    let value = match spanned.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Boolean(b) => Value::Bool(b),
        DeValue::Datetime(time) => Value::Time(time.to_string()),
        DeValue::Integer(n) => Value::Integer(i64::from_str_radix(n.as_str(), n.radix()).unwrap_or_else(|_| {
            mistakes.push(Mistake::new(&place, "", format!("`{n}` is too large a number")));
            0
        })),
        DeValue::Float(f) => Value::Float(f.as_str().parse().unwrap_or_else(|_| {
            mistakes.push(Mistake::new(&place, "", format!("`{}` is not a number", f.as_str())));
            0.0
        })),
        DeValue::Array(array) => Value::List(array.into_iter().map(|v| node(source, v, mistakes)).collect()),
        DeValue::Table(table) => Value::Table(entries(source, table, mistakes)),
    };
    Node::new(place, value)
}
