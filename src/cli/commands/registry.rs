//! `kiste registry …`.

use clap::Subcommand;

use crate::context::Context;
use crate::error::Error;

pub mod backup;
pub mod check;
pub mod collect;
pub mod serve;

/// Every command about a registry.
#[derive(Debug, Subcommand)]
pub enum RegistryCommand {
    Serve(serve::ServeArgs),
    Check(check::CheckArgs),
    Collect(collect::CollectArgs),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
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
        RegistryCommand::Check(args) => check::run(context, args),
        RegistryCommand::Collect(args) => collect::run(context, args),
        RegistryCommand::Backup(args) => backup::run(context, args),
        RegistryCommand::Restore(args) => backup::restore(context, args),
    }
}
