//! VirtualBox: machines kept by its own service, driven over `VBoxManage` (6.1, 7.0, 7.1, 7.2).

mod appliance;
mod capabilities;
mod cards;
mod check;
mod disk;
mod driver;
mod import;
mod info;
mod machine;
mod master;
mod ports;
mod program;
mod record;
mod refusal;
mod scancodes;
mod settings;
mod snapshots;
mod start;
mod stop;
#[cfg(test)]
mod tests;

pub use driver::VirtualBox;
pub use settings::Settings;

/// The provider's name.
const NAME: &str = "virtualbox";
