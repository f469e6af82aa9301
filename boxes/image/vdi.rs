//! VDI, VirtualBox's own format.

use kiste_core::Size;

use super::{Header, ImageInfo};
use crate::Error;

pub const SIGNATURE_AT: usize = 0x40;
pub const SIGNATURE: [u8; 4] = [0x7f, 0x10, 0xda, 0xbe];
const DYNAMIC: u32 = 1;
const FIXED: u32 = 2;

pub fn read(header: &Header<'_>) -> Result<ImageInfo, Error> {
    if header.bytes(SIGNATURE_AT as u64)? != SIGNATURE {
        return Err(header.refuse("it is not a VDI image"));
    }
    let kind = header.le32(0x4c)?;
    let parent: [u8; 16] = header.bytes(0x1b8)?;
    let differences = !matches!(kind, DYNAMIC | FIXED) || parent != [0; 16];
    Ok(ImageInfo {
        format: "vdi".to_owned(),
        virtual_size: Some(Size(header.le64(0x170)?)),
        backing: differences.then(|| format!("the header says kind {kind}, parent {}", hex::encode(parent))),
        ..ImageInfo::default()
    })
}
