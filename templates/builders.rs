//! The kinds of builders.

pub mod bootstrap;
pub mod docker;
pub mod file;
pub mod kiste;
mod machine;
pub mod null;
mod pretender;
pub mod qemu;
#[cfg(test)]
pub mod trial;
