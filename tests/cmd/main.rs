//! Every command of the binary, run as a user runs it, with the fake provider; and what happens when things go wrong.

#[path = "../harness/mod.rs"]
mod harness;
#[allow(dead_code, unused_imports, reason = "these tests need one server; others need all the parts")]
#[path = "../harness/registry/mod.rs"]
mod parts;

mod r#box;
mod box_hostile;
mod build;
mod build_qemu;
mod build_qemu_ends;
mod build_ssh;
mod completions;
mod config;
mod console;
mod crash;
mod destroy;
mod disk_full;
mod doctor;
mod faults;
mod global_status;
mod halt;
mod help;
mod init;
mod interrupt;
mod logs;
mod man;
mod output;
mod port;
mod providers;
mod provision;
mod registry;
mod reload;
mod resume;
mod rsync;
mod schema;
mod screenshot;
mod snapshot;
mod ssh;
mod ssh_config;
mod status;
mod suspend;
mod templates;
mod up;
mod upload;
mod validate;
mod version;
mod virtualbox;
