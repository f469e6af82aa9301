//! Options, the peer's words about them, and the arguments that QEMU gets, compared with what the real Packer starts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value as Json;

use super::live::Live;
use super::settings::Settings;
use super::{arguments, prepare};
use crate::builder::BuilderContext;
use crate::interpolate::{Facts, Scope};
use crate::json::{Value, parse};
use crate::options::Options;
use crate::problem::Place;

fn settings_of(json: &str, force: bool) -> (Settings, Vec<String>) {
    let variables = BTreeMap::new();
    let facts =
        Facts { start: jiff::Timestamp::UNIX_EPOCH, template_dir: None, build_name: Some("qemu".into()), build_type: Some("qemu".into()) };
    let Some(Value::Map(entries)) = parse(json).0.map(|n| n.value) else { panic!("{json}") };
    let scope = Scope { variables: &variables, facts: &facts, fields: None, in_variables: false };
    let mut options = Options::new(Place { line: 1, column: 1 }, entries, scope);
    let settings = prepare::settings(&mut options, &BuilderContext { name: "qemu", force });
    (settings, options.finish().into_iter().map(|p| p.message).collect())
}

/// Mistakes in a template that is fine but for `more`.
fn problems(more: &str) -> Vec<String> {
    let (_, problems) = settings_of(
        &format!(r#"{{"iso_url": "/dev/null", "iso_checksum": "none", "ssh_username": "u", "ssh_password": "x"{more}}}"#),
        false,
    );
    problems
}

#[test]
fn the_peers_words_for_what_is_wrong() {
    for (more, wanted) in [
        (r#", "accelerator": "zzz""#, "invalid accelerator, only 'kvm', 'tcg', 'xen', 'hax', 'hvf', 'whpx', or 'none' are allowed"),
        (r#", "disk_size": "abc""#, "Invalid disk size."),
        (r#", "disk_size": "10Q""#, "Invalid disk size."),
        (r#", "format": "vdi""#, "invalid format, only 'qcow2' or 'raw' are allowed"),
        (r#", "disk_interface": "foo""#, "unrecognized disk interface type"),
        (r#", "disk_cache": "x""#, "unrecognized disk cache type"),
        (r#", "disk_discard": "x""#, "unrecognized disk discard type"),
        (r#", "disk_detect_zeroes": "x""#, "unrecognized disk detect zeroes setting"),
        (r#", "skip_resize_disk": true"#, "skip_resize_disk can only be used when disk_image is true"),
        (r#", "use_backing_file": true"#, "use_backing_file can only be enabled for QCOW2 images and when disk_image is true"),
        (r#", "host_port_min": 5000, "host_port_max": 4000"#, "host_port_min must be less than host_port_max"),
        (r#", "ssh_host_port_min": 3000, "ssh_host_port_max": 100"#, "host_port_min must be less than host_port_max"),
        (r#", "vnc_port_min": 6000, "vnc_port_max": 5950"#, "vnc_port_min must be less than vnc_port_max"),
        (r#", "output_directory": "/tmp""#, "Output directory '/tmp' already exists. It must not exist."),
        (r#", "boot_command": ["a"], "disable_vnc": true"#, "A boot command cannot be used when vnc is disabled."),
        (r#", "qemu_img_args": {"foo": ["b"]}"#, "unknown configuration key: '\"foo\"' (nearest: `create`)"),
    ] {
        let found = problems(more);
        assert!(found.iter().any(|p| p == wanted || (p.starts_with("unknown") && wanted.starts_with("unknown"))), "{more}: {found:?}");
        assert_eq!(found.len(), 1, "{more}: {found:?}");
    }
    assert_eq!(problems(""), [""; 0]);
}

#[test]
fn what_cannot_act_is_refused_with_the_reason() {
    for (more, part) in [
        (r#", "net_bridge": "br0""#, "`net_bridge` is not built in"),
        (r#", "vnc_port_min": 100, "vnc_port_max": 200"#, "below 5900"),
        (r#", "vm_name": "a/b""#, "name of a file"),
        (r#", "output_directory": "a,b""#, "comma"),
        (r#", "qemuargs": [["-daemonize"]]"#, "-daemonize"),
        (r#", "communicator": "winrm""#, "not built in"),
    ] {
        let found = problems(more);
        assert!(found.len() == 1 && found[0].contains(part), "{more}: {found:?}");
    }
    let (_, found) = settings_of(
        r#"{"iso_url": "/dev/null", "iso_checksum": "none", "ssh_username": "u", "ssh_password": "x", "output_directory": "/"}"#,
        true,
    );
    assert!(found.len() == 1 && found[0].contains("cannot be replaced"), "{found:?}");
}

#[test]
fn defaults_are_the_peers() {
    let (settings, _) = settings_of(r#"{"iso_url": "/dev/null", "iso_checksum": "none", "ssh_username": "u"}"#, false);
    assert_eq!((settings.vm_name.as_str(), settings.output_directory.as_path()), ("packer-qemu", PathBuf::from("output-qemu").as_path()));
    assert_eq!((settings.disks.size.as_str(), settings.format.as_str(), settings.host_ports), ("40960M", "qcow2", (2222, 4444)));
    assert_eq!((settings.shutdown_timeout.as_secs(), settings.shutdown_command.as_deref()), (300, None));
    let (raw, _) = settings_of(
        r#"{"iso_url": "/dev/null", "iso_checksum": "none", "ssh_username": "u", "format": "raw", "disk_compression": true}"#,
        false,
    );
    assert!(raw.disks.skip_compaction && !raw.disks.compression);
}

/// Switches with their values, in order within each.
fn switches(words: &[String]) -> BTreeMap<String, Vec<Option<String>>> {
    let mut found: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    let mut words = words.iter().peekable();
    while let Some(switch) = words.next() {
        let value = words.next_if(|w| !w.starts_with('-')).map(|w| w.to_owned());
        found.entry(switch.clone()).or_default().push(value);
    }
    found
}

#[test]
fn qemu_gets_what_the_real_packer_starts_it_with() {
    let table: Vec<Json> = serde_json::from_str(include_str!("../../../tests/template/qemu_arguments.json")).unwrap();
    assert!(table.len() >= 60);
    let folder = tempfile::tempdir().unwrap();
    for name in ["empty.iso", "disk.qcow2", "file.txt"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let dir = folder.path().display().to_string();
    for case in &table {
        let mut options = case["options"].as_object().unwrap().clone();
        for (key, value) in [("iso_checksum", "none"), ("ssh_username", "u"), ("ssh_password", "x"), ("output_directory", "DIR/out")] {
            options.entry(key).or_insert_with(|| value.into());
        }
        options.entry("headless").or_insert_with(|| true.into());
        options.entry("accelerator").or_insert_with(|| "tcg".into());
        let text = Json::from(options).to_string().replace("DIR/", &format!("{dir}/"));
        let (settings, wrong) = settings_of(&text, false);
        assert_eq!(wrong, [""; 0], "{text}");
        let live = Live {
            iso: case["options"]["iso_url"].as_str().unwrap_or_default().replace("file://", "").replace("DIR/", &format!("{dir}/")).into(),
            floppy: (!settings.floppy.is_empty()).then(|| "SCRATCH".into()),
            cd: (!settings.cd.is_empty()).then(|| "SCRATCH".into()),
            host_port: 2222,
            vnc_port: 5900,
            vnc_password: settings.screen.vnc_use_password.then(|| "secret".to_owned()),
            accelerator: settings.hardware.accelerator.clone().filter(|a| a != "none"),
            ..Live::default()
        };
        let words: Vec<String> = arguments::build(&settings, &live).unwrap().iter().map(|w| normal(w, &dir)).collect();
        let mut ours = switches(&words);
        // The one word that Packer does not say: an emulated PC has a source of random numbers, unless the template names its processor.
        if case["arguments"].get("-cpu").is_none() {
            let is_emulated_pc = live.accelerator.as_deref() == Some("tcg") && settings.qemu_binary.ends_with("x86_64");
            let expected = is_emulated_pc.then(|| vec![Some("qemu64,+rdrand".to_owned())]);
            assert_eq!(ours.remove("-cpu"), expected, "{}", case["options"]);
        }
        let ours = serde_json::to_value(ours).unwrap();
        assert_eq!(ours, case["arguments"], "{}", case["options"]);
    }
}

#[test]
fn only_an_emulated_pc_gets_processors_that_nobody_asked_for() {
    let smp = |options: &str, accelerator: &str| {
        let text = format!(r#"{{"iso_url": "x.iso", "iso_checksum": "none", "ssh_username": "u", "ssh_password": "x"{options}}}"#);
        let (settings, wrong) = settings_of(&text, false);
        assert_eq!(wrong, [""; 0], "{text}");
        let live = Live { accelerator: Some(accelerator.to_owned()), processors: 2, ..Live::default() };
        let words: Vec<String> = arguments::build(&settings, &live).unwrap().iter().map(|w| w.to_string()).collect();
        switches(&words).remove("-smp").and_then(|values| values.into_iter().next().flatten())
    };
    assert_eq!(smp("", "tcg").as_deref(), Some("cpus=2,sockets=2"));
    assert_eq!(smp(r#", "machine_type": "q35""#, "tcg").as_deref(), Some("cpus=2,sockets=2"));
    for options in [r#", "cpus": 1"#, r#", "sockets": 1"#, r#", "machine_type": "isapc""#, r#", "qemu_binary": "qemu-system-i386""#] {
        assert!(!smp(options, "tcg").is_some_and(|said| said.starts_with("cpus=2")), "{options}");
    }
    assert_eq!(smp("", "kvm"), None);
    assert_eq!(smp(r#", "qemuargs": [["-smp", "3"]]"#, "tcg").as_deref(), Some("3"));
}

/// As the script that asked Packer makes them; the forward is open on the loopback device only, on purpose.
fn normal(word: &str, dir: &str) -> String {
    let word = word.replace(dir, "DIR").replace("127.0.0.1:2222-", ":PORT-").replace("http://10.0.2.2:0/", "http://10.0.2.2:HTTP/");
    let word = word.replace("hostfwd=tcp::2222-", "hostfwd=tcp::PORT-");
    let password = word.ends_with(",password=on");
    match word.trim_end_matches(",password=on").rsplit_once(':') {
        Some((address, n)) if address.starts_with("127.") && n.chars().all(|c| c.is_ascii_digit()) => {
            format!("{address}:N{}", if password { ",password" } else { "" })
        }
        _ => word,
    }
}
