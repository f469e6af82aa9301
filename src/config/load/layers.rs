//! The layers of a machine: the user's file, the top level of the project's, its own table. Each is rendered and read on its own,
//! so that a mistake in a value that another layer overrides is still told; then they are merged.

use serde_json::Value as Json;

use kiste_core::machine::Machine;

use super::expand::{Member, members};
use crate::check;
use crate::document::{Entry, Node, Place, Value};
use crate::interpolate::{Interpolator, Scope};
use crate::kistefile::MachineTable;
use crate::merge;
use crate::mistake::{Mistake, absorb};
use crate::reader::{Paths, Reader, join};
use crate::resolve;

/// Everything that machines are made from.
pub struct Layers<'a> {
    /// Tree of the user's own file.
    pub user: Option<&'a Node>,
    /// Tree of the project's file, `--set` applied.
    pub project: &'a Node,
    /// Schema of the file.
    pub schema: &'a Json,
    /// Renders templates.
    pub interpolator: &'a Interpolator<'a>,
    /// What paths are relative to.
    pub paths: Paths<'a>,
}

/// A machine as a tree: merged, read, not yet typed.
pub struct Built {
    /// Its name.
    pub name: String,
    /// The name in the file, without the number that `count` gives.
    pub group: String,
    /// Its index.
    pub index: u32,
    /// Where its name stands.
    pub place: Place,
    /// All its settings.
    pub tree: Node,
}

impl Layers<'_> {
    /// All machines; what is wrong is told in `mistakes` and left out.
    pub fn machines(&self, mistakes: &mut Vec<Mistake>) -> Vec<Built> {
        self.user_has_no_machines(mistakes);
        let params = self.params(None);
        let mut built = Vec::new();
        for member in members(self.project, self.schema, self.interpolator, &params, mistakes) {
            let mut found = Vec::new();
            let tree = self.member(&member, &mut found);
            absorb(mistakes, found);
            if !member.phantom {
                built.push(Built { name: member.name, group: member.group, index: member.index, place: member.place, tree });
            }
        }
        built
    }

    fn user_has_no_machines(&self, mistakes: &mut Vec<Mistake>) {
        let entry = self.user.and_then(|u| u.entries().iter().find(|e| e.key == "machines"));
        if let Some(entry) = entry {
            let message = "`machines` can't stand in the user's own file, which holds for every project";
            mistakes.push(Mistake::new(&entry.place, "machines", message));
        }
    }

    /// Params of all layers, not yet rendered.
    fn params(&self, own: Option<&Node>) -> Node {
        let layers = [self.user, Some(self.project), own];
        let tables = layers.into_iter().flatten().filter_map(|layer| layer.get("params"));
        let empty = self.project.with(Value::Table(Vec::new()));
        tables.filter(|t| matches!(t.value, Value::Table(_))).fold(empty, |below, above| merge::tables(&below, above))
    }

    fn member(&self, member: &Member<'_>, mistakes: &mut Vec<Mistake>) -> Node {
        let mut scope = Scope { machine: Some((member.name.clone(), member.index)), ..Scope::default() };
        self.interpolator.params(&self.params(member.own), &mut scope, mistakes);
        let key = join("machines", &member.group);
        let top = Part { schema: "", key: "", elsewhere: &["machines", "params"] };
        let own = Part { schema: "/$defs/Machine", key: &key, elsewhere: &["count", "index", "params"] };
        let layers = [(self.user, &top), (Some(self.project), &top), (member.own, &own)];
        let read = layers.into_iter().filter_map(|(layer, part)| Some(self.layer(layer?, part, &scope, mistakes)));
        read.fold(self.project.with(Value::Table(Vec::new())), |below, above| merge::machine(&below, &above))
    }

    fn layer(&self, layer: &Node, part: &Part<'_>, scope: &Scope, mistakes: &mut Vec<Mistake>) -> Node {
        let empty = layer.with(Value::Table(Vec::new()));
        if let Some(params) = layer.get("params").filter(|p| !matches!(p.value, Value::Table(_))) {
            let key = join(part.key, "params");
            mistakes.push(Mistake::new(&params.place, key.clone(), format!("`{key}` must be a table, not {}", params.kind())));
        }
        let here = |e: &&Entry| !part.elsewhere.contains(&e.key.as_str());
        let written = layer.with(Value::Table(layer.entries().iter().filter(here).cloned().collect()));
        let rendered = self.interpolator.render(&written, scope, part.key, mistakes).unwrap_or_else(|| empty.clone());
        let mut reader = Reader::new(self.schema, self.paths);
        let read = self.schema.pointer(part.schema).and_then(|schema| reader.read(&rendered, schema, part.key)).unwrap_or(empty);
        mistakes.append(&mut reader.mistakes);
        check::layer(&read, mistakes);
        read
    }
}

/// What kind of layer a table is.
struct Part<'a> {
    /// Pointer to its schema.
    schema: &'static str,
    /// Its key in the file.
    key: &'a str,
    /// Keys that are read elsewhere.
    elsewhere: &'static [&'static str],
}

impl Built {
    /// The engine's machine. What does not fit the types in spite of the schema is a mistake too.
    pub fn resolve(self) -> Result<Machine, Box<Mistake>> {
        let table: MachineTable = serde_json::from_value(self.tree.to_json())
            .map_err(|error| Box::new(Mistake::new(&self.place, self.name.clone(), format!("machine `{}`: {error}", self.name))))?;
        let mut machine = resolve::machine(&self.name, self.index, table);
        machine.triggers.retain_mut(|trigger| {
            for name in trigger.on.iter_mut().filter(|name| **name == self.group) {
                name.clone_from(&self.name);
            }
            trigger.on.is_empty() || trigger.on.iter().any(|on| *on == self.name || on.starts_with('/'))
        });
        Ok(machine)
    }
}
