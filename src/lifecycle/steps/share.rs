//! Folders: before the boot the provider is told which live ones to offer, after it they are mounted and the others copied.
//!
//! Which kind a folder travels by is decided twice: without the guest, to know what to offer, and with it. A guest that can't
//! mount what is offered gets a copy instead, and the output says why.

use kiste_core::share::{Folder, FolderKind};
use kiste_core::state_file;
use kiste_core::step::Step;
use kiste_guest::Guest;
use kiste_guest::share::{self, Ground, HostTools, choose, ensure_host, fstab};
use kiste_providers::capability::{HostShare, HostShares};
use serde::{Deserialize, Serialize};

use crate::context::Target;
use crate::error::Error;
use crate::reach::Way;
use crate::run::Run;

/// A folder as it travels now; a list of them is kept beside the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shared {
    pub folder: Folder,
    pub kind: FolderKind,
    pub tag: String,
}

/// The step before the boot.
pub(crate) struct Prepare;

impl Step<Run<'_>> for Prepare {
    type Error = Error;

    fn name(&self) -> &'static str {
        "offer folders"
    }

    fn run(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        let target = run.target;
        let folders: Vec<(String, &Folder)> = tagged(target).collect();
        for (_, folder) in &folders {
            ensure_host(folder)?;
        }
        let Some(shares) = target.driver.host_shares() else { return Ok(()) };
        let kinds = shares.kinds();
        let tools = tools(target, &folders);
        let mut offered = Vec::new();
        for (tag, folder) in folders {
            let choice = choose(folder, &ground(target, &kinds, tools, true))?;
            if share::is_live(choice.kind) {
                offered.push(HostShare { tag, path: folder.host.clone(), read_only: folder.read_only, kind: choice.kind });
            }
        }
        shares.set_shares(&target.vm(), &offered)?;
        run.offered = offered;
        Ok(())
    }
}

/// Why folders can't travel as the file wants, before there is a guest.
pub(crate) fn refusals(target: &Target<'_>) -> Vec<String> {
    let folders: Vec<(String, &Folder)> = tagged(target).collect();
    let kinds = target.driver.host_shares().map(HostShares::kinds).unwrap_or_default();
    let tools = tools(target, &folders);
    let refusal = |folder: &Folder| choose(folder, &ground(target, &kinds, tools, true)).err();
    folders.iter().filter_map(|(_, folder)| refusal(folder)).map(|e| e.to_string()).collect()
}

/// Folders in use with the tag the guest would mount them by.
fn tagged<'a>(target: &Target<'a>) -> impl Iterator<Item = (String, &'a Folder)> {
    target.machine.folders.iter().filter(|f| !f.disabled).enumerate().map(|(n, f)| (format!("kiste{n}"), f))
}

fn tools(target: &Target<'_>, folders: &[(String, &Folder)]) -> HostTools {
    if folders.is_empty() { HostTools::default() } else { HostTools::find(&target.env.cancel) }
}

fn ground<'a>(target: &'a Target<'_>, driver: &'a [FolderKind], host: HostTools, key_login: bool) -> Ground<'a> {
    let allowed = &target.machine.allowed_synced_folder_types;
    Ground { allowed, driver, host, guest: None, key_login, state: target.dir.root() }
}

/// The step after the boot.
pub(crate) struct Share;

impl Step<Run<'_>> for Share {
    type Error = Error;

    fn name(&self) -> &'static str {
        "share folders"
    }

    fn run(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        let target = run.target;
        let shared = match &run.way {
            Some(way) => all(target, way, &run.offered)?,
            None => Vec::new(),
        };
        state_file::write_json(&target.dir.folders(), &shared).map_err(Error::file("write", target.dir.folders()))?;
        run.change_record(|r| r.ready = true)
    }
}

fn all(target: &Target<'_>, way: &Way, offered: &[HostShare]) -> Result<Vec<Shared>, Error> {
    let folders: Vec<(String, &Folder)> = tagged(target).collect();
    if folders.is_empty() && recorded(target).is_empty() {
        return Ok(Vec::new());
    }
    let guest = way.guest(target);
    let tools = tools(target, &folders);
    let mut shared = Vec::new();
    for (tag, folder) in folders {
        target.env.cancel.check()?;
        let kind = one(target, way, &guest, (&tag, folder), offered, tools)?;
        shared.push(Shared { folder: folder.clone(), kind, tag });
    }
    if target.machine.allow_fstab_modification {
        let live = shared.iter().filter(|s| share::comes_back(s.kind)).map(|s| (&s.folder, s.tag.as_str(), s.kind));
        fstab::write(&guest, &live.collect::<Vec<_>>())?;
    }
    Ok(shared)
}

fn one(
    target: &Target<'_>,
    way: &Way,
    guest: &Guest<'_>,
    (tag, folder): (&str, &Folder),
    offered: &[HostShare],
    tools: HostTools,
) -> Result<FolderKind, Error> {
    let live: Vec<FolderKind> = offered.iter().filter(|o| o.tag == tag).map(|o| o.kind).collect();
    let key_login = way.used_own_key().is_some();
    let choice = choose(folder, &Ground { guest: Some(guest.os()?), ..ground(target, &live, tools, key_login) })?;
    target.reporter.say(format!("Sharing {} => {} ({})", folder.host.display(), folder.guest, choice.kind));
    target.reporter.detail(&choice.why);
    if share::is_live(choice.kind) {
        share::mount(guest, folder, tag, choice.kind)?;
    } else {
        share::sync(guest, folder, choice.kind, way.target())?;
    }
    Ok(choice.kind)
}

/// Folders as they were last shared.
pub(crate) fn recorded(target: &Target<'_>) -> Vec<Shared> {
    state_file::read_json(&target.dir.folders()).ok().flatten().unwrap_or_default()
}

/// Mounts live folders again after the guest came back from a reboot.
pub(crate) fn again(target: &Target<'_>, way: &Way) -> Result<(), String> {
    let guest = way.guest(target);
    for shared in recorded(target).iter().filter(|s| share::is_live(s.kind)) {
        share::mount(&guest, &shared.folder, &shared.tag, shared.kind).map_err(|e| e.to_string())?;
    }
    Ok(())
}
