//! VirtualBox's shared folders: the host's folder, live, by the guest additions or the module of newer Linux kernels.

use kiste_comm::GuestCommand;
use kiste_core::share::Folder;

use super::mount_device;
use crate::{Error, Guest, task};

/// Mounts the folder that VirtualBox offers under the name `tag`. It shows no owners of the host's: all files belong to whoever the
/// folder says, else to the login user. The kernel's own module takes numbers only.
pub(super) fn mount(guest: &Guest<'_>, folder: &Folder, tag: &str) -> Result<(), Error> {
    let os = guest.os()?;
    let (user, group) = (folder.owner.as_ref().unwrap_or(&os.user), folder.group.as_ref().unwrap_or(&os.group));
    let script = task::variables(&[("user", user), ("group", group)]) + NUMBERS;
    let said = task::run(guest, &format!("find the owner of `{}`", folder.guest), &GuestCommand::script(script))?;
    let owner = said.lines().map(str::trim).rfind(|l| l.starts_with("uid=")).unwrap_or_default();
    mount_device(guest, folder, tag, "vboxsf", "vboxguest vboxsf", &[owner])
}

const NUMBERS: &str = r#"set -e
uid=$(id -u "$user")
gid=$(while IFS=: read -r name _ number _; do if [ "$name" = "$group" ]; then echo "$number"; break; fi; done < /etc/group)
echo "uid=$uid,gid=${gid:-$(id -g "$user")}"
"#;
