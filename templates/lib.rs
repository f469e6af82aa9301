//! The engine that builds images: a Packer template is parsed, interpolated, planned and run.
//!
//! `parse` → [`Template`], `plan` → one prepared build per builder (every mistake at once, nothing touched),
//! `pipeline` → builders with their provisioners, then post-processors, until only artifacts are left.

pub mod artifact;
pub mod builder;
mod builders;
pub mod communicator;
pub mod console;
mod deadline;
mod docker;
mod duration;
pub mod error;
pub mod fix;
mod functions;
mod gotime;
#[cfg(test)]
mod heard;
pub mod inputs;
pub mod interpolate;
pub mod json;
mod known;
mod lines;
mod live;
mod mask;
mod namespace;
mod nearest;
pub mod options;
mod packages;
pub mod parse;
#[cfg(test)]
mod parse_tests;
pub mod pipeline;
pub mod plan;
pub mod post_processor;
mod post_processors;
pub mod problem;
mod provenance;
mod provision;
pub mod provisioner;
mod provisioners;
pub mod request;
mod script;
mod selection;
mod shell_local;
mod steps;
pub mod template;
#[cfg(test)]
mod trial;
mod variables;

pub use artifact::Artifact;
pub use error::Error;
pub use parse::load;
pub use pipeline::{BuildResult, build};
pub use plan::{Plan, plan, validate};
pub use problem::{Place, Problem};
pub use request::BuildRequest;
pub use template::Template;
