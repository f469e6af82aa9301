//! Packed boxes read by other readers.

use super::*;

fn entries(dir: &Path) -> Vec<PackEntry> {
    let disk = dir.join("disk");
    let data: Vec<u8> = (0..600_000u32).flat_map(|i| (i / 7).to_le_bytes()).collect();
    std::fs::write(&disk, data).unwrap();
    let bytes = |name: &str, text: &str| PackEntry { name: name.to_owned(), source: PackSource::Bytes(text.as_bytes().to_vec()) };
    vec![
        bytes("metadata.json", r#"{"provider":"libvirt"}"#),
        PackEntry { name: "box.img".to_owned(), source: PackSource::File(disk) },
        bytes("vagrant_private_key", "key"),
        bytes(&format!("include/{}", "long".repeat(40)), "x"),
    ]
}

fn write(dir: &Path, name: &str, compression: Compression) -> (PathBuf, Packed) {
    let to = dir.join(name);
    let packed = pack(&entries(dir), &to, compression, &Reporter::silent(), &Cancel::new()).unwrap();
    (to, packed)
}

#[test]
fn equal_input_gives_equal_files() {
    let dir = tempfile::tempdir().unwrap();
    for compression in [Compression::None, Compression::Gzip(6), Compression::Zstd(3)] {
        let (first, packed) = write(dir.path(), "a.box", compression);
        let bytes = std::fs::read(&first).unwrap();
        let (second, again) = write(dir.path(), "b.box", compression);
        assert_eq!(packed, again);
        assert!(bytes == std::fs::read(&second).unwrap());
        assert_eq!(packed.size, bytes.len() as u64);
        let digest = <sha2::Sha256 as sha2::Digest>::digest(&bytes);
        assert_eq!(packed.sha256, hex::encode(digest));
    }
}

#[test]
fn our_own_unpacking_and_the_tar_crate_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let (path, packed) = write(dir.path(), "a.box", Compression::Gzip(1));
    let into = dir.path().join("into");
    std::fs::create_dir(&into).unwrap();
    let file = File::open(&path).unwrap();
    let limits = crate::format::Limits::default();
    let unpacked = crate::format::unpack(file, &path, &into, "a.box", &limits, &Cancel::new(), &mut |_| {}).unwrap();
    assert_eq!(unpacked.sha256, packed.sha256);
    assert!(std::fs::read(into.join("box.img")).unwrap() == std::fs::read(dir.path().join("disk")).unwrap());
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(File::open(&path).unwrap()));
    let names: Vec<String> = archive.entries().unwrap().map(|e| e.unwrap().path().unwrap().display().to_string()).collect();
    assert_eq!(names[..3], ["metadata.json", "box.img", "vagrant_private_key"]);
}

#[test]
fn programs_of_this_host_read_it() {
    let dir = tempfile::tempdir().unwrap();
    for (program, compression) in [("tar", Compression::Gzip(9)), ("bsdtar", Compression::Gzip(6)), ("bsdtar", Compression::Zstd(3))] {
        if kiste_core::host::find(program).is_none() {
            continue;
        }
        let (path, _) = write(dir.path(), "a.box", compression);
        let into = dir.path().join(format!("{program}-{compression:?}"));
        std::fs::create_dir(&into).unwrap();
        let read = kiste_core::host::Program::new(program).dir(&into).arg("-xf").arg(&path).output(&Cancel::new());
        read.unwrap_or_else(|e| panic!("{program}: {e}"));
        assert!(std::fs::read(into.join("box.img")).unwrap() == std::fs::read(dir.path().join("disk")).unwrap());
    }
}

/// Compresses with so many threads.
fn compressed(data: &[u8], compression: Compression, threads: usize) -> Vec<u8> {
    let mut writer = BlockWriter::with_threads(Vec::new(), compression, threads);
    writer.write_all(data).unwrap();
    writer.finish().unwrap()
}

#[test]
fn the_number_of_threads_does_not_show() {
    let mut data: Vec<u8> = (0..1_500_000u32).flat_map(|i| (i / 5).to_le_bytes()).collect();
    data.extend(vec![0; 3 << 20]);
    for data in [&data[..], &[], b"x"] {
        for compression in all() {
            let one = compressed(data, compression, 1);
            for threads in [2, 3, 8] {
                assert!(one == compressed(data, compression, threads), "{compression:?} with {threads}");
            }
        }
    }
}

fn all() -> [Compression; 7] {
    use Compression::*;
    [None, Gzip(6), Zstd(3), Lz4(1), Bgzf(6), Xz(1), Deflate(9)]
}

#[test]
fn programs_undo_every_compression() {
    let dir = tempfile::tempdir().unwrap();
    let mut data: Vec<u8> = (0..700_000u32).flat_map(|i| (i / 3).to_le_bytes()).collect();
    data.extend(vec![0; 2 << 20]);
    let file = dir.path().join("data");
    for data in [&data[..], &[]] {
        std::fs::write(&file, data).unwrap();
        for (program, compression) in [
            ("gzip", Compression::Gzip(9)),
            ("gzip", Compression::Bgzf(6)),
            ("lz4", Compression::Lz4(0)),
            ("lz4", Compression::Lz4(9)),
            ("xz", Compression::Xz(6)),
            ("zstd", Compression::Zstd(3)),
        ] {
            if kiste_core::host::find(program).is_none() {
                continue;
            }
            let to = dir.path().join("packed");
            let entries = [PackEntry { name: "data".to_owned(), source: PackSource::File(file.clone()) }];
            pack_as(Shape::Bare, &entries, &to, compression, &Reporter::silent(), &Cancel::new()).unwrap();
            let packed = std::fs::read(&to).unwrap();
            let plain = kiste_core::host::Program::new(program).args(["-d", "-c"]).input(packed).output(&Cancel::new());
            assert!(plain.unwrap_or_else(|e| panic!("{program}: {e}")) == data, "{program} {compression:?}");
        }
    }
}

#[test]
fn a_zip_is_read_by_others() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (dir.path().join("a.zip"), dir.path().join("b.zip"));
    for to in [&first, &second] {
        pack_as(Shape::Zip(6), &entries(dir.path()), to, Compression::None, &Reporter::silent(), &Cancel::new()).unwrap();
    }
    assert!(std::fs::read(&first).unwrap() == std::fs::read(&second).unwrap());
    for (program, words) in [("unzip", &["-o", "-q"][..]), ("bsdtar", &["-x", "-f"]), ("python3", &["-m", "zipfile", "-e"])] {
        if kiste_core::host::find(program).is_none() {
            continue;
        }
        let into = dir.path().join(program);
        std::fs::create_dir(&into).unwrap();
        let read = kiste_core::host::Program::new(program).dir(&into).args(words).arg(&first);
        let read = if program == "python3" { read.arg(".") } else { read };
        read.output(&Cancel::new()).unwrap_or_else(|e| panic!("{program}: {e}"));
        assert!(std::fs::read(into.join("box.img")).unwrap() == std::fs::read(dir.path().join("disk")).unwrap(), "{program}");
        assert_eq!(std::fs::read_to_string(into.join("metadata.json")).unwrap(), r#"{"provider":"libvirt"}"#);
    }
}

#[test]
fn a_block_of_bgzf_tells_its_length() {
    let packed = compressed(&[7; 200_000], Compression::Bgzf(6), 2);
    let (mut at, mut blocks) = (0, 0);
    while at < packed.len() {
        assert_eq!(packed[at..at + 4], [0x1f, 0x8b, 8, 4]);
        at += usize::from(u16::from_le_bytes([packed[at + 16], packed[at + 17]])) + 1;
        blocks += 1;
    }
    assert_eq!((at, blocks), (packed.len(), 5));
}

#[test]
fn nothing_is_left_of_a_pack_that_failed() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("x.box");
    let missing = [PackEntry { name: "a".to_owned(), source: PackSource::File(dir.path().join("missing")) }];
    assert!(pack(&missing, &to, Compression::Gzip(6), &Reporter::silent(), &Cancel::new()).is_err());
    let cancel = Cancel::new();
    cancel.cancel();
    let some = entries(dir.path());
    assert!(matches!(pack(&some, &to, Compression::Zstd(1), &Reporter::silent(), &cancel), Err(Error::Cancelled(_))));
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["disk"]);
}
