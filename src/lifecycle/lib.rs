//! The engine that runs machines: `up`, `halt`, `reload` and the other verbs, each a list of steps.
//!
//! Verbs take an [`Environment`] and names as the user typed them (see [`select`]), report through its reporter and
//! return one [`Error`]. Nothing here prints, asks on a terminal, or knows one provider from another.

pub mod context;
pub mod error;
pub mod index;
pub mod options;
pub mod select;

mod batch;
mod check;
mod choose;
mod destroy;
mod evidence;
mod existing;
mod freshness;
mod halt;
mod lock;
mod lock_file;
mod logs;
mod pin;
mod port;
mod provision;
mod reach;
mod record;
mod reload;
mod resume;
mod rsync;
mod run;
mod screenshot;
mod snapshot;
mod ssh;
mod status;
mod steps;
mod suspend;
mod up;
mod upload;
mod validate;

#[cfg(test)]
mod tests;

pub use context::Environment;
pub use destroy::{Destroyed, destroy};
pub use error::Error;
pub use halt::halt;
pub use logs::logs;
pub use options::{DestroyOptions, ProvisionOptions, RestoreOptions, RsyncOptions, UpOptions, UploadOptions};
pub use pin::pin_box;
pub use port::ports;
pub use provision::provision;
pub use reload::reload;
pub use resume::resume;
pub use rsync::{rsync, rsync_auto};
pub use screenshot::screenshot;
pub use snapshot::{MachineSnapshots, delete_snapshot, list_snapshots, pop_snapshot, push_snapshot, restore_snapshot, save_snapshot};
pub use ssh::{SshInfo, run_command, ssh_config, ssh_info};
pub use status::{MachineStatus, status};
pub use suspend::suspend;
pub use up::up;
pub use upload::upload;
pub use validate::validate;
