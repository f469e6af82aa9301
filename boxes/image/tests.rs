//! Headers by hand, and images that QEMU's own tool makes where it is there.

use std::path::PathBuf;

use super::*;

fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disk.img");
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

fn put(header: &mut [u8], at: usize, bytes: &[u8]) {
    header[at..at + bytes.len()].copy_from_slice(bytes);
}

fn qcow2() -> Vec<u8> {
    let mut header = vec![0; 4096];
    put(&mut header, 0, b"QFI\xfb");
    put(&mut header, 4, &3u32.to_be_bytes());
    put(&mut header, 24, &(10u64 << 30).to_be_bytes());
    put(&mut header, 100, &104u32.to_be_bytes());
    header
}

fn refused(bytes: &[u8], format: &str) -> String {
    let (_dir, path) = file(bytes);
    let error = refuse_hostile(&path, format).unwrap_err();
    assert!(matches!(error, Error::HostileDisk { .. }));
    error.to_string()
}

#[test]
fn a_plain_qcow2_passes() {
    let (_dir, path) = file(&qcow2());
    assert_eq!(detect(&path).unwrap(), "qcow2");
    assert_eq!(refuse_hostile(&path, "qcow2").unwrap().virtual_size, Some(Size::gib(10)));
}

#[test]
fn a_backing_file_is_refused_and_named() {
    let mut header = qcow2();
    put(&mut header, 8, &1024u64.to_be_bytes());
    put(&mut header, 16, &11u32.to_be_bytes());
    put(&mut header, 1024, b"/etc/shadow");
    assert!(refused(&header, "qcow2").contains("/etc/shadow"));
    put(&mut header, 16, &0u32.to_be_bytes());
    assert!(refused(&header, "qcow2").contains("another image"));
    put(&mut header, 8, &u64::MAX.to_be_bytes());
    assert!(refused(&header, "qcow2").contains("another image"));
}

#[test]
fn a_data_file_is_refused_by_bit_and_by_name() {
    let mut header = qcow2();
    put(&mut header, 72, &4u64.to_be_bytes());
    assert!(refused(&header, "qcow2").contains("another file"));
    let mut header = qcow2();
    put(&mut header, 104, &[0xe2, 0x79, 0x2a, 0xca, 0, 0, 0, 3, b'r', b'a', b'w']);
    put(&mut header, 120, b"DATA\0\0\0\x09/dev/sda1");
    assert!(refused(&header, "qcow2").contains("/dev/sda1"));
}

#[test]
fn encryption_is_refused() {
    let mut header = qcow2();
    put(&mut header, 32, &2u32.to_be_bytes());
    assert!(refused(&header, "qcow2").contains("LUKS"));
}

#[test]
fn a_format_that_is_not_the_files_is_refused() {
    for format in ["qcow2", "vmdk", "vdi", "vpc", "vhdx", "qed", "luks", "nbd", ""] {
        refused(&[0; 4096], format);
        refused(b"", format);
    }
    refused(b"QFI\xfb", "qcow2");
    let mut old = qcow2();
    put(&mut old, 4, &1u32.to_be_bytes());
    refused(&old, "qcow2");
}

#[test]
fn a_raw_image_is_taken_as_it_is() {
    let (_dir, path) = file(&qcow2());
    assert_eq!(refuse_hostile(&path, "raw").unwrap().virtual_size, Some(Size(4096)));
}

fn vmdk(descriptor: &str) -> Vec<u8> {
    let mut header = vec![0; 4096];
    put(&mut header, 0, b"KDMV");
    put(&mut header, 12, &2048u64.to_le_bytes());
    put(&mut header, 28, &1u64.to_le_bytes());
    put(&mut header, 36, &2u64.to_le_bytes());
    put(&mut header, 512, descriptor.as_bytes());
    header
}

#[test]
fn vmdk_may_only_name_itself() {
    let good = "# Disk DescriptorFile\nparentCID=ffffffff\nRW 2048 SPARSE \"other.vmdk\"\n";
    let (_dir, path) = file(&vmdk(good));
    assert_eq!(refuse_hostile(&path, "vmdk").unwrap().virtual_size, Some(Size::mib(1)));
    let flat = "# Disk DescriptorFile\nRW 2048 FLAT \"/etc/passwd\" 0\n";
    assert!(refused(flat.as_bytes(), "vmdk").contains("/etc/passwd"));
    assert!(refused(&vmdk(flat), "vmdk").contains("/etc/passwd"));
    assert!(refused(&vmdk("parentCID=12345678\nRW 1 SPARSE \"disk.img\""), "vmdk").contains("12345678"));
    assert!(refused(&vmdk("parentFileNameHint = \"/x\"\n"), "vmdk").contains("/x"));
    assert!(refused(&vmdk("RW 1 SPARSE \"a\"\nRW 1 SPARSE \"/b\""), "vmdk").contains("another file"));
    refused(b"COWD\0\0\0\0", "vmdk");
}

#[test]
fn vdi_and_vhd_with_a_parent_are_refused() {
    let mut vdi = vec![0; 1024];
    put(&mut vdi, 0x40, &vdi::SIGNATURE);
    put(&mut vdi, 0x4c, &1u32.to_le_bytes());
    let (_dir, path) = file(&vdi);
    assert_eq!(detect(&path).unwrap(), "vdi");
    assert!(refuse_hostile(&path, "vdi").is_ok());
    put(&mut vdi, 0x4c, &4u32.to_le_bytes());
    assert!(refused(&vdi, "vdi").contains("kind 4"));

    let mut vhd = vec![0; 2048];
    put(&mut vhd, 1536, b"conectix");
    put(&mut vhd, 1536 + 60, &2u32.to_be_bytes());
    let (_dir, path) = file(&vhd);
    assert!(refuse_hostile(&path, "vpc").is_ok());
    put(&mut vhd, 1536 + 60, &4u32.to_be_bytes());
    assert!(refused(&vhd, "vpc").contains("kind 4"));
}

#[test]
fn names_in_messages_cannot_drive_a_terminal() {
    assert_eq!(shown("\u{1b}[31m"), "\\u{1b}[31m");
    assert_eq!(shown(&"x".repeat(9000)).len(), 200);
}

#[test]
fn images_of_qemu_itself() {
    if kiste_core::host::find("qemu-img").is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let make =
        |args: &[&str]| kiste_core::host::Program::new("qemu-img").dir(dir.path()).args(args).output(&kiste_core::Cancel::new()).unwrap();
    for format in ["qcow2", "vmdk", "vdi", "vpc", "vhdx", "raw"] {
        make(&["create", "-q", "-f", format, format, "64M"]);
        let path = dir.path().join(format);
        let size = refuse_hostile(&path, format).unwrap().virtual_size.unwrap();
        assert!((Size::mib(64)..Size::mib(65)).contains(&size), "{format}: {size}");
        if format != "raw" {
            assert_eq!(detect(&path).unwrap(), format);
        }
    }
    make(&["create", "-q", "-f", "qcow2", "-F", "raw", "-b", "raw", "backed", "64M"]);
    make(&["create", "-q", "-f", "qcow2", "-o", "data_file=data.raw", "split", "64M"]);
    make(&["create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", "flat.vmdk", "64M"]);
    make(&["create", "-q", "-f", "vmdk", "-o", "subformat=streamOptimized", "stream.vmdk", "64M"]);
    for (name, format) in [("backed", "qcow2"), ("split", "qcow2"), ("flat.vmdk", "vmdk")] {
        assert!(refuse_hostile(&dir.path().join(name), format).is_err(), "{name}");
    }
    assert!(refuse_hostile(&dir.path().join("stream.vmdk"), "vmdk").is_ok());
}
