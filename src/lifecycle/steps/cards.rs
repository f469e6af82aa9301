//! Tells the provider which network cards the machine has beside the first.

use kiste_core::step::Step;

use crate::error::Error;
use crate::run::Run;

/// The step.
pub(crate) struct Cards;

impl Step<Run<'_>> for Cards {
    type Error = Error;

    fn name(&self) -> &'static str {
        "networks"
    }

    fn run(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        let target = run.target;
        let Some(networks) = target.driver.networks() else { return Ok(()) };
        networks.set_networks(&target.vm(), &target.machine.networks)?;
        if target.machine.networks.is_empty() {
            return Ok(());
        }
        target.reporter.say("Attaching networks");
        for (network, mac) in target.machine.networks.iter().zip(networks.network_macs(&target.vm())?) {
            target.reporter.detail(format!("{} network ({mac})", network.kind));
        }
        Ok(())
    }
}
