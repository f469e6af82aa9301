//! A disk that fills up while a box is added: the error says where and how much, and nothing is left.

use std::process::Command;

use crate::harness::{Env, boxes};

/// Adds the box in a mount namespace whose store is a file system of 8 MiB, then counts what is left there.
const SCRIPT: &str = r#"
mount -t tmpfs -o size=8m tmpfs "$KISTE_HOME" || exit 77
"$KISTE" box add --name big/one "$BOX"
code=$?
echo "left: $(find "$KISTE_HOME" -type f -size +0 -not -path '*/locks/*' | wc -l)"
exit $code
"#;

/// Bytes that neither compress nor are holes.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let step = move |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(step).collect()
}

#[test]
fn a_disk_that_fills_up_while_a_box_is_added() {
    let env = Env::new();
    let disk = [boxes::qcow2(), noise(24 << 20)].concat();
    let file = env.project().join("big.box");
    boxes::write_entries(
        &file,
        &[("metadata.json", br#"{"provider":"libvirt","format":"qcow2","virtual_size":1}"#.to_vec()), ("box.img", disk)],
    );
    std::fs::create_dir_all(env.home()).unwrap();
    let done = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT])
        .env("KISTE", env!("CARGO_BIN_EXE_kiste"))
        .env("KISTE_HOME", env.home())
        .env("BOX", &file)
        .output()
        .unwrap();
    let (said, error) = (String::from_utf8_lossy(&done.stdout).into_owned(), String::from_utf8_lossy(&done.stderr).into_owned());
    if said.is_empty() && !error.contains("Error: ") {
        println!("skipped: this host lets nobody make a mount namespace: {error}");
        return;
    }
    assert_eq!(done.status.code(), Some(1), "{said}{error}");
    assert!(error.contains("no room") || error.contains("No space left") || error.contains("free"), "{error}");
    assert!(error.contains(&*env.home().to_string_lossy()), "it names the folder: {error}");
    assert!(said.contains("left: 0"), "{said}");
}
