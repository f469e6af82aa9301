//! `kiste build` with the builder `qemu` to its end, and what breaks on the way there: a real QEMU with a guest of one sector, which does
//! nothing but switch itself off.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::build_qemu::{nothing_is_left, world};
use crate::harness::Env;

/// Asks the BIOS to switch off (APM: set power state), and halts where that does nothing.
const SWITCHES_OFF: [u8; 14] = [0xb8, 0x07, 0x53, 0xbb, 0x01, 0x00, 0xb9, 0x03, 0x00, 0xcd, 0x15, 0xf4, 0xeb, 0xfd];
/// Ends a sector that the BIOS starts.
const BOOTABLE: [u8; 2] = [0x55, 0xaa];
const MIB: usize = 1 << 20;

/// A disk of `size` bytes that begins with such a sector and goes on with bytes that neither compress nor are holes.
fn disk(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let noise = move |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    let mut disk: Vec<u8> = (0..size).map(noise).collect();
    disk[..SWITCHES_OFF.len()].copy_from_slice(&SWITCHES_OFF);
    disk[510..512].copy_from_slice(&BOOTABLE);
    disk
}

/// A template that builds from such a disk of `mib` MiB; none where QEMU is missing.
fn whole(mib: usize, more: &str, rest: &str) -> Option<Env> {
    let env = world("")?;
    env.write("project/disk.img", disk(mib * MIB));
    env.write(
        "project/t.json",
        format!(
            r#"{{ "builders": [{{ "type": "qemu", "iso_url": "disk.img", "iso_checksum": "none", "disk_image": true, "accelerator": "tcg",
               "headless": true, "memory": 64, "skip_resize_disk": true, "communicator": "none"{more} }}]{rest} }}"#
        ),
    );
    Some(env)
}

#[test]
fn a_guest_that_ends_by_itself_is_built_and_packed() {
    let Some(env) = whole(1, "", r#", "post-processors": [{ "type": "vagrant", "keep_input_artifact": true }]"#) else { return };
    let said = env.run(["build", "-color=false", "t.json"]);
    assert_eq!(said.code, Some(0), "{said}");
    for words in ["Waiting for shutdown...", "Converting hard drive...", "'libvirt' provider box: packer_qemu_libvirt.box"] {
        assert!(said.stdout.contains(words), "{words}\n{said}");
    }
    assert!(env.project().join("packer_qemu_libvirt.box").is_file());
    let image = std::fs::read(env.project().join("output-qemu/packer-qemu")).expect("the image");
    assert!(image.starts_with(b"QFI\xfb"));
}

#[test]
fn ctrl_c_while_the_guest_goes_down_or_its_disk_is_written_leaves_nothing() {
    // Slow enough that the interrupt comes in the middle.
    let slowly = r#", "qemu_img_args": { "convert": ["-r", "4M"] }"#;
    for (more, step) in [(slowly, "Converting hard drive..."), (r#", "qemuargs": [["-S"]]"#, "Waiting for shutdown...")] {
        let Some(env) = whole(4, more, "") else { return };
        let mut build = env.start(["build", "t.json"]);
        build.until_shown(step).interrupt();
        let said = build.end();
        assert_eq!(said.code, Some(1), "{step}: {said}");
        nothing_is_left(&env, &said);
    }
}

#[test]
fn ctrl_c_while_a_provisioner_runs_leaves_nothing() {
    let provisioner = r#", "provisioners": [{ "type": "shell-local", "inline": ["echo it runs", "exec sleep 600"] }]"#;
    let Some(env) = whole(1, "", provisioner) else { return };
    let mut build = env.start(["build", "t.json"]);
    build.until_shown("it runs").interrupt();
    let said = build.end();
    assert_eq!(said.code, Some(1), "{said}");
    nothing_is_left(&env, &said);
}

#[test]
fn a_disk_that_fills_up_while_the_image_is_written_is_told() {
    let Some(env) = whole(8, r#", "output_directory": "small/out""#, "") else { return };
    // Room for the disk, not for the second copy that converting makes.
    let Some(said) = env.run_on_a_small_disk("12m", "project/small", &["build", "-color=false", "t.json"]) else { return };
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stdout.contains("Error converting hard drive") && said.stdout.contains("No space left"), "{said}");
    assert!(said.stdout.contains("left: \n"), "{said}");
    nothing_is_left(&env, &said);
    let Some(said) = env.run_on_a_small_disk("4m", "project/small", &["build", "-color=false", "t.json"]) else { return };
    assert!(said.stdout.contains("Error copying hard drive") && said.stdout.contains("left: \n"), "{said}");
}

#[test]
fn a_disk_that_fills_up_while_a_box_is_packed_is_told() {
    let rest = r#", "post-processors": [{ "type": "vagrant", "output": "small/a.box" }]"#;
    let Some(env) = whole(8, "", rest) else { return };
    let Some(said) = env.run_on_a_small_disk("4m", "project/small", &["build", "-color=false", "t.json"]) else { return };
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stdout.contains("Post-processor failed: no room in `small`"), "{said}");
    assert!(said.stdout.contains("left: \n"), "{said}");
    assert!(env.project().join("output-qemu/packer-qemu").is_file(), "what was built stays: {said}");
}

#[test]
fn a_disk_that_fills_up_while_a_disc_is_fetched_is_told() {
    let Some(env) = whole(1, "", "") else { return };
    let server = Server::of(disk(8 * MIB));
    let template = std::fs::read_to_string(env.project().join("t.json")).expect("the template");
    env.write("project/t.json", template.replace("disk.img", &format!("{}/disk.img", server.address)));
    let env = env.var("PACKER_CACHE_DIR", "small");
    let Some(said) = env.run_on_a_small_disk("4m", "project/small", &["build", "-color=false", "t.json"]) else { return };
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stdout.contains("error downloading ISO: [no room in `") && said.stdout.contains("/small`: 8MiB needed"), "{said}");
    assert!(!said.stdout.contains(".iso\n") && !said.stdout.contains(".part"), "only the lock's file is left: {said}");
    nothing_is_left(&env, &said);
}

#[test]
fn qemu_reads_a_disc_from_where_it_is() {
    let modules = ["/usr/lib/x86_64-linux-gnu/qemu", "/usr/lib/qemu", "/usr/lib64/qemu"];
    if !modules.iter().any(|folder| std::path::Path::new(folder).join("block-curl.so").is_file()) {
        let _ = writeln!(std::io::stderr(), "skipped: this QEMU reads no addresses (package qemu-block-extra)");
        return;
    }
    let more = r#", "iso_skip_cache": true, "communicator": "none", "shutdown_timeout": "3s""#;
    let Some(env) = world(more) else { return };
    let server = Server::of(disk(MIB));
    let template = std::fs::read_to_string(env.project().join("t.json")).expect("the template");
    env.write("project/t.json", template.replace("empty.iso", &format!("{}/a.iso", server.address)));
    let said = env.run(["build", "-color=false", "t.json"]);
    assert!(said.stdout.contains("QEMU reads") && said.stdout.contains("Timeout while waiting for machine to shut down."), "{said}");
    let asked = server.asked.lock().expect("no panic").clone();
    assert!(asked.iter().any(|head| head.to_lowercase().contains("\r\nrange: bytes=")), "QEMU asks for parts: {asked:?}");
    assert!(!env.project().join("packer_cache").join("a.iso").exists());
    nothing_is_left(&env, &said);
}

/// A web server of one file that gives parts, and remembers what it was asked for. Its threads end with the test.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn of(file: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        let file = Arc::new(file);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (file, heard) = (Arc::clone(&file), Arc::clone(&heard));
                std::thread::spawn(move || answer(socket, &file, &heard));
            }
        });
        Self { address, asked }
    }
}

fn answer(mut socket: TcpStream, file: &[u8], heard: &Mutex<Vec<String>>) {
    let mut head = String::new();
    let mut reader = BufReader::new(socket.try_clone().expect("a socket"));
    while reader.read_line(&mut head).is_ok_and(|n| n > 2) {}
    heard.lock().expect("no panic").push(head.clone());
    let range = head.to_lowercase().split("\r\nrange: bytes=").nth(1).and_then(|r| {
        let (first, last) = r.split("\r\n").next()?.split_once('-')?;
        Some((first.parse::<usize>().ok()?, last.parse::<usize>().unwrap_or(file.len() - 1).min(file.len() - 1)))
    });
    let (first, last) = range.unwrap_or((0, file.len() - 1));
    let status = match range {
        Some(_) => format!("206 Partial Content\r\nContent-Range: bytes {first}-{last}/{}", file.len()),
        None => "200 OK".to_owned(),
    };
    let length = last + 1 - first;
    let answer = format!("HTTP/1.1 {status}\r\nAccept-Ranges: bytes\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    // Whoever asked may have gone.
    let _ = socket.write_all(answer.as_bytes());
    if !head.starts_with("HEAD") {
        let _ = socket.write_all(&file[first..=last]);
    }
}
