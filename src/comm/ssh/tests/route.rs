//! Bastion hosts, proxies, tunnels, certificates, algorithms: against real servers.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kiste_core::Cancel;
use kiste_core::host::Program;

use super::server::{Server, Wish, sh};
use crate::communicator::Communicator;
use crate::error::Error;
use crate::ssh::keys::{self, KeyKind};
use crate::ssh::{Proxy, Route, Ssh, Transfer, Tunnel};

#[test]
fn a_bastion_leads_to_the_guest() {
    let (Some(bastion), Some(server)) = (Server::start(&Wish::default()), Server::start(&Wish::default())) else { return };
    let mut target = server.target();
    target.route = Route::Bastion(Box::new(bastion.target()));
    let ssh = Ssh::new(target);
    assert_eq!(sh(&ssh, "echo through"), (0, "through\n".to_owned(), String::new()));
    let big = vec![7u8; 3 << 20];
    ssh.upload_bytes(&big, &server.guest("big"), 0o600, &Cancel::new()).unwrap();
    assert_eq!(std::fs::read(server.path("big")).unwrap(), big);
    assert!(bastion.log().contains("Accepted publickey"), "{}", bastion.log());
}

#[test]
fn a_bastion_that_cannot_reach_the_guest_says_so() {
    let Some(bastion) = Server::start(&Wish::default()) else { return };
    let mut target = bastion.target();
    target.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    target.route = Route::Bastion(Box::new(bastion.target()));
    let error = Ssh::new(target).ready(&Cancel::new()).unwrap_err();
    assert!(matches!(error, Error::Connect { .. }) && error.to_string().contains("bastion"), "{error}");
}

#[test]
fn whoever_brings_an_ssh_of_their_own_goes_the_same_way() {
    let (Some(bastion), Some(server)) = (Server::start(&Wish::default()), Server::start(&Wish::default())) else { return };
    assert!(Ssh::new(server.target()).doorway().unwrap().is_none(), "there is a straight way");
    let served = Arc::new(AtomicUsize::new(0));
    let proxy = Proxy { host: "127.0.0.1".to_owned(), port: proxy(&served), login: Some(("user".to_owned(), "pass".to_owned())) };
    for route in [Route::Bastion(Box::new(bastion.target())), Route::Socks(proxy)] {
        let mut target = server.target();
        target.host = "localhost".to_owned();
        target.route = route;
        let door = Ssh::new(target).doorway().unwrap().expect("a way in");
        let mut straight = server.target();
        (straight.host, straight.port) = ("127.0.0.1".to_owned(), door.port());
        let ssh = Ssh::new(straight);
        assert_eq!(sh(&ssh, "echo through").1, "through\n");
        let big = vec![7u8; 1 << 20];
        ssh.upload_bytes(&big, &server.guest("big"), 0o600, &Cancel::new()).unwrap();
        assert_eq!(std::fs::read(server.path("big")).unwrap(), big);
        let port = door.port();
        drop(door);
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "it is closed");
    }
    assert!(served.load(Ordering::SeqCst) > 0 && bastion.log().contains("Accepted publickey"));
}

/// A SOCKS5 proxy of one's own: takes `user`/`pass`, connects, counts.
fn proxy(served: &Arc<AtomicUsize>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = Arc::clone(served);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let served = Arc::clone(&served);
            std::thread::spawn(move || serve(client, &served));
        }
    });
    port
}

fn serve(mut client: TcpStream, served: &AtomicUsize) -> Option<()> {
    let mut exactly = |n: usize| {
        let mut bytes = vec![0; n];
        client.read_exact(&mut bytes).ok().map(|()| bytes)
    };
    let methods = exactly(2)?[1];
    exactly(methods.into())?;
    client.write_all(&[5, 2]).ok()?;
    let mut exactly = |n: usize| {
        let mut bytes = vec![0; n];
        client.read_exact(&mut bytes).ok().map(|()| bytes)
    };
    let user = exactly(2)?[1];
    let user = exactly(user.into())?;
    let length = exactly(1)?[0];
    let password = exactly(length.into())?;
    let good = user == b"user" && password == b"pass";
    client.write_all(&[1, u8::from(!good)]).ok()?;
    let mut head = [0; 5];
    client.read_exact(&mut head).ok()?;
    let mut rest = vec![0; usize::from(head[4]) + 2];
    client.read_exact(&mut rest).ok()?;
    let host = String::from_utf8_lossy(&rest[..rest.len() - 2]).into_owned();
    let port = u16::from_be_bytes([rest[rest.len() - 2], rest[rest.len() - 1]]);
    let server = TcpStream::connect((host.as_str(), port)).ok()?;
    client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).ok()?;
    served.fetch_add(1, Ordering::SeqCst);
    let (mut from, mut to) = (client.try_clone().ok()?, server.try_clone().ok()?);
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut &server, &mut client).ok().map(drop)
}

#[test]
fn a_socks_proxy_leads_to_the_guest() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let served = Arc::new(AtomicUsize::new(0));
    let port = proxy(&served);
    let mut target = server.target();
    target.host = "localhost".to_owned();
    let with = |password: &str| {
        let login = Some(("user".to_owned(), password.to_owned()));
        let mut target = target.clone();
        target.route = Route::Socks(Proxy { host: "127.0.0.1".to_owned(), port, login });
        Ssh::new(target)
    };
    assert_eq!(sh(&with("pass"), "echo by proxy").1, "by proxy\n");
    assert_eq!(served.load(Ordering::SeqCst), 1);
    let error = with("wrong").ready(&Cancel::new()).unwrap_err().to_string();
    assert!(error.contains("user or password is wrong"), "{error}");
    assert!(!error.contains("wrong\""));
}

#[test]
fn tunnels_lead_in_and_out() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let echo = TcpListener::bind("127.0.0.1:0").unwrap();
    let echo_port = echo.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in echo.incoming().flatten() {
            std::thread::spawn(move || {
                let mut copy = client.try_clone().unwrap();
                std::io::copy(&mut copy, &mut client)
            });
        }
    });
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (inwards, outwards) = (free(), free());
    let to = ("127.0.0.1".to_owned(), echo_port);
    let mut target = server.target();
    target.tunnels = vec![Tunnel { listen: inwards, to: to.clone(), remote: false }, Tunnel { listen: outwards, to, remote: true }];
    let ssh = Ssh::new(target);
    ssh.ready(&Cancel::new()).unwrap();
    for port in [inwards, outwards] {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let said = vec![b'x'; 200_000];
        let copy = said.clone();
        let mut writer = socket.try_clone().unwrap();
        let writing = std::thread::spawn(move || writer.write_all(&copy).and_then(|()| writer.shutdown(std::net::Shutdown::Write)));
        let mut heard = Vec::new();
        socket.read_to_end(&mut heard).unwrap();
        writing.join().unwrap().unwrap();
        assert_eq!(heard.len(), said.len(), "port {port}");
    }
    drop(ssh);
    assert!(TcpStream::connect(("127.0.0.1", inwards)).is_err(), "a tunnel ends with its communicator");
}

#[test]
fn certificates_log_in() {
    for kind in [KeyKind::Ed25519, KeyKind::Rsa] {
        let Some(server) = Server::start(&Wish { login_key: kind, config: String::new(), ..Wish::default() }) else { return };
        let run = |args: &[&str]| Program::new("ssh-keygen").args(args).output(&Cancel::new()).unwrap();
        run(&["-q", "-t", "ed25519", "-N", "", "-f", &server.guest("ca")]);
        let public = keys::public_of(&std::fs::read_to_string(server.path("login_key")).unwrap()).unwrap();
        std::fs::write(server.path("login_key.pub"), public).unwrap();
        let user = server.target().user;
        run(&["-q", "-s", &server.guest("ca"), "-I", "test", "-n", &user, &server.guest("login_key.pub")]);
        let ca = std::fs::read_to_string(server.path("ca.pub")).unwrap();
        std::fs::write(server.path("authorized_keys"), format!("cert-authority {ca}")).unwrap();
        let mut target = server.target();
        assert!(Ssh::new(target.clone()).ready(&Cancel::new()).is_err(), "the key alone is not enough");
        target.certificate = Some(server.path("login_key-cert.pub"));
        Ssh::new(target).ready(&Cancel::new()).unwrap_or_else(|e| panic!("{kind:?}: {e}\n{}", server.log()));
    }
}

#[test]
fn ciphers_and_key_exchanges_are_those_that_were_asked_for() {
    let config = "Ciphers aes128-ctr\nKexAlgorithms diffie-hellman-group14-sha256".to_owned();
    let Some(server) = Server::start(&Wish { config, ..Wish::default() }) else { return };
    let with = |cipher: &str, exchange: &str| {
        let mut target = server.target();
        (target.ciphers, target.key_exchanges) = (vec![cipher.to_owned()], vec![exchange.to_owned()]);
        Ssh::new(target).ready(&Cancel::new())
    };
    with("aes128-ctr", "diffie-hellman-group14-sha256").unwrap();
    assert!(with("aes256-ctr", "diffie-hellman-group14-sha256").is_err());
    assert!(with("aes128-ctr", "ecdh-sha2-nistp256").is_err());
}

#[test]
fn files_go_the_way_that_was_asked_for() {
    let Some(server) = Server::start(&Wish { sftp: false, ..Wish::default() }) else { return };
    let with = |transfer: Transfer, name: &str| {
        let mut target = server.target();
        target.transfer = transfer;
        Ssh::new(target).upload_bytes(b"x", &server.guest(name), 0o600, &Cancel::new())
    };
    with(Transfer::Shell, "a").unwrap();
    with(Transfer::Any, "b").unwrap();
    let error = with(Transfer::Sftp, "c").unwrap_err().to_string();
    assert!(error.contains("no SFTP"), "{error}");
}

#[test]
fn every_new_kind_of_key_logs_in() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let pairs =
        [keys::generate_rsa(2048, "k"), keys::generate_ecdsa(256, "k"), keys::generate_ecdsa(384, "k"), keys::generate_ecdsa(521, "k")];
    for pair in pairs {
        let pair = pair.unwrap();
        super::server::write_key(&server.path("login_key"), &pair);
        std::fs::write(server.path("authorized_keys"), format!("{}\n", pair.public)).unwrap();
        server.ssh().ready(&Cancel::new()).unwrap_or_else(|e| panic!("{}: {e}\n{}", pair.public, server.log()));
    }
    assert!(keys::generate_ecdsa(100, "k").is_err());
}
