//! One machine as VirtualBox has it: asked for and changed by its id. What it no longer finds it is shown again.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kiste_core::Cancel;

use super::info::Info;
use super::program::VBoxManage;
use super::record::{self, Record};
use super::settings::{Moment, Settings};
use super::{disk, refusal};
use crate::driver::{State, Vm};
use crate::error::Error;
use crate::vbox_words;

/// Longest wait for a session to let go of a machine that ended.
const LETTING_GO: Duration = Duration::from_secs(20);

/// Longest time in which VirtualBox's service ends by itself.
const SERVICE_ENDS: Duration = Duration::from_secs(8);

/// A machine that was made, and the program to ask about it.
pub struct Machine {
    /// The program.
    pub program: VBoxManage,
    /// Its id.
    pub uuid: String,
}

impl Machine {
    /// The one of this record.
    pub fn of(vm: &Vm<'_>, record: &Record) -> Result<Self, Error> {
        Ok(Self { program: VBoxManage::find(&Settings::of(vm.machine)?)?, uuid: record.uuid.clone() })
    }

    /// Runs `VERB ID WORDS…`.
    pub fn run(&self, verb: &str, words: &[&str], cancel: &Cancel) -> Result<String, Error> {
        let all = [verb, &self.uuid].into_iter().chain(words.iter().copied());
        Ok(self.program.run(all, cancel)?.out)
    }

    /// What VirtualBox knows of it; none where it has no such machine.
    pub fn look(&self, cancel: &Cancel) -> Result<Option<Info>, Error> {
        match self.run("showvminfo", &["--machinereadable"], cancel) {
            Ok(out) => Ok(Some(Info::parse(&out))),
            Err(error) if refusal::is_not_found(&error) => Ok(None),
            Err(error) if refusal::is_inaccessible(&error) => Ok(Some(Info::inaccessible())),
            Err(error) => Err(error),
        }
    }

    /// [`Machine::look`] at one that must be there. A machine whose folder was moved, or that VirtualBox forgot, is shown to it anew.
    pub fn info(&self, vm: &Vm<'_>) -> Result<Info, Error> {
        match self.look(vm.cancel)? {
            Some(info) if info.is_accessible() => Ok(info),
            seen => {
                if seen.is_some_and(|info| info.get("CfgFile").is_some()) {
                    self.wait_until_forgotten(vm)?;
                }
                self.show_again(vm)?;
                self.look(vm.cancel)?.ok_or(Error::WrongState { is: State::NotCreated.short(), needs: "created" })
            }
        }
    }

    /// VirtualBox's service remembers a machine where it was until it ends, which it does some seconds after its last client. Taking
    /// the machine out before would make VirtualBox lose its disks.
    fn wait_until_forgotten(&self, vm: &Vm<'_>) -> Result<(), Error> {
        vm.reporter.detail("VirtualBox still has the machine at its old place; waiting for its service to end");
        vm.cancel.sleep(SERVICE_ENDS)?;
        let still = self.look(vm.cancel)?.is_some_and(|info| info.get("CfgFile").is_some());
        if !still {
            return Ok(());
        }
        let reason = "VirtualBox's service still has the machine at its old place".to_owned();
        let todo = Some("End its other machines and windows, wait ten seconds, then try again.".to_owned());
        Err(Error::Refused { program: super::program::NAME.to_owned(), command: "registervm".to_owned(), reason, code: None, todo })
    }

    /// Its definition in the machine's own folder; none where its files are gone.
    pub fn definition(&self, vm: &Vm<'_>) -> Result<Option<PathBuf>, Error> {
        Ok(definitions(&record::folder(vm)?).into_iter().find(|f| uuid_in(f).as_deref() == Some(&self.uuid)))
    }

    fn show_again(&self, vm: &Vm<'_>) -> Result<(), Error> {
        let Some(file) = self.definition(vm)? else { return Ok(()) };
        vm.reporter.detail("VirtualBox had lost sight of the machine; it is registered anew");
        // It may be registered under a place where it is no more.
        drop(self.run("unregistervm", &[], vm.cancel));
        self.program.run(vbox_words!["registervm", file], vm.cancel)?;
        disk::relocate(&self.program, vm, &record::folder(vm)?)
    }

    /// Waits until no session holds it.
    pub fn let_go(&self, vm: &Vm<'_>) -> Result<Info, Error> {
        let began = Instant::now();
        loop {
            let info = self.info(vm)?;
            if !info.is_held() || began.elapsed() > LETTING_GO {
                return Ok(info);
            }
            vm.cancel.sleep(Duration::from_millis(100))?;
        }
    }

    /// Runs the user's commands for a moment.
    pub fn customize(&self, settings: &Settings, moment: Moment, vm: &Vm<'_>) -> Result<(), Error> {
        for words in settings.commands(moment) {
            vm.reporter.detail(format!("VBoxManage {}", words.join(" ")));
            let words = words.iter().map(|w| if w == ":id" { self.uuid.clone() } else { w.clone() });
            self.program.run(words, vm.cancel)?;
        }
        Ok(())
    }
}

/// Files below `folder` in which VirtualBox keeps machines.
pub fn definitions(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(_) if path.extension().is_some_and(|e| e == "vbox") => found.push(path),
                _ => {}
            }
        }
    }
    found
}

/// `<Machine uuid="{…}"` of such a file.
pub fn uuid_in(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let machine = text.split("<Machine ").nth(1)?;
    let rest = machine.split("uuid=\"{").nth(1)?;
    rest.split_once('}').map(|(uuid, _)| uuid.to_owned())
}

/// Removes every machine that VirtualBox keeps below `folder`, and the folder.
pub fn sweep(program: &VBoxManage, folder: &Path, cancel: &Cancel) -> Result<(), Error> {
    for uuid in definitions(folder).iter().filter_map(|f| uuid_in(f)) {
        unregister(program, &uuid, cancel)?;
    }
    record::remove(folder)
}

/// Removes a machine with its files; fine when VirtualBox has none of that id.
pub fn unregister(program: &VBoxManage, uuid: &str, cancel: &Cancel) -> Result<(), Error> {
    match program.run(["unregistervm", uuid, "--delete"], cancel) {
        Err(error) if refusal::is_not_found(&error) => Ok(()),
        // Where files are gone only the entry is left to remove.
        Err(Error::Refused { .. }) => match program.run(["unregistervm", uuid], cancel) {
            Err(error) if !refusal::is_not_found(&error) => Err(error),
            _ => Ok(()),
        },
        other => other.map(drop),
    }
}
