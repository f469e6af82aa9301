//! What the wait makes of a guest's answers.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use kiste_core::{Cancel, Kind, Reporter, Stream};

use super::*;
use crate::communicator::{GuestCommand, GuestExit, Progress};

type Answer = fn() -> Result<(), Error>;

/// Answers `ready` from a list; the last answer is given for ever.
struct Answers {
    list: Mutex<Vec<Answer>>,
    hangs: bool,
}

impl Answers {
    fn new(list: &[Answer]) -> Self {
        Self { list: Mutex::new(list.iter().rev().copied().collect()), hangs: false }
    }
}

impl Communicator for Answers {
    fn ready(&self, cancel: &Cancel) -> Result<(), Error> {
        if self.hangs {
            cancel.sleep(Duration::from_secs(600))?;
        }
        let mut list = self.list.lock().unwrap();
        let next = if list.len() > 1 { list.pop().unwrap() } else { list[0] };
        next()
    }
    fn run(&self, _: &GuestCommand, _: &Cancel, _: &mut dyn FnMut(Stream, &[u8])) -> Result<GuestExit, Error> {
        unreachable!()
    }
    fn upload(&self, _: &Path, _: &str, _: u32, _: &Cancel, _: Progress<'_>) -> Result<(), Error> {
        unreachable!()
    }
    fn upload_bytes(&self, _: &[u8], _: &str, _: u32, _: &Cancel) -> Result<(), Error> {
        unreachable!()
    }
    fn upload_folder(&self, _: &Path, _: &str, _: &Cancel, _: Progress<'_>) -> Result<(), Error> {
        unreachable!()
    }
    fn download(&self, _: &str, _: &Path, _: &Cancel, _: Progress<'_>) -> Result<(), Error> {
        unreachable!()
    }
    fn download_folder(&self, _: &str, _: &Path, _: &Cancel, _: Progress<'_>) -> Result<(), Error> {
        unreachable!()
    }
    fn reset(&self) {}
}

fn connect() -> Result<(), Error> {
    Err(Error::Connect { address: "a".into(), reason: "connection refused".into() })
}

fn banner() -> Result<(), Error> {
    Err(Error::Handshake { address: "a".into(), reason: "tcp open, no ssh banner yet".into() })
}

fn refused() -> Result<(), Error> {
    Err(Error::Refused { user: "u".into(), address: "a".into(), tried: "key `k`".into(), accepts: "publickey".into() })
}

fn changed() -> Result<(), Error> {
    Err(Error::HostKeyChanged { address: "a".into(), pinned: "p".into(), offered: "o".into() })
}

fn wait(list: &[Answer], time: Duration) -> Result<(), WaitError> {
    until_ready(&Answers::new(list), &Reporter::silent(), time, &Cancel::new(), &mut || Ok(Sight::default()))
}

#[test]
fn it_goes_on_until_the_guest_is_there() {
    wait(&[connect, banner, refused, connect, || Ok(())], Duration::from_secs(60)).unwrap();
}

#[test]
fn a_timeout_names_the_last_thing_seen_and_all_before_it() {
    let mut serial = || Ok(Sight { line: Some("serial: Booting".to_owned()), network: None });
    let error = until_ready(
        &Answers::new(&[connect, connect, banner]),
        &Reporter::silent(),
        Duration::from_millis(600),
        &Cancel::new(),
        &mut serial,
    )
    .unwrap_err();
    assert_eq!(error.last_seen, "tcp open, no ssh banner yet; serial: Booting");
    assert_eq!(error.attempts.len(), 2);
    assert!(error.attempts[0].ends_with("connection refused (2 times)"), "{:?}", error.attempts);
    assert!(matches!(error.cause, WaitCause::TimedOut));
    assert_eq!(error.kind(), Kind::Guest);
}

#[test]
fn a_changed_host_key_ends_it_at_once() {
    let error = wait(&[banner, changed], Duration::from_secs(600)).unwrap_err();
    assert_eq!((error.kind(), error.hints().len()), (Kind::Verify, 1));
    assert!(error.to_string().contains("changed"), "{error}");
}

#[test]
fn a_login_that_stays_refused_ends_it_even_when_the_server_then_falls_silent() {
    let mut watch = Watch::new(&Reporter::silent(), Duration::from_secs(600));
    watch.refused_limit = Duration::from_millis(10);
    let answers = Answers::new(&[refused, banner]);
    let error = watch.until_ready(&answers, &Cancel::new(), &mut || Ok(Sight::default())).unwrap_err();
    assert!(matches!(&error.cause, WaitCause::Permanent(e) if matches!(**e, Error::Refused { .. })));
    assert!(error.to_string().contains("tried key `k`; the guest accepts publickey"), "{error}");
}

#[test]
fn a_dead_machine_ends_it_while_a_try_hangs() {
    let mut looks = 0;
    let mut alive = || {
        looks += 1;
        if looks < 3 { Ok(Sight::default()) } else { Err("qemu was killed".to_owned()) }
    };
    let error = until_ready(
        &Answers { list: Mutex::default(), hangs: true },
        &Reporter::silent(),
        Duration::from_secs(600),
        &Cancel::new(),
        &mut alive,
    )
    .unwrap_err();
    assert!(matches!(&error.cause, WaitCause::Died(why) if why == "qemu was killed"));
}

#[test]
fn a_cancel_is_no_failure_of_the_guest() {
    let cancel = Cancel::new();
    cancel.cancel();
    let error =
        until_ready(&Answers::new(&[connect]), &Reporter::silent(), Duration::from_secs(600), &cancel, &mut || Ok(Sight::default()))
            .unwrap_err();
    assert_eq!(error.kind(), Kind::Interrupted);
}
