//! `kiste build` with the builder `qemu` when things go wrong: a real QEMU, a guest without any system.

use std::io::Write;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::harness::Env;
use crate::harness::output::Output;

/// A machine with an empty disc and nothing that could ever answer; `more` are further options.
fn template(env: &Env, more: &str) {
    env.write("project/empty.iso", [0; 2048]);
    env.write(
        "project/t.json",
        format!(
            r#"{{ "builders": [{{ "type": "qemu", "iso_url": "empty.iso", "iso_checksum": "none", "accelerator": "tcg", "headless": true,
               "memory": 64, "disk_size": "16M", "ssh_username": "u", "ssh_password": "p"{more} }}] }}"#
        ),
    );
}

/// A user's world with such a template; none where QEMU is missing.
pub fn world(more: &str) -> Option<Env> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has = |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    if !["qemu-system-x86_64", "qemu-img"].into_iter().all(has) {
        // Past the capture of the test's output: skipped is not passed.
        let _ = writeln!(std::io::stderr(), "skipped: no QEMU on this host");
        return None;
    }
    let env = Env::new();
    template(&env, more);
    Some(env)
}

/// QEMU's processes that belong to this test.
fn machines(root: &Path) -> Vec<PathBuf> {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten().map(|e| e.path());
    let ours = |path: &PathBuf| {
        let line = std::fs::read(path.join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.contains("qemu-system") && line.contains(&*root.to_string_lossy())
    };
    processes.filter(ours).collect()
}

#[track_caller]
pub fn nothing_is_left(env: &Env, said: &Output) {
    assert!(!env.project().join("output-qemu").exists(), "{said}");
    assert_eq!(machines(env.root()), Vec::<PathBuf>::new(), "{said}");
    let builds: Vec<PathBuf> = std::fs::read_dir(env.home().join("tmp/builds")).into_iter().flatten().flatten().map(|e| e.path()).collect();
    assert_eq!(builds, Vec::<PathBuf>::new(), "{said}");
}

#[test]
fn ctrl_c_in_each_step_leaves_nothing() {
    for step in ["Retrieving ISO", "Creating required virtual machine disks", "Starting VM, booting from CD-ROM", "Waiting for SSH"] {
        let Some(env) = world("") else { return };
        let mut build = env.start(["build", "t.json"]);
        build.until_shown(step).interrupt();
        let said = build.end();
        assert_ne!(said.code, Some(0), "{step}: {said}");
        nothing_is_left(&env, &said);
    }
}

#[test]
fn a_guest_that_never_answers_is_told_in_the_peers_words_and_leaves_evidence() {
    let Some(env) = world(r#", "ssh_timeout": "1s""#) else { return };
    let said = env.run(["build", "-color=false", "t.json"]);
    assert_eq!(said.code, Some(1), "{said}");
    for words in [
        "==> qemu: Starting VM, booting from CD-ROM",
        "    qemu: The VM will be run headless, without a GUI. If you want to",
        "==> qemu: Using ssh communicator to connect: 127.0.0.1",
        "==> qemu: Waiting for SSH to become available...",
        "==> qemu: Deleting output directory...",
        "Timeout waiting for SSH.",
    ] {
        assert!(said.stdout.contains(words), "{words}\n{said}");
    }
    nothing_is_left(&env, &said);
    let kept: Vec<String> = walk(&env.home().join("evidence"));
    assert!(kept.iter().any(|f| f.ends_with("driver.log")) && kept.iter().any(|f| f.ends_with(".png")), "{kept:?}\n{said}");
}

fn walk(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
    entries.flat_map(|p| if p.is_dir() { walk(&p) } else { vec![p.display().to_string()] }).collect()
}

#[test]
fn an_output_folder_that_exists_is_replaced_only_by_force() {
    let Some(env) = world(r#", "ssh_timeout": "1s""#) else { return };
    env.write("project/output-qemu/precious", "x");
    let said = env.run(["build", "-color=false", "t.json"]);
    assert!(said.stdout.contains("Output directory 'output-qemu' already exists. It must not exist."), "{said}");
    assert!(said.code == Some(1) && env.project().join("output-qemu/precious").exists(), "{said}");
    let said = env.run(["build", "-color=false", "-force", "t.json"]);
    assert!(said.stdout.contains("Deleting previous output directory..."), "{said}");
    nothing_is_left(&env, &said);
}

#[test]
fn two_builds_in_one_folder_are_kept_apart() {
    let Some(env) = world("") else { return };
    let mut first = env.start(["build", "t.json"]);
    first.until_shown("Waiting for SSH");
    let second = env.run(["build", "-color=false", "-force", "t.json"]);
    assert!(second.code == Some(1) && second.stdout.contains("another build is writing to `output-qemu` now"), "{second}");
    assert!(env.project().join("output-qemu/packer-qemu").exists(), "the first goes on");
    assert_eq!(machines(env.root()).len(), 1);
    first.interrupt();
    let said = first.end();
    nothing_is_left(&env, &said);
}

#[test]
fn a_killed_build_is_swept_by_the_next() {
    let Some(env) = world("") else { return };
    let mut killed = env.start(["build", "t.json"]);
    killed.until_shown("Waiting for SSH").signal(Signal::KILL);
    let _ = killed.end();
    assert_eq!(machines(env.root()).len(), 1, "QEMU lives on, and its output stays");
    template(&env, r#", "ssh_timeout": "1s""#);
    let said = env.run(["build", "-color=false", "-force", "t.json"]);
    assert!(said.stdout.contains("Removing what an interrupted build left"), "{said}");
    nothing_is_left(&env, &said);
}

#[test]
fn abort_leaves_all_as_it_is() {
    let Some(env) = world(r#", "ssh_timeout": "1s""#) else { return };
    let said = env.run(["build", "-color=false", "-on-error=abort", "t.json"]);
    assert_eq!(said.code, Some(1), "{said}");
    assert!(env.project().join("output-qemu/packer-qemu").exists(), "{said}");
    let left = machines(env.root());
    assert_eq!(left.len(), 1, "{said}");
    let pid = left[0].file_name().and_then(|n| n.to_str()).and_then(|n| n.parse().ok()).and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.expect("a pid"), Signal::KILL).expect("its end");
}

#[test]
fn a_guest_without_communicator_that_does_not_end_is_ended() {
    let Some(env) = world(r#", "communicator": "none", "shutdown_timeout": "1s""#) else { return };
    let said = env.run(["build", "-color=false", "t.json"]);
    assert!(
        said.stdout.contains("Waiting for shutdown...") && said.stdout.contains("Timeout while waiting for machine to shut down."),
        "{said}"
    );
    nothing_is_left(&env, &said);
}

#[test]
fn a_qemu_that_does_not_start_says_why() {
    let Some(env) = world(r#", "qemuargs": [["-no-such-option"]]"#) else { return };
    let said = env.run(["build", "-color=false", "t.json"]);
    assert!(said.stdout.contains("Error launching VM") && said.stdout.contains("no-such-option"), "{said}");
    nothing_is_left(&env, &said);
}
