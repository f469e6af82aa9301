//! `--set PATH=VALUE`: one value of the project's tree replaced or added. The value is TOML where it parses as such, else text.

use std::path::Path;

use crate::document::{Entry, Node, Place, Source, Value, parse_value};
use crate::mistake::Mistake;
use crate::nearest::nearest;

/// Applies one `argument` to the tree of the project's file. `folder` is where relative paths start.
pub fn apply(tree: &mut Node, argument: &str, folder: &Path) -> Result<(), Box<Mistake>> {
    let (path, text) = argument.split_once('=').unwrap_or((argument, ""));
    let source = Source::argument(argument, text, folder);
    let wrong = |message: String| Box::new(Mistake::new(&Place::whole(&source), path, message));
    if !argument.contains('=') {
        return Err(wrong(format!("`{argument}` has no `=` (write `params.nodes=5`)")));
    }
    let keys = split(path).ok_or_else(|| wrong(format!("`{path}` is not the path of a key (write `machines.db.memory`)")))?;
    if let [first, machine, _, ..] = keys.as_slice()
        && first == "machines"
        && tree.get("machines").and_then(|m| m.get(machine)).is_none()
    {
        let known = tree.get("machines").map_or(&[][..], Node::entries).iter().map(|e| e.key.as_str());
        return Err(Box::new(wrong(format!("there is no machine `{machine}`")).nearest(nearest(machine, known))));
    }
    let whole = Place::new(&source, 0..text.len());
    let mut value = parse_value(&source).unwrap_or_else(|| Node::new(whole, Value::Text(text.to_owned())));
    loosen(&mut value);
    insert(tree, &keys, value).map_err(wrong)
}

fn loosen(node: &mut Node) {
    node.loose = true;
    match &mut node.value {
        Value::List(list) => list.iter_mut().for_each(loosen),
        Value::Table(table) => table.iter_mut().for_each(|e| loosen(&mut e.node)),
        _ => {}
    }
}

/// `a.b."c.d"` as keys.
fn split(path: &str) -> Option<Vec<String>> {
    let mut keys = Vec::new();
    let mut rest = path;
    loop {
        let (key, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_at(rest.find('.').unwrap_or(rest.len())),
        };
        let key = key.trim();
        if key.is_empty() {
            return None;
        }
        keys.push(key.to_owned());
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None => return after.is_empty().then_some(keys),
        }
    }
}

fn insert(node: &mut Node, keys: &[String], value: Node) -> Result<(), String> {
    let Some((key, deeper)) = keys.split_first() else {
        *node = value;
        return Ok(());
    };
    match &mut node.value {
        Value::Table(table) => {
            let index = table.iter().position(|e| e.key == *key).unwrap_or_else(|| {
                let empty = Node::new(value.place.clone(), Value::Table(Vec::new()));
                table.push(Entry { key: key.clone(), place: Place::whole(value.place.source()), node: empty });
                table.len() - 1
            });
            insert(&mut table[index].node, deeper, value)
        }
        Value::List(list) => {
            let (count, element) = (list.len(), key.parse::<usize>().ok());
            let element = element.and_then(|i| list.get_mut(i));
            insert(element.ok_or_else(|| format!("`{key}` is not a place in a list of {count} (they count from 0)"))?, deeper, value)
        }
        _ => Err(format!("`{key}` can't stand below {}", node.kind())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse;

    fn set(file: &str, argument: &str) -> String {
        let mut tree = parse(&Source::file("/p/Kistefile".as_ref(), file.to_owned())).unwrap();
        match apply(&mut tree, argument, "/p".as_ref()) {
            Ok(()) => tree.to_json().to_string(),
            Err(m) => m.to_string(),
        }
    }

    #[test]
    fn values_are_toml_where_they_parse() {
        assert_eq!(set("", "cpus=4"), r#"{"cpus":4}"#);
        assert_eq!(set("", "memory=2GiB"), r#"{"memory":"2GiB"}"#);
        assert_eq!(set("", "post_up_message=a=b"), r#"{"post_up_message":"a=b"}"#);
        assert_eq!(set("params = { a = 1 }", "params.b={ c = [1] }"), r#"{"params":{"a":1,"b":{"c":[1]}}}"#);
        assert_eq!(set("ports = ['1:2', '3:4']", "ports.1=5:6"), r#"{"ports":["1:2","5:6"]}"#);
        assert_eq!(set("[machines.\"a.b\"]", "machines.\"a.b\".cpus=1"), r#"{"machines":{"a.b":{"cpus":1}}}"#);
    }

    #[test]
    fn what_is_wrong() {
        assert_eq!(set("", "cpus"), "--set cpus: `cpus` has no `=` (write `params.nodes=5`)");
        assert_eq!(set("", "a..b=1"), "--set a..b=1: `a..b` is not the path of a key (write `machines.db.memory`)");
        assert_eq!(set("cpus = 1", "cpus.x=1"), "--set cpus.x=1: `x` can't stand below a whole number");
        assert_eq!(set("ports = []", "ports.0=1:2"), "--set ports.0=1:2: `0` is not a place in a list of 0 (they count from 0)");
        assert_eq!(set("[machines.db]", "machines.bd.cpus=1"), "--set machines.bd.cpus=1: there is no machine `bd` (did you mean `db`?)");
    }
}
