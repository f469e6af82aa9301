//! Runs the provisioners whose turn it is, and writes down how each ended before the next begins.
//!
//! `once` means: until it succeeded once on this machine. One that failed, and one that was added later, run on the next `up`.
//! One that succeeded and was changed since does not run again by itself, but is named.

use kiste_core::dirs::MachineDir;
use kiste_core::provision::Run as When;
use kiste_core::state_file;
use kiste_core::step::Step;
use kiste_guest::provision::{self, ProvisionContext, Record, Wanted};

use crate::error::Error;
use crate::options::ProvisionOptions;
use crate::run::Run;

/// The step.
pub(crate) struct Provision;

impl Step<Run<'_>> for Provision {
    type Error = Error;

    fn name(&self) -> &'static str {
        "provision"
    }

    fn run(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        let options = &run.options.provision;
        let list = &run.target.machine.provision;
        if list.is_empty() || run.way.is_none() {
            return Ok(());
        }
        if options.provision == Some(false) {
            run.target.reporter.say("Provisioners are left out, as asked");
            return Ok(());
        }
        let row = provision::order(list)?;
        let mut record = read(run);
        let Some(wanted) = known(run, wanted(options)) else { return Ok(()) };
        let selection = provision::select(list, &row, &wanted, &record)?;
        tell(run, &selection.done, &record);
        for p in selection.run {
            run.target.env.cancel.check()?;
            let result = one(run, p);
            record.note(list, p, result.is_ok(), &run.target.env.project.root);
            write(&run.target.dir, &record)?;
            result?;
        }
        Ok(())
    }
}

/// What of `options` the guest crate's selection asks for.
fn wanted(options: &ProvisionOptions) -> Wanted {
    Wanted { again: options.provision == Some(true), with: options.with.clone() }
}

/// Words that name provisioners of this machine: of several machines each has its own.
fn known(run: &Run<'_>, wanted: Wanted) -> Option<Wanted> {
    let asked = !wanted.with.is_empty();
    let fits = |word: &String| run.target.machine.provision.iter().any(|p| p.name.as_ref() == Some(word) || p.kind.type_name() == word);
    let with: Vec<String> = wanted.with.into_iter().filter(fits).collect();
    (!asked || !with.is_empty()).then_some(Wanted { with, ..wanted })
}

fn read(run: &Run<'_>) -> Record {
    let path = run.target.dir.provisioned();
    state_file::read_json(&path)
        .unwrap_or_else(|e| {
            run.target.reporter.warn(format!("{e}; provisioners count as not run"));
            None
        })
        .unwrap_or_default()
}

fn write(dir: &MachineDir, record: &Record) -> Result<(), Error> {
    state_file::write_json(&dir.provisioned(), record).map_err(Error::file("write", dir.provisioned()))
}

fn tell(run: &Run<'_>, done: &[String], record: &Record) {
    let (list, root) = (&run.target.machine.provision, &run.target.env.project.root);
    if done.is_empty() {
        return;
    }
    let reporter = &run.target.reporter;
    reporter.say("Machine already provisioned. `kiste provision` or `--provision` runs the provisioners again;");
    reporter.say("those marked to run always still run.");
    for p in list.iter().filter(|p| p.run == When::Once && record.changed(list, p, root)) {
        reporter.detail(format!("`{}` changed since it ran", p.label()));
    }
}

fn one(run: &Run<'_>, p: &kiste_core::provision::Provisioner) -> Result<(), Error> {
    let target = run.target;
    let way = run.way()?;
    let after_reboot = || super::share::again(target, way);
    let context = ProvisionContext { project_root: &target.env.project.root, after_reboot: &after_reboot };
    Ok(provision::provision(p, &way.guest(target), &context)?)
}
