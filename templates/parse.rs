//! From a template's text to [`Template`]: every mistake of the form at once, each with its place.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::duration;
use crate::error::Error;
use crate::json::{self, Key, Node, Value};
use crate::nearest::nearest;
use crate::problem::{Place, Problem};
use crate::template::{Block, Template, Variable};

const ROOT_KEYS: [&str; 9] = [
    "min_packer_version",
    "description",
    "variables",
    "sensitive-variables",
    "builders",
    "provisioners",
    "error-cleanup-provisioner",
    "post-processors",
    "push",
];

/// Reads a template; `-` is standard input.
pub fn load(path: &Path) -> Result<Template, Error> {
    let read = |source| Error::File { path: path.to_owned(), source };
    let file = if path == Path::new("-") { Path::new("/dev/stdin") } else { path };
    parse(&std::fs::read_to_string(file).map_err(read)?, path)
}

/// Parses a template's text; `path` is only remembered.
pub fn parse(text: &str, path: &Path) -> Result<Template, Error> {
    let (node, problems) = json::parse(text);
    let mut reader = Reader { problems };
    let template = node.map(|node| reader.template(node, path));
    match template {
        Some(template) if reader.problems.is_empty() => Ok(template),
        _ => Err(Error::Template { path: path.to_owned(), problems: reader.problems }),
    }
}

type Entries = Vec<(Key, Node)>;

struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    fn problem(&mut self, at: Place, message: impl Into<String>) {
        self.problems.push(Problem::at(at, message));
    }

    fn template(&mut self, node: Node, path: &Path) -> Template {
        let mut template = Template {
            path: path.to_owned(),
            description: None,
            min_packer_version: None,
            variables: Vec::new(),
            sensitive: Vec::new(),
            builders: Vec::new(),
            provisioners: Vec::new(),
            error_cleanup_provisioner: None,
            post_processors: Vec::new(),
        };
        for (key, node) in self.entries(node, "", "").unwrap_or_default() {
            self.root(&mut template, &key, node);
        }
        template
    }

    fn root(&mut self, template: &mut Template, key: &Key, node: Node) {
        match key.name.as_str() {
            name if name.starts_with('_') && matches!(node.value, Value::Text(_)) => {}
            name if name.starts_with('_') => {
                self.problem(node.at, format!("Failed to cast root level comment value in comment \"{name}\" to string."));
            }
            name if !ROOT_KEYS.contains(&name) => {
                let near = nearest(name, ROOT_KEYS).map(|n| format!(" (nearest: `{n}`)")).unwrap_or_default();
                self.problem(key.at, format!("Unknown root level key in template: '{name}'{near}"));
            }
            _ if node.value == Value::Null => {}
            "description" => template.description = self.text(&node, "", "Description"),
            "min_packer_version" => {
                template.min_packer_version = self.text(&node, "", "min_packer_version").map(|t| (node.at, t));
            }
            "variables" => template.variables = self.variables(node),
            "sensitive-variables" => {
                let items = self.items(node, "sensitive-variables").into_iter().enumerate();
                template.sensitive = items.filter_map(|(i, n)| self.text(&n, "", &format!("sensitive-variables[{i}]"))).collect();
            }
            "builders" => template.builders = self.builders(node),
            "provisioners" => {
                let items = self.items(node, "Provisioners").into_iter().enumerate();
                template.provisioners = items.filter_map(|(i, n)| self.provisioner(n, &format!("provisioner {}: ", i + 1))).collect();
            }
            "error-cleanup-provisioner" => {
                template.error_cleanup_provisioner = self.provisioner(node, "On Error Cleanup Provisioner error: ");
            }
            "post-processors" => {
                let items = self.items(node, "post-processors").into_iter().enumerate();
                template.post_processors = items.map(|(i, n)| self.sequence(n, i + 1)).collect();
            }
            // `push`, of a service that is gone.
            _ => {}
        }
    }

    fn entries(&mut self, node: Node, lead: &str, name: &str) -> Option<Entries> {
        match node.value {
            Value::Map(entries) => Some(entries),
            other => {
                self.problem(node.at, format!("{lead}'{name}' expected a map, got '{}'", other.go_kind()));
                None
            }
        }
    }

    fn items(&mut self, node: Node, what: &str) -> Vec<Node> {
        match node.value {
            Value::List(items) => items,
            other => {
                self.problem(node.at, format!("'{what}': source data must be an array or slice, got {}", other.go_kind()));
                Vec::new()
            }
        }
    }

    fn unconvertible(&mut self, node: &Node, lead: &str, name: &str, wanted: &str) {
        let (kind, text) = (node.value.go_type(), node.value.go_text());
        self.problem(node.at, format!("{lead}'{name}' expected type '{wanted}', got unconvertible type '{kind}', value: '{text}'"));
    }

    /// A string and nothing else.
    fn text(&mut self, node: &Node, lead: &str, name: &str) -> Option<String> {
        if let Value::Text(text) = &node.value {
            return Some(text.clone());
        }
        self.unconvertible(node, lead, name, "string");
        None
    }

    /// A string, or what reads as one.
    fn weak_text(&mut self, node: &Node, lead: &str, name: &str) -> Option<String> {
        match &node.value {
            Value::Text(text) | Value::Number(text) => Some(text.clone()),
            Value::Bool(value) => Some(u8::from(*value).to_string()),
            Value::Null => None,
            Value::List(_) | Value::Map(_) => {
                self.unconvertible(node, lead, name, "string");
                None
            }
        }
    }

    /// Strings; a single one stands for a list of one.
    fn names(&mut self, node: &Node, lead: &str, name: &str) -> Vec<String> {
        match &node.value {
            Value::List(items) => items.iter().filter_map(|n| self.weak_text(n, lead, name)).collect(),
            Value::Map(_) => {
                self.problem(node.at, format!("{lead}'{name}': source data must be an array or slice, got map"));
                Vec::new()
            }
            _ => self.weak_text(node, lead, name).into_iter().collect(),
        }
    }

    fn variables(&mut self, node: Node) -> Vec<Variable> {
        let entries = self.entries(node, "", "Variables").unwrap_or_default();
        entries.into_iter().filter_map(|(key, node)| self.variable(key, &node)).collect()
    }

    fn variable(&mut self, key: Key, node: &Node) -> Option<Variable> {
        let default = match &node.value {
            Value::Null => None,
            _ => Some(self.text(node, &format!("variable {}: ", key.name), "")?),
        };
        Some(Variable { at: key.at, name: key.name, default })
    }

    fn builders(&mut self, node: Node) -> Vec<Block> {
        let mut builders: Vec<Block> = Vec::new();
        for (i, node) in self.items(node, "builders").into_iter().enumerate() {
            let lead = format!("builder {}: ", i + 1);
            let at = node.at;
            let Some(mut entries) = self.entries(node, &lead, "") else { continue };
            let named = take(&mut entries, "name").and_then(|n| self.weak_text(&n, &lead, "name"));
            let Some(kind) = self.kind(at, &mut entries, &lead, "missing 'type'") else { continue };
            let block = Block { name: named.filter(|n| !n.is_empty()).unwrap_or_else(|| kind.clone()), ..Block::new(at, kind, entries) };
            if builders.iter().any(|b| b.name == block.name) {
                self.problem(block.at, format!("{lead}builder with name '{}' already exists", block.name));
            }
            builders.push(block);
        }
        builders
    }

    /// `type`, which must be there.
    fn kind(&mut self, at: Place, entries: &mut Entries, lead: &str, missing: &str) -> Option<String> {
        let kind = take(entries, "type").map_or(Some(String::new()), |n| self.weak_text(&n, lead, "type"))?;
        if kind.is_empty() {
            self.problem(at, format!("{lead}{missing}"));
            return None;
        }
        Some(kind)
    }

    fn provisioner(&mut self, node: Node, what: &str) -> Option<Block> {
        let at = node.at;
        let lead = format!("{what}Error decoding provisioner: ");
        let mut entries = self.entries(node, &lead, "")?;
        let mut list = |key: &str| take(&mut entries, key).map(|n| self.names(&n, &lead, key)).unwrap_or_default();
        let (only, except) = (list("only"), list("except"));
        let pause_before = self.take_duration(&mut entries, "pause_before", &lead);
        let timeout = self.take_duration(&mut entries, "timeout", &lead);
        let max_retries = take(&mut entries, "max_retries").and_then(|n| self.weak_text(&n, &lead, "max_retries"));
        let overrides = take(&mut entries, "override").map(|n| self.overrides(n, &lead)).unwrap_or_default();
        let kind = self.kind(at, &mut entries, what, "Provisioner missing 'type'")?;
        Some(Block { only, except, pause_before, timeout, max_retries, overrides, ..Block::new(at, kind, entries) })
    }

    fn overrides(&mut self, node: Node, lead: &str) -> BTreeMap<String, Entries> {
        let entries = match node.value {
            // What the peer's decoder makes of a list: its objects, one over the other.
            Value::List(items) => {
                let each = items.into_iter().enumerate();
                each.flat_map(|(i, n)| self.entries(n, lead, &format!("Override[{i}]")).unwrap_or_default()).collect()
            }
            _ => self.entries(node, lead, "Override").unwrap_or_default(),
        };
        let each = entries.into_iter().map(|(key, node)| {
            let options = self.entries(node, lead, &format!("Override[{}]", key.name)).unwrap_or_default();
            (key.name, options)
        });
        each.collect()
    }

    fn sequence(&mut self, node: Node, number: usize) -> Vec<Block> {
        let items = match node.value {
            Value::List(items) => items,
            Value::Text(_) | Value::Map(_) => vec![node],
            _ => {
                self.problem(node.at, format!("post-processor {number}: bad format"));
                Vec::new()
            }
        };
        let each = items.into_iter().enumerate();
        each.filter_map(|(i, n)| self.post_processor(n, &format!("post-processor {number}.{}: ", i + 1))).collect()
    }

    fn post_processor(&mut self, node: Node, lead: &str) -> Option<Block> {
        let at = node.at;
        match node.value {
            Value::Text(kind) => Some(Block::new(at, kind, Vec::new())),
            Value::Map(mut entries) => {
                let mut list = |key: &str| take(&mut entries, key).map(|n| self.names(&n, lead, key)).unwrap_or_default();
                let (only, except) = (list("only"), list("except"));
                let keep_input_artifact = take(&mut entries, "keep_input_artifact").and_then(|n| self.keep(&n, lead));
                let mut text = |key: &str, name: &str| match take(&mut entries, key) {
                    Some(node) if node.value != Value::Null => self.text(&node, lead, name),
                    _ => Some(String::new()),
                };
                let (kind, name) = (text("type", "Type")?, text("name", "Name")?);
                if kind.is_empty() {
                    self.problem(at, format!("{lead}type is required"));
                    return None;
                }
                let name = if name.is_empty() { kind.clone() } else { name };
                Some(Block { only, except, keep_input_artifact, name, ..Block::new(at, kind, entries) })
            }
            Value::List(_) => {
                self.problem(at, format!("{lead}sequence not allowed to be nested in a sequence"));
                None
            }
            _ => {
                self.problem(at, format!("{lead}unknown format"));
                None
            }
        }
    }

    fn keep(&mut self, node: &Node, lead: &str) -> Option<bool> {
        match &node.value {
            Value::Bool(keep) => return Some(*keep),
            Value::Null => {}
            _ => self.unconvertible(node, lead, "keep_input_artifact", "bool"),
        }
        None
    }

    fn take_duration(&mut self, entries: &mut Entries, key: &str, lead: &str) -> Duration {
        let time = match take(entries, key) {
            None => return Duration::ZERO,
            // Counted in nanoseconds, as every bare number is.
            Some(Node { value: Value::Bool(value), .. }) => return Duration::from_nanos(value.into()),
            Some(node) => (node.at, duration::of(&node.value)),
        };
        match time {
            (_, Ok(time)) => time,
            (at, Err(reason)) => {
                self.problem(at, format!("{lead}error decoding '{key}': {reason}"));
                Duration::ZERO
            }
        }
    }
}

impl Block {
    fn new(at: Place, kind: String, options: Entries) -> Self {
        Self {
            at,
            name: kind.clone(),
            kind,
            options,
            only: Vec::new(),
            except: Vec::new(),
            overrides: BTreeMap::new(),
            pause_before: Duration::ZERO,
            timeout: Duration::ZERO,
            max_retries: None,
            keep_input_artifact: None,
        }
    }
}

fn take(entries: &mut Entries, key: &str) -> Option<Node> {
    let index = entries.iter().position(|(k, _)| k.name == key)?;
    Some(entries.remove(index).1)
}
