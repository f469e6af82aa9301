//! VHD (which QEMU calls `vpc`) and VHDX, Hyper-V's formats.

use kiste_core::Size;

use super::{Header, ImageInfo};
use crate::Error;

const COOKIE: [u8; 8] = *b"conectix";
const FIXED: u32 = 2;
const DYNAMIC: u32 = 3;

/// VHD: a footer in the last sector, with a copy at the start of all but fixed images.
pub fn read(header: &Header<'_>) -> Result<ImageInfo, Error> {
    let at_end = header.length.saturating_sub(512);
    let footer = if header.read(0, 8)? == COOKIE {
        0
    } else if header.read(at_end, 8)? == COOKIE {
        at_end
    } else {
        return Err(header.refuse("it is not a VHD image"));
    };
    let kind = header.be32(footer + 60)?;
    Ok(ImageInfo {
        format: "vpc".to_owned(),
        virtual_size: Some(Size(header.be64(footer + 48)?)),
        backing: (!matches!(kind, FIXED | DYNAMIC)).then(|| format!("the footer says kind {kind}")),
        ..ImageInfo::default()
    })
}

/// Region tables: the first, and its copy.
const REGION_TABLES: [u64; 2] = [192 << 10, 256 << 10];
/// GUIDs as they lie on disk.
const METADATA_REGION: [u8; 16] = guid(0x8b7c_a206, 0x4790, 0x4b9a, *b"\xb8\xfe\x57\x5f\x05\x0f\x88\x6e");
const FILE_PARAMETERS: [u8; 16] = guid(0xcaa1_6737, 0xfa36, 0x4d43, *b"\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b");
const VIRTUAL_SIZE: [u8; 16] = guid(0x2fa5_4224, 0xcd1b, 0x4876, *b"\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8");
const PARENT_LOCATOR: [u8; 16] = guid(0xa8d3_5f2d, 0xb30b, 0x454d, *b"\xab\xf7\xd3\xd8\x48\x34\xab\x0c");
const HAS_PARENT: u32 = 1 << 1;
/// Most entries in either table by the format's own rules.
const MOST_ENTRIES: u64 = 2047;

const fn guid(a: u32, b: u16, c: u16, d: [u8; 8]) -> [u8; 16] {
    let (a, b, c) = (a.to_le_bytes(), b.to_le_bytes(), c.to_le_bytes());
    [a[0], a[1], a[2], a[3], b[0], b[1], c[0], c[1], d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]]
}

/// VHDX: the metadata region says whether there is a parent.
pub fn read_x(header: &Header<'_>) -> Result<ImageInfo, Error> {
    if header.read(0, 8)? != *b"vhdxfile" {
        return Err(header.refuse("it is not a VHDX image"));
    }
    let metadata = region(header)?.ok_or_else(|| header.refuse("its header has no metadata region"))?;
    if header.read(metadata, 8)? != *b"metadata" {
        return Err(header.refuse("its metadata region is damaged"));
    }
    let flags = match item(header, metadata, &FILE_PARAMETERS)? {
        Some(at) => header.le32(at + 4)?,
        None => return Err(header.refuse("its metadata lacks the file parameters")),
    };
    let size = item(header, metadata, &VIRTUAL_SIZE)?.map(|at| header.le64(at)).transpose()?;
    let locator = item(header, metadata, &PARENT_LOCATOR)?.is_some();
    Ok(ImageInfo {
        format: "vhdx".to_owned(),
        virtual_size: size.map(Size),
        backing: (flags & HAS_PARENT != 0 || locator).then(|| "the metadata names a parent".to_owned()),
        ..ImageInfo::default()
    })
}

fn region(header: &Header<'_>) -> Result<Option<u64>, Error> {
    for table in REGION_TABLES {
        if header.read(table, 4)? != *b"regi" {
            continue;
        }
        let count = u64::from(header.le32(table + 8)?).min(MOST_ENTRIES);
        for entry in (0..count).map(|i| table + 16 + i * 32) {
            if header.bytes(entry)? == METADATA_REGION {
                return header.le64(entry + 16).map(Some);
            }
        }
    }
    Ok(None)
}

fn item(header: &Header<'_>, metadata: u64, wanted: &[u8; 16]) -> Result<Option<u64>, Error> {
    let count = u64::from(u16::from_le_bytes(header.bytes(metadata.saturating_add(10))?)).min(MOST_ENTRIES);
    for entry in (0..count).map(|i| metadata.saturating_add(32 + i * 32)) {
        if header.bytes(entry)? == *wanted {
            let offset = u64::from(header.le32(entry + 16)?);
            return Ok(Some(metadata.saturating_add(offset)));
        }
    }
    Ok(None)
}
