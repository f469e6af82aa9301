//! What a disk image's header says, read without any program, so that an image from outside can't make one open other files.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use kiste_core::Size;

use crate::Error;

mod qcow2;
mod vdi;
mod vhd;
mod vmdk;

/// What a header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageInfo {
    /// `qcow2`, `raw`, `vmdk`, `vdi`, `vpc`, `vhdx`.
    pub format: String,
    /// Size the guest sees.
    pub virtual_size: Option<Size>,
    /// Another image this one only holds the differences to: its name where the header gives one, else what the header says.
    pub backing: Option<String>,
    /// Other files that hold the data.
    pub data_files: Vec<String>,
    /// How it is encrypted.
    pub encryption: Option<String>,
}

/// First bytes and the formats they mean. An ISO, a raw disk or anything else has none of these.
const MAGIC: &[(&[u8], &str)] = &[
    (b"QFI\xfb", "qcow2"),
    (b"QED\0", "qed"),
    (b"KDMV", "vmdk"),
    (b"COWD", "vmdk"),
    (b"# Disk Descript", "vmdk"),
    (b"vhdxfile", "vhdx"),
    (b"conectix", "vpc"),
    (b"LUKS\xba\xbe", "luks"),
    (b"WithoutFreeSpace", "parallels"),
    (b"WithouFreSpacExt", "parallels"),
];

/// Endings of files that may be disk images.
const EXTENSIONS: &[&str] = &["qcow2", "img", "raw", "vmdk", "vdi", "vhd", "vhdx"];

/// Whether the file's name ends as disk images' names do.
pub fn has_extension(path: &Path) -> bool {
    path.extension().is_some_and(|e| EXTENSIONS.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// The format the first bytes tell; `raw` when they tell none.
pub fn detect(path: &Path) -> Result<&'static str, Error> {
    let header = Header::open(path)?;
    let first = header.read(0, 512)?;
    if first.get(vdi::SIGNATURE_AT..vdi::SIGNATURE_AT + 4) == Some(&vdi::SIGNATURE) {
        return Ok("vdi");
    }
    Ok(MAGIC.iter().find(|(magic, _)| first.starts_with(magic)).map_or("raw", |(_, format)| format))
}

/// Reads the header of the image at `path`, which must be of `format` (`qcow2`, `raw`, `vmdk`, `vdi`, `vpc` or `vhd`, `vhdx`).
/// A header that is damaged or of another format is an error.
pub fn inspect(path: &Path, format: &str) -> Result<ImageInfo, Error> {
    let header = Header::open(path)?;
    match format {
        "raw" => Ok(ImageInfo { format: format.to_owned(), virtual_size: Some(Size(header.length)), ..ImageInfo::default() }),
        "qcow2" => qcow2::read(&header),
        "vmdk" => vmdk::read(&header),
        "vdi" => vdi::read(&header),
        "vpc" | "vhd" => vhd::read(&header),
        "vhdx" => vhd::read_x(&header),
        _ => Err(header.refuse(format!("`{format}` is not a format kiste knows (qcow2, raw, vmdk, vdi, vpc, vhdx)"))),
    }
}

/// [`inspect`], and refuses an image that would have another file opened, or that nobody can read without a secret.
pub fn refuse_hostile(path: &Path, format: &str) -> Result<ImageInfo, Error> {
    let info = inspect(path, format)?;
    let refuse = |reason: String| Err(Error::HostileDisk { path: path.to_owned(), reason });
    if let Some(backing) = &info.backing {
        return refuse(format!("it builds on another image ({})", shown(backing)));
    }
    if let Some(data) = info.data_files.first() {
        return refuse(format!("it keeps its data in another file ({})", shown(data)));
    }
    if let Some(how) = &info.encryption {
        return refuse(format!("it is encrypted ({how})"));
    }
    Ok(info)
}

/// A name out of a header, fit for a message.
fn shown(name: &str) -> String {
    let mut text: String = name.escape_debug().take(200).collect();
    if text.is_empty() {
        "unnamed".clone_into(&mut text);
    }
    text
}

/// An open image, read at given places.
struct Header<'a> {
    file: File,
    path: &'a Path,
    length: u64,
}

impl<'a> Header<'a> {
    fn open(path: &'a Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::file(path))?;
        let length = file.metadata().map_err(Error::file(path))?.len();
        Ok(Self { file, path, length })
    }

    /// Up to `length` bytes from `offset`: less where the file ends.
    fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match self.file.read_at(&mut bytes[filled..], offset.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::File { path: self.path.to_owned(), source: e }),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn bytes<const N: usize>(&self, offset: u64) -> Result<[u8; N], Error> {
        <[u8; N]>::try_from(self.read(offset, N)?).map_err(|_| self.refuse("its header is cut off"))
    }

    fn be32(&self, offset: u64) -> Result<u32, Error> {
        Ok(u32::from_be_bytes(self.bytes(offset)?))
    }

    fn be64(&self, offset: u64) -> Result<u64, Error> {
        Ok(u64::from_be_bytes(self.bytes(offset)?))
    }

    fn le32(&self, offset: u64) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.bytes(offset)?))
    }

    fn le64(&self, offset: u64) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.bytes(offset)?))
    }

    fn refuse(&self, reason: impl Into<String>) -> Error {
        Error::HostileDisk { path: self.path.to_owned(), reason: reason.into() }
    }
}

#[cfg(test)]
mod tests;
