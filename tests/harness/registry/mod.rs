//! A registry of real parts for tests: the built `kiste registry serve`, Debian's PostgreSQL, an S3 server, nginx as a balancer.
//!
//! Each part listens at a loopback address that no other test has, is told apart by its process, and ends with the test, also when the
//! test dies (`setpriv --pdeathsig`). Needs what `.ci/install test` installs.

pub mod balancer;
pub mod bucket;
pub mod caller;
pub mod chromium;
pub mod part;
pub mod postgres;
pub mod server;
pub mod world;

pub use caller::Caller;
pub use world::{Kind, World};
