//! Machines that are a command line: QEMU gets exactly the words it was given, and a monitor, an event log, a file with its process
//! id and a serial log of ours beside them. So whoever runs such a machine never loses its process.

use kiste_core::host::{self, HostError, ProcessId, Program};

use super::accel::{self, Accel};
use super::arch::Arch;
use super::args::{absolute, path_value};
use super::driver::{self, Qemu, state};
use super::program;
use super::qmp::Monitor;
use super::record::{Record, Running, file_error};
use super::settings::AccelChoice;
use super::{disk, events, process, run_dir};
use crate::capability::{RawCommand, RawCommandLine};
use crate::driver::{State, Vm};
use crate::error::Error;

/// Options with which a command line has a serial line of its own, or none on purpose.
const OWN_SERIAL: [&str; 4] = ["-serial", "--serial", "-nographic", "-nodefaults"];
/// Options with which QEMU would leave the process that we know.
const LEAVES: [&str; 2] = ["-daemonize", "--daemonize"];

/// The architecture that a program runs, by its name; of the host's own when that tells nothing.
fn arch_of(program: Option<&str>) -> Result<Arch, Error> {
    let named = program.and_then(|p| Arch::named(p.rsplit('/').next()?.strip_prefix("qemu-system-")?));
    named.or_else(Arch::host).ok_or_else(|| Error::Settings("this host's architecture has no default QEMU".to_owned()))
}

fn check(command: &RawCommandLine) -> Result<(), Error> {
    match command.args.iter().find(|a| LEAVES.contains(&a.as_str())) {
        Some(word) => Err(Error::Settings(format!("`{word}` cannot be used: QEMU is started in the background anyway"))),
        None => Ok(()),
    }
}

/// The id that the command line gives the machine itself.
fn own_uuid(command: &RawCommandLine) -> Option<String> {
    let at = command.args.iter().position(|a| a == "-uuid" || a == "--uuid")?;
    command.args.get(at + 1).cloned()
}

impl RawCommand for Qemu {
    fn create_raw(&self, vm: &Vm<'_>, command: &RawCommandLine) -> Result<(), Error> {
        check(command)?;
        let is = state(vm)?;
        if is != State::NotCreated {
            return Err(Error::WrongState { is: is.short(), needs: State::NotCreated.short() });
        }
        let arch = arch_of(command.program.as_deref())?;
        driver::sweep(vm)?;
        std::fs::create_dir_all(vm.dir.root()).map_err(file_error(vm.dir.root()))?;
        Record {
            uuid: own_uuid(command).unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
            arch,
            uefi: false,
            mac: String::new(),
            disks: Vec::new(),
            ports: Vec::new(),
            shares: Vec::new(),
            disc: None,
            kernel: None,
            saved: None,
            snapshots: Vec::new(),
            command: Some(command.clone()),
        }
        .write(vm)
    }

    fn set_command(&self, vm: &Vm<'_>, command: Option<&RawCommandLine>) -> Result<(), Error> {
        command.map_or(Ok(()), check)?;
        Record::change(vm, |record| {
            if let Some(uuid) = command.and_then(own_uuid) {
                record.uuid = uuid;
            }
            record.command = command.cloned();
        })
    }

    fn set_screen_password(&self, vm: &Vm<'_>, password: &str) -> Result<(), Error> {
        let running = Running::read(vm)?.ok_or(Error::WrongState { is: State::Stopped.short(), needs: State::Running.short() })?;
        let change = qapi::qmp::change_vnc_password { password: password.to_owned() };
        Monitor::connect(&running.monitor(), process::ANSWER)?.ask(&change).map(drop)
    }

    fn accelerator(&self, vm: &Vm<'_>, program: Option<&str>) -> Result<&'static str, Error> {
        let arch = arch_of(program)?;
        let name = program.map_or_else(|| arch.program(), str::to_owned);
        let mut qemu = program::Qemu::find(&name, arch, vm.home, vm.cancel)?;
        Ok(accel::choose(vm, AccelChoice::Auto, &mut qemu)?.accel.name())
    }
}

/// Starts it.
pub fn launch(vm: &Vm<'_>, record: &Record, command: &RawCommandLine) -> Result<(), Error> {
    let name = command.program.clone().unwrap_or_else(|| record.arch.program());
    let path = host::find(&name).ok_or(HostError::Missing { program: name })?;
    let run = run_dir::make(vm, &record.uuid)?;
    let mut running = Running {
        process: None,
        starter: ProcessId::of(std::process::id()),
        run,
        accel: accel_of(command),
        hardware: Vec::new(),
        ports: Vec::new(),
        helpers: Vec::new(),
    };
    events::prepare(vm)?;
    let program = Program::new(path.to_string_lossy()).args(&command.args).args(own_words(vm, record, command, &running)?);
    process::spawn(vm, &program, &mut running).map(drop)
}

/// For evidence only.
fn accel_of(command: &RawCommandLine) -> Accel {
    let named = |name: &str| command.args.iter().any(|a| a == name || a.contains(&format!("accel={name}")));
    [Accel::Kvm, Accel::Hvf, Accel::Whpx].into_iter().find(|a| named(a.name())).unwrap_or(Accel::Tcg)
}

fn own_words(vm: &Vm<'_>, record: &Record, command: &RawCommandLine, running: &Running) -> Result<Vec<String>, Error> {
    let mut words = Vec::new();
    let mut say = |option: &str, value: String| words.extend([option.to_owned(), value]);
    if own_uuid(command).is_none() {
        say("-uuid", record.uuid.clone());
    }
    for (name, path) in [("qmp", running.monitor()), ("look", running.look())] {
        say("-chardev", format!("socket,id=kiste-{name},path={},server=on,wait=off", path_value(&path)?));
        say("-mon", format!("chardev=kiste-{name},mode=control"));
    }
    say("-chardev", format!("pipe,id=kiste-events,path={}", path_value(&absolute(&events::base(vm))?)?));
    say("-mon", "chardev=kiste-events,mode=control".to_owned());
    say("-pidfile", disk::text(&running.run.join("pid"))?.to_owned());
    if !command.args.iter().any(|a| OWN_SERIAL.contains(&a.as_str())) {
        say("-chardev", format!("file,id=kiste-serial,path={},append=on", path_value(&absolute(&vm.dir.serial_log())?)?));
        say("-serial", "chardev:kiste-serial".to_owned());
    }
    Ok(words)
}
