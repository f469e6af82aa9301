//! Boxes and catalogs as people publish them, small.

use std::path::Path;

use sha2::{Digest, Sha256};

/// One file of an archive.
pub type Entry<'a> = (&'a str, Vec<u8>);

/// An empty qcow2 image of 1 GiB: header, one refcount table and block, one L1 table.
pub fn qcow2() -> Vec<u8> {
    let mut header: Vec<u8> = Vec::new();
    header.extend(b"QFI\xfb");
    header.extend(3u32.to_be_bytes());
    header.extend([0; 12]); // no backing file
    header.extend(16u32.to_be_bytes()); // clusters of 64 KiB
    header.extend((1u64 << 30).to_be_bytes());
    header.extend(0u32.to_be_bytes()); // not encrypted
    header.extend(2u32.to_be_bytes()); // L1 entries
    header.extend(0x3_0000u64.to_be_bytes());
    header.extend(0x1_0000u64.to_be_bytes());
    header.extend(1u32.to_be_bytes());
    header.extend([0; 12]); // no snapshots
    header.extend([0; 24]); // no features
    header.extend(4u32.to_be_bytes()); // refcounts of 16 bits
    header.extend(104u32.to_be_bytes());
    header.resize(0x4_0000, 0);
    header
}

/// A box for `provider`.
pub fn write(path: &Path, provider: &str) {
    let metadata = format!("{{\"provider\":\"{provider}\",\"format\":\"qcow2\",\"virtual_size\":1}}");
    write_entries(path, &[("metadata.json", metadata.into_bytes()), ("box.img", qcow2())]);
}

/// An archive of any content, gzip.
pub fn write_entries(path: &Path, entries: &[Entry<'_>]) {
    let file = std::fs::File::create(path).expect("a file");
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(file, flate2::Compression::fast()));
    for (name, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        // Set as bytes: a hostile name is part of what is tested.
        let field = &mut header.as_gnu_mut().expect("a GNU header").name;
        field[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, content.as_slice()).expect("an entry");
    }
    archive.into_inner().expect("an archive").finish().expect("a box");
}

/// A catalog document with one version of one box, kept in `file`.
pub fn catalog(name: &str, version: &str, file: &Path) -> String {
    let digest = hex::encode(Sha256::digest(std::fs::read(file).expect("the box")));
    serde_json::json!({
        "name": name,
        "versions": [{ "version": version, "providers": [{
            "name": "libvirt", "url": format!("file://{}", file.display()), "checksum_type": "sha256", "checksum": digest,
        }] }],
    })
    .to_string()
}
