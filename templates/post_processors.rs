//! The kinds of post-processors.

pub mod artifice;
pub mod checksum;
pub mod compress;
pub mod docker_import;
pub mod docker_push;
pub mod docker_save;
pub mod docker_tag;
#[cfg(test)]
mod docker_tests;
pub mod manifest;
pub mod provenance;
pub mod vagrant;
pub mod vagrant_cloud;
pub mod vagrant_registry;
