//! Names the guest as the file says.

use kiste_core::step::Step;

use crate::error::Error;
use crate::run::Run;

/// The step.
pub(crate) struct Hostname;

impl Step<Run<'_>> for Hostname {
    type Error = Error;

    fn name(&self) -> &'static str {
        "hostname"
    }

    fn run(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        let machine = run.target.machine;
        if let (Some(name), Some(way)) = (&machine.hostname, &run.way) {
            run.target.reporter.detail(format!("Host name {name}"));
            kiste_guest::hostname::set(&way.guest(run.target), name, machine.allow_hosts_modification)?;
        }
        Ok(())
    }
}
