//! The registry on real parts: the same stories on SQLite with files, and on PostgreSQL with S3 and two servers behind nginx; real clients;
//! hostile ones. Needs what `.ci/install test` installs.

#[allow(dead_code, reason = "one of several users of it")]
#[path = "../harness/boxes.rs"]
mod boxes;
#[allow(dead_code, reason = "the parts are for every story, of which some are still to be told")]
#[path = "../harness/registry/mod.rs"]
mod harness;

mod examples;
mod full;
mod hostile;
mod operations;
mod packer;
mod pages;
mod start;
mod story;
mod tls;
mod upstream;
mod vagrant;
