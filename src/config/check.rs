//! What the schema can't say: things that exclude each other, that must exist, that stand twice.
//!
//! Checks look at trees that were read, so that every mistake has its place and one broken entry does not hide the next.

mod container;
mod duplicate;
mod files;
mod folder;
mod machine;
mod network;
mod port;
mod project;
mod provision;
mod storage;
mod trigger;
mod version;

pub use duplicate::layer;
pub use files::files;
pub use project::project;
