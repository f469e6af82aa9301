//! The disk: a partition table of one entry and, from 1 MiB on, an ext4 that `mke2fs` fills from the root file system.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use kiste_core::Size;
use kiste_core::step::Step;

use super::{Bootstrap, root};
use crate::error::Error;
use crate::namespace;
use crate::steps::Context;

/// Where the partition begins.
const START: u64 = 1 << 20;
const SECTOR: u64 = 512;
/// Features by name, not by the host's defaults: newer ones keep the boot loader or an older guest from reading it.
const FEATURES: &str = "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,flex_bg,sparse_super,large_file,huge_file,\
                        dir_nlink,extra_isize,metadata_csum";

/// The step.
pub struct MakeDisk {
    /// The build.
    pub bootstrap: Arc<Bootstrap>,
    /// Of the root file system.
    pub uuid: String,
}

impl<'a> Step<Context<'a>> for MakeDisk {
    type Error = Error;

    fn name(&self) -> &'static str {
        "disk"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let size = self.bootstrap.disk_size;
        context.run.reporter.say(format!("Making a disk of {size}"));
        let disk = context.dir.disk();
        partition(&disk, size).map_err(Error::file(&disk))?;
        namespace::program(&root::mke2fs())
            .args(["-q", "-F", "-t", "ext4", "-L", "root", "-I", "256", "-m", "1", "-U", &self.uuid, "-O", FEATURES])
            .arg("-E")
            .arg(format!("offset={START},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0"))
            .arg("-d")
            .arg(context.dir.root_fs())
            .arg(&disk)
            .arg(format!("{}k", (size.0 - START) / 1024))
            .env("MKE2FS_CONFIG", "/dev/null")
            .output(context.run.cancel)?;
        namespace::remove(&context.dir.root_fs())?;
        if let Some(kernel) = &mut context.kernel {
            kernel.cmdline = format!("root=UUID={} ro {}", self.uuid, self.bootstrap.cmdline());
        }
        Ok(())
    }
}

/// Makes a sparse file with a partition table.
fn partition(path: &Path, size: Size) -> std::io::Result<()> {
    let mut file = File::create_new(path)?;
    file.set_len(size.0)?;
    file.write_all(&table(size))
}

/// The first sector: one bootable Linux partition from [`START`] to the end, no boot code yet.
fn table(size: Size) -> [u8; SECTOR as usize] {
    /// Cylinder, head and sector of a place beyond their reach: everybody reads the sector numbers then.
    const FAR: [u8; 3] = [0xfe, 0xff, 0xff];
    let mut sector = [0; SECTOR as usize];
    let number = |bytes: u64| u32::try_from(bytes / SECTOR).unwrap_or(u32::MAX).to_le_bytes();
    let id = uuid::Uuid::new_v4();
    sector[440..444].copy_from_slice(&id.as_bytes()[..4]);
    sector[446] = 0x80;
    sector[447..450].copy_from_slice(&FAR);
    sector[450] = 0x83;
    sector[451..454].copy_from_slice(&FAR);
    sector[454..458].copy_from_slice(&number(START));
    sector[458..462].copy_from_slice(&number(size.0 - START));
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_reaches_to_the_end() {
        let sector = table(Size::gib(20));
        assert_eq!((sector[446], sector[450], &sector[510..]), (0x80, 0x83, &[0x55, 0xaa][..]));
        assert_eq!(sector[454..458], 2048u32.to_le_bytes());
        assert_eq!(sector[458..462], (20 * 1024 * 2048 - 2048u32).to_le_bytes());
        assert!(sector[..440].iter().all(|b| *b == 0));
    }

    #[test]
    fn the_file_is_sparse() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d");
        partition(&path, Size::gib(20)).unwrap();
        assert_eq!(path.metadata().unwrap().len(), 20 << 30);
        assert!(partition(&path, Size::gib(1)).is_err());
    }
}
