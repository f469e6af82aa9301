//! Everything that machines ask for and that cannot be given, all of it before anything starts. Touches nothing.

use std::collections::BTreeMap;
use std::path::Path;

use kiste_core::Machine;
use kiste_core::machine::{CommunicatorKind, DiskKind};
use kiste_core::network::NetworkKind;
use kiste_guest::{hostname, provision};
use kiste_providers::capability::Networks;

use crate::context::Target;
use crate::error::Error;
use crate::steps;

/// An error that lists every problem of every machine, or nothing.
pub(crate) fn all(targets: &[Target<'_>]) -> Result<(), Error> {
    let problems: Vec<(String, String)> = targets.iter().flat_map(|t| problems(t).into_iter().map(|p| (t.name().to_owned(), p))).collect();
    if problems.is_empty() { Ok(()) } else { Err(Error::Unsupported { problems }) }
}

/// [`all`], only of what `provision` uses.
pub(crate) fn provisioners(targets: &[Target<'_>]) -> Result<(), Error> {
    let of = |t: &Target<'_>| mistakes_of_provisioners(t.machine, &t.env.project.root);
    let problems: Vec<(String, String)> = targets.iter().flat_map(|t| of(t).into_iter().map(|p| (t.name().to_owned(), p))).collect();
    if problems.is_empty() { Ok(()) } else { Err(Error::Unsupported { problems }) }
}

fn problems(target: &Target<'_>) -> Vec<String> {
    let machine = target.machine;
    let mut problems = Vec::new();
    if machine.image.is_none() && machine.clone.is_none() {
        problems.push("it has no box (`box = \"…\"`)".to_owned());
    }
    problems.extend(not_built_yet(machine).into_iter().map(|what| format!("{what}: not yet in this version")));
    problems.extend(lacking(target));
    problems.extend(left_out(machine));
    problems.extend(mistakes_of_hostname(machine));
    problems.extend(mistakes_of_ports(machine));
    problems.extend(mistakes_of_folders(machine));
    problems.extend(target.driver.validate(machine).into_iter().map(|mistake| named(mistake, target.driver.name())));
    problems.extend(mistakes_of_provisioners(machine, &target.env.project.root));
    problems
}

/// A provider's mistake with the provider's name, unless it says that itself.
fn named(mistake: String, provider: &str) -> String {
    if mistake.contains(&format!("`{provider}")) { mistake } else { format!("{mistake} (provider `{provider}`)") }
}

/// Settings that are understood and that no engine acts upon yet.
fn not_built_yet(machine: &Machine) -> Vec<String> {
    let mut what = Vec::new();
    let mut ask = |asked: bool, name: &str| {
        if asked {
            what.push(name.to_owned());
        }
    };
    ask(machine.clone.is_some(), "`clone`");
    ask(machine.communicator == CommunicatorKind::Winrm, "`communicator = \"winrm\"`");
    ask(machine.communicator == CommunicatorKind::Winssh, "`communicator = \"winssh\"`");
    ask(
        machine.networks.iter().any(|n| n.auto_config),
        "`networks` that kiste sets up in the guest (`auto_config = false` leaves that to you)",
    );
    ask(!machine.containers.is_empty(), "`containers`");
    ask(!machine.triggers.is_empty(), "`triggers`");
    ask(!machine.cloud_init.is_empty(), "`cloud_init`");
    ask(machine.base_address.is_some(), "`base_address`");
    ask(machine.disks.iter().any(|d| !d.primary), "`disks` beside the primary one");
    ask(machine.disks.iter().any(|d| d.primary && d.kind != DiskKind::Disk), "a primary disk that is no hard disk");
    ask(machine.disks.iter().any(|d| d.file.is_some()), "`disks` from a `file`");
    ask(machine.ssh.proxy_command.is_some(), "`ssh.proxy_command`");
    ask(machine.ssh.remote_user.is_some(), "`ssh.remote_user`");
    what
}

fn lacking(target: &Target<'_>) -> Vec<String> {
    let (machine, driver) = (target.machine, &target.driver);
    let cannot = |what: &str| format!("the provider `{}` cannot {what}", driver.name());
    let mut lacks = Vec::new();
    if driver.forwarding().is_none() && machine.ports.iter().any(|p| !p.disabled) {
        lacks.push(cannot("forward ports"));
    }
    let kinds = driver.networks().map(Networks::network_kinds).unwrap_or_default();
    let mut missing: Vec<NetworkKind> = machine.networks.iter().map(|n| n.kind).filter(|k| !kinds.contains(k)).collect();
    missing.dedup();
    lacks.extend(missing.into_iter().map(|kind| cannot(&format!("attach a machine to a network of type `{kind}`"))));
    lacks.extend(steps::share::refusals(target).into_iter().map(|refusal| format!("{refusal} (provider `{}`)", driver.name())));
    lacks
}

/// Without a way into the guest nothing can be done there.
fn left_out(machine: &Machine) -> Vec<String> {
    if machine.communicator != CommunicatorKind::None {
        return Vec::new();
    }
    let asked = [
        (!machine.provision.is_empty(), "`provision`"),
        (machine.folders.iter().any(|f| !f.disabled), "`folders`"),
        (machine.hostname.is_some(), "`hostname`"),
    ];
    asked
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, what)| format!("{what} needs a way into the guest, and `communicator` is \"none\""))
        .collect()
}

fn mistakes_of_hostname(machine: &Machine) -> Option<String> {
    let name = machine.hostname.as_ref().filter(|name| !hostname::is_valid(name))?;
    Some(format!("`{name}` cannot be a host name"))
}

fn mistakes_of_ports(machine: &Machine) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let mut mistakes = Vec::new();
    for port in machine.ports.iter().filter(|p| !p.disabled && p.host != 0) {
        if let Some(before) = seen.insert((port.host_ip, port.protocol, port.host), port.guest) {
            mistakes.push(format!("port {} of the host is to reach both port {before} and port {} of the guest", port.host, port.guest));
        }
    }
    let (first, last) = machine.usable_port_range;
    if first > last {
        mistakes.push(format!("`usable_port_range` ends ({last}) before it begins ({first})"));
    }
    mistakes
}

fn mistakes_of_folders(machine: &Machine) -> Vec<String> {
    let missing = |host: &Path| !host.is_dir();
    let folders = machine.folders.iter().filter(|f| !f.disabled && !f.create && missing(&f.host));
    folders.map(|f| format!("folder `{}` does not exist on the host (`create = true` makes it)", f.host.display())).collect()
}

fn mistakes_of_provisioners(machine: &Machine, project_root: &Path) -> Vec<String> {
    let mut mistakes: Vec<String> = machine.provision.iter().flat_map(|p| provision::prepare(p, project_root)).collect();
    mistakes.extend(provision::order(&machine.provision).err().map(|e| e.to_string()));
    mistakes
}

/// Words of `--provision-with` that fit no provisioner of any of the machines. A word that fits one machine's is fine for all.
pub(crate) fn provision_with(targets: &[Target<'_>], with: &[String]) -> Result<(), Error> {
    let all = || targets.iter().flat_map(|t| &t.machine.provision);
    let fits = |word: &String| all().any(|p| p.name.as_ref() == Some(word) || p.kind.type_name() == word);
    let mut known: Vec<String> = all().map(|p| p.label().to_owned()).collect();
    known.sort();
    known.dedup();
    match with.iter().find(|w| !fits(w)) {
        Some(name) => Err(kiste_guest::Error::NoSuchProvisioner { name: name.clone(), known }.into()),
        None => Ok(()),
    }
}
