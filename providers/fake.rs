//! A provider without machines, for tests: state on disk only, a guest played by the host's `sh`, faults on demand.
//!
//! A fake machine survives the process that started it, as a real one does: whether it "runs" is a word in a file and a clock.

mod driver;
mod faults;
mod guest;
mod picture;
mod prompt;
mod snapshots;
mod state;
mod world;

pub use driver::Fake;
#[cfg(test)]
pub use driver::die;
pub use faults::Faults;
