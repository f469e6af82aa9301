//! `kiste snapshot …`.

use clap::{Args, Subcommand};
use kiste_lifecycle::RestoreOptions;

use crate::app::ProvisionArgs;
use crate::context::Context;
use crate::error::Error;

pub mod delete;
pub mod list;
pub mod pop;
pub mod push;
pub mod restore;
pub mod save;

/// Every command about snapshots.
#[derive(Debug, Subcommand)]
pub enum SnapshotCommand {
    Save(save::SaveArgs),
    Restore(restore::RestoreArgs),
    List(list::ListArgs),
    Delete(delete::DeleteArgs),
    Push(push::PushArgs),
    Pop(pop::PopArgs),
}

impl SnapshotCommand {
    /// Whether it does something over time.
    pub fn streams(&self) -> bool {
        !matches!(self, Self::List(_))
    }

    /// Whether it uses the files that a Kistefile names: it starts a machine.
    pub fn uses_files(&self) -> bool {
        match self {
            Self::Restore(args) => args.start.options(false).start,
            Self::Pop(args) => args.start.options(false).start,
            _ => false,
        }
    }
}

/// How a machine comes back from a snapshot.
#[derive(Clone, Debug, Default, Args)]
pub struct StartArgs {
    #[command(flatten)]
    provision: ProvisionArgs,
    /// Start the machine afterwards (default)
    #[arg(long, overrides_with = "no_start")]
    start: bool,
    /// Leave it off, or asleep where the snapshot holds memory
    #[arg(long, overrides_with = "start")]
    no_start: bool,
}

impl StartArgs {
    /// For the engine.
    pub fn options(&self, delete: bool) -> RestoreOptions {
        RestoreOptions { provision: self.provision.options(), start: !self.no_start, delete }
    }
}

/// Machines, and behind them the snapshot.
fn split(words: &[String]) -> Result<(&[String], &str), Error> {
    let missing = || Error::arguments("the name of the snapshot is missing", "Write it last: `kiste snapshot save web before-upgrade`.");
    let (name, machines) = words.split_last().ok_or_else(missing)?;
    let bad = |why: &str| Error::arguments(format!("`{name}` cannot be the name of a snapshot: {why}"), "");
    if name.trim().is_empty() {
        return Err(bad("it is empty"));
    }
    if name.chars().any(char::is_control) {
        return Err(bad("it holds control characters"));
    }
    if name.len() > 200 {
        return Err(bad("it is longer than 200 bytes"));
    }
    Ok((machines, name))
}

/// Runs one of them.
pub fn run(context: &Context, command: &SnapshotCommand) -> Result<u8, Error> {
    match command {
        SnapshotCommand::Save(args) => save::run(context, args),
        SnapshotCommand::Restore(args) => restore::run(context, args),
        SnapshotCommand::List(args) => list::run(context, args),
        SnapshotCommand::Delete(args) => delete::run(context, args),
        SnapshotCommand::Push(args) => push::run(context, args),
        SnapshotCommand::Pop(args) => pop::run(context, args),
    }
}
