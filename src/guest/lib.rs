//! The hand inside the guest: its system, its host name and power, its keys, its folders, its provisioners.
//!
//! Everything goes through [`kiste_comm::Communicator`]; nothing here knows how a machine is run.

pub mod error;
pub mod hostname;
pub mod identity;
pub mod os;
pub mod power;
pub mod provision;
pub mod share;

mod task;

#[cfg(test)]
mod tests;

pub use error::Error;

use std::sync::OnceLock;

use kiste_comm::Communicator;
use kiste_core::{Cancel, Reporter};

use crate::os::Os;

/// A guest that can be talked to. What it is, is found out once, when first asked.
pub struct Guest<'a> {
    /// The way in.
    pub comm: &'a dyn Communicator,
    /// Who listens.
    pub reporter: &'a Reporter,
    /// Ctrl-C.
    pub cancel: &'a Cancel,
    forced: Option<&'a str>,
    os: OnceLock<Os>,
}

impl<'a> Guest<'a> {
    /// A guest behind a communicator.
    pub fn new(comm: &'a dyn Communicator, reporter: &'a Reporter, cancel: &'a Cancel) -> Self {
        Self { comm, reporter, cancel, forced: None, os: OnceLock::new() }
    }

    /// The same guest, whose system the user named (`debian`, `alpine` …); detection still finds its programs.
    pub fn with_system(self, id: Option<&'a str>) -> Self {
        Self { forced: id, os: OnceLock::new(), ..self }
    }

    /// The same guest, whose system was found out before (by [`Guest::os`] of another one for the same machine): no round trip then.
    pub fn with_os(self, os: Option<&Os>) -> Self {
        Self { os: os.cloned().map(OnceLock::from).unwrap_or_default(), ..self }
    }

    /// What it is: one round trip at first, remembered afterwards.
    pub fn os(&self) -> Result<&Os, Error> {
        if let Some(os) = self.os.get() {
            return Ok(os);
        }
        let os = os::detect::detect(self, self.forced)?;
        Ok(self.os.get_or_init(|| os))
    }
}
