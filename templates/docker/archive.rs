//! Streams of `docker cp -`: files and folders of the host as tar, owned by whom they shall belong to in the container.

use std::fs::Metadata;
use std::io::{self, Read, Write};
use std::path::Path;

use tar::{Builder, EntryType, Header};

/// Whom files belong to in the container: user and group. None: to whoever owns them on the host.
pub type Owner = Option<(u64, u64)>;

/// One file of a stream.
pub struct File<'a> {
    /// Its name in the container.
    pub name: &'a str,
    /// Its mode.
    pub mode: u32,
    /// Its size.
    pub size: u64,
    /// Whom it belongs to.
    pub owner: Owner,
}

/// Writes a stream with one file.
pub fn write_file(to: &mut dyn Write, file: &File<'_>, content: &mut dyn Read) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(file.size);
    header.set_mode(file.mode);
    header.set_mtime(now());
    set_owner(&mut header, file.owner, None);
    let mut archive = Builder::new(to);
    // A file that grows meanwhile must not break the stream.
    archive.append_data(&mut header, file.name, content.take(file.size))?;
    archive.finish()
}

/// Writes a stream with everything in a folder; `done` hears the bytes so far.
pub fn write_folder(to: &mut dyn Write, folder: &Path, owner: Owner, done: &mut dyn FnMut(u64)) -> io::Result<()> {
    let mut archive = Builder::new(to);
    let mut bytes = 0;
    for entry in walkdir::WalkDir::new(folder).min_depth(1).sort_by_file_name() {
        let entry = entry.map_err(io::Error::other)?;
        let below = entry.path().strip_prefix(folder).map_err(io::Error::other)?;
        let metadata = entry.path().symlink_metadata()?;
        let mut header = Header::new_gnu();
        header.set_metadata(&metadata);
        set_owner(&mut header, owner, Some(&metadata));
        if metadata.is_symlink() {
            header.set_size(0);
            archive.append_link(&mut header, below, std::fs::read_link(entry.path())?)?;
        } else if metadata.is_dir() {
            header.set_size(0);
            archive.append_data(&mut header, below, io::empty())?;
        } else if metadata.is_file() {
            let content = std::fs::File::open(entry.path())?;
            archive.append_data(&mut header, below, content.take(metadata.len()))?;
            bytes += metadata.len();
            done(bytes);
        }
    }
    archive.finish()
}

fn set_owner(header: &mut Header, owner: Owner, metadata: Option<&Metadata>) {
    let (user, group) = owner.unwrap_or_else(|| metadata.map_or_else(of_process, of_file));
    header.set_uid(user);
    header.set_gid(group);
}

#[cfg(unix)]
fn of_file(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.uid().into(), metadata.gid().into())
}

#[cfg(unix)]
fn of_process() -> (u64, u64) {
    (rustix::process::getuid().as_raw().into(), rustix::process::getgid().as_raw().into())
}

#[cfg(not(unix))]
fn of_file(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

#[cfg(not(unix))]
fn of_process() -> (u64, u64) {
    (0, 0)
}

fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0)
}
