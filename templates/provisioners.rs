//! The kinds of provisioners.

pub mod breakpoint;
pub mod file;
mod remote;
pub mod shell;

pub use remote::DISCONNECTED;
