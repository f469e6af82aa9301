//! What `doctor` and `providers` learn about VirtualBox on this host.

use kiste_core::{Cancel, Explain};

use super::program::{NAME, VBoxManage};
use super::settings::Settings;
use crate::driver::Finding;

const PACKAGES: &str = "Install VirtualBox: https://www.virtualbox.org/wiki/Downloads, or your system's package `virtualbox`.";
const MODULE: &str = "Load its kernel module: `sudo modprobe vboxdrv`, or install its package for this kernel (`virtualbox-dkms`).";

/// Everything about this host.
pub fn check(cancel: &Cancel) -> Vec<Finding> {
    let found = VBoxManage::find(&Settings::default()).and_then(|p| Ok((p.supported(cancel)?, p.version(cancel)?.1, p)));
    match found {
        Ok((version, said, program)) => {
            let what = NAME.to_owned();
            let mut findings = vec![Finding { what, seen: format!("{version} ({})", program.path().display()), todo: None, fatal: false }];
            findings.extend(module(&said));
            findings
        }
        Err(error) => {
            let todo = if matches!(error, crate::Error::Host(_)) { PACKAGES.to_owned() } else { error.hints().join(" ") };
            vec![Finding { what: NAME.to_owned(), seen: error.to_string(), todo: Some(todo), fatal: true }]
        }
    }
}

/// The packages' wrapper says before any answer that there is no kernel module.
fn module(said: &str) -> Option<Finding> {
    let missing = said.contains("/dev/vboxdrv") || said.contains("vboxdrv kernel module is not loaded");
    missing.then(|| Finding { what: "kernel module".to_owned(), seen: "not loaded".to_owned(), todo: Some(MODULE.to_owned()), fatal: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_module_is_seen_in_the_wrappers_words() {
        let finding = module(include_str!("testdata/wrapper-warning.txt")).unwrap();
        assert!(finding.fatal && finding.todo.unwrap().contains("modprobe vboxdrv"));
        assert!(module("7.2.22r1\n").is_none());
    }
}
