//! Files and folders, with SFTP and without.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use kiste_core::Cancel;

use super::server::{Server, Wish};
use crate::communicator::Communicator;
use crate::error::Error;

const ODD_NAMES: [&str; 6] = ["with space", "it's \"quoted\"", "new\nline", "-rf", "$(touch x);`y`", "ünï*?"];

fn both() -> Vec<Server> {
    [true, false].into_iter().filter_map(|sftp| Server::start(&Wish { sftp, ..Wish::default() })).collect()
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}

fn nothing_temporary(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().all(|e| !e.file_name().to_string_lossy().starts_with(".kiste-"))
}

#[test]
fn fifty_megabytes_there_and_back() {
    for server in both() {
        let bytes: Vec<u8> = (0..50_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        std::fs::write(server.path("big"), &bytes).unwrap();
        let ssh = server.ssh();
        let mut last = 0;
        ssh.upload(&server.path("big"), &server.guest("up"), 0o640, &Cancel::new(), &mut |n| last = n).unwrap();
        assert_eq!(last, bytes.len() as u64);
        assert_eq!(mode(&server.path("up")), 0o640);
        ssh.download(&server.guest("up"), &server.path("down"), &Cancel::new(), &mut |n| last = n).unwrap();
        assert_eq!(last, bytes.len() as u64);
        assert!(std::fs::read(server.path("down")).unwrap() == bytes);
        assert!(nothing_temporary(server.dir.path()));
    }
}

#[test]
fn odd_names_homes_and_missing_parents() {
    for server in both() {
        let ssh = server.ssh();
        for name in ODD_NAMES {
            let to = format!("{}/deep/er/{name}", server.guest("odd"));
            ssh.upload_bytes(name.as_bytes(), &to, 0o600, &Cancel::new()).unwrap();
            assert_eq!(std::fs::read(&to).unwrap(), name.as_bytes());
            ssh.download(&to, &server.path("back"), &Cancel::new(), &mut |_| {}).unwrap();
            assert_eq!(std::fs::read(server.path("back")).unwrap(), name.as_bytes());
        }
        ssh.upload_bytes(b"x", "~/in home/-f", 0o755, &Cancel::new()).unwrap();
        assert_eq!(mode(&server.path("home/in home/-f")), 0o755);
        ssh.download("~/in home/-f", &server.path("back"), &Cancel::new(), &mut |_| {}).unwrap();
        assert_eq!(std::fs::read(server.path("back")).unwrap(), b"x");
    }
}

#[test]
fn what_is_there_is_replaced_and_links_are_followed() {
    for server in both() {
        let ssh = server.ssh();
        std::fs::write(server.path("real"), "old and longer").unwrap();
        symlink("real", server.path("link")).unwrap();
        ssh.upload_bytes(b"new", &server.guest("link"), 0o644, &Cancel::new()).unwrap();
        assert_eq!(std::fs::read_to_string(server.path("real")).unwrap(), "new");
        assert!(server.path("link").is_symlink());
        ssh.upload_bytes(b"", &server.guest("real"), 0o644, &Cancel::new()).unwrap();
        assert_eq!(std::fs::read_to_string(server.path("real")).unwrap(), "");
    }
}

#[test]
fn what_can_not_be_copied_is_named_and_nothing_is_left() {
    for server in both() {
        let ssh = server.ssh();
        let up = ssh.upload_bytes(b"x", &server.guest("home"), 0o644, &Cancel::new()).unwrap_err();
        assert!(matches!(&up, Error::Transfer { reason, .. } if reason == "it is a folder"), "{up}");
        for to in ["~", "new/", ""] {
            assert!(matches!(ssh.upload_bytes(b"x", to, 0o644, &Cancel::new()), Err(Error::Transfer { .. })), "{to}");
        }
        for from in ["missing", "home"] {
            let down = ssh.download(&server.guest(from), &server.path("back"), &Cancel::new(), &mut |_| {}).unwrap_err();
            assert!(matches!(&down, Error::Transfer { what, .. } if what.ends_with(from)), "{down}");
        }
        assert!(!server.path("back").exists());
        assert!(nothing_temporary(server.dir.path()));
        ssh.download("/proc/version", &server.path("back"), &Cancel::new(), &mut |_| {}).unwrap();
        assert_eq!(std::fs::read("/proc/version").unwrap(), std::fs::read(server.path("back")).unwrap());
    }
}

#[test]
fn a_cancelled_copy_ends_at_once_and_leaves_no_file() {
    for server in both() {
        std::fs::write(server.path("big"), vec![7; 60_000_000]).unwrap();
        let ssh = server.ssh();
        let cancel = Cancel::new();
        let up = ssh.upload(&server.path("big"), &server.guest("up"), 0o644, &cancel, &mut |_| cancel.cancel());
        assert!(matches!(up, Err(Error::Cancelled(_))), "{up:?}");
        let cleaned = (0..200).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            nothing_temporary(server.dir.path())
        });
        assert!(cleaned, "a temporary file stays");
        assert!(!server.path("up").exists());
        let cancel = Cancel::new();
        let down = ssh.download(&server.guest("big"), &server.path("down"), &cancel, &mut |_| cancel.cancel());
        assert!(matches!(down, Err(Error::Cancelled(_))), "{down:?}");
        assert!(!server.path("down").exists());
    }
}

fn folder(at: &Path) {
    std::fs::create_dir_all(at.join("sub/empty")).unwrap();
    for name in ODD_NAMES {
        std::fs::write(at.join("sub").join(name), name).unwrap();
    }
    std::fs::write(at.join("run.sh"), "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(at.join("run.sh"), std::fs::Permissions::from_mode(0o751)).unwrap();
    std::fs::set_permissions(at.join("sub/empty"), std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::set_permissions(at.join("sub"), std::fs::Permissions::from_mode(0o555)).unwrap();
    symlink("sub/../run.sh", at.join("link")).unwrap();
    symlink("/nowhere", at.join("dangling")).unwrap();
    std::fs::write(at.join("x".repeat(120)), "long").unwrap();
}

fn assert_copied(to: &Path) {
    for name in ODD_NAMES {
        assert_eq!(std::fs::read_to_string(to.join("sub").join(name)).unwrap(), name);
    }
    assert_eq!([mode(&to.join("run.sh")), mode(&to.join("sub")), mode(&to.join("sub/empty"))], [0o751, 0o555, 0o700]);
    assert_eq!(std::fs::read_link(to.join("link")).unwrap(), Path::new("sub/../run.sh"));
    assert_eq!(std::fs::read_link(to.join("dangling")).unwrap(), Path::new("/nowhere"));
    assert!(to.join("x".repeat(120)).exists() && to.join("kept").exists());
    std::fs::set_permissions(to.join("sub"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn folders_keep_modes_and_links_and_delete_nothing() {
    for server in both() {
        let from = server.path("from");
        folder(&from);
        let to = server.path("to dir");
        std::fs::create_dir(&to).unwrap();
        std::fs::write(to.join("kept"), "").unwrap();
        let mut last = 0;
        server.ssh().upload_folder(&from, &server.guest("to dir"), &Cancel::new(), &mut |n| last = n).unwrap();
        assert!(last > 0);
        assert_copied(&to);
        std::fs::set_permissions(from.join("sub"), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn folders_come_out_with_what_links_lead_to_and_no_links() {
    for server in both() {
        let from = server.path("from");
        folder(&from);
        symlink("sub", from.join("again")).unwrap();
        std::fs::set_permissions(from.join("sub"), std::fs::Permissions::from_mode(0o755)).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, from.join("pipe"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        symlink(".", from.join("circle")).unwrap();
        let to = server.path("out/deep");
        let mut last = 0;
        server.ssh().download_folder(&server.guest("from/"), &to, &Cancel::new(), &mut |n| last = n).unwrap();
        assert!(last > 0);
        for sub in ["sub", "again"] {
            for name in ODD_NAMES {
                assert_eq!(std::fs::read_to_string(to.join(sub).join(name)).unwrap(), name);
            }
            assert!(to.join(sub).join("empty").is_dir() && !to.join(sub).is_symlink());
        }
        assert_eq!(std::fs::read_to_string(to.join("link")).unwrap(), "#!/bin/sh\n");
        assert!(!to.join("link").is_symlink());
        for absent in ["dangling", "pipe", "circle"] {
            assert!(to.join(absent).symlink_metadata().is_err(), "{absent}");
        }
        for wrong in ["missing", "from/run.sh"] {
            let error = server.ssh().download_folder(&server.guest(wrong), &to, &Cancel::new(), &mut |_| {}).unwrap_err();
            assert!(matches!(&error, Error::Transfer { what, .. } if what.ends_with(wrong)), "{error}");
        }
    }
}
