//! Keys that a guest lets in for as long as a build needs them.

use kiste_comm::{Communicator, Error, GuestCommand, communicator::capture, quote};
use kiste_core::Cancel;

/// Lets the key of this line in as the user that the communicator is. A file without a newline at its end gets one.
pub fn let_in(public: &str, comm: &dyn Communicator, cancel: &Cancel) -> Result<(), Error> {
    let script = format!(
        "umask 077; f=~/.ssh/authorized_keys; mkdir -p ~/.ssh && {{ [ -z \"$(tail -c 1 \"$f\" 2>/dev/null)\" ] || echo; \
         printf '%s\\n' {}; }} >>\"$f\"",
        quote::word(public.trim_end())
    );
    capture(comm, &GuestCommand::script(script), cancel).map(drop)
}

/// Takes its line out again, for root too. A guest where it can't be found is fine.
pub fn keep_out(public: &str, comm: &dyn Communicator, cancel: &Cancel) -> Result<(), Error> {
    let script = format!(
        "k={}; for f in ~/.ssh/authorized_keys /root/.ssh/authorized_keys; do s=; [ -w \"$f\" ] || s='sudo -n'; \
         t=$($s cat \"$f\" 2>/dev/null) && printf '%s\\n' \"$t\" | grep -vxF -e \"$k\" | $s tee \"$f\" >/dev/null; done; true",
        quote::word(public.trim_end())
    );
    capture(comm, &GuestCommand::script(script), cancel).map(drop)
}

#[cfg(all(test, unix))]
mod tests {
    use std::path::Path;

    use kiste_comm::{GuestExit, communicator::Progress};
    use kiste_core::Stream;
    use kiste_core::host::Program;

    use super::*;

    /// This host's shell with another home.
    struct Here<'a>(&'a Path);

    impl Communicator for Here<'_> {
        fn ready(&self, _: &Cancel) -> Result<(), Error> {
            Ok(())
        }
        fn run(&self, command: &GuestCommand, cancel: &Cancel, _: &mut dyn FnMut(Stream, &[u8])) -> Result<GuestExit, Error> {
            // Nothing of the host's own root is to be touched.
            let text = command.text.replace("/root/.ssh", "/no/such");
            let done = Program::new("sh").args(["-c", &text]).env("HOME", self.0).capture(cancel).unwrap();
            Ok(GuestExit { code: done.status.code().unwrap() })
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

    #[test]
    fn a_key_comes_and_goes_and_others_stay() {
        for before in [None, Some("ssh-rsa AAA me\n"), Some("ssh-rsa AAA me")] {
            let home = tempfile::tempdir().unwrap();
            let file = home.path().join(".ssh/authorized_keys");
            if let Some(text) = before {
                std::fs::create_dir(home.path().join(".ssh")).unwrap();
                std::fs::write(&file, text).unwrap();
            }
            let read = || std::fs::read_to_string(&file).unwrap();
            let (guest, cancel) = (Here(home.path()), Cancel::new());
            let_in("ssh-ed25519 BBB a build's\n", &guest, &cancel).unwrap();
            let others = before.map_or(String::new(), |text| format!("{}\n", text.trim_end()));
            assert_eq!(read(), format!("{others}ssh-ed25519 BBB a build's\n"));
            keep_out("ssh-ed25519 BBB a build's\n", &guest, &cancel).unwrap();
            assert_eq!(read(), others);
        }
    }
}
