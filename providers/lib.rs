//! The hand around the guest: one contract, one folder per provider.

pub mod capability;
pub mod driver;
pub mod error;

pub use driver::{Address, Driver, Finding, Source, SourceDisk, State, Vm};
pub use error::Error;
