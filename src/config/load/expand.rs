//! Which machines there are: the names of `[machines]`, `count` multiplied out, or the one called `default`.

use serde_json::Value as Json;

use crate::document::{Entry, Node, Place, Value};
use crate::interpolate::{Interpolator, Scope};
use crate::merge::tables;
use crate::mistake::Mistake;
use crate::reader::{Paths, Reader, join};

/// Name of the one machine of a project that names none.
pub const DEFAULT: &str = "default";

/// One machine to be built.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// Its own name.
    pub name: String,
    /// The name in the file.
    pub group: String,
    /// Its index.
    pub index: u32,
    /// Its table; none for the machine nobody named.
    pub own: Option<&'a Node>,
    /// Where its name stands.
    pub place: Place,
    /// It is only looked at for mistakes: `count` is 0.
    pub phantom: bool,
}

/// All members of the project's `tree`. `params` are the top level's, not yet rendered.
pub fn members<'a>(tree: &'a Node, schema: &Json, templates: &Interpolator<'_>, params: &Node, out: &mut Vec<Mistake>) -> Vec<Member<'a>> {
    let alone = || {
        let place = tree.place.clone();
        vec![Member { name: DEFAULT.to_owned(), group: DEFAULT.to_owned(), index: 1, own: None, place, phantom: false }]
    };
    let Some(machines) = tree.get("machines") else { return alone() };
    if !matches!(machines.value, Value::Table(_)) {
        out.push(Mistake::new(&machines.place, "machines", format!("`machines` must be a table, not {}", machines.kind())));
        return alone();
    }
    let expander = Expander { schema, templates, params };
    let members: Vec<Member<'a>> = machines.entries().iter().flat_map(|entry| expander.entry(entry, out)).collect();
    for (i, member) in members.iter().enumerate() {
        // State lies in a folder of that name, and on some hosts case does not tell folders apart.
        let other = members[..i].iter().find(|m| m.name.eq_ignore_ascii_case(&member.name) && !m.phantom);
        if let Some(other) = other {
            let message = match other.name == member.name {
                true => format!("there are two machines called `{}`", member.name),
                false => format!("`{}` and `{}` differ in nothing but case", other.name, member.name),
            };
            out.push(Mistake::new(&member.place, "machines", message));
        }
    }
    if members.is_empty() {
        return alone();
    }
    if members.iter().all(|m| m.phantom) && out.is_empty() {
        out.push(Mistake::new(&machines.place, "machines", "there is no machine: every `count` is 0"));
    }
    members
}

struct Expander<'a> {
    schema: &'a Json,
    templates: &'a Interpolator<'a>,
    params: &'a Node,
}

impl Expander<'_> {
    fn entry<'n>(&self, entry: &'n Entry, out: &mut Vec<Mistake>) -> Vec<Member<'n>> {
        let key = join("machines", &entry.key);
        let name = |text: &str, index, phantom| Member {
            name: text.to_owned(),
            group: entry.key.clone(),
            index,
            own: Some(&entry.node),
            place: entry.place.clone(),
            phantom,
        };
        if !is_name(&entry.key) {
            let message =
                format!("`{}` can't be the name of a machine (letters, digits, `-`, `_`, `.`; the first a letter or digit)", entry.key);
            out.push(Mistake::new(&entry.place, key.clone(), message));
        }
        if !matches!(entry.node.value, Value::Table(_)) {
            out.push(Mistake::new(&entry.node.place, key.clone(), format!("`{key}` must be a table, not {}", entry.node.kind())));
            return Vec::new();
        }
        let index = self.number(&entry.node, "index", &key, out);
        match entry.node.get("count") {
            None => vec![name(&entry.key, index.unwrap_or(1), false)],
            Some(_) => match self.number(&entry.node, "count", &key, out) {
                None | Some(0) => vec![name(&entry.key, 1, true)],
                Some(count) => {
                    if let Some(index) = entry.node.get("index") {
                        out.push(Mistake::new(&index.place, join(&key, "index"), "`index` and `count` exclude each other"));
                    }
                    (1..=count).map(|i| name(&format!("{}-{i}", entry.key), i, false)).collect()
                }
            },
        }
    }

    /// A number that decides how many machines there are: templates in it know params and the environment only.
    fn number(&self, own: &Node, name: &str, key: &str, out: &mut Vec<Mistake>) -> Option<u32> {
        let node = own.get(name)?;
        let key = join(key, name);
        let mut scope = Scope::default();
        let params = own.get("params").map_or_else(|| self.params.clone(), |p| tables(self.params, p));
        // A param that needs a machine's name can't be rendered here; it is told where it can.
        self.templates.params(&params, &mut scope, &mut Vec::new());
        let rendered = self.templates.render(node, &scope, &key, out)?;
        let schema = self.schema.pointer(&format!("/$defs/Machine/properties/{name}"))?;
        let mut reader = Reader::new(self.schema, Paths::default());
        let read = reader.read(&rendered, schema, &key);
        out.append(&mut reader.mistakes);
        match read?.value {
            Value::Integer(n) => n.try_into().ok(),
            _ => None,
        }
    }
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.len() <= 100 && name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}
