//! Steps that builders of virtual machines share, over one context.

pub mod boot;
pub mod boot_command;
pub mod cd;
pub mod connect;
pub mod context;
pub mod evidence;
pub mod export;
pub mod floppy;
pub mod http;
pub mod iso;
pub mod media_files;
pub mod provision;
#[cfg(test)]
pub mod run_trial;
pub mod scratch;
pub mod shut_down;

pub use context::Context;
