//! 9p over virtio: the host's folder, live; slower than virtiofs, but without a program of the host.

use kiste_core::share::Folder;

use super::mount_device;
use crate::{Error, Guest};

/// How QEMU speaks it; the message size is what makes it bearable.
pub(super) const OPTIONS: &[&str] = &["trans=virtio", "version=9p2000.L", "msize=262144"];

/// Mounts the device `tag`.
pub(super) fn mount(guest: &Guest<'_>, folder: &Folder, tag: &str) -> Result<(), Error> {
    mount_device(guest, folder, tag, "9p", "9pnet_virtio 9p", OPTIONS)
}
