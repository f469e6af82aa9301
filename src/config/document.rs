//! A file as a tree in which every key and value knows its place.

mod node;
mod parse;
mod place;

pub use node::{Entry, Node, Table, Value};
pub use parse::{parse, parse_value};
pub use place::{Place, Source};
