//! The `[virtualbox]` table.

use std::path::PathBuf;

use kiste_core::Machine;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NAME;
use crate::error::Error;

/// When a command of the user's runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the machine is made.
    PreImport,
    /// Before each start.
    PreBoot,
    /// After each start.
    PostBoot,
    /// When the guest has answered.
    PostComm,
}

impl Moment {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "pre-import" => Self::PreImport,
            "pre-boot" => Self::PreBoot,
            "post-boot" => Self::PostBoot,
            "post-comm" => Self::PostComm,
            _ => return None,
        })
    }
}

/// Settings of one machine under VirtualBox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Name in VirtualBox's own list; made of the project's folder and the machine's name by default.
    pub name: Option<String>,
    /// Show the machine in a window.
    pub gui: bool,
    /// Make machines of one box share its disk: the box is imported once, each machine holds what differs.
    pub linked_clone: bool,
    /// Commands for `VBoxManage`, `:id` stands for the machine: `["modifyvm", ":id", "--vram", "16"]`. A first word `pre-import`,
    /// `pre-boot` (the default), `post-boot` or `post-comm` says when.
    pub customize: Vec<Vec<String>>,
    /// Hardware type of network cards that name none: `virtio`, `82540EM` …
    pub default_nic_type: Option<String>,
    /// Answer the guest's questions for names by the host's own resolver.
    pub nat_dns_host_resolver: bool,
    /// Type of the guest's system for a machine without an OVF description: `Debian_64` … as `VBoxManage list ostypes` names them.
    pub ostype: String,
    /// The program, where it is not on `PATH`.
    #[schemars(extend("format" = "path"))]
    pub vboxmanage: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: None,
            gui: false,
            linked_clone: true,
            customize: Vec::new(),
            default_nic_type: None,
            nat_dns_host_resolver: false,
            ostype: "Linux_64".to_owned(),
            vboxmanage: None,
        }
    }
}

impl Settings {
    /// Of a machine.
    pub fn of(machine: &Machine) -> Result<Self, Error> {
        match machine.settings.get(NAME) {
            None => Ok(Self::default()),
            Some(table) => serde_json::from_value(table.clone()).map_err(|e| Error::Settings(format!("`{NAME}`: {e}"))),
        }
    }

    /// The user's commands for one moment, without the word that says when.
    pub fn commands(&self, moment: Moment) -> Vec<&[String]> {
        let at = |words: &'_ [String]| words.first().and_then(|w| Moment::named(w));
        let of = |words: &'_ Vec<String>| -> (Moment, usize) { at(words).map_or((Moment::PreBoot, 0), |m| (m, 1)) };
        self.customize.iter().filter(|w| of(w).0 == moment).map(|w| &w[of(w).1..]).collect()
    }

    /// What is wrong with them, beyond what a schema says.
    pub fn mistakes(&self) -> Vec<String> {
        let mut found = Vec::new();
        let all = [Moment::PreImport, Moment::PreBoot, Moment::PostBoot, Moment::PostComm];
        for words in all.into_iter().flat_map(|m| self.commands(m)) {
            if words.is_empty() {
                found.push(format!("`{NAME}.customize`: a command is empty"));
            }
        }
        for words in self.commands(Moment::PreImport) {
            if words.iter().any(|w| w == ":id") {
                found.push(format!("`{NAME}.customize`: there is no `:id` before the machine is made (`pre-import`)"));
            }
        }
        if self.name.as_deref().is_some_and(|n| n.trim().is_empty() || n.contains(['/', '\\', '\n'])) {
            found.push(format!("`{NAME}.name`: it cannot be empty or hold `/` or `\\`"));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_apart_by_their_first_word() {
        let words = |l: &[&str]| l.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let customize = vec![words(&["modifyvm", ":id", "--vram", "16"]), words(&["post-boot", "controlvm", ":id", "setlinkstate1", "on"])];
        let settings = Settings { customize, ..Settings::default() };
        assert_eq!(settings.commands(Moment::PreBoot), [&words(&["modifyvm", ":id", "--vram", "16"])[..]]);
        assert_eq!(settings.commands(Moment::PostBoot)[0][0], "controlvm");
        assert!(settings.mistakes().is_empty());
        let bad = Settings { customize: vec![words(&["pre-import", "modifyvm", ":id"]), Vec::new()], ..Settings::default() };
        assert_eq!(bad.mistakes().len(), 2, "{:?}", bad.mistakes());
    }
}
