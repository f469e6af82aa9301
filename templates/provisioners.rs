//! The kinds of provisioners.

pub mod ansible;
pub mod ansible_local;
pub mod breakpoint;
mod elevated;
pub mod file;
mod guest_os;
mod paths;
pub mod powershell;
pub mod puppet_masterless;
mod remote;
pub mod salt_masterless;
pub mod shell;
pub mod windows_restart;
pub mod windows_shell;

pub use remote::DISCONNECTED;
