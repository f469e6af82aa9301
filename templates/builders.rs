//! The kinds of builders.

pub mod bootstrap;
