//! What `examples/registry` shows is true: the unit, the container's entry point and nginx's file are taken by those they are for.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::part::program;

fn example(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/registry").join(name);
    std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

fn kiste() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_kiste"))
}

/// Starts the server with an example's words, at a place of the test's own, until it says that it listens.
fn listens(words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let mut words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    for (flag, value) in [("--listen", "127.0.0.1:0"), ("--data", folder.path().to_str().unwrap())] {
        let at = words.iter().position(|w| w == flag).expect(flag);
        words[at + 1] = value.to_owned();
    }
    let mut server = Command::new(kiste()).args(&words).env("KISTE_HOME", folder.path()).stderr(Stdio::piped()).spawn().unwrap();
    let said: Vec<String> =
        BufReader::new(server.stderr.take().unwrap()).lines().map_while(Result::ok).take_while(|l| !l.contains("listens at")).collect();
    let early = server.try_wait().unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(early.is_none(), "{words:?} ended: {said:?}");
}

#[test]
fn the_unit_is_one_and_its_command_line_serves() {
    let unit = example("kiste-registry.service");
    let line = unit.lines().find_map(|l| l.strip_prefix("ExecStart=/usr/local/bin/kiste ")).expect("ExecStart");
    listens(&line.split(' ').collect::<Vec<_>>());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kiste-registry.service");
    std::fs::write(&file, unit.replace("/usr/local/bin/kiste", kiste().to_str().unwrap())).unwrap();
    let output = Command::new(program("systemd-analyze")).arg("verify").arg(&file).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_containers_entry_point_serves() {
    let text = example("Dockerfile");
    let line = text.lines().find_map(|l| l.strip_prefix("ENTRYPOINT ")).expect("ENTRYPOINT");
    let words: Vec<String> = serde_json::from_str(line).unwrap();
    listens(&words.iter().skip(1).map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn nginx_takes_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let made = Command::new(program("openssl"))
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=boxes.example.com", "-days", "2"])
        .args(["-keyout", &place("key"), "-out", &place("certificate")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text = example("nginx.conf");
    let text = text.replace("/etc/ssl/boxes.pem", &place("certificate")).replace("/etc/ssl/boxes.key", &place("key"));
    std::fs::write(place("nginx.conf"), text.replace("/run/nginx-registry.pid", &place("pid"))).unwrap();
    let output = Command::new(program("nginx")).args(["-t", "-e", &place("log"), "-c", &place("nginx.conf")]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
