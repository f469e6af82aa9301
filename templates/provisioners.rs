//! The kinds of provisioners.

pub mod breakpoint;
mod elevated;
pub mod file;
pub mod powershell;
mod remote;
pub mod shell;
pub mod windows_restart;
pub mod windows_shell;

pub use remote::DISCONNECTED;
