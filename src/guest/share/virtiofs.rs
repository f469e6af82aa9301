//! virtiofs: the host's folder, live, by a file system of the guest's kernel.

use kiste_core::share::Folder;

use super::mount_device;
use crate::{Error, Guest};

/// Mounts the device `tag`.
pub(super) fn mount(guest: &Guest<'_>, folder: &Folder, tag: &str) -> Result<(), Error> {
    mount_device(guest, folder, tag, "virtiofs", "virtiofs", &[])
}
