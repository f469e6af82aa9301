//! `kiste box …`.

use clap::{Args, Subcommand};
use kiste_core::machine::Download;

use crate::context::Context;
use crate::error::Error;

pub mod add;
pub mod in_use;
pub mod list;
pub mod outdated;
pub mod prune;
pub mod push;
pub mod remove;
pub mod repackage;
pub mod update;

/// Every command about boxes.
#[derive(Debug, Subcommand)]
pub enum BoxCommand {
    Add(add::AddArgs),
    List(list::ListArgs),
    Outdated(outdated::OutdatedArgs),
    Update(update::UpdateArgs),
    Remove(remove::RemoveArgs),
    Prune(prune::PruneArgs),
    #[command(visible_alias = "publish")]
    Push(push::PushArgs),
    Repackage(repackage::RepackageArgs),
}

/// How to fetch from an `https` address.
#[derive(Clone, Debug, Default, Args)]
pub struct TransferArgs {
    /// Accept any server certificate
    #[arg(long)]
    insecure: bool,
    /// PEM file with a CA certificate to trust
    #[arg(long, value_name = "FILE")]
    cacert: Option<std::path::PathBuf>,
    /// Folder of such files
    #[arg(long, value_name = "FOLDER")]
    capath: Option<std::path::PathBuf>,
    /// PEM file with a client certificate and its key
    #[arg(long, value_name = "FILE")]
    cert: Option<std::path::PathBuf>,
}

impl TransferArgs {
    /// For the engine.
    pub fn download(&self) -> Download {
        Download {
            ca_cert: self.cacert.clone(),
            ca_path: self.capath.clone(),
            client_cert: self.cert.clone(),
            insecure: self.insecure,
            ..Download::default()
        }
    }
}

impl BoxCommand {
    /// Whether it does something over time.
    pub fn streams(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Outdated(_))
    }
}

/// Runs one.
pub fn run(context: &Context, command: &BoxCommand) -> Result<u8, Error> {
    match command {
        BoxCommand::Add(args) => add::run(context, args),
        BoxCommand::List(args) => list::run(context, args),
        BoxCommand::Outdated(args) => outdated::run(context, args),
        BoxCommand::Update(args) => update::run(context, args),
        BoxCommand::Remove(args) => remove::run(context, args),
        BoxCommand::Prune(args) => prune::run(context, args),
        BoxCommand::Push(args) => push::run(context, args),
        BoxCommand::Repackage(args) => repackage::run(context, args),
    }
}
