//! Provisioners: what is done inside a guest once it can be reached.
//!
//! [`prepare`] finds every mistake before anything starts, [`order::order`] puts them in a row, [`select::select`] says which of
//! the row run now, [`provision`] runs one.

mod fetch;
pub mod file;
pub mod fingerprint;
pub mod order;
pub mod output;
pub mod remote_script;
pub mod select;
pub mod shell;

pub use fingerprint::fingerprint;
pub use order::order;
pub use select::{Record, Wanted, select};

use std::path::Path;

use kiste_core::provision::{Provisioner, ProvisionerKind};

use crate::{Error, Guest};

/// What a provisioner needs beside the guest.
pub struct ProvisionContext<'a> {
    /// Folder that relative paths of the host start at.
    pub project_root: &'a Path,
    /// Called when the guest is back after a reboot and commands run again: mounts, forwards. `Err` is a sentence.
    pub after_reboot: &'a dyn Fn() -> Result<(), String>,
}

/// Every mistake of a provisioner's settings; nothing is touched but files of the project. Empty: fine.
pub fn prepare(p: &Provisioner, project_root: &Path) -> Vec<String> {
    let mut mistakes = match &p.kind {
        ProvisionerKind::Shell(shell) => shell::prepare(shell, project_root),
        ProvisionerKind::File(copy) => file::prepare(copy, project_root),
        ProvisionerKind::Other(other) => vec![format!("the type `{}` is not built in yet", other.kind)],
    };
    if p.name.as_deref().is_some_and(|n| n.trim().is_empty()) {
        mistakes.push("its name is empty".to_owned());
    }
    if p.before.is_some() && p.after.is_some() {
        mistakes.push("`before` and `after` exclude each other".to_owned());
    }
    mistakes.into_iter().map(|m| format!("provisioner `{}`: {m}", p.label())).collect()
}

/// Runs one provisioner, telling the reporter what it does.
pub fn provision(p: &Provisioner, guest: &Guest<'_>, context: &ProvisionContext<'_>) -> Result<(), Error> {
    guest.cancel.check()?;
    let mistakes = prepare(p, context.project_root);
    if !mistakes.is_empty() {
        return Err(Error::Mistakes(mistakes));
    }
    let kind = p.kind.type_name();
    guest.reporter.say(match p.name.as_deref().filter(|n| *n != kind) {
        Some(name) => format!("Running provisioner: {name} ({kind})"),
        None => format!("Running provisioner: {kind}"),
    });
    match &p.kind {
        ProvisionerKind::Shell(shell) => shell::run(p.label(), p.name.as_deref(), shell, guest, context),
        ProvisionerKind::File(copy) => file::run(copy, guest, context.project_root),
        ProvisionerKind::Other(_) => Err(Error::Mistakes(prepare(p, context.project_root))),
    }
}
