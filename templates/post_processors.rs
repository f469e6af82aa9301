//! The kinds of post-processors.

pub mod docker_import;
pub mod docker_push;
pub mod docker_save;
pub mod docker_tag;
pub mod vagrant;
