//! A port that accepts connections before anybody answers, as a hypervisor's forwarded port does.

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kiste_core::{Cancel, Reporter};

use super::server::{Server, Wish};
use crate::communicator::Communicator;
use crate::error::Error;
use crate::ssh::Ssh;
use crate::wait::{Sight, until_ready};

/// What the port does with one connection after the other; the rest are passed on.
#[derive(Clone, Copy)]
enum First {
    Close,
    Hang,
    Say(&'static [u8]),
}

struct Port {
    number: u16,
    over: Arc<AtomicBool>,
}

impl Drop for Port {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.number));
    }
}

fn pass(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}

fn port(first: &'static [First], then: u16) -> Port {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let number = listener.local_addr().unwrap().port();
    let over = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&over);
    std::thread::spawn(move || {
        let mut hanging = Vec::new();
        for (n, client) in listener.incoming().flatten().enumerate() {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            match first.get(n) {
                Some(First::Close) => drop(client),
                Some(First::Hang) => hanging.push(client),
                Some(First::Say(text)) => {
                    let mut client = client;
                    let _ = client.write_all(text);
                }
                None => {
                    let Ok(server) = TcpStream::connect(("127.0.0.1", then)) else { continue };
                    pass(&client, &server);
                    pass(&server, &client);
                }
            }
        }
    });
    Port { number, over }
}

#[test]
fn the_wait_gets_through_resets_and_silence() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    for first in [&[First::Close; 5] as &'static [First], &[First::Hang; 2], &[First::Hang, First::Close]] {
        let port = port(first, server.port);
        let mut target = server.target();
        target.port = port.number;
        let ssh = Ssh::new(target);
        until_ready(&ssh, &Reporter::silent(), Duration::from_secs(60), &Cancel::new(), &mut || Ok(Sight::default())).unwrap();
    }
}

#[test]
fn a_guest_that_has_no_network_yet_is_hardly_asked() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    // The first connection is lost in the guest that boots; the second would be answered.
    let port = port(&[First::Hang], server.port);
    let mut target = server.target();
    target.port = port.number;
    let mut looks = 0;
    let mut sight = || {
        looks += 1;
        Ok(Sight { line: Some(format!("it boots ({looks})")), network: Some(looks > 8) })
    };
    until_ready(&Ssh::new(target), &Reporter::silent(), Duration::from_secs(60), &Cancel::new(), &mut sight).unwrap();
    assert!(looks > 8, "asked again before the card was up: after {looks} looks");
}

#[test]
fn what_a_port_says_instead_of_a_banner_is_told() {
    let cases: [(&'static [First], &str); 3] = [
        (&[First::Say(b"Not allowed at this time\r\n")], "the server refused: `Not allowed at this time`"),
        (&[First::Say(&[b'x'; 2000])], "not an ssh server"),
        (&[First::Close], "closed before an ssh banner"),
    ];
    for (first, expected) in cases {
        let port = port(first, 1);
        let error = Ssh::new(crate::ssh::SshTarget::new("127.0.0.1", port.number, "x")).ready(&Cancel::new()).unwrap_err();
        assert!(matches!(&error, Error::Handshake { reason, .. } if reason.contains(expected)), "{error}");
    }
}

#[test]
fn a_silent_port_is_given_up_and_called_so() {
    let port = port(&[First::Hang; 100], 1);
    let mut target = crate::ssh::SshTarget::new("127.0.0.1", port.number, "x");
    target.connect_timeout = Duration::from_millis(200);
    let error = Ssh::new(target).ready(&Cancel::new()).unwrap_err();
    assert!(matches!(&error, Error::Handshake { reason, .. } if reason == "tcp open, no ssh banner yet"), "{error}");
}
