//! QEMU: machines as detached processes, driven over the monitor's socket.

mod accel;
mod agent;
mod arch;
mod args;
mod capabilities;
mod check;
mod disk;
mod driver;
mod events;
mod evidence;
mod firmware;
#[cfg(test)]
mod guest_tests;
mod memory;
mod net;
mod probe;
mod process;
mod program;
mod qmp;
mod raw;
#[cfg(test)]
mod raw_tests;
mod record;
mod run_dir;
mod screen;
mod settings;
mod shares;
mod snapshots;
mod start;
mod stop;
#[cfg(test)]
mod tests;

pub use driver::Qemu;
pub use settings::Settings;

/// The provider's name.
const NAME: &str = "qemu";
