//! Reads the options of a builder, provisioner or post-processor: weakly typed as templates are, every mistake kept, none forgotten.

use std::str::FromStr;
use std::time::Duration;

use kiste_core::Size;

use crate::duration;
use crate::interpolate::{self, Scope};
use crate::json::{Key, Node, Value};
use crate::nearest::nearest;
use crate::problem::{Place, Problem};

/// Options of older Packers, of builders, that `kiste fix` brings to today's form; Packer names them wherever they stand.
const OUTDATED: [&str; 9] = [
    "iso_checksum_type",
    "iso_checksum_url",
    "iso_md5",
    "ssh_disable_agent",
    "ssh_host_port_max",
    "ssh_host_port_min",
    "ssh_key_path",
    "ssh_skip_nat_mapping",
    "ssh_wait_timeout",
];

/// Options that are being read. Every option is taken once; what nobody took is unknown in the end.
pub struct Options<'a> {
    at: Place,
    entries: Vec<(Key, Node)>,
    scope: Scope<'a>,
    asked: Vec<&'static str>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl<'a> Options<'a> {
    /// The options of a thing that stands at `at`, rendered in `scope`.
    pub fn new(at: Place, entries: Vec<(Key, Node)>, scope: Scope<'a>) -> Self {
        Self { at, entries, scope, asked: Vec::new(), problems: Vec::new(), warnings: Vec::new() }
    }

    /// One more mistake, at the option `key` when it is there.
    pub fn problem(&mut self, at: Option<Place>, message: impl Into<String>) {
        self.problems.push(Problem::at(at.unwrap_or(self.at), message));
    }

    /// Something that will work, though probably not as meant; at the option's place when it is there.
    pub fn warn(&mut self, at: Option<Place>, message: impl Into<String>) {
        self.warnings.push(Problem::at(at.unwrap_or(self.at), message));
    }

    /// All warnings so far.
    pub fn warnings(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.warnings)
    }

    /// What texts may use here.
    pub fn scope(&self) -> &Scope<'a> {
        &self.scope
    }

    /// Where the option stands, while it is not taken yet.
    pub fn place(&self, key: &str) -> Option<Place> {
        self.entries.iter().find(|(k, _)| k.name == key).map(|(k, _)| k.at)
    }

    /// Whether a time is given that begins with a minus (most read those as zero). The option stays.
    pub fn is_negative(&self, key: &str) -> bool {
        let value = self.entries.iter().find(|(k, _)| k.name == key).map(|(_, node)| &node.value);
        matches!(value, Some(Value::Text(text) | Value::Number(text)) if text.starts_with('-'))
    }

    /// Drops one option, untold.
    pub fn ignore(&mut self, key: &'static str) {
        self.take(key);
    }

    /// Refuses an option that `kiste fix` brings to today's form.
    pub fn outdated(&mut self, key: &'static str) {
        let at = self.place(key);
        if self.take(key).is_some() {
            self.problem(at, outdated(key));
        }
    }

    /// Drops what nobody took, untold.
    pub fn forget(&mut self) {
        self.entries.clear();
    }

    /// Ends the reading: all mistakes, unknown options among them.
    pub fn finish(mut self) -> Vec<Problem> {
        for (key, _) in std::mem::take(&mut self.entries) {
            if OUTDATED.contains(&key.name.as_str()) {
                self.problems.push(Problem::at(key.at, outdated(&key.name)));
                continue;
            }
            let near = nearest(&key.name, self.asked.iter().copied()).map(|n| format!(" (nearest: `{n}`)")).unwrap_or_default();
            self.problems.push(Problem::at(key.at, format!("unknown configuration key: '\"{}\"'{near}", key.name)));
        }
        self.problems.sort_by_key(|p| p.place);
        // Variants of options tell the same mistake again.
        self.problems.dedup();
        self.problems
    }

    fn take(&mut self, key: &'static str) -> Option<Node> {
        self.asked.push(key);
        let index = self.entries.iter().position(|(k, _)| k.name == key)?;
        Some(self.entries.remove(index).1).filter(|n| n.value != Value::Null)
    }

    fn wrong(&mut self, node: &Node, key: &str, wanted: &str) {
        self.problem(Some(node.at), format!("`{key}` must be {wanted}, not {}", node.value.kind()));
    }

    fn rendered(&mut self, at: Place, key: &str, text: &str) -> Option<String> {
        match interpolate::render(text, &self.scope) {
            Ok(text) => Some(text),
            Err(reason) => {
                self.problem(Some(at), format!("invalid '{key}': {reason}"));
                None
            }
        }
    }

    fn scalar(&mut self, node: &Node, key: &str, wanted: &str) -> Option<String> {
        match &node.value {
            Value::Text(text) => self.rendered(node.at, key, text),
            Value::Number(text) => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            _ => {
                self.wrong(node, key, wanted);
                None
            }
        }
    }

    /// A text, rendered. An empty one counts as not given.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        let node = self.take(key)?;
        self.scalar(&node, key, "a string").filter(|t| !t.is_empty())
    }

    /// A text that is rendered only when it is used; its form and functions are checked now.
    pub fn later(&mut self, key: &'static str) -> Option<String> {
        let node = self.take(key)?;
        let Value::Text(text) = &node.value else {
            self.wrong(&node, key, "a string");
            return None;
        };
        if let Err(reason) = interpolate::check(text) {
            self.problem(Some(node.at), format!("invalid '{key}': {reason}"));
        }
        Some(text.clone()).filter(|t| !t.is_empty())
    }

    /// Anything that can be read from a text: numbers, addresses. `wanted` names it.
    pub fn parsed<T: FromStr>(&mut self, key: &'static str, wanted: &str) -> Option<T> {
        let node = self.take(key)?;
        let text = self.scalar(&node, key, wanted)?;
        let value = text.trim().parse().ok();
        if value.is_none() {
            self.problem(Some(node.at), format!("`{key}` must be {wanted}, not `{text}`"));
        }
        value
    }

    /// Yes or no.
    pub fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let node = self.take(key)?;
        let text = self.scalar(&node, key, "true or false")?;
        match text.as_str() {
            "true" | "1" => Some(true),
            "false" | "0" | "" => Some(false),
            _ => {
                self.problem(Some(node.at), format!("`{key}` must be true or false, not `{text}`"));
                None
            }
        }
    }

    /// Texts, rendered. One text stands for a list, commas between its parts.
    pub fn list(&mut self, key: &'static str) -> Option<Vec<String>> {
        let node = self.take(key)?;
        match &node.value {
            Value::List(items) => Some(items.iter().filter_map(|n| self.scalar(n, key, "a list of strings")).collect()),
            _ => {
                let text = self.scalar(&node, key, "a list of strings")?;
                Some(text.split(',').map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect())
            }
        }
    }

    /// [`Options::list`], but one text is one element whatever it holds.
    pub fn lines(&mut self, key: &'static str) -> Option<Vec<String>> {
        let node = self.take(key)?;
        match &node.value {
            Value::List(items) => Some(items.iter().filter_map(|n| self.scalar(n, key, "a list of strings")).collect()),
            _ => self.scalar(&node, key, "a list of strings").map(|t| vec![t]),
        }
    }

    /// [`Options::list`] of texts that are rendered only when they are used.
    pub fn later_list(&mut self, key: &'static str) -> Option<Vec<String>> {
        let node = self.take(key)?;
        let texts: Vec<(Place, String)> = match &node.value {
            Value::List(items) => items.iter().filter_map(|n| Some((n.at, self.unrendered(n, key)?))).collect(),
            _ => self.unrendered(&node, key)?.split(',').map(|part| (node.at, part.to_owned())).collect(),
        };
        for (at, text) in &texts {
            if let Err(reason) = interpolate::check(text) {
                self.problem(Some(*at), format!("invalid '{key}': {reason}"));
            }
        }
        Some(texts.into_iter().map(|(_, text)| text).collect())
    }

    fn unrendered(&mut self, node: &Node, key: &str) -> Option<String> {
        match &node.value {
            Value::Text(text) | Value::Number(text) => Some(text.clone()),
            _ => {
                self.wrong(node, key, "a list of strings");
                None
            }
        }
    }

    /// [`Options::lines`], but rendered only when they are used; their form and functions are checked now.
    pub fn later_lines(&mut self, key: &'static str) -> Option<Vec<String>> {
        let node = self.take(key)?;
        let items = match node.value {
            Value::List(items) => items,
            _ => vec![node],
        };
        Some(items.iter().filter_map(|item| self.checked(item, key, "a list of strings")).collect())
    }

    /// Rows of texts that are rendered only when they are used.
    pub fn later_rows(&mut self, key: &'static str) -> Option<Vec<Vec<String>>> {
        let node = self.take(key)?;
        let wanted = "a list of lists of strings";
        let Value::List(rows) = &node.value else {
            self.wrong(&node, key, wanted);
            return None;
        };
        let mut all = Vec::new();
        for row in rows {
            match &row.value {
                Value::List(items) => all.push(items.iter().filter_map(|item| self.checked(item, key, wanted)).collect()),
                _ => self.wrong(row, key, wanted),
            }
        }
        Some(all)
    }

    fn checked(&mut self, node: &Node, key: &str, wanted: &str) -> Option<String> {
        match &node.value {
            Value::Text(text) => {
                if let Err(reason) = interpolate::check(text) {
                    self.problem(Some(node.at), format!("invalid '{key}': {reason}"));
                }
                Some(text.clone())
            }
            _ => self.scalar(node, key, wanted),
        }
    }

    /// Names and texts, both rendered, in the order of the template.
    pub fn pairs(&mut self, key: &'static str) -> Option<Vec<(String, String)>> {
        let node = self.take(key)?;
        let Value::Map(entries) = &node.value else {
            self.wrong(&node, key, "an object of strings");
            return None;
        };
        let mut pairs = Vec::new();
        for (name, value) in entries {
            let name = self.rendered(name.at, key, &name.name);
            pairs.extend(name.zip(self.scalar(value, key, "an object of strings")));
        }
        Some(pairs)
    }

    /// Options inside an option. [`Options::close`] ends their reading.
    pub fn section(&mut self, key: &'static str) -> Option<Options<'a>> {
        let node = self.take(key)?;
        match node.value {
            Value::Map(entries) => Some(Options::new(node.at, entries, self.scope.clone())),
            _ => {
                self.wrong(&node, key, "an object");
                None
            }
        }
    }

    /// Takes over what was found wrong in a section.
    pub fn close(&mut self, mut section: Options<'_>) {
        self.warnings.append(&mut section.warnings);
        self.problems.append(&mut section.finish());
    }

    /// Texts by name that are rendered only when they are used.
    pub fn later_map(&mut self, key: &'static str) -> Option<Vec<(String, String)>> {
        let node = self.take(key)?;
        let Value::Map(entries) = &node.value else {
            self.problem(Some(node.at), format!("'{key}' expected a map, got '{}'", node.value.kind()));
            return None;
        };
        let texts = entries.iter().filter_map(|(name, node)| Some((name.name.clone(), self.later_scalar(node, key)?)));
        Some(texts.collect())
    }

    fn later_scalar(&mut self, node: &Node, key: &str) -> Option<String> {
        let Value::Text(text) = &node.value else { return self.scalar(node, key, "a map of strings") };
        if let Err(reason) = interpolate::check(text) {
            self.problem(Some(node.at), format!("invalid '{key}': {reason}"));
        }
        Some(text.clone())
    }

    /// Sets of options by name, each laid over all the other options that are not taken yet.
    pub fn variants(&mut self, key: &'static str) -> Vec<(String, Self)> {
        let Some(node) = self.take(key) else { return Vec::new() };
        let Value::Map(sets) = &node.value else {
            self.wrong(&node, key, "an object of options by name");
            return Vec::new();
        };
        let mut variants = Vec::new();
        for (name, set) in sets {
            let Value::Map(over) = &set.value else {
                self.wrong(set, key, "an object of options by name");
                continue;
            };
            let kept = self.entries.iter().filter(|(k, _)| !over.iter().any(|(o, _)| o.name == k.name));
            let entries = kept.chain(over).cloned().collect();
            variants.push((name.name.clone(), Self::new(name.at, entries, self.scope.clone())));
        }
        variants
    }

    /// A time as Go writes it.
    pub fn duration(&mut self, key: &'static str) -> Option<Duration> {
        let node = self.take(key)?;
        let value = match &node.value {
            Value::Text(text) => Value::Text(self.rendered(node.at, key, text)?),
            other => other.clone(),
        };
        match duration::of(&value) {
            Ok(time) => Some(time),
            Err(reason) => {
                self.problem(Some(node.at), format!("error decoding '{key}': {reason}"));
                None
            }
        }
    }

    /// A size: a bare number counts mebibytes, else `20G`, `20GiB`, `512M`.
    pub fn size(&mut self, key: &'static str) -> Option<Size> {
        let node = self.take(key)?;
        let text = self.scalar(&node, key, "a size")?;
        let size = size(text.trim());
        if size.is_none() {
            self.problem(Some(node.at), format!("`{key}` must be a size such as `20G` (a bare number is in MiB), not `{text}`"));
        }
        size
    }

    /// Numbers, all in `range`.
    pub fn codes(&mut self, key: &'static str) -> Option<Vec<i32>> {
        let node = self.take(key)?;
        let items = match &node.value {
            Value::List(items) => items.clone(),
            Value::Text(text) => text.split(',').map(|part| Node { at: node.at, value: Value::Text(part.trim().to_owned()) }).collect(),
            _ => vec![node.clone()],
        };
        let mut codes = Vec::new();
        for item in items {
            let text = self.scalar(&item, key, "a list of numbers")?;
            match text.parse() {
                Ok(code) => codes.push(code),
                Err(_) => self.problem(Some(item.at), format!("`{key}` must be a list of numbers, `{text}` is none")),
            }
        }
        Some(codes)
    }
}

/// In Packer's words.
fn outdated(key: &str) -> String {
    format!(
        "Deprecated configuration key: '{key}'. Please call `packer fix` against your template to update your template to be compatible \
         with the current version of Packer. Visit https://www.packer.io/docs/commands/fix/ for more detail."
    )
}

/// A size as templates write it; binary units, with or without `iB`.
fn size(text: &str) -> Option<Size> {
    if let Ok(mib) = text.parse::<u64>() {
        return mib.checked_mul(1024 * 1024).map(Size);
    }
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let shift = match text[digits..].to_ascii_lowercase().as_str() {
        "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return None,
    };
    number.checked_mul(1 << shift).map(Size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_templates() {
        for (text, bytes) in [("40960", 40_960 << 20), ("20G", 20 << 30), ("20GiB", 20 << 30), ("512m", 512 << 20), ("1t", 1u64 << 40)] {
            assert_eq!(size(text), Some(Size(bytes)), "{text}");
        }
        for text in ["", "G", "20X", "-1", "1.5G", "99999999999999999999"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
