//! Keys, host keys, refusals, reconnects.

use kiste_core::host::Program;
use kiste_core::machine::VerifyHostKey;
use kiste_core::{Cancel, Explain, Kind};

use super::server::{Server, Wish, sh, write_key};
use crate::communicator::Communicator;
use crate::error::Error;
use crate::ssh::Ssh;
use crate::ssh::keys::{self, KeyKind};

fn ready(ssh: &Ssh) -> Result<(), Error> {
    ssh.ready(&Cancel::new())
}

#[test]
fn every_kind_of_key_logs_in() {
    for (host_key, login_key) in [(KeyKind::Ed25519, KeyKind::Rsa), (KeyKind::Rsa, KeyKind::Ed25519)] {
        let Some(server) = Server::start(&Wish { host_key, login_key, ..Wish::default() }) else { return };
        let ssh = server.ssh();
        ready(&ssh).unwrap();
        assert!(!ssh.used_insecure_key() && !ssh.used_password());
        assert_eq!(ssh.preferred_key_kind(), KeyKind::Ed25519);
    }
}

#[test]
fn the_systems_own_tools_read_our_keys_and_pins() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    ready(&server.ssh()).unwrap();
    for kind in [KeyKind::Ed25519, KeyKind::Rsa] {
        let pair = keys::generate(kind, "kiste").unwrap();
        write_key(&server.path("key"), &pair);
        let read = Program::new("ssh-keygen").args(["-y", "-f"]).arg(server.path("key")).output(&Cancel::new()).unwrap();
        assert_eq!(String::from_utf8(read).unwrap().trim(), pair.public);
    }
    let done = Program::new("ssh")
        .args(["-F", "none", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o"])
        .arg(format!("UserKnownHostsFile={}", server.guest("known_host")))
        .args(["-p", &server.port.to_string(), "-i", &server.guest("login_key"), "127.0.0.1", "echo fine"])
        .capture(&Cancel::new())
        .unwrap();
    assert_eq!((String::from_utf8_lossy(&done.stdout).as_ref(), done.stderr.as_str()), ("fine\n", ""));
}

#[test]
fn well_known_keys_are_offered_only_when_asked_and_told() {
    for public in keys::insecure_public_keys() {
        let Some(server) = Server::start(&Wish::default()) else { return };
        std::fs::write(server.path("authorized_keys"), format!("{public}\n")).unwrap();
        let mut target = server.target();
        let error = ready(&Ssh::new(target.clone())).unwrap_err();
        assert!(matches!(&error, Error::Refused { accepts, .. } if accepts == "publickey"), "{error}");
        target.offer_insecure = true;
        let ssh = Ssh::new(target);
        ready(&ssh).unwrap();
        assert!(ssh.used_insecure_key());
    }
}

#[test]
fn a_refusal_says_what_was_tried_and_what_is_accepted() {
    let config = "PasswordAuthentication yes".to_owned();
    let Some(server) = Server::start(&Wish { config, ..Wish::default() }) else { return };
    std::fs::write(server.path("authorized_keys"), "").unwrap();
    let mut target = server.target();
    target.password = Some("wrong secret".to_owned());
    let error = ready(&Ssh::new(target)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("login_key`, the password;") && text.contains("accepts publickey, password)"), "{text}");
    assert!(!text.contains("wrong secret"));
    assert_eq!(error.kind(), Kind::Guest);
}

#[test]
fn more_keys_than_the_server_lets_pass_are_still_all_tried() {
    let config = "MaxAuthTries 2".to_owned();
    let Some(server) = Server::start(&Wish { config, ..Wish::default() }) else { return };
    let mut target = server.target();
    for n in 0..4 {
        let path = server.path(&format!("wrong{n}"));
        write_key(&path, &keys::generate(KeyKind::Ed25519, "").unwrap());
        target.keys.insert(0, path);
    }
    ready(&Ssh::new(target)).unwrap();
}

#[test]
fn a_protected_key_is_called_so_and_an_open_one_is_closed() {
    use std::os::unix::fs::PermissionsExt;
    let Some(server) = Server::start(&Wish::default()) else { return };
    let key = server.path("login_key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    ready(&server.ssh()).unwrap();
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    Program::new("ssh-keygen").args(["-q", "-p", "-N", "secret", "-f"]).arg(&key).output(&Cancel::new()).unwrap();
    let error = ready(&server.ssh()).unwrap_err();
    assert!(error.to_string().contains("protected by a passphrase"), "{error}");
}

#[test]
fn another_host_key_is_refused() {
    let Some(mut server) = Server::start(&Wish::default()) else { return };
    ready(&server.ssh()).unwrap();
    let pinned = std::fs::read_to_string(server.path("known_host")).unwrap();
    server.stop();
    write_key(&server.path("host_key"), &keys::generate(KeyKind::Ed25519, "").unwrap());
    assert!(server.listen(&Wish::default()));
    let error = ready(&server.ssh()).unwrap_err();
    assert!(matches!(error, Error::HostKeyChanged { .. }), "{error}");
    assert_eq!((error.kind(), error.hints().len()), (Kind::Verify, 1));
    assert_eq!(std::fs::read_to_string(server.path("known_host")).unwrap(), pinned);
    let mut careless = server.target();
    careless.verify = VerifyHostKey::Never;
    ready(&Ssh::new(careless)).unwrap();
}

#[test]
fn a_new_key_type_beside_the_pinned_one_is_no_change() {
    let config = "HostKeyAlgorithms ecdsa-sha2-nistp256,ssh-ed25519,rsa-sha2-512".to_owned();
    let Some(mut server) = Server::start(&Wish { host_key: KeyKind::Rsa, ..Wish::default() }) else { return };
    ready(&server.ssh()).unwrap();
    server.stop();
    write_key(&server.path("host_key_2"), &keys::generate(KeyKind::Ed25519, "").unwrap());
    let config = format!("{config}\nHostKey {}", server.guest("host_key_2"));
    assert!(server.listen(&Wish { config, ..Wish::default() }));
    ready(&server.ssh()).unwrap();
}

#[test]
fn an_unknown_host_is_refused_when_only_known_ones_are_wanted() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let mut target = server.target();
    target.verify = VerifyHostKey::Always;
    assert!(matches!(ready(&Ssh::new(target)), Err(Error::HostKeyUnknown { .. })));
}

#[test]
fn a_lost_connection_is_opened_again() {
    let Some(mut server) = Server::start(&Wish::default()) else { return };
    let ssh = server.ssh();
    assert_eq!(sh(&ssh, "echo one").1, "one\n");
    let broken = super::server::run(&ssh, &crate::GuestCommand::script("kill -9 $(ps -o ppid= -p $$)"));
    assert!(matches!(broken, Err(Error::Disconnected { .. })), "{broken:?}");
    assert_eq!(sh(&ssh, "echo two").1, "two\n");
    server.stop();
    ssh.reset();
    assert!(matches!(ready(&ssh), Err(Error::Connect { .. })));
}

#[test]
fn a_call_connects_again_when_the_first_try_fails() {
    let Some(mut server) = Server::start(&Wish::default()) else { return };
    server.stop();
    let mut target = server.target();
    (target.connect_retries, target.connect_retry_delay) = (1000, std::time::Duration::from_millis(20));
    let ssh = Ssh::new(target.clone());
    let out = std::thread::scope(|scope| {
        let call = scope.spawn(|| sh(&ssh, "echo there").1);
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(server.listen_again(&Wish::default()));
        call.join().unwrap()
    });
    assert_eq!(out, "there\n");
    server.stop();
    (target.connect_retries, target.known_host) = (2, None);
    let error = super::server::run(&Ssh::new(target), &crate::GuestCommand::script("true")).unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error}");
}

#[test]
fn a_guest_that_falls_silent_is_noticed() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let ssh = server.ssh();
    let (mut link, _) = ssh.link(&Cancel::new()).unwrap();
    link.patience = std::time::Duration::from_secs(3);
    link.session.set_keepalive(true, 1);
    ssh.give_back(link);
    let file = server.path("frozen");
    let text = format!("p=$(ps -o ppid= -p $$); echo $p > {}; kill -STOP $p; sleep 15", file.display());
    let result = ssh.run(&crate::GuestCommand::script(text), &Cancel::new(), &mut |_, _| {});
    let frozen = std::fs::read_to_string(&file).unwrap();
    Program::new("kill").args(["-9", frozen.trim()]).output(&Cancel::new()).unwrap();
    assert!(matches!(&result, Err(Error::Disconnected { reason }) if reason == "the guest answers no more"), "{result:?}");
}

#[test]
fn nobody_there_is_told_at_once() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = ready(&Ssh::new(crate::ssh::SshTarget::new("127.0.0.1", port, "x"))).unwrap_err();
    assert!(matches!(&error, Error::Connect { reason, .. } if reason == "connection refused"), "{error}");
}
