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
    let read = |source| Error::Read { path: path.to_owned(), source };
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
        for (key, node) in self.entries(node, "a template") {
            self.root(&mut template, &key, node);
        }
        template
    }

    fn root(&mut self, template: &mut Template, key: &Key, node: Node) {
        match key.name.as_str() {
            "description" => template.description = self.text(&node, "description"),
            "min_packer_version" => {
                template.min_packer_version = self.text(&node, "min_packer_version").map(|t| (node.at, t));
            }
            "variables" => template.variables = self.variables(node),
            "sensitive-variables" => template.sensitive = self.names(&node, "sensitive-variables"),
            "builders" => template.builders = self.builders(node),
            "provisioners" => {
                let items = self.items(node, "provisioners").into_iter().enumerate();
                template.provisioners = items.filter_map(|(i, n)| self.provisioner(n, &format!("provisioner {}", i + 1))).collect();
            }
            "error-cleanup-provisioner" => {
                template.error_cleanup_provisioner = self.provisioner(node, "error-cleanup-provisioner");
            }
            "post-processors" => {
                let items = self.items(node, "post-processors").into_iter().enumerate();
                template.post_processors = items.map(|(i, n)| self.sequence(n, i + 1)).collect();
            }
            "push" => {}
            name if name.starts_with('_') => {
                if !matches!(node.value, Value::Text(_)) {
                    self.problem(node.at, format!("Failed to cast root level comment value in comment \"{name}\" to string."));
                }
            }
            name => {
                let near = nearest(name, ROOT_KEYS).map(|n| format!(" (nearest: `{n}`)")).unwrap_or_default();
                self.problem(key.at, format!("Unknown root level key in template: '{name}'{near}"));
            }
        }
    }

    fn entries(&mut self, node: Node, what: &str) -> Entries {
        match node.value {
            Value::Map(entries) => entries,
            other => {
                self.problem(node.at, format!("{what} must be an object, not {}", other.kind()));
                Vec::new()
            }
        }
    }

    fn items(&mut self, node: Node, what: &str) -> Vec<Node> {
        match node.value {
            Value::List(items) => items,
            // The peers' decoder takes a single thing for a list of one.
            Value::Map(_) => vec![node],
            other => {
                self.problem(node.at, format!("`{what}` must be a list, not {}", other.kind()));
                Vec::new()
            }
        }
    }

    fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            other => {
                self.problem(node.at, format!("`{what}` must be a string, not {}", other.kind()));
                None
            }
        }
    }

    fn names(&mut self, node: &Node, what: &str) -> Vec<String> {
        match &node.value {
            Value::List(items) => items.iter().filter_map(|n| self.text(n, what)).collect(),
            Value::Text(text) => text.split(',').map(|t| t.trim().to_owned()).collect(),
            other => {
                self.problem(node.at, format!("`{what}` must be a list of strings, not {}", other.kind()));
                Vec::new()
            }
        }
    }

    fn variables(&mut self, node: Node) -> Vec<Variable> {
        let entries = self.entries(node, "`variables`");
        entries.into_iter().filter_map(|(key, node)| self.variable(key, &node)).collect()
    }

    fn variable(&mut self, key: Key, node: &Node) -> Option<Variable> {
        let default = match &node.value {
            Value::Null => None,
            Value::Text(text) => Some(text.clone()),
            other => {
                self.problem(node.at, format!("variable {}: expected a string or null, not {}", key.name, other.kind()));
                return None;
            }
        };
        Some(Variable { at: key.at, name: key.name, default })
    }

    fn builders(&mut self, node: Node) -> Vec<Block> {
        let mut builders: Vec<Block> = Vec::new();
        for (i, node) in self.items(node, "builders").into_iter().enumerate() {
            let what = format!("builder {}", i + 1);
            let mut entries = self.entries(node.clone(), &what);
            let named = self.take_text(&mut entries, "name", &what);
            let Some(mut block) = self.block(node.at, entries, &what, "missing 'type'") else { continue };
            block.name = named.unwrap_or_else(|| block.kind.clone());
            if builders.iter().any(|b| b.name == block.name) {
                self.problem(block.at, format!("{what}: builder with name '{}' already exists", block.name));
            }
            builders.push(block);
        }
        builders
    }

    fn block(&mut self, at: Place, mut entries: Entries, what: &str, missing: &str) -> Option<Block> {
        let there = entries.iter().any(|(k, _)| k.name == "type");
        let kind = self.take_text(&mut entries, "type", what);
        if !there {
            self.problem(at, format!("{what}: {missing}"));
        }
        Some(Block::new(at, kind?, entries))
    }

    fn provisioner(&mut self, node: Node, what: &str) -> Option<Block> {
        let at = node.at;
        let mut entries = self.entries(node, what);
        let common = self.common(&mut entries, what);
        let pause_before = self.take_duration(&mut entries, "pause_before", what);
        let timeout = self.take_duration(&mut entries, "timeout", what);
        let max_retries = take(&mut entries, "max_retries").and_then(|n| self.retries(&n, what));
        let overrides = match take(&mut entries, "override") {
            Some(node) => self.overrides(node, what),
            None => BTreeMap::new(),
        };
        let block = self.block(at, entries, what, "Provisioner missing 'type'")?;
        Some(Block { only: common.0, except: common.1, pause_before, timeout, max_retries, overrides, ..block })
    }

    fn common(&mut self, entries: &mut Entries, what: &str) -> (Vec<String>, Vec<String>) {
        let mut list = |key: &str| take(entries, key).map(|n| self.names(&n, &format!("{what}: {key}"))).unwrap_or_default();
        (list("only"), list("except"))
    }

    fn retries(&mut self, node: &Node, what: &str) -> Option<String> {
        match &node.value {
            Value::Text(text) | Value::Number(text) => Some(text.clone()),
            other => {
                self.problem(node.at, format!("{what}: `max_retries` must be a number, not {}", other.kind()));
                None
            }
        }
    }

    fn overrides(&mut self, node: Node, what: &str) -> BTreeMap<String, Entries> {
        let entries = self.entries(node, &format!("{what}: `override`"));
        let each = entries.into_iter().map(|(key, node)| {
            let options = self.entries(node, &format!("{what}: override '{}'", key.name));
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
        each.filter_map(|(i, n)| self.post_processor(n, &format!("post-processor {number}.{}", i + 1))).collect()
    }

    fn post_processor(&mut self, node: Node, what: &str) -> Option<Block> {
        let at = node.at;
        match node.value {
            Value::Text(kind) => Some(Block::new(at, kind, Vec::new())),
            Value::Map(mut entries) => {
                let (only, except) = self.common(&mut entries, what);
                let keep = take(&mut entries, "keep_input_artifact").and_then(|n| self.keep(&n, what));
                let named = self.take_text(&mut entries, "name", what);
                let block = self.block(at, entries, what, "type is required")?;
                let name = named.unwrap_or_else(|| block.name.clone());
                Some(Block { only, except, keep_input_artifact: keep, name, ..block })
            }
            Value::List(_) => {
                self.problem(at, format!("{what}: sequence not allowed to be nested in a sequence"));
                None
            }
            _ => {
                self.problem(at, format!("{what}: unknown format"));
                None
            }
        }
    }

    fn keep(&mut self, node: &Node, what: &str) -> Option<bool> {
        match &node.value {
            Value::Bool(keep) => Some(*keep),
            Value::Text(text) if text == "true" || text == "false" => Some(text == "true"),
            other => {
                self.problem(node.at, format!("{what}: `keep_input_artifact` must be true or false, not {}", other.kind()));
                None
            }
        }
    }

    fn take_text(&mut self, entries: &mut Entries, key: &str, what: &str) -> Option<String> {
        let node = take(entries, key)?;
        let text = self.text(&node, &format!("{what}: {key}"))?;
        if text.is_empty() && key == "type" {
            self.problem(node.at, format!("{what}: `type` is empty"));
            return None;
        }
        Some(text).filter(|t| !t.is_empty())
    }

    fn take_duration(&mut self, entries: &mut Entries, key: &str, what: &str) -> Duration {
        let Some(node) = take(entries, key) else { return Duration::ZERO };
        match duration::of(&node.value) {
            Ok(time) => time,
            Err(reason) => {
                self.problem(node.at, format!("{what}: error decoding '{key}': {reason}"));
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
