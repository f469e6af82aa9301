//! The interactive session at a pseudo terminal, and the forwarded agent.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;

use kiste_core::Cancel;
use kiste_core::host::Program;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::server::{Server, Wish, run};
use crate::communicator::GuestCommand;
use crate::error::Error;
use crate::ssh::interactive::{self, Console};

fn terminal() -> (File, File) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    tcsetwinsize(&slave, Winsize { ws_row: 33, ws_col: 77, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    (File::from(master), slave)
}

fn is_raw(terminal: &File) -> bool {
    !tcgetattr(terminal).unwrap().local_modes.contains(LocalModes::ECHO)
}

#[test]
fn a_terminal_session_is_raw_sized_and_leaves_the_terminal_as_it_was() {
    let Some(server) = Server::with_terminals() else { return };
    let ssh = server.ssh();
    let (mut master, slave) = terminal();
    let output = tempfile::tempfile().unwrap();
    let mut shown = output.try_clone().unwrap();
    let code = std::thread::scope(|scope| {
        let session = scope.spawn(|| {
            let (link, _) = ssh.link(&Cancel::new()).unwrap();
            let console = Console { input: slave.as_fd(), output: output.as_fd(), errors: output.as_fd() };
            interactive::session(&link, Some("stty size; read -r x; echo \"got $x\"; exit 9"), console, &Cancel::new())
        });
        while !is_raw(&slave) && !session.is_finished() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        master.write_all(b"typed\r").unwrap();
        session.join().unwrap()
    });
    assert_eq!(code.unwrap(), 9);
    assert!(!is_raw(&slave));
    std::io::Seek::rewind(&mut shown).unwrap();
    let mut text = String::new();
    shown.read_to_string(&mut text).unwrap();
    assert!(text.contains("33 77") && text.contains("got typed"), "{text}");
}

#[test]
fn without_a_terminal_bytes_pass_unchanged() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let ssh = server.ssh();
    let (link, _) = ssh.link(&Cancel::new()).unwrap();
    let mut files = [(); 3].map(|()| tempfile::tempfile().unwrap());
    files[0].write_all(b"a\r\nb\x03").unwrap();
    for file in &mut files {
        std::io::Seek::rewind(file).unwrap();
    }
    let console = Console { input: files[0].as_fd(), output: files[1].as_fd(), errors: files[2].as_fd() };
    let code = interactive::session(&link, Some("cat; echo err >&2; exit 2"), console, &Cancel::new()).unwrap();
    let texts = [1, 2].map(|n| {
        let mut text = String::new();
        std::io::Seek::rewind(&mut files[n]).unwrap();
        files[n].read_to_string(&mut text).unwrap();
        text
    });
    assert_eq!((code, texts), (2, ["a\r\nb\x03".to_owned(), "err\n".to_owned()]));
}

#[test]
fn the_built_in_session_says_that_it_can_not_forward_an_agent() {
    let mut target = crate::ssh::SshTarget::new("127.0.0.1", 1, "x");
    target.forward_agent = true;
    assert!(matches!(crate::ssh::Ssh::new(target).terminal_session(None, &Cancel::new()), Err(Error::Lacks { .. })));
}

#[test]
fn commands_see_the_users_agent() {
    let Some(server) = Server::with_terminals() else { return };
    if std::env::var_os("SSH_AUTH_SOCK").is_none() {
        return again_with_an_agent();
    }
    let mut target = server.target();
    target.forward_agent = true;
    let ssh = crate::ssh::Ssh::new(target);
    let (code, out, err) = run(&ssh, &GuestCommand::script("ssh-add -l")).unwrap();
    assert!(matches!(code, 0 | 1) && !out.is_empty(), "{code} {out} {err}");
    let first = run(&ssh, &GuestCommand::script("echo $SSH_AUTH_SOCK")).unwrap().1;
    assert_eq!(run(&ssh, &GuestCommand::script("echo $SSH_AUTH_SOCK").sudo()).unwrap().1, first);
}

/// A test can't change its own environment, so it runs itself once more below an agent.
fn again_with_an_agent() {
    let myself = std::env::current_exe().unwrap();
    let agent = Program::new("ssh-agent").arg(myself).args(["--exact", "ssh::tests::terminal::commands_see_the_users_agent"]);
    let done = agent.capture(&Cancel::new()).unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}
