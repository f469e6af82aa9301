//! The Kistefile front end: one TOML file (and the user's own below it) becomes a [`kiste_core::machine::Project`].
//!
//! ```text
//! text ─document→ tree with places ─set, interpolate→ rendered tree ─reader→ checked tree ─merge→ one tree per machine
//!      ─check→ (every mistake at once) ─resolve→ core::Machine          and back: print
//! ```
//! The types in [`kistefile`] are the one description of the file: their JSON Schema is what `kiste schema` prints and
//! what the reader checks against, so the two cannot drift apart.

mod check;
mod document;
pub mod error;
mod find;
mod interpolate;
pub mod kistefile;
mod load;
mod merge;
pub mod mistake;
mod nearest;
mod print;
mod reader;
mod resolve;
mod schema;
mod set;
mod shorthand;

pub use error::Error;
pub use find::find;
pub use load::{Request, load, validate};
pub use mistake::Mistake;
pub use print::to_toml;
pub use schema::schema;
