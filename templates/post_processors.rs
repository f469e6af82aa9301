//! The kinds of post-processors.

pub mod vagrant;
