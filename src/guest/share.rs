//! Folders of the host inside the guest: which kind fits, copies made and kept up, live folders mounted.

pub mod choose;
pub mod exclude;
pub mod fstab;
pub mod rsync;
pub mod transport;
pub mod watch;

mod ninep;
mod sftp;
mod vboxsf;
mod virtiofs;

pub use choose::{Choice, Ground, HostTools, choose};
pub use watch::watch;

use kiste_comm::GuestCommand;
use kiste_comm::ssh::SshTarget;
use kiste_core::share::{Folder, FolderKind};

use crate::{Error, Guest, task};

/// Whether a kind is a live view of the host's folder (a device of the driver's, mounted in the guest) rather than a copy.
pub fn is_live(kind: FolderKind) -> bool {
    !matches!(kind, FolderKind::Rsync | FolderKind::Sftp)
}

/// Whether a line of the guest's fstab brings a live folder back as it was. VirtualBox's need the owner of all files told, by numbers
/// that the guest may change.
pub fn comes_back(kind: FolderKind) -> bool {
    is_live(kind) && kind != FolderKind::Vboxsf
}

/// Sees to the host's side of a folder: it is there, or is made when the user said `create`.
pub fn ensure_host(folder: &Folder) -> Result<(), Error> {
    let failed = |reason: String| Error::Read { path: folder.host.display().to_string(), reason };
    match folder.host.metadata() {
        Ok(m) if m.is_dir() => Ok(()),
        Ok(_) => Err(failed("a shared folder must be a folder".to_owned())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && folder.create => {
            std::fs::create_dir_all(&folder.host).map_err(|e| failed(e.to_string()))
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(failed("no such folder (`create = true` makes it)".to_owned())),
        Err(e) => Err(failed(e.to_string())),
    }
}

/// Brings the guest's copy of a folder up to date: kind `rsync` (through `target`) or `sftp`. Nothing ever comes back to the host.
pub fn sync(guest: &Guest<'_>, folder: &Folder, kind: FolderKind, target: Option<&SshTarget>) -> Result<(), Error> {
    ensure_host(folder)?;
    match (kind, target) {
        (FolderKind::Rsync, Some(target)) => rsync::sync(guest, folder, target),
        (FolderKind::Sftp, _) => sftp::sync(guest, folder),
        (FolderKind::Rsync, None) => Err(refused(folder, kind, "this machine is not reached by ssh")),
        _ => Err(refused(folder, kind, "it is no copy, but a device of the provider's")),
    }
}

/// Mounts a live folder that the driver offers the guest under `tag`. Fine when it is mounted already.
pub fn mount(guest: &Guest<'_>, folder: &Folder, tag: &str, kind: FolderKind) -> Result<(), Error> {
    match kind {
        FolderKind::Virtiofs => virtiofs::mount(guest, folder, tag),
        FolderKind::Ninep => ninep::mount(guest, folder, tag),
        FolderKind::Vboxsf => vboxsf::mount(guest, folder, tag),
        _ => Err(refused(folder, kind, "kiste cannot mount this kind yet")),
    }
}

/// Folders that are the guest's own system: a copy with deletions would end it.
const SYSTEM: [&str; 12] = ["", "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr"];

/// What is wrong with a folder's place in the guest, before anything starts; none when it is fine.
pub fn place_mistake(folder: &Folder) -> Option<String> {
    let place = folder.guest.as_str();
    let at = |reason: &str| Some(format!("folder `{place}`: {reason}"));
    let flat: Vec<&str> = place.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    if !place.starts_with('/') {
        return at("its path in the guest must be absolute");
    }
    if flat.contains(&"..") || place.chars().any(char::is_control) {
        return at("its path in the guest cannot hold `..` or control characters");
    }
    let flat = if flat.is_empty() { String::new() } else { format!("/{}", flat.join("/")) };
    if SYSTEM.contains(&flat.as_str()) { at("it would take the place of the guest's own system") } else { None }
}

fn check_place(folder: &Folder) -> Result<(), Error> {
    place_mistake(folder).map_or(Ok(()), |mistake| Err(Error::Mistakes(vec![mistake])))
}

fn refused(folder: &Folder, kind: FolderKind, reason: &str) -> Error {
    Error::FolderKind { folder: folder.guest.clone(), kind: kind.to_string(), reason: reason.to_owned() }
}

/// Owner and group of a folder in the guest: the user's, else the login user's; a group that is not given is the owner's first one.
struct Owner {
    user: String,
    group: String,
}

/// A folder that was made in the guest.
struct Made {
    owner: Owner,
    /// First line of the guest's `rsync --version`; empty without one, or where it was not asked for.
    rsync: String,
}

/// Makes the folder in the guest, so that the login user can write to it; tells who owns what is in it.
fn make(guest: &Guest<'_>, folder: &Folder, ask_rsync: bool) -> Result<Made, Error> {
    check_place(folder)?;
    let user = folder.owner.clone().map_or_else(|| Ok(guest.os()?.user.clone()), Ok::<_, Error>)?;
    let group = match (&folder.group, &folder.owner) {
        (Some(group), _) => group.clone(),
        (None, None) => guest.os()?.group.clone(),
        (None, Some(_)) => String::new(),
    };
    let mut script = task::variables(&[("path", &folder.guest), ("user", &user), ("group", &group)]) + MAKE;
    if ask_rsync {
        script += VERSION;
    }
    let what = format!("make the folder `{}` for `{user}`", folder.guest);
    let said = task::run(guest, &what, &GuestCommand::script(script).sudo())?;
    let told = |key: &str| said.lines().find_map(|l| l.strip_prefix(key)).map(|v| v.trim().to_owned());
    let group = told("kiste-group ").unwrap_or(group);
    Ok(Made { owner: Owner { user, group }, rsync: told("kiste-rsync ").unwrap_or_default() })
}

const MAKE: &str = r#"set -e
[ -n "$group" ] || group=$(id -gn "$user")
[ -d "$path" ] || mkdir -p "$path"
chown "$user:$group" "$path"
echo "kiste-group $group"
"#;
const VERSION: &str = "rsync --version 2>/dev/null | { read -r line || true; echo \"kiste-rsync $line\"; }\n";

/// Mounts `tag` at the folder's place by `mount -t` unless it is there already.
fn mount_device(guest: &Guest<'_>, folder: &Folder, tag: &str, kind: &str, modules: &str, options: &[&str]) -> Result<(), Error> {
    check_place(folder)?;
    let script = task::variables(&[
        ("tag", tag),
        ("path", &folder.guest),
        ("kind", kind),
        ("modules", modules),
        ("options", &mount_options(folder, options)),
    ]) + MOUNT;
    if kind != "vboxsf" && (folder.owner.is_some() || folder.group.is_some()) {
        guest.reporter.detail(format!("{}: owner and group are those of the host's files ({kind})", folder.guest));
    }
    task::run(guest, &format!("mount `{}`", folder.guest), &GuestCommand::script(script).sudo()).map(drop)
}

const MOUNT: &str = r#"set -e
PATH=$PATH:/usr/sbin:/sbin
mkdir -p "$path"
path=$(cd "$path" && pwd -P)
seen=$(printf '%s' "$path" | sed 's/\\/\\134/g; s/ /\\040/g')
while read -r source place type rest; do
  if [ "$place" = "$seen" ]; then last="$source $type"; fi
done < /proc/mounts
if [ "${last:-}" = "$tag $kind" ]; then exit 0; fi
if [ "${last#* }" = "$kind" ]; then umount "$path"; fi
for module in $modules; do modprobe "$module" 2>/dev/null || true; done
mount -t "$kind" ${options:+-o "$options"} "$tag" "$path"
"#;

/// What goes behind `-o`, and into the guest's fstab.
fn mount_options(folder: &Folder, own: &[&str]) -> String {
    let read_only = folder.read_only.then_some("ro");
    own.iter().copied().chain(read_only).chain(folder.mount_options.iter().map(String::as_str)).collect::<Vec<_>>().join(",")
}

/// Options of a live kind's mount, without those of the folder.
fn own_options(kind: FolderKind) -> &'static [&'static str] {
    match kind {
        FolderKind::Ninep => ninep::OPTIONS,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guests_own_system_is_no_place_for_a_folder() {
        let mistake = |guest: &str| place_mistake(&serde_json::from_value(serde_json::json!({ "host": "/h", "guest": guest })).unwrap());
        for bad in ["/", "//", "/./", "/etc/", "/usr", "srv", "~/x", "/srv/../etc", "/a\nb"] {
            assert!(mistake(bad).is_some(), "{bad}");
        }
        for good in ["/vagrant", "/srv/app", "/etc/nginx", "/home/vagrant", "/usr/local/x", "/a b"] {
            assert_eq!(mistake(good), None);
        }
    }
}
