//! `kiste registry member …`.

use clap::{Subcommand, ValueEnum};
use serde_json::json;

use crate::commands::registry::RegistryArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::table;

/// What to do with an organisation's members.
#[derive(Debug, Subcommand)]
pub enum MemberCommand {
    /// List them
    List {
        /// Organisation
        org: String,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Take somebody in, or change what they may do
    #[command(visible_alias = "add")]
    Set {
        /// Organisation
        org: String,
        /// Who
        user: String,
        /// What they may do
        role: Role,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Take somebody out
    #[command(visible_alias = "delete")]
    Remove {
        /// Organisation
        org: String,
        /// Who
        user: String,
        #[command(flatten)]
        registry: RegistryArgs,
    },
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Fetch private boxes.
    Read,
    /// Publish boxes too.
    Write,
    /// Everything.
    Admin,
}

impl Role {
    /// The registry's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// Runs one.
pub fn run(context: &Context, command: &MemberCommand) -> Result<u8, Error> {
    match command {
        MemberCommand::List { org, registry } => {
            let members = registry.open(context)?.members(org)?;
            context.show(&Shown {
                text: table::with_header(&["NAME", "ROLE"], members.iter().map(|m| vec![m.username.clone(), m.role.clone()]).collect()),
                names: members.iter().map(|m| m.username.clone()).collect(),
                json: json!({ "members": members }),
                ..Shown::default()
            });
        }
        MemberCommand::Set { org, user, role, registry } => {
            registry.open(context)?.set_member(org, user, role.word())?;
            let json = json!({ "organization": org, "username": user, "role": role.word() });
            context.show(&Shown { text: format!("{user} may {} in {org}", role.word()), json, ..Shown::default() });
        }
        MemberCommand::Remove { org, user, registry } => {
            registry.open(context)?.remove_member(org, user)?;
            let json = json!({ "organization": org, "removed": user });
            context.show(&Shown { text: format!("{user} is no member of {org} any more"), json, ..Shown::default() });
        }
    }
    Ok(exit::OK)
}
