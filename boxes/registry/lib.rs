//! Serve boxes: the registry that `vagrant`, `packer` and `kiste` talk to.
//!
//! One process, stateless but for its [place](settings::Place): accounts, boxes and versions are rows of a database, boxes' bytes are objects
//! in a store. Several servers may share both.

pub mod access;
pub mod address;
pub mod app;
pub mod auth;
pub mod backup;
pub mod check;
pub mod collect;
pub mod db;
pub mod downloads;
pub mod error;
pub mod first_start;
pub mod markdown;
pub mod metrics;
pub mod names;
pub mod objects;
pub mod observe;
pub mod pages;
pub mod router;
pub mod routes;
pub mod serve;
pub mod settings;
pub mod upkeep;
pub mod uploads;
mod upstream;

pub use error::Error;
pub use serve::{Running, serve};
pub use settings::{Patience, Place, Settings, Tls};

#[cfg(test)]
mod trial;
