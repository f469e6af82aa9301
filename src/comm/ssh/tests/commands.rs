//! Commands: streams, exit codes, input, privileges, cancel.

use std::time::{Duration, Instant};

use kiste_core::{Cancel, Stream};

use super::server::{Server, Wish, run, sh};
use crate::communicator::{Communicator, GuestCommand};
use crate::error::Error;
use crate::ssh::Ssh;

#[test]
fn streams_stay_apart_and_exit_codes_come_back() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let ssh = server.ssh();
    assert_eq!(sh(&ssh, "echo out; echo err >&2"), (0, "out\n".into(), "err\n".into()));
    assert_eq!(sh(&ssh, "exit 3").0, 3);
    assert_eq!(sh(&ssh, "false").0, 1);
    assert_eq!(sh(&ssh, "kill -TERM $$").0, 143);
    assert_eq!(sh(&ssh, "set -e; trap 'echo bye' EXIT; false; echo never"), (1, "bye\n".into(), String::new()));
    assert_eq!(sh(&ssh, "exec sh -c 'echo replaced; exit 4'"), (4, "replaced\n".into(), String::new()));
    assert_ne!(sh(&ssh, "echo 'open").0, 0, "a syntax error fails");
}

#[test]
fn noise_of_the_login_is_not_output() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    std::fs::write(server.path("home/.bash_profile"), "echo MOTD; echo noise >&2; export FROM_PROFILE=yes\n").unwrap();
    std::fs::write(server.path("home/.bashrc"), "echo bashrc\n").unwrap();
    assert_eq!(sh(&server.ssh(), "echo $FROM_PROFILE"), (0, "yes\n".into(), String::new()));
}

#[test]
fn big_input_comes_back_whole() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let input: Vec<u8> = (0..5_000_000u32).map(|n| (n % 251) as u8).collect();
    let mut output = Vec::new();
    let command = GuestCommand::script("cat; cat >&2 </dev/null").input(input.clone());
    let exit = server.ssh().run(&command, &Cancel::new(), &mut |_, bytes| output.extend_from_slice(bytes)).unwrap();
    assert!(exit.success());
    assert!(output == input, "{} of {} bytes", output.len(), input.len());
}

#[test]
fn much_output_on_both_streams_does_not_stick() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let (code, out, err) = sh(&server.ssh(), "head -c 6000000 /dev/zero >&2 & head -c 6000000 /dev/zero; wait");
    assert_eq!((code, out.len(), err.len()), (0, 6_000_000, 6_000_000));
}

#[test]
fn a_command_may_ignore_its_input() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let command = GuestCommand::script("exit 5").input(vec![b'x'; 3_000_000]);
    assert_eq!(run(&server.ssh(), &command).unwrap().0, 5);
}

#[test]
fn without_input_there_is_an_end_of_file() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    assert_eq!(sh(&server.ssh(), "cat; echo done").1, "done\n");
}

#[test]
fn variables_pass_whatever_they_hold_and_stay_out_of_the_process_list() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let value = "it's \"$(reboot)\" \\n `x`\n\ttwo % lines\\";
    let ssh = server.ssh();
    let command = GuestCommand::script("printf %s \"$SECRET\"").env("SECRET", value);
    assert_eq!(run(&ssh, &command).unwrap().1, value);
    let command = GuestCommand::script("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").env("SECRET", "unbelievable-42");
    let listed = run(&ssh, &command.sudo()).unwrap().1;
    assert!(listed.contains("sshd") && !listed.contains("unbelievable-42"), "{listed}");
}

#[test]
fn privileged_commands_go_through_the_sudo_command() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let ssh = server.ssh();
    let command = GuestCommand::script("echo $PRIVILEGED $X; cat").env("X", "y").input("in").sudo();
    assert_eq!(run(&ssh, &command).unwrap().1, "yes y\nin");
    let mut broken = server.target();
    broken.sudo_command = "no-such-sudo %c".to_owned();
    let (code, out, err) = run(&Ssh::new(broken), &GuestCommand::script("id").sudo()).unwrap();
    assert_eq!((code, out.as_str()), (127, ""));
    assert!(err.contains("no-such-sudo"), "{err}");
}

#[test]
fn a_terminal_is_given_when_asked() {
    let Some(server) = Server::with_terminals() else { return };
    let mut command =
        GuestCommand::script("tty >/dev/null && echo terminal; read -r x; echo \"got $x $S\"; exit 6").env("S", "t").input("line\n");
    command.pty = true;
    let (code, out, err) = run(&server.ssh(), &command).unwrap();
    assert_eq!((code, out.as_str(), err.as_str()), (6, "terminal\ngot line t\n", ""));
}

#[test]
fn cancel_ends_the_call_and_the_command() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let ssh = server.ssh();
    let flag = server.guest("alive");
    let cancel = Cancel::new();
    let command = GuestCommand::script(format!("echo begun; while :; do touch {flag}; sleep 0.05; done"));
    let result = ssh.run(&command, &cancel, &mut |_, _| cancel.cancel());
    assert!(matches!(result, Err(Error::Cancelled(_))));
    let gone = (0..100).any(|_| {
        let _ = std::fs::remove_file(&flag);
        std::thread::sleep(Duration::from_millis(300));
        !server.path("alive").exists()
    });
    assert!(gone, "the command goes on");
    assert_eq!(sh(&ssh, "echo again").1, "again\n");
}

#[test]
fn a_process_in_the_background_does_not_hold_the_call() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let began = Instant::now();
    assert_eq!(sh(&server.ssh(), "sleep 30 & echo started"), (0, "started\n".into(), String::new()));
    assert!(began.elapsed() < Duration::from_secs(25), "it waited for the background process");
}

#[test]
fn output_comes_while_the_command_runs() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let gate = server.path("gate");
    let command = GuestCommand::script(format!("echo first; while ! [ -e {} ]; do sleep 0.02; done; echo second >&2", gate.display()));
    let mut seen = Vec::new();
    server
        .ssh()
        .run(&command, &Cancel::new(), &mut |stream, bytes| {
            seen.push((stream, String::from_utf8_lossy(bytes).into_owned()));
            std::fs::write(&gate, "").unwrap();
        })
        .unwrap();
    assert_eq!(seen, [(Stream::Stdout, "first\n".to_owned()), (Stream::Stderr, "second\n".to_owned())]);
}

#[test]
fn without_bash_sh_is_used_with_its_profile() {
    let dir = tempfile::tempdir().unwrap();
    let tools = ["sh", "cat", "rm", "mkdir", "id", "ps", "tr"];
    for tool in tools {
        let Some(path) = kiste_core::host::find(tool) else { return };
        std::os::unix::fs::symlink(path, dir.path().join(tool)).unwrap();
    }
    let Some(server) = Server::start(&Wish::default()) else { return };
    let mut target = server.target();
    target.shell = "no-such-bash -l".to_owned();
    std::fs::write(server.path("home/.profile"), "echo noise; FROM_PROFILE=yes\n").unwrap();
    let ssh = Ssh::new(target);
    assert_eq!(sh(&ssh, "echo $FROM_PROFILE"), (0, "yes\n".into(), String::new()));
    let command = GuestCommand::script("echo $PRIVILEGED; cat; exit 2").input("in").sudo();
    assert_eq!(run(&ssh, &command).unwrap(), (2, "yes\nin".into(), String::new()));
}

#[test]
fn threads_share_one_communicator() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let ssh = server.ssh();
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..6)
            .map(|n| {
                scope.spawn({
                    let ssh = &ssh;
                    move || sh(ssh, &format!("sleep 0.1; echo {n}")).1
                })
            })
            .collect();
        for (n, call) in calls.into_iter().enumerate() {
            assert_eq!(call.join().unwrap(), format!("{n}\n"));
        }
    });
}

#[test]
fn a_bare_line_is_for_the_guests_own_interpreter() {
    let Some(server) = Server::start(&Wish::default()) else { return };
    let ssh = server.ssh();
    let command = GuestCommand::bare("cat; echo \"$SSH_ORIGINAL_COMMAND\" >&2; exit 3").input("in");
    assert_eq!(run(&ssh, &command).unwrap(), (3, "in".to_owned(), "\n".to_owned()));
    let forced = Server::start(&Wish { config: "ForceCommand printf %s \"$SSH_ORIGINAL_COMMAND\"".to_owned(), ..Wish::default() }).unwrap();
    let line = r#"powershell "& { $x 'y' }" %PATH%"#;
    assert_eq!(run(&forced.ssh(), &GuestCommand::bare(line)).unwrap().1, line);
}
