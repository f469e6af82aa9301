//! `kiste build` with the builder `qemu` to its end, and what breaks on the way there: a real QEMU with a guest of one sector, which does
//! nothing but switch itself off.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use sha2::Digest;

use crate::build_qemu::{nothing_is_left, world};
use crate::harness::Env;

/// Asks the BIOS to switch off (APM: set power state), and halts where that does nothing.
const SWITCHES_OFF: [u8; 14] = [0xb8, 0x07, 0x53, 0xbb, 0x01, 0x00, 0xb9, 0x03, 0x00, 0xcd, 0x15, 0xf4, 0xeb, 0xfd];
/// Ends a sector that the BIOS starts.
const BOOTABLE: [u8; 2] = [0x55, 0xaa];
/// Writes its disk from the first sector to the last and on, by the BIOS, 127 sectors at a time.
const WRITES_ON: [u8; 42] = [
    0x31, 0xc0, 0x8e, 0xd8, 0xbe, 0x1a, 0x7c, 0xb8, 0x00, 0x43, 0xb2, 0x80, 0xcd, 0x13, 0x66, 0x81, 0x06, 0x22, 0x7c, 0x7f, 0x00, 0x00,
    0x00, 0xeb, 0xee, 0x90, 0x10, 0x00, 0x7f, 0x00, 0x00, 0x00, 0x00, 0x10, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
];
const MIB: usize = 1 << 20;

/// A disk of `size` bytes that begins with such a sector and goes on with bytes that neither compress nor are holes.
fn disk(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut disk = vec![0; size];
    for eight in disk.chunks_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        eight.copy_from_slice(&state.to_le_bytes()[..eight.len()]);
    }
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
fn ctrl_c_in_what_comes_before_and_after_the_guest_leaves_nothing() {
    // Compression that takes far longer than a signal.
    let packing = r#", "post-processors": [{ "type": "STEP", "output": "made/it.tar.xz", "compression_level": 9 }]"#;
    let media = r#", "cd_files": ["disk.img"], "floppy_content": { "a": "b" }"#;
    let uncompressed = r#", "skip_compaction": true"#;
    for (mib, more, rest, step) in [
        (1, media, "", "Creating floppy disk..."),
        (1, media, "", "Creating CD disk..."),
        (96, uncompressed, &*packing.replace("STEP", "compress"), "Tarring made/it.tar.xz"),
        (96, uncompressed, &*packing.replace("STEP", "vagrant"), "Compressing: box.img"),
    ] {
        let Some(env) = whole(mib, more, rest) else { return };
        let mut build = env.start_on_stdout(["build", "-color=false", "t.json"]);
        build.until(step).interrupt();
        let said = build.end();
        assert_eq!(said.code, Some(1), "{step}: {said}");
        assert!(said.stdout.ends_with("Cleanly cancelled builds after being interrupted.\n"), "{step}: {said}");
        let made: Vec<_> = std::fs::read_dir(env.project().join("made")).into_iter().flatten().flatten().map(|e| e.path()).collect();
        assert_eq!(made, Vec::<std::path::PathBuf>::new(), "{step}: {said}");
        if mib > 1 {
            assert!(env.project().join("output-qemu/packer-qemu").is_file(), "the builder had ended; its image is the only one: {said}");
            std::fs::remove_dir_all(env.project().join("output-qemu")).expect("it is there");
        }
        nothing_is_left(&env, &said);
    }
}

#[test]
fn ctrl_c_in_a_download_leaves_what_the_next_build_goes_on_with() {
    let Some(env) = whole(1, "", "") else { return };
    let file = disk(MIB);
    let server = Server::answering(move |head, n| match n {
        // Half of it comes, and then nothing.
        0 => Answer::part(&file, head).stalls_after(MIB / 2),
        _ => Answer::part(&file, head),
    });
    let template = std::fs::read_to_string(env.project().join("t.json")).expect("the template");
    let sum = hex::encode(sha2::Sha256::digest(disk(MIB)));
    let template = template
        .replace("disk.img", &format!("{}/disk.img", server.address))
        .replace("\"none\", \"disk_image", &format!("\"{sum}\", \"disk_image"));
    env.write("project/t.json", template);
    let mut build = env.start_on_stdout(["build", "-color=false", "t.json"]);
    build.until("Trying http");
    let cache = env.project().join("packer_cache");
    let came = || {
        std::fs::read_dir(&cache)
            .into_iter()
            .flatten()
            .flatten()
            .any(|e| e.file_name().to_string_lossy().ends_with(".part") && e.metadata().is_ok_and(|m| m.len() > 0))
    };
    let mut looks = (0..6000).map(|_| came() || !pause());
    assert!(looks.any(|came| came), "something of the disc is here");
    build.interrupt();
    let said = build.end();
    assert_eq!(said.code, Some(1), "{said}");
    nothing_is_left(&env, &said);
    env.run(["build", "-color=false", "t.json"]).success();
    let asked = server.asked.lock().expect("no panic").clone();
    let last = asked.last().expect("a request").to_lowercase();
    assert!(last.contains("range: bytes=") && !last.contains("range: bytes=0-"), "it goes on where it stopped: {asked:?}");
}

#[test]
fn a_server_that_is_busy_and_then_cuts_the_line_gives_the_disc_in_the_end() {
    let Some(env) = whole(1, "", "") else { return };
    let file = disk(MIB);
    let server = Server::answering(move |head, n| match n {
        0 => Answer::status("503 Service Unavailable"),
        1 => Answer::status("500 Internal Server Error"),
        2 => Answer::part(&file, head).cut_after(1000),
        3 => Answer::part(&file, head).cut_after(0),
        _ => Answer::part(&file, head),
    });
    let template = std::fs::read_to_string(env.project().join("t.json")).expect("the template");
    env.write("project/t.json", template.replace("disk.img", &format!("{}/disk.img", server.address)));
    let said = env.run(["build", "-color=false", "t.json"]);
    assert!(said.stdout.contains("503 Service Unavailable; trying again") && said.stdout.contains("500 Internal Server Error"), "{said}");
    said.success();
}

/// The first asks for cleaning up, the second ends it at once; the next build removes what is left.
#[test]
fn ctrl_c_twice_ends_a_build_that_takes_its_time() {
    let stubborn =
        r#", "provisioners": [{ "type": "shell-local", "inline": ["trap '' TERM INT", "echo it runs", "while :; do sleep 0.1; done"] }]"#;
    let Some(env) = whole(1, r#", "qemuargs": [["-S"]]"#, stubborn) else { return };
    let mut build = env.start_on_stdout(["build", "-color=false", "t.json"]);
    build.until("it runs").interrupt();
    build.until("Cancelling build after receiving interrupt").interrupt();
    let said = build.end();
    assert_eq!(said.code, Some(130), "{said}");
    assert!(env.project().join("output-qemu").exists(), "nothing was cleaned up: {said}");
    env.write(
        "project/t.json",
        r#"{ "builders": [{ "type": "qemu", "iso_url": "disk.img", "iso_checksum": "none", "disk_image": true,
        "accelerator": "tcg", "headless": true, "memory": 64, "skip_resize_disk": true, "communicator": "none" }] }"#,
    );
    let said = env.run(["build", "-color=false", "-force", "t.json"]);
    assert!(said.stdout.contains("Removing what an interrupted build left"), "{said}");
    assert!(env.project().join("output-qemu/packer-qemu").is_file(), "{said}");
    std::fs::remove_dir_all(env.project().join("output-qemu")).expect("it is there");
    nothing_is_left(&env, &said);
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
fn a_disk_that_fills_up_while_the_guest_runs_is_told() {
    let Some(env) = whole(1, r#", "output_directory": "small/out", "shutdown_timeout": "5m""#, "") else { return };
    let mut disk = disk(512);
    disk[..WRITES_ON.len()].copy_from_slice(&WRITES_ON);
    env.write("project/disk.img", disk);
    let disk = std::fs::File::options().write(true).open(env.project().join("disk.img")).expect("the disk");
    disk.set_len(64 << 20).expect("a hole behind its first sector");
    let Some(said) = env.run_on_a_small_disk("20m", "project/small", &["build", "-color=false", "t.json"]) else { return };
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stdout.contains("QEMU stopped the guest because its disk could not be written: is the host's disk full?"), "{said}");
    assert!(said.stdout.contains("left: \n"), "{said}");
    nothing_is_left(&env, &said);
}

#[test]
fn a_disk_that_fills_up_under_floppies_discs_archives_and_lists_is_told() {
    let media = r#", "cd_files": ["disk.img"]"#;
    let after = |options: &str| format!(r#", "post-processors": [{{ {options} }}]"#);
    for (mib, more, rest, place, words) in [
        (1, r#", "floppy_files": ["disk.img"]"#, String::new(), "home", "No space left"),
        (8, media, String::new(), "home", "/disk.img`: No space left on device"),
        (8, "", after(r#""type": "compress", "output": "small/a.tar.gz""#), "project/small", "no room in `small`"),
        (1, "", after(r#""type": "checksum", "output": "small/full/sums""#), "project/small/full", "No space left"),
        (1, "", after(r#""type": "manifest", "output": "small/full/list.json""#), "project/small/full", "No space left"),
    ] {
        let Some(env) = whole(mib, more, &rest) else { return };
        // A file system that takes not one file, where what is written would fit into the smallest.
        let size = if place.ends_with("full") { "4k,nr_inodes=1" } else { "1m" };
        let Some(said) = env.run_on_a_small_disk(size, place, &["build", "-color=false", "t.json"]) else { return };
        assert_eq!(said.code, Some(1), "{more} {rest}: {said}");
        assert!(said.stdout.contains(words), "`{words}` of {more}{rest}: {said}");
        let left = said.stdout.lines().find_map(|l| l.strip_prefix("left: ")).expect("a last line");
        assert!(left.split_whitespace().all(|f| f.contains("/evidence/") || f.ends_with(".lock")), "{more}{rest}: {said}");
    }
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

/// A web server that remembers what it was asked for. Its threads end with the test.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// What it answers: the head, the body, and how it breaks off.
struct Answer {
    head: String,
    body: Vec<u8>,
    cut: Option<usize>,
    stalls: bool,
}

impl Answer {
    fn status(status: &str) -> Self {
        Self { head: format!("{status}\r\nRetry-After: 0\r\nContent-Length: 0"), body: Vec::new(), cut: None, stalls: false }
    }

    /// The part of the file that was asked for.
    fn part(file: &[u8], head: &str) -> Self {
        let range = head.to_lowercase().split("\r\nrange: bytes=").nth(1).and_then(|r| {
            let (first, last) = r.split("\r\n").next()?.split_once('-')?;
            Some((first.parse::<usize>().ok()?, last.parse::<usize>().unwrap_or(file.len() - 1).min(file.len() - 1)))
        });
        let (first, last) = range.unwrap_or((0, file.len() - 1));
        let status = match range {
            Some(_) => format!("206 Partial Content\r\nContent-Range: bytes {first}-{last}/{}", file.len()),
            None => "200 OK".to_owned(),
        };
        let head = format!("{status}\r\nETag: \"1\"\r\nAccept-Ranges: bytes\r\nContent-Length: {}", last + 1 - first);
        Self { head, body: file[first..=last].to_vec(), cut: None, stalls: false }
    }

    fn cut_after(self, bytes: usize) -> Self {
        Self { cut: Some(bytes), ..self }
    }

    fn stalls_after(self, bytes: usize) -> Self {
        Self { cut: Some(bytes), stalls: true, ..self }
    }
}

impl Server {
    fn of(file: Vec<u8>) -> Self {
        Self::answering(move |head, _| Answer::part(&file, head))
    }

    /// `plan` is given the request's head and how many there were before.
    fn answering(plan: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (heard, plan) = (Arc::clone(&asked), Arc::new(plan));
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (plan, heard) = (Arc::clone(&plan), Arc::clone(&heard));
                std::thread::spawn(move || serve(socket, &*plan, &heard));
            }
        });
        Self { address, asked }
    }
}

/// Between two looks.
fn pause() -> bool {
    std::thread::sleep(std::time::Duration::from_millis(10));
    true
}

fn serve(mut socket: TcpStream, plan: &dyn Fn(&str, usize) -> Answer, heard: &Mutex<Vec<String>>) {
    let mut head = String::new();
    let mut reader = BufReader::new(socket.try_clone().expect("a socket"));
    while reader.read_line(&mut head).is_ok_and(|n| n > 2) {}
    let before = {
        let mut heard = heard.lock().expect("no panic");
        heard.push(head.clone());
        heard.len() - 1
    };
    let answer = plan(&head, before);
    // Whoever asked may have gone.
    let _ = socket.write_all(format!("HTTP/1.1 {}\r\nConnection: close\r\n\r\n", answer.head).as_bytes());
    if !head.starts_with("HEAD") {
        let _ = socket.write_all(&answer.body[..answer.cut.unwrap_or(answer.body.len()).min(answer.body.len())]);
    }
    if answer.stalls {
        // Until the other side hangs up.
        let _ = reader.read_line(&mut head);
    }
}
