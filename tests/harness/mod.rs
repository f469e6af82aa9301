//! What the tests of the binary are written with: an environment of their own, the real program, its whole output.

pub mod boxes;
pub mod env;
pub mod output;
pub mod running;

pub use env::Env;
pub use output::Output;
