//! `kiste registry …`.

use clap::{Args, Subcommand};
use kiste_boxes::cloud::{Dialect, Place, Registry};

use crate::commands::boxes::TransferArgs;
use crate::context::Context;
use crate::error::Error;

pub mod audit;
pub mod backup;
pub mod boxes;
pub mod check;
pub mod collect;
pub mod member;
pub mod mirror;
pub mod org;
pub mod provider;
pub mod prune;
pub mod serve;
pub mod token;
pub mod user;
pub mod version;

/// Every command about a registry.
#[derive(Debug, Subcommand)]
pub enum RegistryCommand {
    Serve(serve::ServeArgs),
    Check(check::CheckArgs),
    Collect(collect::CollectArgs),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
    /// People of a registry
    #[command(subcommand, arg_required_else_help = true)]
    User(user::UserCommand),
    /// Organisations, which own boxes together
    #[command(subcommand, arg_required_else_help = true)]
    Org(org::OrgCommand),
    /// Who may do what in an organisation
    #[command(subcommand, arg_required_else_help = true)]
    Member(member::MemberCommand),
    /// Your tokens
    #[command(subcommand, arg_required_else_help = true)]
    Token(token::TokenCommand),
    /// Boxes of a registry
    #[command(subcommand, arg_required_else_help = true)]
    Box(boxes::BoxCommand),
    /// Versions of a box: release, revoke, restore
    #[command(subcommand, arg_required_else_help = true)]
    Version(version::VersionCommand),
    /// Files of a version, one for each provider and architecture
    #[command(subcommand, arg_required_else_help = true)]
    Provider(provider::ProviderCommand),
    Prune(prune::PruneArgs),
    Mirror(mirror::MirrorArgs),
    Audit(audit::AuditArgs),
}

/// Which registry.
#[derive(Clone, Debug, Default, Args)]
pub struct RegistryArgs {
    /// Address of the registry (else KISTE_REGISTRY, else the one you are logged in at)
    #[arg(long, value_name = "URL")]
    pub registry: Option<String>,
    #[command(flatten)]
    transfer: TransferArgs,
}

impl RegistryArgs {
    /// The registry, asked with the token kept for it.
    pub fn open(&self, context: &Context) -> Result<Registry, Error> {
        self.open_with(context, None, Dialect::Kiste)
    }

    /// The same with another token, or with Vagrant's variables.
    pub fn open_with(&self, context: &Context, token: Option<String>, dialect: Dialect) -> Result<Registry, Error> {
        let mut place = Place::find(&context.home()?, self.registry.as_deref(), dialect)?;
        if token.is_some() {
            place = place.with_token(token);
        }
        self.at(context, place)
    }

    /// The same; none where no registry is named and nobody is logged in anywhere.
    pub fn open_known(&self, context: &Context, dialect: Dialect) -> Result<Option<Registry>, Error> {
        let place = Place::known(&context.home()?, self.registry.as_deref(), dialect)?;
        place.map(|place| self.at(context, place)).transpose()
    }

    fn at(&self, context: &Context, place: Place) -> Result<Registry, Error> {
        Ok(Registry::new(place, &self.transfer.download(), &context.home()?, &context.box_reporter(), &context.cancel)?)
    }
}

impl RegistryCommand {
    /// Whether it does something over time.
    pub fn streams(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Mirror(_) | Self::Provider(provider::ProviderCommand::Upload { .. }))
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
        RegistryCommand::User(command) => user::run(context, command),
        RegistryCommand::Org(command) => org::run(context, command),
        RegistryCommand::Member(command) => member::run(context, command),
        RegistryCommand::Token(command) => token::run(context, command),
        RegistryCommand::Box(command) => boxes::run(context, command),
        RegistryCommand::Version(command) => version::run(context, command),
        RegistryCommand::Provider(command) => provider::run(context, command),
        RegistryCommand::Prune(args) => prune::run(context, args),
        RegistryCommand::Mirror(args) => mirror::run(context, args),
        RegistryCommand::Audit(args) => audit::run(context, args),
    }
}
