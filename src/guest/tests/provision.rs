//! `shell` and `file` in a real guest.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use kiste_core::provision::{FileCopy, Provisioner, ProvisionerKind, Run, Shell, ShellArgs};

use super::server::{Server, mode};
use crate::Error;
use crate::provision::{ProvisionContext, provision};

fn one(kind: ProvisionerKind) -> Provisioner {
    Provisioner {
        name: Some("mine".to_owned()),
        kind,
        run: Run::Once,
        before: None,
        after: None,
        preserve_order: false,
        communicator_required: true,
    }
}

fn run(server: &Server, kind: ProvisionerKind) -> Result<(), Error> {
    let context = ProvisionContext { project_root: server.dir.path(), after_reboot: &|| Ok(()) };
    provision(&one(kind), &server.guest(), &context)
}

fn shell(server: &Server, shell: Shell) -> Result<(), Error> {
    run(server, ProvisionerKind::Shell(shell))
}

fn inline(text: &str) -> Shell {
    Shell { inline: Some(text.to_owned()), privileged: Some(false), ..Shell::default() }
}

#[test]
fn lines_come_by_stream_and_arguments_as_written() {
    let Some(server) = Server::start() else { return };
    let args = ShellArgs::List(vec!["a b".into(), "$HOME".into(), "it's".into(), String::new()]);
    let text = "printf '[%s]\\n' \"$@\"\r\necho bad >&2\nprintf '%s' \"$PRIVILEGED $X\"";
    let env = BTreeMap::from([("X".to_owned(), "$(id) `id` \"q\"".to_owned())]);
    shell(&server, Shell { args, env, privileged: None, ..inline(text) }).unwrap();
    let mut lines = server.ear.output();
    lines.sort();
    assert_eq!(lines, ["1 [$HOME]", "1 []", "1 [a b]", "1 [it's]", "1 yes $(id) `id` \"q\"", "2 bad"]);
}

#[test]
fn a_line_of_arguments_is_the_shells_to_read() {
    let Some(server) = Server::start() else { return };
    shell(&server, Shell { args: ShellArgs::Line("\"a b\" $((1 + 2))".into()), ..inline("echo \"$#\" \"$2\"") }).unwrap();
    assert_eq!(server.ear.output(), ["1 2 3"]);
}

#[test]
fn shebangs_hold_and_without_one_bash_reads_it() {
    let Some(server) = Server::start() else { return };
    shell(&server, inline("#!/usr/bin/env -S sh -e\necho \"${BASH_VERSION:-plain}\"\n")).unwrap();
    shell(&server, inline("[[ a == a ]] && echo bash")).unwrap();
    assert_eq!(server.ear.output(), ["1 plain", "1 bash"]);
}

#[test]
fn a_failure_names_provisioner_code_and_what_was_said() {
    let Some(server) = Server::start() else { return };
    let error = shell(&server, inline("echo out; echo 'no such thing' >&2; exit 7")).unwrap_err();
    assert_eq!(error.to_string(), "provisioner `mine` failed with exit code 7: no such thing");
}

#[test]
fn secrets_show_nowhere() {
    let Some(server) = Server::start() else { return };
    let env = BTreeMap::from([("TOKEN".to_owned(), "hunter2\nsecond line".to_owned())]);
    let text = "echo \"a ${TOKEN}\"; ps axww | grep -c 'hunter[2]'; printf 'hunter' >&2; printf '2x\\n' >&2; exit 1";
    let error = shell(&server, Shell { sensitive: true, env, ..inline(text) }).unwrap_err();
    let all = format!("{error} {}", server.ear.everything());
    assert!(!all.contains("hunter2") && !all.contains("second line"), "{all}");
    assert_eq!(server.ear.output(), ["1 a *****", "1 *****", "1 0", "2 *****x"]);
}

#[test]
fn an_upload_path_of_the_users_stays_and_ours_goes() {
    let Some(server) = Server::start() else { return };
    shell(&server, inline("echo \"$0\"")).unwrap();
    let ours = server.ear.output()[0][2..].to_owned();
    assert!(ours.starts_with("/tmp/kiste-shell-") && !Path::new(&ours).exists());
    let theirs = Shell { upload_path: Some("~/a b/script".into()), ..inline("#!/bin/sh\r\necho x\r\n") };
    shell(&server, theirs.clone()).unwrap();
    assert_eq!(server.read("home/a b/script"), "#!/bin/sh\necho x\n");
    assert_eq!(mode(&server.path("home/a b/script")) & 0o700, 0o700);
    // Left as it is, the carriage return is part of the interpreter's name.
    assert!(shell(&server, Shell { binary: true, ..theirs }).is_err());
}

#[test]
fn a_script_from_an_address_is_checked_first() {
    let Some(server) = Server::start() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/s.sh", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        for status in ["200 OK", "200 OK", "404 Not Found"] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).unwrap();
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 11\r\nConnection: close\r\n\r\necho loaded").unwrap();
        }
    });
    let script = |algorithm: &str, digest: &str| Shell {
        path: Some(url.clone()),
        checksums: BTreeMap::from([(algorithm.to_owned(), digest.to_owned())]),
        ..Shell::default()
    };
    let md5 = hex::encode(<md5::Md5 as md5::Digest>::digest(b"echo loaded"));
    shell(&server, script("md5", &md5.to_uppercase())).unwrap();
    assert_eq!(server.ear.output(), ["1 loaded"]);
    assert!(matches!(shell(&server, script("sha256", &"0".repeat(64))), Err(Error::Checksum { .. })));
    let error = shell(&server, script("sha1", &"0".repeat(40))).unwrap_err();
    assert!(error.to_string().contains("404"), "{error}");
    assert_eq!(server.ear.output().len(), 1, "nothing ran unchecked");
    thread.join().unwrap();
}

#[test]
fn files_and_folders_keep_their_modes() {
    use std::os::unix::fs::PermissionsExt;
    let Some(server) = Server::start() else { return };
    server.files(&["src/a", "src/deep/b c"]);
    std::fs::set_permissions(server.path("src/a"), PermissionsExt::from_mode(0o750)).unwrap();
    std::os::unix::fs::symlink("a", server.path("src/link")).unwrap();
    let copy = |source: &str, destination: &str| {
        run(&server, ProvisionerKind::File(FileCopy { source: source.into(), destination: destination.into() })).unwrap();
    };
    copy("src/a", "~/one");
    copy("src/a", "~/below/");
    copy("src", "~/as");
    copy("src", "~/under/");
    copy("src/.", "~/content/");
    copy("src/deep/b c", "~/as");
    let tree = |top: &str| ["a", "deep/b c", "link"].map(|f| format!("{top}{f}"));
    let mut all = [vec!["below/a".to_owned(), "one".into(), "as/b c".into()], tree("as/").into(), tree("under/src/").into()].concat();
    all.extend(tree("content/"));
    all.sort();
    let mut seen = server.list("home");
    seen.sort();
    assert_eq!(seen, all);
    assert_eq!([mode(&server.path("home/one")), mode(&server.path("home/as/a"))], [0o750; 2]);
    assert!(server.path("home/as/link").is_symlink());
}

#[test]
fn an_interrupt_ends_the_script_and_tidies_up() {
    let Some(server) = Server::start() else { return };
    std::thread::scope(|scope| {
        let running = scope.spawn(|| shell(&server, inline("echo \"$0\"; sleep 600; echo late")));
        while server.ear.output().is_empty() && !running.is_finished() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        server.cancel.cancel();
        let error = running.join().unwrap().unwrap_err();
        assert_eq!(kiste_core::Explain::kind(&error), kiste_core::Kind::Interrupted);
    });
    let lines = server.ear.output();
    assert_eq!(lines.len(), 1);
    assert!(!Path::new(&lines[0][2..]).exists());
}
