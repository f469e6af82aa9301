//! Which provider has a machine, or shall make it.
//!
//! An existing machine keeps its provider; `--provider` may repeat but not contradict it. For a machine to be made:
//! `--provider`, else the file's, else `KISTE_PROVIDER`, else the first that works on this host.

use std::sync::Arc;

use kiste_core::dirs::MachineDir;
use kiste_core::{Cancel, Machine};
use kiste_providers::{Driver, State};

use crate::context::{Environment, Target};
use crate::error::Error;

/// The machine with the provider that has it, else the one that would make it. Starts no program: for looking.
pub(crate) fn known<'a>(env: &'a Environment, machine: &'a Machine) -> Result<Target<'a>, Error> {
    if let Some(driver) = having(env, machine)? {
        return Ok(Target::new(env, machine, driver));
    }
    let driver = match asked(env, machine)? {
        Some(driver) => driver,
        None => env.drivers.first().cloned().ok_or_else(|| Error::NoProvider { reason: "this build has none".to_owned() })?,
    };
    Ok(Target::new(env, machine, driver))
}

/// The machine with its provider; one that is to be made must work on this host.
pub(crate) fn usable<'a>(env: &'a Environment, machine: &'a Machine) -> Result<Target<'a>, Error> {
    if let Some(driver) = having(env, machine)? {
        return Ok(Target::new(env, machine, driver));
    }
    let driver = match asked(env, machine)? {
        Some(driver) => match lacks(env, &driver) {
            None => driver,
            Some(reason) => return Err(Error::NoProvider { reason }),
        },
        None => first_usable(env)?,
    };
    Ok(Target::new(env, machine, driver))
}

fn having(env: &Environment, machine: &Machine) -> Result<Option<Arc<dyn Driver>>, Error> {
    let has = env.drivers.iter().find(|driver| exists(env, machine, driver));
    match (&env.provider, has) {
        (Some(asked), Some(driver)) if asked != driver.name() => {
            Err(Error::OtherProvider { machine: machine.name.clone(), has: driver.name().to_owned(), asked: asked.clone() })
        }
        _ => Ok(has.cloned()),
    }
}

/// Whether there is anything of the machine under this provider: its folder is there, and either a record or the provider knows it.
fn exists(env: &Environment, machine: &Machine, driver: &Arc<dyn Driver>) -> bool {
    let dir = MachineDir::new(&env.project.root, &machine.name, driver.name());
    if !dir.root().is_dir() {
        return false;
    }
    let target = Target::new(env, machine, Arc::clone(driver));
    dir.machine().exists() || !matches!(driver.state(&target.vm()), Ok(State::NotCreated))
}

fn asked(env: &Environment, machine: &Machine) -> Result<Option<Arc<dyn Driver>>, Error> {
    let name = env.provider.as_ref().or(machine.provider.as_ref()).or(env.default_provider.as_ref());
    name.map(|name| named(env, name)).transpose()
}

fn named(env: &Environment, name: &str) -> Result<Arc<dyn Driver>, Error> {
    let known = || env.drivers.iter().map(|d| d.name().to_owned()).collect();
    let found = env.drivers.iter().find(|d| d.name() == name).cloned();
    found.ok_or_else(|| kiste_providers::Error::Unknown { name: name.to_owned(), known: known() }.into())
}

fn first_usable(env: &Environment) -> Result<Arc<dyn Driver>, Error> {
    let mut reasons = Vec::new();
    for driver in &env.drivers {
        match lacks(env, driver) {
            None => return Ok(Arc::clone(driver)),
            Some(reason) => reasons.push(reason),
        }
    }
    let reason = if reasons.is_empty() { "this build has none".to_owned() } else { reasons.join("; ") };
    Err(Error::NoProvider { reason })
}

/// What keeps a provider from working here; none: nothing does.
fn lacks(env: &Environment, driver: &Arc<dyn Driver>) -> Option<String> {
    let findings = driver.check(&env.home, &Cancel::new());
    let fatal: Vec<String> = findings.into_iter().filter(|f| f.fatal).map(|f| said(&f.what, &f.seen, f.todo.as_deref())).collect();
    (!fatal.is_empty()).then(|| format!("`{}`: {}", driver.name(), fatal.join(", ")))
}

fn said(what: &str, seen: &str, todo: Option<&str>) -> String {
    match todo {
        Some(todo) => format!("{what}: {seen} ({})", todo.trim_end_matches('.')),
        None => format!("{what}: {seen}"),
    }
}
