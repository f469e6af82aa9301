//! The hand around the guest: one contract, one folder per provider.

pub mod all;
pub mod capability;
pub mod driver;
pub mod error;
#[cfg(feature = "fake")]
pub mod fake;

pub use all::{all, named};
pub use driver::{Address, Driver, Finding, Source, SourceDisk, State, Vm};
pub use error::Error;
