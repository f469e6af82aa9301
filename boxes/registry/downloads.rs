//! Contents on their way out: which part of one a client wants, how it gets there, and how often.

pub mod counter;
pub mod handover;
pub mod range;
