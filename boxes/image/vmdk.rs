//! VMDK: sparse files with the descriptor inside, and descriptors of their own that name other files.

use kiste_core::Size;

use super::{Header, ImageInfo};
use crate::Error;

const SECTOR: u64 = 512;
/// Longest descriptor read; VMware's own have a few hundred bytes.
const LONGEST: u64 = 1 << 20;
const NO_PARENT: &str = "ffffffff";

pub fn read(header: &Header<'_>) -> Result<ImageInfo, Error> {
    match header.bytes::<4>(0)? {
        [b'K', b'D', b'M', b'V'] => sparse(header),
        [b'C', b'O', b'W', b'D'] => Err(header.refuse("it is one part of a VMware disk of several files")),
        _ => descriptor_alone(header),
    }
}

fn sparse(header: &Header<'_>) -> Result<ImageInfo, Error> {
    let mut info =
        ImageInfo { format: "vmdk".to_owned(), virtual_size: Some(Size(header.le64(12)?.saturating_mul(SECTOR))), ..ImageInfo::default() };
    let (offset, sectors) = (header.le64(28)?, header.le64(36)?);
    if offset == 0 || sectors == 0 {
        // a part of a disk split over several files has no descriptor
        return Err(header.refuse("it has no descriptor: it is one part of a disk of several files"));
    }
    let length = sectors.saturating_mul(SECTOR).min(LONGEST) as usize;
    let text = header.read(offset.saturating_mul(SECTOR), length)?;
    let text = String::from_utf8_lossy(&text);
    let text = text.split('\0').next().unwrap_or_default();
    info.backing = parent(text);
    let extents = extents(text);
    // tools write the name the file had when they made it; a header with a capacity is its own one sparse extent
    info.data_files = match extents.as_slice() {
        [only] if only.kind == "SPARSE" && info.virtual_size != Some(Size(0)) => Vec::new(),
        _ => extents.into_iter().map(|e| e.file).collect(),
    };
    Ok(info)
}

fn descriptor_alone(header: &Header<'_>) -> Result<ImageInfo, Error> {
    let text = header.read(0, LONGEST.min(header.length) as usize)?;
    let text = String::from_utf8_lossy(&text);
    if !text.trim_start().starts_with("# Disk DescriptorFile") {
        return Err(header.refuse("it is not a VMDK image"));
    }
    let extents = extents(&text);
    if extents.is_empty() {
        return Err(header.refuse("its descriptor names no file with data"));
    }
    let sectors = extents.iter().fold(0u64, |sum, e| sum.saturating_add(e.sectors));
    Ok(ImageInfo {
        format: "vmdk".to_owned(),
        virtual_size: Some(Size(sectors.saturating_mul(SECTOR))),
        backing: parent(&text),
        data_files: extents.into_iter().map(|e| e.file).collect(),
        encryption: None,
    })
}

/// A line such as `RW 4192256 SPARSE "disk-s001.vmdk"`.
struct Extent {
    sectors: u64,
    kind: String,
    file: String,
}

fn extents(text: &str) -> Vec<Extent> {
    text.lines().filter_map(extent).collect()
}

fn extent(line: &str) -> Option<Extent> {
    let mut words = line.split_whitespace();
    let access = words.next()?;
    if !["RW", "RDONLY", "NOACCESS"].iter().any(|known| access.eq_ignore_ascii_case(known)) {
        return None;
    }
    let (sectors, kind) = (words.next()?.parse().ok()?, words.next()?.to_uppercase());
    // holes have no file
    let file = line.split('"').nth(1).or_else(|| words.next()).map(str::to_owned);
    file.or((kind != "ZERO").then(String::new)).map(|file| Extent { sectors, kind, file })
}

fn parent(text: &str) -> Option<String> {
    let value = |wanted: &str| {
        text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            key.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    let named = value("parentFileNameHint");
    let id = value("parentCID").filter(|id| !id.eq_ignore_ascii_case(NO_PARENT));
    named.or(id.map(|id| format!("the descriptor names parent {id}")))
}
