//! The way into a machine: its provider's own where it brings one, else ssh to the address that the provider tells.

use std::path::PathBuf;

use kiste_comm::Communicator;
use kiste_comm::ssh::{Ssh, SshTarget};
use kiste_core::machine::CommunicatorKind;
use kiste_guest::Guest;

use crate::context::Target;
use crate::error::Error;
use crate::record::Record;

/// An opened way. Nothing is connected before it is used.
pub(crate) enum Way {
    Ssh(Box<Ssh>),
    Own(Box<dyn Communicator>),
}

impl Way {
    pub fn comm(&self) -> &dyn Communicator {
        match self {
            Self::Ssh(ssh) => ssh.as_ref(),
            Self::Own(comm) => comm.as_ref(),
        }
    }

    /// Where ssh goes; none where the provider brings its own way.
    pub fn target(&self) -> Option<&SshTarget> {
        match self {
            Self::Ssh(ssh) => Some(ssh.target()),
            Self::Own(_) => None,
        }
    }

    /// Whether the last login was by the machine's own key; none where there are no logins by key.
    pub fn used_own_key(&self) -> Option<bool> {
        match self {
            Self::Ssh(ssh) => Some(!ssh.used_insecure_key() && !ssh.used_password()),
            Self::Own(_) => None,
        }
    }

    pub fn guest<'a>(&'a self, target: &'a Target<'_>) -> Guest<'a> {
        Guest::new(self.comm(), &target.reporter, &target.env.cancel).with_system(target.machine.guest.as_deref())
    }
}

/// Opens the way; none while the provider knows no address yet, or where the file says that there is none.
pub(crate) fn open(target: &Target<'_>, record: &Record) -> Result<Option<Way>, Error> {
    if target.machine.communicator == CommunicatorKind::None {
        return Ok(None);
    }
    if let Some(own) = target.driver.communicator(&target.vm())? {
        return Ok(Some(Way::Own(own)));
    }
    Ok(ssh_target(target, record)?.map(|to| Way::Ssh(Box::new(Ssh::new(to)))))
}

/// Where ssh goes, and with what: the machine's own key once it has one; until its place in the guest is certain, the others too.
pub(crate) fn ssh_target(target: &Target<'_>, record: &Record) -> Result<Option<SshTarget>, Error> {
    let Some(address) = target.driver.address(&target.vm())? else { return Ok(None) };
    let mut to = SshTarget::of(&target.machine.ssh, address.host, address.port);
    to.known_host = Some(target.dir.known_host());
    to.keys = keys(target, record);
    if record.own_key {
        to.offer_insecure = false;
    }
    Ok(Some(to))
}

/// Private keys, best first. The well-known ones are not files and not among them.
fn keys(target: &Target<'_>, record: &Record) -> Vec<PathBuf> {
    let own = Some(target.dir.private_key()).filter(|key| key.exists());
    let users = target.machine.ssh.private_key_path.iter().filter(|_| !record.own_key).cloned();
    own.into_iter().chain(users).collect()
}
