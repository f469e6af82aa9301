//! Keep boxes: names, versions, formats, the store, downloads. The only crate that speaks to a registry.

mod api;
mod client;
mod error;
mod failure;
mod format;
mod source;
#[cfg(test)]
mod test_server;
mod upload;

pub mod architecture;
pub mod catalog_document;
pub mod cloud;
pub mod constraint;
pub mod digest;
pub mod download;
pub mod image;
pub mod metadata;
pub mod name;
pub mod pack;
pub mod publish;
pub mod store;
pub mod upstream;
pub mod version;

pub use constraint::Constraint;
pub use error::Error;
pub use metadata::{BoxDisk, Metadata};
pub use pack::{Compression, PackEntry, PackSource, Packed, Shape};
pub use store::{AddRequest, BoxInUse, Freshness, OutdatedRequest, PruneRequest, Pruned, Query, Selection, Store, StoredBox};
pub use version::Version;
