//! The hand around the guest: one contract, one folder per provider.

pub mod all;
pub mod capability;
#[cfg(test)]
mod conformance;
pub mod driver;
pub mod error;
// What reads a host's answers comes before the driver that asks: until then its tests alone use it.
#[cfg(test)]
mod esxi;
#[cfg(feature = "fake")]
pub mod fake;
pub mod qemu;
mod screen_text;
pub mod virtualbox;

pub use all::{all, named};
pub use driver::{Address, Driver, Finding, Source, SourceDisk, State, Vm};
pub use error::Error;
