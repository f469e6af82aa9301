//! The engine that runs machines: `up`, `halt`, `reload` and the other verbs, each a list of steps.
//!
//! Verbs take an [`Environment`] and names as the user typed them (see [`select`]), report through its reporter and
//! return one [`Error`]. Nothing here prints, asks on a terminal, or knows one provider from another.

pub mod context;
pub mod error;
pub mod index;
pub mod options;
pub mod select;
mod verbs;

pub use context::Environment;
pub use error::Error;
pub use options::{DestroyOptions, ProvisionOptions, RsyncOptions, UpOptions, UploadOptions};
pub use verbs::*;
