//! qcow2: versions 2 and 3.

use kiste_core::Size;

use super::{Header, ImageInfo};
use crate::Error;

/// Incompatible feature: the data lies in another file.
const DATA_FILE: u64 = 1 << 2;
/// Header extension with that file's name.
const DATA_FILE_NAME: u32 = 0x4441_5441;
const END_OF_EXTENSIONS: u32 = 0;
/// The format's own limit of a file name.
const LONGEST_NAME: u32 = 1023;

pub fn read(header: &Header<'_>) -> Result<ImageInfo, Error> {
    if header.read(0, 4)? != *b"QFI\xfb" {
        return Err(header.refuse("it is not a qcow2 image"));
    }
    let version = header.be32(4)?;
    if version != 2 && version != 3 {
        return Err(header.refuse(format!("version {version} of qcow2 is not known")));
    }
    let features = if version == 3 { header.be64(72)? } else { 0 };
    Ok(ImageInfo {
        format: "qcow2".to_owned(),
        virtual_size: Some(Size(header.be64(24)?)),
        backing: backing(header)?,
        data_files: data_file(header, version, features)?,
        encryption: encryption(header.be32(32)?),
    })
}

fn backing(header: &Header<'_>) -> Result<Option<String>, Error> {
    let (offset, length) = (header.be64(8)?, header.be32(16)?);
    if offset == 0 {
        return Ok(None);
    }
    let name = header.read(offset, length.min(LONGEST_NAME) as usize)?;
    Ok(Some(String::from_utf8_lossy(&name).into_owned()))
}

/// Either sign counts: the feature bit, or a name left in the extensions.
fn data_file(header: &Header<'_>, version: u32, features: u64) -> Result<Vec<String>, Error> {
    let start = if version == 3 { u64::from(header.be32(100)?) } else { 72 };
    let named = extension(header, start, DATA_FILE_NAME)?.map(|name| String::from_utf8_lossy(&name).into_owned());
    let marked = features & DATA_FILE != 0;
    Ok(named.or(marked.then(String::new)).into_iter().collect())
}

fn extension(header: &Header<'_>, mut at: u64, wanted: u32) -> Result<Option<Vec<u8>>, Error> {
    // the extensions lie in the first cluster, which has at most 2 MiB
    while at < 2 << 20 && at + 8 <= header.length {
        let (kind, length) = (header.be32(at)?, header.be32(at + 4)?);
        match kind {
            END_OF_EXTENSIONS => return Ok(None),
            kind if kind == wanted => return Ok(Some(header.read(at + 8, length.min(LONGEST_NAME) as usize)?)),
            _ => at += 8 + u64::from(length).next_multiple_of(8),
        }
    }
    Ok(None)
}

fn encryption(method: u32) -> Option<String> {
    match method {
        0 => None,
        1 => Some("AES".to_owned()),
        2 => Some("LUKS".to_owned()),
        other => Some(format!("method {other}")),
    }
}
