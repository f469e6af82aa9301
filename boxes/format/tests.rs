//! Archives good and hostile, made byte by byte.

use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use tar::EntryType;

use super::*;

/// A header with any bytes as its name.
fn header(name: &[u8], kind: EntryType, link: &[u8], size: u64) -> tar::Header {
    let mut header = tar::Header::new_old();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link);
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o4777);
    header.set_cksum();
    header
}

fn entry(name: &str, kind: EntryType, link: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = header(name.as_bytes(), kind, link.as_bytes(), data.len() as u64).as_bytes().to_vec();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(name: &str, data: &[u8]) -> Vec<u8> {
    entry(name, EntryType::Regular, "", data)
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let record = |(key, value): &(&str, &str)| {
        let body = format!(" {key}={value}\n");
        let length = (body.len() + 1..).find(|n| n.to_string().len() + body.len() == *n).unwrap();
        format!("{length}{body}")
    };
    entry("pax", EntryType::XHeader, "", records.iter().map(record).collect::<String>().as_bytes())
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.extend([0; 1024]);
    bytes
}

struct Unpacking {
    dir: tempfile::TempDir,
    result: Result<Unpacked, Error>,
}

impl Unpacking {
    fn of(bytes: &[u8], limits: &Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.box");
        std::fs::write(&path, bytes).unwrap();
        let into = dir.path().join("into");
        std::fs::create_dir(&into).unwrap();
        let result = unpack(File::open(&path).unwrap(), &path, &into, "x.box", limits, &Cancel::new(), &mut |_| {});
        Self { dir, result }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("into").join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        assert!(self.result.is_ok(), "{:?}", self.result);
        std::fs::read(self.file(name)).unwrap()
    }
}

fn unpacked(bytes: &[u8]) -> Unpacking {
    Unpacking::of(bytes, &Limits::default())
}

/// What a refusal says; nothing may have been written beside the folder.
fn refused(entries: &[Vec<u8>]) -> String {
    let unpacking = unpacked(&tar(entries));
    let error = unpacking.result.expect_err("should be refused");
    assert!(matches!(error, Error::Hostile { .. }), "{error:?}");
    assert_eq!(std::fs::read_dir(unpacking.dir.path()).unwrap().count(), 2);
    error.to_string()
}

fn compressed(bytes: &[u8], how: &str) -> Vec<u8> {
    match how {
        "gzip" => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap()
        }
        "xz" => {
            let mut writer = liblzma::write::XzEncoder::new(Vec::new(), 1);
            writer.write_all(bytes).unwrap();
            writer.finish().unwrap()
        }
        "zstd" => zstd::encode_all(bytes, 1).unwrap(),
        _ => bytes.to_vec(),
    }
}

#[test]
fn every_compression_is_told_by_its_bytes() {
    let plain = tar(&[file("./metadata.json", b"{}"), file("dir\\sub\\a", b"hello")]);
    for how in ["plain", "gzip", "xz", "zstd"] {
        let bytes = compressed(&plain, how);
        let unpacking = unpacked(&bytes);
        assert_eq!(unpacking.read("dir/sub/a"), b"hello", "{how}");
        let digest = hex::encode(sha2::Sha256::digest(&bytes));
        assert_eq!(unpacking.result.unwrap(), Unpacked { sha256: digest, size: bytes.len() as u64 }, "{how}");
    }
}

#[test]
fn members_and_frames_one_after_another_are_one_archive() {
    let plain = tar(&[file("a", &[7; 3000])]);
    let (first, second) = plain.split_at(1000);
    for how in ["gzip", "xz", "zstd"] {
        let bytes = [compressed(first, how), compressed(second, how)].concat();
        assert_eq!(unpacked(&bytes).read("a"), [7; 3000], "{how}");
    }
}

#[test]
fn other_kinds_of_files_are_named() {
    for (bytes, word) in [(&b"PK\x03\x04...."[..], "zip"), (b"<html>", "web page"), (b"{}", "JSON"), (b"", "empty"), (b"BZh9", "bzip2")] {
        let error = unpacked(bytes).result.unwrap_err();
        assert!(matches!(&error, Error::Archive { reason, .. } if reason.contains(word)), "{error}");
    }
    assert!(matches!(unpacked(&[b'x'; 2000]).result, Err(Error::Archive { .. })));
}

#[test]
fn a_cut_or_damaged_archive_is_not_taken() {
    let plain = tar(&[file("a", &(0..9000u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>())]);
    for how in ["plain", "gzip", "xz", "zstd"] {
        let bytes = compressed(&plain, how);
        for end in [600, bytes.len() / 3, bytes.len() / 2] {
            let result = unpacked(&bytes[..end.min(20_000)]).result;
            assert!(matches!(result, Err(Error::Archive { .. })), "{how} {end}: {result:?}");
        }
    }
    let mut gzip = compressed(&plain, "gzip");
    let crc = gzip.len() - 8;
    gzip[crc] ^= 1;
    assert!(matches!(unpacked(&gzip).result, Err(Error::Archive { .. })), "the checksum of the compression counts");
    gzip[crc] ^= 1;
    gzip.extend([0; 100]);
    assert!(unpacked(&gzip).result.is_ok(), "zeros after the end don't");
}

#[test]
fn names_that_leave_the_box_are_refused() {
    for name in ["../x", "a/../../x", "a/..", "/etc/x", "\\etc\\x", "..\\x", "C:\\x", "c:x", "a\x1bb", "a\n"] {
        refused(&[file(name, b"x")]);
        refused(&[pax(&[("path", name)]), file("innocent", b"x")]);
        refused(&[entry("long", EntryType::GNULongName, "", name.as_bytes()), file("innocent", b"x")]);
    }
    let mut latin = header(b"caf\xe9", EntryType::Regular, b"", 0).as_bytes().to_vec();
    latin.resize(512, 0);
    assert!(refused(&[latin]).contains("UTF-8"));
    refused(&[pax(&[("path", &"d/".repeat(40))]), file("x", b"")]);
    refused(&[pax(&[("path", &"n".repeat(300))]), file("x", b"")]);
}

#[test]
fn links_stay_in_the_box() {
    let good = tar(&[
        entry("latest", EntryType::Symlink, "dir/../file", b""),
        entry("dir/up", EntryType::Symlink, "../file", b""),
        file("file", b"data"),
        entry("twin", EntryType::Link, "./file", b""),
    ]);
    let unpacking = unpacked(&good);
    for name in ["latest", "dir/up", "twin"] {
        assert_eq!(unpacking.read(name), b"data");
    }
    assert_eq!(unpacking.file("twin").metadata().unwrap().nlink(), 2);
    for target in ["../x", "/etc/passwd", "a/../../x", "", "missing", "self", "..\\x", "C:\\x"] {
        refused(&[entry("self", EntryType::Symlink, target, b"")]);
    }
    for target in ["../x", "/etc/passwd", "missing", "self", "dir"] {
        refused(&[entry("dir/", EntryType::Directory, "", b""), entry("self", EntryType::Link, target, b"")]);
    }
    // within the box by its text, outside by way of another link
    refused(&[
        entry("a/b/", EntryType::Directory, "", b""),
        entry("a/b/here", EntryType::Symlink, ".", b""),
        entry("out", EntryType::Symlink, "a/b/here/../../..", b""),
    ]);
}

#[test]
fn nothing_is_written_through_a_link() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().to_str().unwrap();
    refused(&[entry("d", EntryType::Symlink, target, b""), file("d/x", b"x")]);
    refused(&[entry("d", EntryType::Symlink, ".", b""), file("d/x", b"x")]);
    refused(&[entry("f", EntryType::Symlink, "g", b""), file("f", b"x")]);
    refused(&[file("g", b"x"), entry("f", EntryType::Symlink, "g", b""), entry("h", EntryType::Link, "f", b"")]);
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn devices_pipes_and_parts_are_refused() {
    for (kind, word) in
        [(EntryType::Char, "device"), (EntryType::Block, "device"), (EntryType::Fifo, "pipe"), (EntryType::new(b'M'), "volume")]
    {
        assert!(refused(&[entry("x", kind, "", b"")]).contains(word));
    }
}

#[test]
fn doubles_and_names_that_differ_in_case_are_refused() {
    assert!(refused(&[file("a", b"1"), file("./a", b"2")]).contains("twice"));
    assert!(refused(&[file("a", b"1"), file("A", b"2")]).contains("case"));
    assert!(refused(&[file("dir/a", b"1"), file("Dir/b", b"2")]).contains("case"));
    refused(&[file("a", b"1"), file("a/b", b"2")]);
    refused(&[file("a/b", b"1"), file("a", b"2")]);
    let twice = [entry("d/", EntryType::Directory, "", b""), file("d/a", b""), entry("d", EntryType::Directory, "", b"")];
    assert!(unpacked(&tar(&twice)).result.is_ok());
}

#[test]
fn our_own_record_is_not_taken_from_an_archive() {
    let unpacking = unpacked(&tar(&[file("kiste.json", b"evil"), file("Kiste.JSON", b"evil"), file("d/kiste.json", b"fine")]));
    assert_eq!(unpacking.read("d/kiste.json"), b"fine");
    assert!(!unpacking.file("kiste.json").exists());
}

#[test]
fn modes_are_made_tame() {
    let unpacking = unpacked(&tar(&[file("tool", b""), file("vagrant_private_key", b"")]));
    let mode = |name: &str| unpacking.file(name).metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("tool"), mode("vagrant_private_key")), (0o755, 0o600));
}

#[test]
fn zeros_become_holes() {
    let mut data = vec![0; 8 << 20];
    data[5 << 20] = 1;
    let unpacking = unpacked(&tar(&[file("disk", &data)]));
    assert_eq!(unpacking.read("disk"), data);
    assert!(unpacking.file("disk").metadata().unwrap().blocks() * 512 < 1 << 20);
}

fn sparse_10(map: &str, data: &[u8], size: &str) -> Vec<u8> {
    let mut stored = map.as_bytes().to_vec();
    stored.resize(stored.len().next_multiple_of(512), 0);
    stored.extend(data);
    let records = [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "disk"), ("GNU.sparse.realsize", size)];
    [pax(&records), file("GNUSparseFile.0/disk", &stored)].concat()
}

fn sparse_01(map: &str, data: &[u8], size: &str) -> Vec<u8> {
    let records = [("GNU.sparse.name", "disk"), ("GNU.sparse.size", size), ("GNU.sparse.map", map)];
    [pax(&records), file("GNUSparseFile.0/disk", data)].concat()
}

#[test]
fn sparse_files_come_back_whole() {
    let mut wanted = vec![0; 5000];
    wanted[1000..1003].copy_from_slice(b"abc");
    wanted[4000..4002].copy_from_slice(b"de");
    assert_eq!(unpacked(&tar(&[sparse_10("2\n1000\n3\n4000\n2\n", b"abcde", "5000")])).read("disk"), wanted);
    assert_eq!(unpacked(&tar(&[sparse_01("1000,3,4000,2", b"abcde", "5000")])).read("disk"), wanted);
    let offsets = [
        ("GNU.sparse.size", "5000"),
        ("GNU.sparse.offset", "1000"),
        ("GNU.sparse.numbytes", "3"),
        ("GNU.sparse.offset", "4000"),
        ("GNU.sparse.numbytes", "2"),
    ];
    assert_eq!(unpacked(&tar(&[pax(&offsets), file("disk", b"abcde")])).read("disk"), wanted);
}

#[test]
fn sparse_maps_that_lie_are_refused() {
    for (map, size) in [
        ("1000,3,900,2", "5000"),
        ("1000,3,1002,2", "5000"),
        ("4999,5", "5000"),
        ("0,4", "5000"),
        ("0,6", "5000"),
        ("18446744073709551615,5", "5000"),
        ("0,5", "18446744073709551615"),
    ] {
        refused(&[sparse_01(map, b"abcde", size)]);
    }
    for map in ["x\n", "\n", "99999999999999999999999\n", "3\n1\n", "1\n-1\n2\n"] {
        assert!(unpacked(&tar(&[sparse_10(map, b"", "10")])).result.is_err(), "{map:?}");
    }
    refused(&[sparse_10("2000000\n", b"", "10")]);
    assert!(unpacked(&tar(&[sparse_01("1,2,3", b"abcde", "10")])).result.is_err());
}

#[test]
fn sizes_that_lie_do_no_harm() {
    for size in ["18446744073709551615", "999999999999", "x"] {
        let result = unpacked(&tar(&[pax(&[("size", size)]), file("a", b"abc")])).result;
        assert!(result.is_err(), "{size}");
    }
    let lying = header(b"long", EntryType::GNULongName, b"", 1 << 40).as_bytes().to_vec();
    refused(&[lying]);
    let lying = header(b"pax", EntryType::XHeader, b"", 1 << 40).as_bytes().to_vec();
    refused(&[lying]);
}

#[test]
fn bombs_are_stopped() {
    let limits = Limits { entries: 10, names: 1000, written: 1 << 20, unpacked: 4 << 20, ..Limits::default() };
    let hostile = |bytes: &[u8]| matches!(Unpacking::of(bytes, &limits).result, Err(Error::Hostile { .. }));
    let many: Vec<_> = (0..11).map(|i| file(&format!("f{i}"), b"")).collect();
    assert!(hostile(&tar(&many)));
    assert!(!hostile(&tar(&many[..10])));
    let long: Vec<_> = (0..6).map(|i| file(&format!("{i}{}", "x".repeat(90)), b"")).collect();
    assert!(hostile(&tar(&long)));
    let pattern: Vec<u8> = b"bomb".repeat(2 << 20);
    assert!(hostile(&compressed(&tar(&[file("a", &pattern)]), "zstd")));
    assert!(hostile(&compressed(&tar(&[file("a", &vec![0; 32 << 20])]), "zstd")));
    assert!(!hostile(&tar(&[file("a", &pattern)])));
    let skipped = entry("g", EntryType::XGlobalHeader, "", &vec![0; 32 << 20]);
    assert!(hostile(&compressed(&tar(&[skipped]), "zstd")), "what is skipped counts too");
}

#[test]
fn an_interruption_comes_through_every_decoder() {
    let plain = tar(&[file("a", &[1; 100_000])]);
    for how in ["plain", "gzip", "xz", "zstd"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.box");
        std::fs::write(&path, compressed(&plain, how)).unwrap();
        let cancel = Cancel::new();
        cancel.cancel();
        let result = unpack(File::open(&path).unwrap(), &path, dir.path(), "x", &Limits::default(), &cancel, &mut |_| {});
        assert!(matches!(result, Err(Error::Cancelled(_))), "{how}: {result:?}");
    }
}
