//! What a build is made from, in a form that may be shown: for evidence and provenance. Secrets are taken out when it is made.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::{Map, Value as Json};

use crate::interpolate::{Scope, render};
use crate::json::{Key, Node, Value};
use crate::mask;
use crate::packages::Packages;
use crate::template::Block;

/// Parts of names whose values are nobody else's business.
const SECRET_WORDS: [&str; 6] = ["password", "passwd", "secret", "token", "credential", "access_key"];

/// A build's inputs.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Identifies this run of the program; all builds of the run share it.
    pub run_uuid: String,
    /// The template (`-`: standard input).
    pub template: PathBuf,
    /// Type of the builder.
    pub build_type: String,
    /// User variables without those that are secret.
    pub variables: BTreeMap<String, String>,
    /// Rendered options of the builder, its type among them.
    pub builder: Json,
    /// … of each provisioner that applies.
    pub provisioners: Vec<Json>,
    secrets: Vec<String>,
    used: Mutex<Vec<Used>>,
    wants_packages: AtomicBool,
    packages: OnceLock<Packages>,
}

/// Something from outside that went into the result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Used {
    /// Address or path.
    pub uri: String,
    /// SHA-256, hexadecimal, when it is known.
    pub sha256: Option<String>,
}

impl Inputs {
    /// Of a run, with what must never be shown.
    pub fn new(run_uuid: &str, template: PathBuf, secrets: &[String]) -> Self {
        Self { run_uuid: run_uuid.to_owned(), template, secrets: secrets.to_vec(), ..Self::default() }
    }

    /// The user's variables; sensitive ones as such.
    pub fn with_variables(mut self, values: &BTreeMap<String, String>) -> Self {
        self.variables = values.iter().map(|(name, value)| (name.clone(), self.value(name, value))).collect();
        self
    }

    /// The builder.
    pub fn with_builder(mut self, block: &Block, scope: &Scope<'_>) -> Self {
        self.build_type.clone_from(&block.kind);
        self.builder = self.block(&block.kind, &block.options, scope);
        self
    }

    /// One more provisioner.
    pub fn with_provisioner(mut self, kind: &str, options: &[(Key, Node)], scope: &Scope<'_>) -> Self {
        let shown = self.block(kind, options, scope);
        self.provisioners.push(shown);
        self
    }

    /// Notes something from outside that went into the result: an ISO, a box, a disk. Credentials in `uri` do not stay.
    pub fn used(&self, uri: &str, sha256: Option<&str>) {
        let used = Used { uri: self.hide(&without_login(uri)), sha256: sha256.map(str::to_lowercase) };
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains(&used) {
            all.push(used);
        }
    }

    /// All that was noted, sorted.
    pub fn all_used(&self) -> Vec<Used> {
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.sort();
        all
    }

    /// Somebody wants to know what is installed in the guest.
    pub fn want_packages(&self) {
        self.wants_packages.store(true, Ordering::SeqCst);
    }

    /// Whether somebody does.
    pub fn wants_packages(&self) -> bool {
        self.wants_packages.load(Ordering::SeqCst)
    }

    /// Keeps what is installed; the first word counts.
    pub(crate) fn found_packages(&self, packages: Packages) {
        let _ = self.packages.set(packages);
    }

    /// What is installed, when somebody wanted to know and the guest told.
    pub(crate) fn packages(&self) -> Option<&Packages> {
        self.packages.get()
    }

    /// A text without the values of sensitive variables.
    pub fn hide(&self, text: &str) -> String {
        mask::hide(text, &self.secrets)
    }

    fn block(&self, kind: &str, options: &[(Key, Node)], scope: &Scope<'_>) -> Json {
        let mut map = Map::from_iter([("type".to_owned(), Json::from(kind))]);
        map.extend(options.iter().map(|(key, node)| (key.name.clone(), self.shown(&key.name, node, scope))));
        Json::Object(map)
    }

    fn shown(&self, key: &str, node: &Node, scope: &Scope<'_>) -> Json {
        match &node.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::from(*value),
            Value::Number(text) => text.parse::<serde_json::Number>().map_or(Json::from(text.as_str()), Json::Number),
            // What can't be rendered yet stays as it is written.
            Value::Text(text) => Json::from(self.value(key, &render(text, scope).unwrap_or_else(|_| text.clone()))),
            Value::List(items) => items.iter().map(|n| self.shown(key, n, scope)).collect(),
            Value::Map(entries) => entries.iter().map(|(k, n)| (k.name.clone(), self.shown(&k.name, n, scope))).collect(),
        }
    }

    fn value(&self, key: &str, text: &str) -> String {
        if is_secret(key) && !text.is_empty() {
            return mask::MASK.to_owned();
        }
        // `environment_vars` and their like.
        match text.split_once('=') {
            Some((name, value)) if is_secret(name) && !name.contains(char::is_whitespace) && !value.is_empty() => {
                format!("{name}={}", mask::MASK)
            }
            _ => self.hide(&without_login(text)),
        }
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// A text in which an address, if it is one, has no `user:password@`.
fn without_login(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match host.rsplit_once('@') {
        Some((_, host)) if !scheme.contains(char::is_whitespace) => format!("{scheme}://{host}{path}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interpolate::Facts;
    use crate::json::parse;

    #[test]
    fn what_is_secret_does_not_get_in() {
        let values = BTreeMap::from([("pw", "hunter2"), ("db_password", "x1"), ("open", "v")].map(|(k, v)| (k.to_owned(), v.to_owned())));
        let facts = Facts { start: jiff::Timestamp::UNIX_EPOCH, template_dir: None, build_name: None, build_type: None };
        let scope = Scope { variables: &values, facts: &facts, fields: None, in_variables: false };
        let text = r#"{"ssh_password":"abc","n":5,"iso_url":"https://u:abc@h/x.iso","inline":["echo {{user `pw`}} {{user `open`}}"],
            "environment_vars":["A=1","MY_TOKEN=abc"]}"#;
        let Some(Value::Map(options)) = parse(text).0.map(|n| n.value) else { panic!("{text}") };
        let inputs = Inputs::new("u", "t.json".into(), &["hunter2".to_owned()]).with_variables(&values);
        let inputs = inputs.with_provisioner("shell", &options, &scope);
        inputs.used("https://me:abc@h/a.iso", Some("AB"));
        inputs.used("https://me:abc@h/a.iso", Some("AB"));
        let said = format!("{:?} {}", inputs.variables, inputs.provisioners[0]);
        let expected = concat!(
            r#"{"db_password": "<sensitive>", "open": "v", "pw": "<sensitive>"} "#,
            r#"{"type":"shell","ssh_password":"<sensitive>","n":5,"iso_url":"https://h/x.iso","inline":["echo <sensitive> v"],"#,
            r#""environment_vars":["A=1","MY_TOKEN=<sensitive>"]}"#
        );
        assert_eq!(said, expected);
        assert_eq!(inputs.all_used(), [Used { uri: "https://h/a.iso".into(), sha256: Some("ab".into()) }]);
    }
}
