//! A floppy disk with the template's files: 1.44 MB, FAT12.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions};

use super::media_files::{self, Content, Files, Folders};
use crate::builder::BuilderRun;
use crate::error::Error;
use crate::options::Options;

/// Bytes of a floppy disk.
const SIZE: u64 = 1_474_560;

/// What goes onto it.
#[derive(Clone, Debug, Default)]
pub struct Floppy {
    files: Vec<String>,
    folders: Vec<String>,
    texts: Files,
    label: String,
}

impl Floppy {
    /// Reads `floppy_files`, `floppy_dirs`, `floppy_content` and `floppy_label`.
    pub fn prepare(options: &mut Options<'_>) -> Self {
        let (files_at, folders_at, label_at) = (options.place("floppy_files"), options.place("floppy_dirs"), options.place("floppy_label"));
        let files = options.list("floppy_files").unwrap_or_default();
        media_files::check(options, files_at, &files, "Floppy disk file");
        let folders = options.list("floppy_dirs").unwrap_or_default();
        media_files::check(options, folders_at, &folders, "Floppy disk directory");
        let texts = media_files::texts(options, "floppy_content");
        let label = options.text("floppy_label").unwrap_or_else(|| "packer".to_owned());
        if label.len() > 11 || !label.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            options.problem(label_at, format!("`floppy_label` has at most 11 plain characters, not `{label}`"));
        }
        Self { files, folders, texts, label }
    }

    /// Whether there is nothing to put onto it.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.folders.is_empty() && self.texts.is_empty()
    }

    /// Writes the image to `to`. Only for floppies that are not empty.
    pub fn write(&self, to: &Path, run: &BuilderRun<'_>) -> Result<(), Error> {
        run.reporter.say("Creating floppy disk...");
        let mut files = self.gather(run)?;
        files.extend(self.texts.clone());
        let sizes = files.values().map(size).sum::<Result<u64, Error>>()?;
        if sizes > SIZE {
            return Err(full(to, sizes));
        }
        let image = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(to).map_err(Error::file(to))?;
        image.set_len(SIZE).map_err(Error::file(to))?;
        self.fill(&image, &files).map_err(|e| if is_full(&e) { full(to, sizes) } else { Error::file(to)(e) })?;
        image.sync_all().map_err(Error::file(to))
    }

    /// The files and folders of the host, told in Packer's words.
    fn gather(&self, run: &BuilderRun<'_>) -> Result<Files, Error> {
        let mut files = Files::new();
        run.reporter.detail("Copying files flatly from floppy_files");
        for path in media_files::found(&self.files)? {
            let folder = path.is_dir();
            run.reporter.detail(format!("Copying {}: {}", if folder { "directory" } else { "file" }, path.display()));
            for added in media_files::add(&path, Folders::Flat, &mut files)?.iter().filter(|_| folder) {
                run.reporter.detail(format!("Adding file: {}", added.display()));
            }
        }
        run.reporter.detail("Done copying files from floppy_files");
        run.reporter.detail("Collecting paths from floppy_dirs");
        let folders = media_files::found(&self.folders)?;
        let shown = folders.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(" ");
        run.reporter.detail(format!("Resulting paths from floppy_dirs : [{shown}]"));
        for path in folders {
            run.reporter.detail(format!("Recursively copying : {}", path.display()));
            media_files::add(&path, Folders::Deep, &mut files)?;
        }
        run.reporter.detail("Done copying paths from floppy_dirs");
        Ok(files)
    }

    fn fill(&self, image: &File, files: &Files) -> std::io::Result<()> {
        let mut label = [b' '; 11];
        label[..self.label.len()].copy_from_slice(self.label.as_bytes());
        // The geometry every BIOS and DOS knows: 80 cylinders, two heads, 18 sectors.
        let options = FormatVolumeOptions::new()
            .fat_type(FatType::Fat12)
            .media(0xF0)
            .bytes_per_cluster(512)
            .max_root_dir_entries(224)
            .sectors_per_track(18)
            .heads(2)
            .drive_num(0)
            .volume_label(label);
        let mut disk = image;
        // A borrow on purpose: the file is used again below.
        #[allow(clippy::needless_borrows_for_generic_args)]
        fatfs::format_volume(&mut disk, options)?;
        disk.seek(SeekFrom::Start(0))?;
        let system = FileSystem::new(disk, FsOptions::new())?;
        let root = system.root_dir();
        for (path, content) in files {
            let mut folder = root.clone();
            let mut parts = path.split('/').peekable();
            while let Some(part) = parts.next() {
                if parts.peek().is_some() {
                    folder = folder.create_dir(part)?;
                    continue;
                }
                let mut file = folder.create_file(part)?;
                file.truncate()?;
                file.write_all(&bytes(content)?)?;
                file.flush()?;
            }
        }
        drop(root);
        system.unmount()
    }
}

fn size(content: &Content) -> Result<u64, Error> {
    match content {
        Content::Text(text) => Ok(text.len() as u64),
        Content::File(path) => std::fs::metadata(path).map(|m| m.len()).map_err(Error::file(path)),
    }
}

/// A file that grew since it was measured is cut at what no floppy holds.
fn bytes(content: &Content) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match content {
        Content::Text(text) => bytes.extend_from_slice(text.as_bytes()),
        Content::File(path) => drop(File::open(path)?.take(SIZE + 1).read_to_end(&mut bytes)?),
    }
    Ok(bytes)
}

fn is_full(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::WriteZero || error.to_string().contains("No space") || error.to_string().contains("no space")
}

fn full(to: &Path, needed: u64) -> Error {
    let folder = to.parent().unwrap_or(to).to_owned();
    let why = format!(
        "the files ({needed} bytes and their directory) do not fit onto a floppy disk of {SIZE} bytes; use `http_directory` or `cd_files`"
    );
    Error::File { path: folder.join(to.file_name().unwrap_or_default()), source: std::io::Error::new(std::io::ErrorKind::StorageFull, why) }
}

#[cfg(test)]
#[path = "floppy_tests.rs"]
mod tests;
