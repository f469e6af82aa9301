//! `kiste registry token …`.

use std::time::Duration;

use clap::Subcommand;
use kiste_boxes::cloud::{Grant, TokenInfo};
use serde_json::json;

use crate::commands::registry::RegistryArgs;
use crate::commands::registry::member::Role;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::table;

/// What to do with your tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// List them
    List {
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Make one; it is shown once
    Create {
        /// What it is for
        #[arg(short, long)]
        description: Option<String>,
        /// What it may do: `read`, `write` or `admin`
        #[arg(long, default_value = "write", hide_possible_values = true)]
        scope: Role,
        /// Only for boxes of this organisation
        #[arg(long, value_name = "NAME")]
        org: Option<String>,
        /// How long it is good: `12h`, `90d`; else for ever
        #[arg(long, value_name = "TIME", value_parser = expiry)]
        expires_in: Option<Duration>,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Make one useless
    Delete {
        /// Its id, as `list` shows it
        id: String,
        #[command(flatten)]
        registry: RegistryArgs,
    },
}

/// Reads a time.
pub fn expiry(text: &str) -> Result<Duration, String> {
    text.parse::<kiste_core::Span>().map(|span| span.0).map_err(|e| e.to_string())
}

/// Runs one.
pub fn run(context: &Context, command: &TokenCommand) -> Result<u8, Error> {
    match command {
        TokenCommand::List { registry } => {
            let tokens = registry.open(context)?.tokens()?;
            context.show(&Shown {
                text: table::with_header(
                    &["ID", "SCOPE", "ORG", "CREATED", "EXPIRES", "USED", "DESCRIPTION"],
                    tokens.iter().map(row).collect(),
                ),
                names: tokens.iter().map(|t| t.id.clone()).collect(),
                json: json!({ "tokens": tokens }),
                ..Shown::default()
            });
        }
        TokenCommand::Create { description, scope, org, expires_in, registry } => {
            let registry = registry.open(context)?;
            let grant = Grant {
                description: description.clone(),
                scope: scope.word().to_owned(),
                organization: org.clone(),
                expires_in: expires_in.map(|d| d.as_secs()),
            };
            let (token, info) = registry.create_token(&grant)?;
            context.box_reporter().detail("This token is shown only now.");
            let mut json = json!(info);
            json["token"] = json!(token);
            context.show(&Shown { text: token.clone(), names: vec![token], json, ..Shown::default() });
        }
        TokenCommand::Delete { id, registry } => {
            registry.open(context)?.delete_token(id)?;
            context.show(&Shown {
                text: format!("Token {id} is good for nothing any more"),
                json: json!({ "removed": id }),
                ..Shown::default()
            });
        }
    }
    Ok(exit::OK)
}

fn row(token: &TokenInfo) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    vec![
        token.id.clone(),
        token.scope.clone(),
        text(&token.organization),
        text(&token.created_at),
        text(&token.expires_at),
        text(&token.used_at),
        token.description.clone(),
    ]
}
