//! Which kind a folder travels by, and why.

use std::path::Path;

use kiste_core::Cancel;
use kiste_core::host::{self, Program};
use kiste_core::share::{Folder, FolderKind};

use super::rsync;
use crate::Error;
use crate::os::Os;

/// What the host has for copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostTools {
    /// Protocol number of its rsync; 0 when there is none.
    pub rsync_protocol: u32,
    /// Whether it has `ssh`, which rsync goes through.
    pub ssh: bool,
}

impl HostTools {
    /// Looks.
    pub fn find(cancel: &Cancel) -> Self {
        let version = Program::new("rsync").arg("--version").output(cancel).unwrap_or_default();
        let first = String::from_utf8_lossy(&version).lines().next().unwrap_or_default().to_owned();
        Self { rsync_protocol: rsync::protocol(&first), ssh: host::find("ssh").is_some() }
    }
}

/// All that decides about a kind beside the folder itself.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// The user's `allowed_synced_folder_types`, best first; empty: all.
    pub allowed: &'a [FolderKind],
    /// Live kinds that the driver offers on this host, best first.
    pub driver: &'a [FolderKind],
    /// The host's tools.
    pub host: HostTools,
    /// The guest; none before it runs: then only the host's side decides.
    pub guest: Option<&'a Os>,
    /// Whether the guest lets a key in by ssh: what rsync needs.
    pub key_login: bool,
    /// The project's folder of state: keys and records that no guest may see or write, so no live folder may hold it.
    pub state: &'a Path,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The kind.
    pub kind: FolderKind,
    /// Why, in one phrase: `as configured`, `virtiofs: the guest's kernel lacks it`.
    pub why: String,
}

/// The kind for `folder`: the user's when it has one, else the first usable of `allowed`, else the first usable of the driver's live
/// kinds, rsync and sftp. Call it before the start with no guest, to know what the driver shall offer, and again with the guest.
/// Error when nothing of what the user wants can be used, with every reason, and when the place in the guest is no place for a folder.
pub fn choose(folder: &Folder, ground: &Ground<'_>) -> Result<Choice, Error> {
    super::check_place(folder)?;
    let live = ground.driver.iter().copied();
    let wanted: Vec<FolderKind> = match folder.kind {
        Some(kind) => vec![kind],
        None if !ground.allowed.is_empty() => ground.allowed.to_vec(),
        None => live.chain([FolderKind::Rsync, FolderKind::Sftp]).collect(),
    };
    let asked = folder.kind.is_some() || !ground.allowed.is_empty();
    let mut refusals = Vec::new();
    if !asked && ground.driver.is_empty() {
        refusals.push("the provider offers no live folders here".to_owned());
    }
    for kind in &wanted {
        match unsafe_for(folder, *kind, ground).or_else(|| refusal(*kind, ground, asked)) {
            None => return Ok(Choice { kind: *kind, why: why(folder, &refusals) }),
            Some(reason) => refusals.push(format!("{kind}: {reason}")),
        }
    }
    let kind = wanted.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Err(Error::FolderKind { folder: folder.guest.clone(), kind, reason: refusals.join("; ") })
}

fn why(folder: &Folder, refusals: &[String]) -> String {
    match (folder.kind, refusals) {
        (Some(_), _) => "as configured".to_owned(),
        (None, []) => "the best there is".to_owned(),
        (None, reasons) => reasons.join("; "),
    }
}

/// A copy leaves state out; a live folder cannot, and a guest could change what the host trusts. Links are followed: what counts is
/// where the folder really is.
fn unsafe_for(folder: &Folder, kind: FolderKind, ground: &Ground<'_>) -> Option<String> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let live = !matches!(kind, FolderKind::Rsync | FolderKind::Sftp);
    let holds = live && real(ground.state).starts_with(real(&folder.host));
    holds.then(|| format!("the guest would reach `{}`, which holds keys and records of this host", ground.state.display()))
}

/// Why a kind cannot be used; none when it can. `asked`: the user named it, so the guest may be changed for it.
fn refusal(kind: FolderKind, ground: &Ground<'_>, asked: bool) -> Option<String> {
    let reason = match kind {
        FolderKind::Sftp => return None,
        FolderKind::Rsync if ground.host.rsync_protocol == 0 => "this host has no rsync",
        FolderKind::Rsync if !ground.host.ssh => "this host has no ssh program",
        FolderKind::Rsync if !ground.key_login => "it needs a login by ssh key",
        FolderKind::Rsync => match ground.guest {
            Some(os) if os.has("rsync") || (asked && os.can_install()) => return None,
            None => return None,
            Some(_) => "the guest has no rsync",
        },
        kind if !ground.driver.contains(&kind) => "the provider does not offer it on this host",
        FolderKind::Vboxsf => match ground.guest {
            Some(os) if !os.file_systems.contains(&kind.to_string()) => "the guest has no guest additions (and no `vboxsf` in its kernel)",
            _ => return None,
        },
        FolderKind::Virtiofs | FolderKind::Ninep => match ground.guest {
            Some(os) if !os.file_systems.contains(&kind.to_string()) => "the guest's kernel lacks it",
            _ => return None,
        },
        FolderKind::Nfs | FolderKind::Smb => "kiste cannot mount this kind yet",
    };
    Some(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: HostTools = HostTools { rsync_protocol: 31, ssh: true };

    fn folder(kind: Option<FolderKind>) -> Folder {
        Folder { kind, ..serde_json::from_value(serde_json::json!({ "host": "/h/project/site", "guest": "/g" })).unwrap() }
    }

    fn guest(programs: &[&str], file_systems: &[&str]) -> Os {
        let set = |l: &[&str]| l.iter().map(|s| (*s).to_owned()).collect();
        Os { line: vec!["debian", "linux"], programs: set(programs), file_systems: set(file_systems), ..Os::default() }
    }

    fn ground<'a>(driver: &'a [FolderKind], guest: Option<&'a Os>) -> Ground<'a> {
        Ground { allowed: &[], driver, host: HOST, guest, key_login: true, state: Path::new("/h/project/.state") }
    }

    #[test]
    fn no_live_folder_holds_the_state() {
        let full = guest(&["rsync"], &["virtiofs"]);
        let ground = ground(&[FolderKind::Virtiofs], Some(&full));
        for host in ["/h", "/h/project"] {
            let whole = |kind| Folder { host: host.into(), ..folder(kind) };
            let choice = choose(&whole(None), &ground).unwrap();
            assert_eq!(choice.kind, FolderKind::Rsync);
            assert!(choice.why.starts_with("virtiofs: the guest would reach `/h/project/.state`"), "{}", choice.why);
            choose(&whole(Some(FolderKind::Virtiofs)), &ground).unwrap_err();
        }
        assert_eq!(choose(&folder(None), &ground).unwrap().kind, FolderKind::Virtiofs);
    }

    #[test]
    fn the_best_that_all_sides_can() {
        let (full, bare) = (guest(&["rsync"], &["virtiofs"]), guest(&[], &[]));
        let kind = |driver: &[FolderKind], os| choose(&folder(None), &ground(driver, os)).unwrap();
        let live = [FolderKind::Virtiofs, FolderKind::Ninep];
        assert_eq!(kind(&live, None), Choice { kind: FolderKind::Virtiofs, why: "the best there is".into() });
        assert_eq!(kind(&live, Some(&full)).kind, FolderKind::Virtiofs);
        assert_eq!(kind(&[], Some(&full)), Choice { kind: FolderKind::Rsync, why: "the provider offers no live folders here".into() });
        let last = kind(&live, Some(&bare));
        assert_eq!(last.kind, FolderKind::Sftp);
        assert_eq!(last.why, "virtiofs: the guest's kernel lacks it; 9p: the guest's kernel lacks it; rsync: the guest has no rsync");
    }

    #[test]
    fn without_guest_additions_virtualboxs_folders_are_copied() {
        let (with, without) = (guest(&["rsync"], &["vboxsf"]), guest(&["rsync"], &[]));
        let choice = |os| choose(&folder(None), &ground(&[FolderKind::Vboxsf], os)).unwrap();
        assert_eq!((choice(None).kind, choice(Some(&with)).kind), (FolderKind::Vboxsf, FolderKind::Vboxsf));
        let copied = choice(Some(&without));
        assert_eq!(copied.kind, FolderKind::Rsync);
        assert_eq!(copied.why, "vboxsf: the guest has no guest additions (and no `vboxsf` in its kernel)");
    }

    #[test]
    fn what_the_user_names_is_taken_or_refused_never_replaced() {
        let bare = guest(&[], &[]);
        let named = |kind, ground: &Ground<'_>| choose(&folder(Some(kind)), ground);
        assert_eq!(named(FolderKind::Rsync, &ground(&[], Some(&bare))).unwrap().why, "as configured");
        let poor = Ground { host: HostTools::default(), ..ground(&[], None) };
        let error = named(FolderKind::Rsync, &poor).unwrap_err().to_string();
        assert_eq!(error, "folder `/g` cannot be shared by rsync: rsync: this host has no rsync");
        assert!(named(FolderKind::Nfs, &ground(&[], None)).is_err());
    }

    #[test]
    fn allowed_kinds_are_tried_in_their_order() {
        let full = guest(&["rsync"], &["virtiofs"]);
        let allowed = [FolderKind::Nfs, FolderKind::Sftp, FolderKind::Virtiofs];
        let ground = Ground { allowed: &allowed, ..ground(&[FolderKind::Virtiofs], Some(&full)) };
        assert_eq!(choose(&folder(None), &ground).unwrap().kind, FolderKind::Sftp);
    }
}
