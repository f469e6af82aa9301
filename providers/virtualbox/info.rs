//! `showvminfo --machinereadable` and its relatives: `key=value` lines, some keys quoted, some values with newlines or quotes in them,
//! and lines between that are nothing of the kind.

use std::collections::BTreeMap;
use std::path::Path;

use crate::driver::State;

const INACCESSIBLE: &str = "inaccessible";

/// What is known of one machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info(BTreeMap<String, String>);

impl Info {
    /// Reads all lines that are of the grammar; one that is not, after a value that is still open, belongs to that value.
    pub fn parse(text: &str) -> Self {
        let mut all = BTreeMap::new();
        let mut open: Option<(String, String)> = None;
        for line in text.lines() {
            if let Some((key, mut value)) = open.take() {
                value.push('\n');
                value.push_str(line);
                open = close(&mut all, key, value);
            } else if let Some((key, value)) = split(line) {
                open = match value.strip_prefix('"') {
                    Some(rest) => close(&mut all, key, rest.to_owned()),
                    None => {
                        all.entry(key).or_insert_with(|| value.to_owned());
                        None
                    }
                };
            }
        }
        Self(all)
    }

    /// Of a machine whose files VirtualBox does not find: nothing else is told of it.
    pub fn inaccessible() -> Self {
        Self(BTreeMap::from([("VMState".to_owned(), INACCESSIBLE.to_owned())]))
    }

    /// Whether VirtualBox has its files where they were.
    pub fn is_accessible(&self) -> bool {
        let moved = self.get("CfgFile").is_some_and(|f| !Path::new(f).exists()) && !self.is_held();
        self.get("VMState").is_some_and(|s| s != INACCESSIBLE) && !moved
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Keys that begin so, with their values.
    pub fn starting<'a>(&'a self, prefix: &str) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let prefix = prefix.to_owned();
        self.0.range(prefix.clone()..).take_while(move |(k, _)| k.starts_with(&prefix)).map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// The machine's state.
    pub fn state(&self) -> State {
        match self.get("VMState").unwrap_or_default() {
            "poweroff" | "teleported" | "settingup" | "restoringsnapshot" | "deletingsnapshot" | "snapshotting" => State::Stopped,
            "paused" | "deletingsnapshotlivepaused" => State::Paused,
            "saved" | "aborted-saved" => State::Suspended,
            "aborted" | "gurumeditation" | "stuck" | INACCESSIBLE => State::Aborted,
            _ => State::Running,
        }
    }

    /// Whether a session (a running machine, a window with its settings) holds it.
    pub fn is_held(&self) -> bool {
        self.get("SessionName").is_some_and(|s| !s.is_empty())
    }

    /// Rules of the first card: name, protocol, host address, host port, guest address, guest port.
    pub fn forwards(&self) -> Vec<Vec<String>> {
        let rule = |(_, value): (&str, &str)| value.split(',').map(str::to_owned).collect();
        self.starting("Forwarding(").map(rule).collect()
    }

    /// Shared folders that belong to the machine, by name.
    pub fn shared_folders(&self) -> Vec<String> {
        self.starting("SharedFolderNameMachineMapping").map(|(_, name)| name.to_owned()).collect()
    }

    /// Storage controllers in their order.
    pub fn controllers(&self) -> Vec<&str> {
        (0..32).map_while(|n| self.get(&format!("storagecontrollername{n}"))).collect()
    }

    /// Files of hard disks, in the order of controllers, ports and devices.
    pub fn hard_disks(&self) -> Vec<&str> {
        let mut found = Vec::new();
        for controller in self.controllers() {
            let prefix = format!("{controller}-");
            let mut places: Vec<((u32, u32), &str)> =
                self.starting(&prefix).filter_map(|(key, value)| Some((place(key.strip_prefix(&prefix)?)?, value))).collect();
            places.sort_unstable();
            let is_disc = |(port, device): (u32, u32)| self.get(&format!("{controller}-IsEjected-{port}-{device}")).is_some();
            found.extend(places.into_iter().filter(|(at, value)| value.contains(['/', '\\']) && !is_disc(*at)).map(|(_, v)| v));
        }
        found
    }
}

/// `1-0`.
fn place(text: &str) -> Option<(u32, u32)> {
    let (port, device) = text.split_once('-')?;
    Some((port.parse().ok()?, device.parse().ok()?))
}

/// A key and what stands behind `=`; none for a line that is not of the grammar.
fn split(line: &str) -> Option<(String, &str)> {
    let (key, value) = match line.strip_prefix('"') {
        Some(rest) => rest.split_once("\"=")?,
        None => line.split_once('=')?,
    };
    let plain = !key.is_empty() && !key.starts_with([' ', '\t']) && !value.starts_with('=');
    plain.then(|| (key.to_owned(), value))
}

/// Ends a quoted value at a quote that ends its line; else it goes on in the next line.
fn close(all: &mut BTreeMap<String, String>, key: String, value: String) -> Option<(String, String)> {
    // Behind some values there is more: `VideoMode="720,400,0"@0,0 1`.
    let end = match value.strip_suffix('"') {
        Some(whole) => Some(whole.to_owned()),
        None => value.rsplit_once("\"@").map(|(whole, _)| whole.to_owned()),
    };
    match end {
        Some(whole) => {
            // The first counts: what people wrote about snapshots comes last and may look like anything.
            all.entry(key).or_insert(whole);
            None
        }
        None => Some((key, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> Info {
        Info::parse(include_str!("testdata/showvminfo-running.txt"))
    }

    #[test]
    fn a_running_machine_of_the_real_program() {
        let info = running();
        assert_eq!((info.state(), info.is_held()), (State::Running, true));
        assert_eq!(info.get("memory"), Some("64"));
        assert_eq!(info.get("VideoMode"), Some("640,480,32"));
        assert_eq!(info.forwards(), [["ssh", "tcp", "127.0.0.1", "22722", "", "22"]]);
        assert_eq!(info.hard_disks().len(), 1);
        assert!(info.hard_disks()[0].ends_with("{ab1f7777-916c-49e1-ad0f-410713aae8f3}.vdi"));
        assert_eq!(info.get("GuestAdditionsRunLevel"), Some("0"), "what comes after values with newlines is read too");
    }

    #[test]
    fn names_with_quotes_and_texts_of_several_lines() {
        let info = running();
        assert_eq!(info.get("SnapshotName"), Some("a name; with 'signs' ✓ \"q\""));
        assert_eq!(info.get("SnapshotDescription"), Some("two\nlines \"quoted\""));
    }

    #[test]
    fn warnings_of_the_wrapper_are_passed_over() {
        let warned = include_str!("testdata/wrapper-warning.txt").to_owned() + "name=\"x\"\nVMState=\"aborted\"\n";
        let info = Info::parse(&warned);
        assert_eq!((info.get("name"), info.state()), (Some("x"), State::Aborted));
    }

    #[test]
    fn lines_of_no_grammar_are_passed_over() {
        let info = Info::parse("VRDEClients==0\n rec_screen0\nmemory=4\n");
        assert_eq!(info.0.len(), 1);
    }
}
