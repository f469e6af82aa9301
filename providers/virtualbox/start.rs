//! Starting: what changed is set on a machine that is off, then it is started, and what VirtualBox keeps to itself is looked at.

use std::time::{Duration, Instant};

use kiste_core::Cancel;
use kiste_core::machine::DiskKind;

use super::info::Info;
use super::machine::Machine;
use super::program::VBoxManage;
use super::record::{self, Record};
use super::settings::{Moment, Settings};
use super::{cards, ports};
use crate::driver::{State, Vm};
use crate::error::Error;
use crate::vbox_words;

/// Longest wait until a machine that was started says that it runs.
const RUNNING: Duration = Duration::from_secs(30);

/// Starts the machine, wakes it, or lets it go on.
pub fn start(vm: &Vm<'_>) -> Result<(), Error> {
    let record = Record::made(vm)?;
    vm.cancel.check()?;
    let settings = Settings::of(vm.machine)?;
    let machine = Machine::of(vm, &record)?;
    let info = machine.info(vm)?;
    match info.state() {
        State::Running => Err(Error::WrongState { is: State::Running.short(), needs: State::Stopped.short() }),
        State::Paused => {
            machine.run("controlvm", &["resume"], vm.cancel)?;
            ports::change(&machine, vm, &machine.info(vm)?, &record.ports)
        }
        State::Suspended => wake(&machine, vm, &settings, &record, &info),
        _ => boot(&machine, vm, &settings, &record),
    }
}

/// A sleeping machine can't be changed: its forwards are set once it runs.
fn wake(machine: &Machine, vm: &Vm<'_>, settings: &Settings, record: &Record, info: &Info) -> Result<(), Error> {
    let kept: Vec<_> =
        record.ports.iter().filter(|p| info.forwards().iter().any(|r| r.get(3) == Some(&p.host.to_string()))).cloned().collect();
    ports::need_free(&kept)?;
    launch(machine, vm, settings)?;
    let info = machine.info(vm)?;
    checked(machine, vm, ports::change(machine, vm, &info, &record.ports).and_then(|()| ports::verify(&info, &record.ports, 0)))
}

fn boot(machine: &Machine, vm: &Vm<'_>, settings: &Settings, record: &Record) -> Result<(), Error> {
    let mut info = machine.let_go(vm)?;
    if info.get("VMState") == Some("gurumeditation") {
        machine.run("controlvm", &["poweroff"], vm.cancel)?;
        info = machine.let_go(vm)?;
    }
    apply(machine, vm, settings, record, &info)?;
    machine.customize(settings, Moment::PreBoot, vm)?;
    ports::need_free(&record.ports)?;
    launch(machine, vm, settings)?;
    checked(machine, vm, ports::verify(&machine.info(vm)?, &record.ports, 0))?;
    machine.customize(settings, Moment::PostBoot, vm)
}

/// A machine that runs without what it was to have is switched off again.
fn checked(machine: &Machine, vm: &Vm<'_>, result: Result<(), Error>) -> Result<(), Error> {
    if result.is_err() {
        drop(machine.run("controlvm", &["poweroff"], &Cancel::new()));
        drop(machine.let_go(&Vm { cancel: &Cancel::new(), ..vm.clone() }));
    }
    result
}

fn launch(machine: &Machine, vm: &Vm<'_>, settings: &Settings) -> Result<(), Error> {
    let front = if settings.gui { "gui" } else { "headless" };
    let started = machine.run("startvm", &["--type", front], vm.cancel).and_then(|_| runs(machine, vm));
    if vm.cancel.is_cancelled() {
        // It may come up although nobody waits for it any more.
        return checked(machine, vm, Err(kiste_core::Cancelled.into()));
    }
    started
}

fn runs(machine: &Machine, vm: &Vm<'_>) -> Result<(), Error> {
    let began = Instant::now();
    loop {
        match machine.info(vm)?.get("VMState").unwrap_or_default() {
            "running" | "paused" => return Ok(()),
            "poweroff" | "aborted" | "saved" | "gurumeditation" => break,
            _ if began.elapsed() > RUNNING => break,
            _ => vm.cancel.sleep(Duration::from_millis(100))?,
        }
    }
    let info = machine.info(vm)?;
    let log = ports::log(&info);
    let said: Vec<&str> = log.lines().filter(|l| l.contains("VERR_") || l.contains("error")).collect();
    let reason = said.last().map_or_else(|| format!("it is {}", info.state().short()), |l| (*l).to_owned());
    Err(Error::Start { program: "VBoxHeadless".to_owned(), reason })
}

/// Makes a machine that is off what its settings and records say.
fn apply(machine: &Machine, vm: &Vm<'_>, settings: &Settings, record: &Record, info: &Info) -> Result<(), Error> {
    let log = vm.dir.serial_log();
    let log = std::path::absolute(&log).map_err(record::file_error(&log))?.to_string_lossy().into_owned();
    let mut words: Vec<String> = ["--uart1", "0x3F8", "4", "--uartmode1", "file", &log].map(str::to_owned).to_vec();
    words.extend(vm.machine.memory.map(|m| ["--memory".to_owned(), m.in_mib().to_string()]).into_iter().flatten());
    words.extend(vm.machine.cpus.map(|n| ["--cpus".to_owned(), n.to_string()]).into_iter().flatten());
    words.extend(vm.machine.base_mac.as_deref().and_then(cards::plain_mac).map(|m| ["--macaddress1".to_owned(), m]).into_iter().flatten());
    words.extend(ports::words(info, &record.ports));
    words.extend(cards::words(machine, vm, settings, &record.cards)?);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    machine.run("modifyvm", &words, vm.cancel)?;
    folders(machine, vm, record, info)?;
    disc(machine, vm, record, info)
}

fn folders(machine: &Machine, vm: &Vm<'_>, record: &Record, info: &Info) -> Result<(), Error> {
    for name in info.shared_folders() {
        machine.program.run(["sharedfolder", "remove", &machine.uuid, "--name", &name], vm.cancel)?;
    }
    for share in &record.shares {
        let path = std::path::absolute(&share.path).map_err(record::file_error(&share.path))?;
        let mut words = vbox_words!["sharedfolder", "add", &machine.uuid, "--name", &share.tag, "--hostpath", path].to_vec();
        if share.read_only {
            words.push("--readonly".into());
        }
        machine.program.run(words, vm.cancel)?;
    }
    Ok(())
}

/// Where discs go: a controller that is made for them, so that the box's own are left alone.
const DISCS: &str = "kiste-discs";

/// Discs of the settings and the one that was put in.
fn disc(machine: &Machine, vm: &Vm<'_>, record: &Record, info: &Info) -> Result<(), Error> {
    let of_settings = vm.machine.disks.iter().filter(|d| d.kind == DiskKind::Dvd).filter_map(|d| d.file.clone());
    let discs: Vec<_> = of_settings.chain(record.disc.clone()).collect();
    if info.controllers().contains(&DISCS) {
        machine.run("storagectl", &["--name", DISCS, "--remove"], vm.cancel)?;
    }
    if discs.is_empty() {
        return Ok(());
    }
    let has_ide = info.starting("storagecontrollertype").any(|(_, t)| t.starts_with("PIIX") || t.starts_with("ICH6"));
    let bus = if has_ide { "usb" } else { "ide" };
    machine.run("storagectl", &["--name", DISCS, "--add", bus, "--bootable", "on"], vm.cancel)?;
    for (index, disc) in discs.iter().enumerate() {
        let (port, device) = if bus == "ide" { (index / 2, index % 2) } else { (index, 0) };
        let path = std::path::absolute(disc).map_err(record::file_error(disc))?;
        let words = vbox_words![
            "storageattach",
            &machine.uuid,
            "--storagectl",
            DISCS,
            "--port",
            port.to_string(),
            "--device",
            device.to_string(),
            "--type",
            "dvddrive",
            "--medium",
            path
        ];
        machine.program.run(words, vm.cancel)?;
    }
    Ok(())
}

/// The state, fast: one question.
pub fn state(vm: &Vm<'_>) -> Result<State, Error> {
    let Some(record) = Record::read(vm)? else { return Ok(State::NotCreated) };
    let machine = Machine { program: VBoxManage::find(&Settings::of(vm.machine)?)?, uuid: record.uuid.clone() };
    let cancel = Cancel::new();
    // What VirtualBox forgot or lost sight of is there as long as its files are: the next start shows it again.
    let Some(info) = machine.look(&cancel)?.filter(Info::is_accessible) else {
        return Ok(machine.definition(vm)?.map_or(State::NotCreated, |_| State::Stopped));
    };
    let seen = info.state();
    let put_down = record.put_down.is_some() && record.put_down.as_deref() == info.get("VMStateChangeTime");
    Ok(if seen == State::Aborted && put_down { State::Stopped } else { seen })
}
