//! `kiste registry …`.

use clap::Subcommand;

use crate::context::Context;
use crate::error::Error;

pub mod serve;

/// Every command about a registry.
#[derive(Debug, Subcommand)]
pub enum RegistryCommand {
    Serve(serve::ServeArgs),
}

impl RegistryCommand {
    /// Whether it does something over time.
    pub fn streams(&self) -> bool {
        matches!(self, Self::Serve(_))
    }
}

/// Runs one.
pub fn run(context: &Context, command: &RegistryCommand) -> Result<u8, Error> {
    match command {
        RegistryCommand::Serve(args) => serve::run(context, args),
    }
}
