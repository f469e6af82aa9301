//! Reading a tree against a schema: every mistake is recorded, what is right comes out in its full form.
//!
//! Short forms are expanded, paths made absolute, one text becomes a list where one will do, text out of a template becomes
//! the number that is asked for. What is wrong leaves a mark, so that later checks see the rest and do not miss it as well.

mod choose;
mod format;
mod scalar;
mod table;
mod wording;

use serde_json::Value as Json;

use crate::document::{Node, Value};
use crate::kistefile::{ALIASES, ONE_IS_A_LIST};
use crate::mistake::Mistake;
use choose::Choice;
pub use format::Paths;
pub use table::join;

/// Reads nodes against the parts of one schema.
pub struct Reader<'a> {
    root: &'a Json,
    paths: Paths<'a>,
    /// Everything wrong so far.
    pub mistakes: Vec<Mistake>,
}

impl<'a> Reader<'a> {
    /// `root` holds the `$defs` that references point to.
    pub fn new(root: &'a Json, paths: Paths<'a>) -> Self {
        Self { root, paths, mistakes: Vec::new() }
    }

    /// Reads `node`, known to the user as `key`. None when it is wrong, which is told then.
    pub fn read(&mut self, node: &Node, schema: &'a Json, key: &str) -> Option<Node> {
        if node.value == Value::Wrong {
            return None;
        }
        let schema = self.resolve(schema);
        let aliased = alias(node, schema);
        let node = aliased.as_ref().unwrap_or(node);
        if let Some(branches) = choose::branches(schema) {
            let read = self.read_branch(node, &branches, key)?;
            let listed = schema.get(ONE_IS_A_LIST).is_some() && !matches!(read.value, Value::List(_));
            return Some(if listed { read.with(Value::List(vec![read.clone()])) } else { read });
        }
        if let Some(words) = choose::allowed(schema) {
            return self.one_of(node, &words, key);
        }
        match &node.value {
            Value::Table(_) if wants(schema, "object") => self.read_table(node, schema, key),
            Value::List(list) if wants(schema, "array") => self.read_list(node, list, schema, key),
            _ => self.read_scalar(node, schema, key),
        }
    }

    /// Follows references.
    fn resolve(&self, schema: &'a Json) -> &'a Json {
        let mut schema = schema;
        for _ in 0..32 {
            let next = match schema.get("$ref").and_then(Json::as_str) {
                Some(reference) => reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)),
                None => schema.get("allOf").and_then(Json::as_array).filter(|all| all.len() == 1).and_then(|all| all.first()),
            };
            match next {
                Some(next) => schema = next,
                None => break,
            }
        }
        schema
    }

    fn read_branch(&mut self, node: &Node, branches: &[&'a Json], key: &str) -> Option<Node> {
        let resolved: Vec<&'a Json> = branches.iter().map(|b| self.resolve(b)).collect();
        match choose::choose(node, &resolved) {
            Choice::Branch(branch) => self.read(node, branch, key),
            Choice::Short(short, table) => {
                let full = self.expand(node, short, key)?;
                self.read(&full, table, key)
            }
            Choice::Words(words) => self.one_of(node, &words, key),
            Choice::Tag { found, known } => self.wrong_tag(node, found, &known, key),
            Choice::Nothing => self.wrong(node, key, &wording::any_of(&resolved)),
        }
    }

    fn read_list(&mut self, node: &Node, list: &[Node], schema: &'a Json, key: &str) -> Option<Node> {
        let prefix = schema.get("prefixItems").and_then(Json::as_array);
        if let Some(prefix) = prefix
            && prefix.len() != list.len()
        {
            self.say(node, key, format!("`{key}` must have {} elements, not {}", prefix.len(), list.len()));
            return None;
        }
        let mut read = Vec::new();
        for (i, element) in list.iter().enumerate() {
            let item = prefix.and_then(|p| p.get(i)).or_else(|| schema.get("items"));
            match item {
                Some(item) => read.extend(self.read(element, item, &format!("{key}[{i}]"))),
                None => read.push(element.clone()),
            }
        }
        Some(node.with(Value::List(read)))
    }

    fn say(&mut self, node: &Node, key: &str, message: String) {
        self.mistakes.push(Mistake::new(&node.place, key, message));
    }

    /// Says that `node` must be something else.
    fn wrong(&mut self, node: &Node, key: &str, expected: &str) -> Option<Node> {
        let hint = wording::how_to_write(node, expected);
        let place = if key.is_empty() { "the file".to_owned() } else { format!("`{key}`") };
        if key.ends_with("password") {
            let mistake = Mistake::new(&node.place, key, format!("{place} must be {expected}, not {}", node.kind()));
            self.mistakes.push(Mistake { excerpt: None, ..mistake });
        } else {
            self.say(node, key, format!("{place} must be {expected}, not {}{hint}", wording::found(node)));
        }
        None
    }

    fn one_of(&mut self, node: &Node, words: &[&Json], key: &str) -> Option<Node> {
        let found = node.to_json();
        if words.contains(&&found) {
            return Some(node.clone());
        }
        let loose_match = words.iter().find(|w| node.loose && wording::plain(w) == wording::plain(&found));
        if let Some(Json::Bool(flag)) = loose_match {
            return Some(node.with(Value::Bool(*flag)));
        }
        let texts: Vec<&str> = words.iter().filter_map(|w| w.as_str()).collect();
        let nearest = node.as_text().and_then(|text| crate::nearest::nearest(text, texts));
        let message = format!("`{key}` must be {}, not {}", wording::one_of(words), wording::found(node));
        self.mistakes.push(Mistake::new(&node.place, key, message).nearest(nearest));
        None
    }

    fn wrong_tag(&mut self, node: &Node, found: Option<&Node>, known: &[&str], key: &str) -> Option<Node> {
        let Some(tag) = found else {
            self.say(node, key, format!("`{key}` needs `type`"));
            return Some(node.clone());
        };
        let Some(text) = tag.as_text() else {
            return self.wrong(tag, &format!("{key}.type"), "a string");
        };
        let nearest = crate::nearest::nearest(text, known.iter().copied());
        let words: Vec<String> = known.iter().map(|k| format!("`{k}`")).collect();
        let message = format!("unknown type `{text}` of `{key}`; known are {}", words.join(", "));
        self.mistakes.push(Mistake::new(&tag.place, format!("{key}.type"), message).nearest(nearest));
        Some(node.clone())
    }
}

/// The engine's word for another spelling of a value.
fn alias(node: &Node, schema: &Json) -> Option<Node> {
    let aliases = schema.get(ALIASES)?;
    let word = aliases.get(wording::plain(&node.to_json()))?.as_str()?;
    Some(node.with(Value::Text(word.to_owned())))
}

fn wants(schema: &Json, kind: &str) -> bool {
    choose::types(schema).is_none_or(|types| types.contains(&kind))
}

#[cfg(test)]
mod tests;
