//! A guest that goes down and comes back.

use std::path::Path;
use std::sync::Mutex;

use kiste_comm::communicator::Progress;
use kiste_comm::fake::{Answer, FakeGuest};
use kiste_comm::{Communicator, GuestExit};
use kiste_core::provision::{Provisioner, ProvisionerKind, Run, Shell};
use kiste_core::{Cancel, Reporter, Stream};

use super::*;
use crate::provision::{ProvisionContext, provision};

fn answer(when: &str, stdout: &str, code: i32) -> Answer {
    Answer { when: when.to_owned(), stdout: stdout.to_owned(), code, ..Answer::default() }
}

#[test]
fn each_system_goes_down_its_own_way() {
    for (kernel, words) in [("Linux", "shutdown -h now"), ("FreeBSD", "shutdown -p now"), ("OpenBSD", "shutdown -p -h now")] {
        let fake = FakeGuest::answering(vec![answer("kiste-facts", &format!("uname {kernel}\n"), 0)]);
        let (reporter, cancel) = (Reporter::silent(), Cancel::new());
        shut_down(&Guest::new(&fake, &reporter, &cancel)).unwrap();
        let last = fake.commands().pop().unwrap();
        assert!(last.privileged && last.text.contains(words), "{}", last.text);
    }
}

#[test]
fn a_guest_that_refuses_is_an_error_but_one_that_dies_is_not() {
    for (code, fine) in [(1, false), (143, true)] {
        let fake = FakeGuest::answering(vec![answer("kiste-facts", "uname Linux\n", 0), answer("shutdown", "", code)]);
        let (reporter, cancel) = (Reporter::silent(), Cancel::new());
        assert_eq!(shut_down(&Guest::new(&fake, &reporter, &cancel)).is_ok(), fine);
    }
}

#[test]
fn a_guest_that_never_goes_down_times_out_and_says_so() {
    let fake = FakeGuest::answering(vec![answer("kiste-facts", "uname Linux\n", 0), answer("boot_id", "same", 0)]);
    let (reporter, cancel) = (Reporter::silent(), Cancel::new());
    let error = reboot(&Guest::new(&fake, &reporter, &cancel), Duration::ZERO).unwrap_err();
    assert!(error.to_string().ends_with("(last seen: going down)"), "{error}");
}

/// Goes down when told to, is away for two tries, comes back with another boot id.
#[derive(Default)]
struct Sleeper {
    inner: FakeGuest,
    /// Boots so far, tries until it is back.
    state: Mutex<(u32, u32)>,
}

impl Sleeper {
    fn boots(&self) -> u32 {
        self.state.lock().unwrap().0
    }
}

impl Communicator for Sleeper {
    fn ready(&self, _: &Cancel) -> Result<(), kiste_comm::Error> {
        let mut state = self.state.lock().unwrap();
        if state.1 == 0 {
            return Ok(());
        }
        state.1 -= 1;
        Err(kiste_comm::Error::Connect { address: "it".into(), reason: "connection refused".into() })
    }

    fn run(&self, command: &GuestCommand, cancel: &Cancel, output: &mut dyn FnMut(Stream, &[u8])) -> Result<GuestExit, kiste_comm::Error> {
        if command.text.contains("boot_id") {
            output(Stream::Stdout, format!("boot {}\n", self.boots()).as_bytes());
        } else if command.text.contains("shutdown -r") || command.text.contains("/down") {
            let mut state = self.state.lock().unwrap();
            *state = (state.0 + 1, 2);
            return Err(kiste_comm::Error::Disconnected { reason: "eof".into() });
        }
        self.inner.run(command, cancel, output)
    }

    fn upload(&self, from: &Path, to: &str, mode: u32, cancel: &Cancel, progress: Progress<'_>) -> Result<(), kiste_comm::Error> {
        self.inner.upload(from, to, mode, cancel, progress)
    }
    fn upload_bytes(&self, bytes: &[u8], to: &str, mode: u32, cancel: &Cancel) -> Result<(), kiste_comm::Error> {
        self.inner.upload_bytes(bytes, to, mode, cancel)
    }
    fn upload_folder(&self, from: &Path, to: &str, cancel: &Cancel, progress: Progress<'_>) -> Result<(), kiste_comm::Error> {
        self.inner.upload_folder(from, to, cancel, progress)
    }
    fn download(&self, from: &str, to: &Path, cancel: &Cancel, progress: Progress<'_>) -> Result<(), kiste_comm::Error> {
        self.inner.download(from, to, cancel, progress)
    }
    fn download_folder(&self, from: &str, to: &Path, cancel: &Cancel, progress: Progress<'_>) -> Result<(), kiste_comm::Error> {
        self.inner.download_folder(from, to, cancel, progress)
    }
    fn reset(&self) {}
}

#[test]
fn a_reboot_is_over_when_the_boot_is_another_one() {
    let (sleeper, reporter, cancel) = (Sleeper::default(), Reporter::silent(), Cancel::new());
    reboot(&Guest::new(&sleeper, &reporter, &cancel), REBOOT_TIMEOUT).unwrap();
    assert_eq!(sleeper.boots(), 1);
    cancel.cancel();
    let error = reboot(&Guest::new(&sleeper, &reporter, &cancel), REBOOT_TIMEOUT).unwrap_err();
    assert_eq!(kiste_core::Explain::kind(&error), kiste_core::Kind::Interrupted);
}

#[test]
fn a_provisioner_reboots_once_by_itself_or_by_kiste() {
    for script in ["true", "/down"] {
        let (sleeper, reporter, cancel) = (Sleeper::default(), Reporter::silent(), Cancel::new());
        let back = std::cell::Cell::new(0);
        let after_reboot = || {
            back.set(back.get() + 1);
            Ok(())
        };
        let upload_path = Some(script.to_owned());
        let shell = Shell { inline: Some(String::new()), reboot: true, upload_path, ..Shell::default() };
        let p = Provisioner {
            name: None,
            kind: ProvisionerKind::Shell(shell),
            run: Run::Once,
            before: None,
            after: None,
            preserve_order: false,
            communicator_required: true,
        };
        let context = ProvisionContext { project_root: Path::new("/"), after_reboot: &after_reboot };
        provision(&p, &Guest::new(&sleeper, &reporter, &cancel), &context).unwrap();
        assert_eq!((sleeper.boots(), back.get()), (1, 1), "{script}");
    }
}
