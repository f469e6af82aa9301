//! Copies of folders in a real guest.

use std::time::{Duration, Instant};

use kiste_comm::Communicator;
use kiste_core::Cancel;
use kiste_core::host;
use kiste_core::share::{Folder, FolderKind};

use super::server::{Server, mode, skip};
use crate::share::{Ground, HostTools, choose, sync, watch};

fn folder(server: &Server, host: &str, guest: &str) -> Folder {
    let text = serde_json::json!({ "host": server.path(host), "guest": server.at_guest(guest) });
    serde_json::from_value(text).unwrap()
}

fn server_with_rsync() -> Option<Server> {
    if host::find("rsync").is_none() || host::find("ssh").is_none() {
        skip("no rsync or no ssh on this host");
        return None;
    }
    let server = Server::start()?;
    // Pins the host key, which rsync's ssh then insists on.
    server.ssh.ready(&server.cancel).unwrap();
    Some(server)
}

#[test]
fn rsync_brings_changes_and_deletions() {
    let Some(server) = server_with_rsync() else { return };
    server.files(&["src/a", "src/deep/b c", "src/x.o", "src/.kiste/machines/k", "src/.vagrant/v", "src/sub/.vagrant/v"]);
    std::os::unix::fs::symlink("nowhere", server.path("src/dangling")).unwrap();
    std::os::unix::fs::symlink("a", server.path("src/link")).unwrap();
    let one = Folder { exclude: vec!["*.o".into()], ..folder(&server, "src", "guest/my place's") };
    let guest = server.guest();
    sync(&guest, &one, FolderKind::Rsync, Some(&server.target)).unwrap();
    assert_eq!(server.list("guest/my place's"), ["a", "deep/b c", "link"]);
    assert!(!server.path("guest/my place's/link").is_symlink(), "--copy-links");
    assert!(server.ear.everything().contains("has no referent"), "a dangling link is told, not fatal");
    std::fs::remove_file(server.path("src/deep/b c")).unwrap();
    sync(&guest, &one, FolderKind::Rsync, Some(&server.target)).unwrap();
    assert_eq!(server.list("guest/my place's"), ["a", "link"]);
}

#[test]
fn rsync_honours_its_settings() {
    let Some(server) = server_with_rsync() else { return };
    server.files(&["src/a", "guest/g/old"]);
    let one = Folder { args: Some(vec!["--recursive".into(), "--perms".into()]), read_only: true, ..folder(&server, "src", "guest/g") };
    sync(&server.guest(), &one, FolderKind::Rsync, Some(&server.target)).unwrap();
    assert_eq!(server.list("guest/g"), ["a", "old"], "no --delete among these arguments");
    assert_eq!(mode(&server.path("guest/g/a")) & 0o222, 0);
    let wrong = Folder { args: Some(vec!["--no-such-thing".into()]), ..one };
    let error = sync(&server.guest(), &wrong, FolderKind::Rsync, Some(&server.target)).unwrap_err().to_string();
    assert!(error.contains("exit code 1") && error.contains("no-such-thing"), "{error}");
}

#[test]
fn rsync_refuses_another_host_key_and_the_guests_root() {
    let Some(server) = server_with_rsync() else { return };
    server.files(&["src/a"]);
    let root = Folder { guest: "//".into(), ..folder(&server, "src", "g") };
    assert!(sync(&server.guest(), &root, FolderKind::Rsync, Some(&server.target)).unwrap_err().to_string().contains("own system"));
    let pair = kiste_comm::ssh::keys::generate(kiste_comm::ssh::keys::KeyKind::Ed25519, "").unwrap();
    std::fs::write(server.path("known_host"), format!("x {}\n", pair.public)).unwrap();
    let error = sync(&server.guest(), &folder(&server, "src", "g"), FolderKind::Rsync, Some(&server.target)).unwrap_err();
    assert!(error.to_string().contains("ost key"), "{error}");
    assert!(server.list("g").is_empty());
}

#[test]
fn a_plain_copy_needs_nothing_but_the_way_in() {
    let Some(server) = Server::start() else { return };
    server.files(&["src/a", "src/deep/b c", "src/deep/x.o", "src/.kiste/k", "src/whole/w"]);
    let one = Folder { exclude: vec!["*.o".into()], read_only: true, ..folder(&server, "src", "guest/copy") };
    for _ in 0..2 {
        sync(&server.guest(), &one, FolderKind::Sftp, None).unwrap();
        assert_eq!(server.list("guest/copy"), ["a", "deep/b c", "whole/w"]);
        assert_eq!(mode(&server.path("guest/copy/a")) & 0o222, 0);
    }
    // What was read-only is written over once it no longer is.
    sync(&server.guest(), &Folder { read_only: false, ..one }, FolderKind::Sftp, None).unwrap();
}

#[test]
fn a_real_guest_gets_the_kind_it_can() {
    let Some(server) = server_with_rsync() else { return };
    let guest = server.guest();
    let ground = Ground {
        allowed: &[],
        driver: &[],
        host: HostTools::find(&server.cancel),
        guest: Some(guest.os().unwrap()),
        key_login: true,
        state: std::path::Path::new("/nonexistent/state"),
    };
    let choice = choose(&folder(&server, "src", "g"), &ground).unwrap();
    assert_eq!(choice.kind, FolderKind::Rsync);
    assert!(!guest.os().unwrap().user.is_empty());
}

/// Waits for something that another thread does; fails rather than hangs.
fn until(what: &str, seen: impl Fn() -> bool) {
    let began = Instant::now();
    while !seen() {
        assert!(began.elapsed() < Duration::from_secs(60), "never came: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn watching_follows_until_cancelled() {
    let Some(server) = server_with_rsync() else { return };
    server.files(&["src/a", "src/gone", "src/skip/x"]);
    let one = Folder { exclude: vec!["skip/".into()], ..folder(&server, "src", "guest/g") };
    let cancel = Cancel::new();
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let guest = crate::Guest::new(&server.ssh, &server.reporter, &cancel);
            watch(&guest, &[&one], &server.target)
        });
        until("the first copy", || server.ear.everything().contains("Watching") || watching.is_finished());
        server.files(&["src/new/deep/n", "src/skip/y"]);
        std::fs::write(server.path("src/a"), "changed").unwrap();
        std::fs::remove_file(server.path("src/gone")).unwrap();
        let seen = || server.list("guest/g") == ["a", "new/deep/n"] && server.read("guest/g/a") == "changed";
        until("the changes", || seen() || watching.is_finished());
        // A folder made while watching is followed too.
        server.files(&["src/new/deep/later"]);
        until("a change in a new folder", || server.path("guest/g/new/deep/later").exists() || watching.is_finished());
        cancel.cancel();
        watching.join().unwrap().unwrap();
    });
    assert!(!server.path("guest/g/skip").exists());
}

#[test]
fn a_folder_over_the_home_leaves_the_way_in_open() {
    let Some(server) = server_with_rsync() else { return };
    server.files(&["src/a", "home/.ssh/authorized_keys", "home/old"]);
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(server.path("src"), PermissionsExt::from_mode(0o777)).unwrap();
    sync(&server.guest(), &folder(&server, "src", "home"), FolderKind::Rsync, Some(&server.target)).unwrap();
    assert_eq!(server.list("home"), [".ssh/authorized_keys", "a"]);
    assert_eq!(mode(&server.path("home")) & 0o022, 0, "sshd refuses a home that others can write to");
}

#[test]
fn the_owner_is_the_one_asked_for() {
    use std::os::unix::fs::MetadataExt;
    let Some(server) = server_with_rsync() else { return };
    if server.target.user != "root" {
        return skip("only root can give files away");
    }
    server.files(&["src/a"]);
    let one = Folder { owner: Some("nobody".into()), ..folder(&server, "src", "guest/g") };
    let nobody = |name: &str| {
        let meta = server.path(name).metadata().unwrap();
        meta.uid() == 65534 && meta.gid() == 65534
    };
    for (kind, target) in [(FolderKind::Rsync, Some(&server.target)), (FolderKind::Sftp, None)] {
        sync(&server.guest(), &one, kind, target).unwrap();
        assert!(nobody("guest/g") && nobody("guest/g/a"), "{kind}");
        std::fs::remove_dir_all(server.path("guest")).unwrap();
    }
    let wrong = Folder { owner: Some("no such user".into()), ..one };
    let error = sync(&server.guest(), &wrong, FolderKind::Sftp, None).unwrap_err().to_string();
    assert!(error.contains("for `no such user`"), "{error}");
}
