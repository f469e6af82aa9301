//! The kinds of provisioners.

pub mod shell;
