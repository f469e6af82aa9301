//! Typing at a real prompt: ISOLINUX on a real QEMU. Skipped where one of them is missing.

use std::path::Path;

use kiste_core::dirs::{Home, MachineDir};
use kiste_core::host::Program;
use kiste_core::{Cancel, Machine, Reporter, Size};
use kiste_providers::{Driver, Source, Vm};

use super::*;
use crate::steps::run_trial;

const ISOLINUX: [&str; 2] = ["/usr/lib/ISOLINUX/isolinux.bin", "/usr/lib/syslinux/modules/bios/ldlinux.c32"];

/// A disc that boots to a prompt and knows one word, `show`, which prints a text.
fn disc(folder: &Path) -> Option<std::path::PathBuf> {
    let tree = folder.join("cd");
    std::fs::create_dir(&tree).unwrap();
    for file in ISOLINUX {
        std::fs::copy(file, tree.join(Path::new(file).file_name()?)).ok()?;
    }
    std::fs::write(tree.join("isolinux.cfg"), "prompt 1\ntimeout 0\ndisplay hello.txt\nsay this prompt is real\nf1 help.txt\n").unwrap();
    std::fs::write(tree.join("hello.txt"), "\r\nHello from a disc\r\n").unwrap();
    std::fs::write(tree.join("help.txt"), "\r\nThe first function key was pressed\r\n").unwrap();
    let to = folder.join("prompt.iso");
    let words = ["-as", "mkisofs", "-quiet", "-b", "isolinux.bin", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "-o"];
    let made = Program::new("xorriso").args(words).arg(&to).arg(&tree).output(&Cancel::new());
    made.ok().map(|_| to)
}

#[test]
fn what_is_typed_at_a_real_prompt_arrives_whole() {
    let dir = tempfile::tempdir().unwrap();
    let Ok(qemu) = kiste_providers::named("qemu") else { return };
    let home = Home::at(dir.path().join("home"));
    let ready = kiste_core::host::find("qemu-system-x86_64").is_some() && kiste_core::host::find("qemu-img").is_some();
    let Some(disc) = disc(dir.path()).filter(|_| ready) else { return };
    let mut machine = Machine::named("prompt");
    machine.memory = Some(Size::mib(64));
    machine.cpus = Some(1);
    machine.settings.insert("qemu".to_owned(), serde_json::json!({ "accel": "tcg", "arch": "x86_64" }));
    let machine_dir = MachineDir::at(dir.path().join("machine"));
    let (cancel, silent) = (Cancel::new(), Reporter::silent());
    let vm = Vm { machine: &machine, dir: &machine_dir, home: &home, reporter: &silent, cancel: &cancel };
    qemu.create(&vm, &Source { size: Some(Size::mib(8)), ..Source::default() }).unwrap();
    qemu.media().unwrap().set_disc(&vm, Some(&disc)).unwrap();
    qemu.start(&vm).unwrap();
    let typed = attempt(qemu.as_ref(), &vm);
    qemu.delete(&vm).unwrap();
    let (said, rows) = typed;
    let line = "Install_7 url=\"http://10.0.2.2:8123/~me/ks.cfg?a=1&b=(2)\" console=ttyS0,115200n8 -- $HOME|{x}<y>!@#%^*+';`\\[]";
    let screen = rows.join("\n");
    // ISOLINUX breaks long lines in a way of its own.
    let solid = |text: &str| text.split_whitespace().collect::<String>();
    assert!(solid(&screen).contains(&solid(&format!("boot: {line}"))), "{screen}\n{said:?}");
    assert!(!said.iter().any(|s| s.contains("lost keys")), "{said:?}");
    assert!(screen.contains("Hello from a disc") && screen.contains("The first function key was pressed"), "{screen}");
    assert!(said.iter().any(|s| s.starts_with("    Saw `boot:` on the screen after ")), "{said:?}");
}

fn attempt(qemu: &dyn Driver, vm: &Vm<'_>) -> (Vec<String>, Vec<String>) {
    let text = r#"{"boot_wait": "0s", "boot_command": ["<wait \"boot:\" 120s><f1><wait \"function key\" 60s>",
        "Install_7 url=\"http://{{ .HTTPIP }}:8123/~me/ks.cfg?a=1&b=(2)\" console=ttyS0,115200n8 -- $HOME|{x}<y>!@#%^*+';`\\[]"]}"#;
    let command = run_trial::good(text, BootCommand::prepare);
    let fields = Fields::from([("HTTPIP".to_owned(), "10.0.2.2".to_owned())]);
    let (result, said) = run_trial::run(vm.cancel, |run| command.type_in(qemu, vm, &fields, run));
    let rows = qemu.screen().unwrap().text(vm).unwrap().unwrap_or_default();
    result.unwrap_or_else(|e| panic!("{e}: {rows:#?}"));
    (said, rows)
}
