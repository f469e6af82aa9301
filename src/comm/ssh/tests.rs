//! The communicator against a real sshd. Each test has a server of its own; without an sshd on this host they say so and end.

mod boot;
mod commands;
mod files;
mod login;
mod route;
mod server;
mod terminal;
