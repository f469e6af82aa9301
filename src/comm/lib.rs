//! Talk to a guest: the communicator contract, ssh as its first kind, strict quoting, waiting for readiness.

pub mod communicator;
pub mod error;
pub mod fake;
pub mod quote;
pub mod ssh;
pub mod wait;

pub use communicator::{Communicator, GuestCommand, GuestExit, Progress};
pub use error::Error;
