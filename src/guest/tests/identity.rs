//! Keys come in and go out of a real `authorized_keys`.

use kiste_comm::Communicator;
use kiste_comm::ssh::Ssh;
use kiste_comm::ssh::keys::{self, KeyKind};
use kiste_core::Cancel;

use super::server::{Server, mode};
use crate::identity::{Inserted, insert_key, remove_keys};

#[test]
fn a_new_key_lets_in_and_an_old_one_no_longer() {
    let Some(server) = Server::start() else { return };
    let guest = server.guest();
    let pair = keys::generate(KeyKind::Ed25519, "it's \"new\" $(x)").unwrap();
    let file = server.path("home/.ssh/authorized_keys");
    // `~/.ssh` is not there yet.
    assert_eq!(insert_key(&guest, &pair.public).unwrap(), Inserted::Added);
    assert_eq!(insert_key(&guest, &pair.public).unwrap(), Inserted::Already);
    assert_eq!(server.read("home/.ssh/authorized_keys"), format!("{}\n", pair.public.trim()));
    assert_eq!((mode(&server.path("home/.ssh")), mode(&file)), (0o700, 0o600));
    let mut target = server.target.clone();
    kiste_core::state_file::write(&server.path("new_key"), pair.private.as_bytes(), 0o600).unwrap();
    target.keys = vec![server.path("new_key")];
    let second = Ssh::new(target);
    second.ready(&Cancel::new()).unwrap();
    assert_eq!(remove_keys(&guest, &[&pair.public]).unwrap(), 1);
    assert_eq!(server.read("home/.ssh/authorized_keys"), "");
    second.reset();
    assert!(second.ready(&Cancel::new()).is_err());
}

#[test]
fn lines_of_others_stay_whole() {
    let Some(server) = Server::start() else { return };
    let guest = server.guest();
    let insecure = keys::insecure_public_keys();
    let pair = keys::generate(KeyKind::Ed25519, "new").unwrap();
    let blob = |line: &str| line.split_whitespace().nth(1).unwrap().to_owned();
    std::fs::create_dir_all(server.path("home/.ssh")).unwrap();
    let theirs = format!("# a # comment \\n\nfrom=\"10.0.0.1\",no-pty ssh-rsa {} old vagrant\n  ssh-rsa AAAAother x", blob(insecure[0]));
    std::fs::write(server.path("home/.ssh/authorized_keys"), &theirs).unwrap();
    std::fs::rename(server.path("home/.ssh/authorized_keys"), server.path("home/.ssh/real")).unwrap();
    std::os::unix::fs::symlink("real", server.path("home/.ssh/authorized_keys")).unwrap();
    // No newline at the end: the new key still gets a line of its own.
    insert_key(&guest, &pair.public).unwrap();
    assert_eq!(server.read("home/.ssh/real"), format!("{theirs}\n{}\n", pair.public.trim()));
    assert_eq!(remove_keys(&guest, insecure).unwrap(), 1);
    assert_eq!(server.read("home/.ssh/real"), format!("# a # comment \\n\n  ssh-rsa AAAAother x\n{}\n", pair.public.trim()));
    assert!(server.path("home/.ssh/authorized_keys").is_symlink());
    assert_eq!(remove_keys(&guest, insecure).unwrap(), 0);
}

#[test]
fn what_is_no_key_never_reaches_the_guest() {
    let Some(server) = Server::start() else { return };
    for line in ["", "ssh-rsa", "ssh-rsa AAAA\nssh-rsa AAAAevil", "ssh-rsa $(reboot)"] {
        assert!(insert_key(&server.guest(), line).is_err(), "{line}");
    }
    assert!(!server.path("home/.ssh").exists());
}
