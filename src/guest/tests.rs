//! The guest's crate against a real sshd on loopback. Each test has a server of its own; without an sshd (or rsync) on this host
//! they say so and end.

mod identity;
mod provision;
mod server;
mod share;
