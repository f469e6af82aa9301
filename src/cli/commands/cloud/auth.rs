//! `kiste cloud auth …`.

use clap::{Args, Subcommand};
use kiste_boxes::cloud::{Credentials, Registry};
use serde_json::json;

use crate::commands::cloud::CloudArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Who you are.
#[derive(Debug, Subcommand)]
pub enum AuthCommand {
    Login(LoginArgs),
    /// Forget the token that `login` kept
    Logout {
        #[command(flatten)]
        cloud: CloudArgs,
    },
    /// Tell whose the token is
    Whoami {
        /// This token instead of the one that is kept
        #[arg(value_name = "TOKEN")]
        token: Option<String>,
        #[command(flatten)]
        cloud: CloudArgs,
    },
}

/// Log in, so that later commands know who you are
#[derive(Debug, Args)]
pub struct LoginArgs {
    /// Only tell whether you are logged in
    #[arg(short, long)]
    check: bool,
    /// What the list of tokens says about this one
    #[arg(short, long, value_name = "TEXT")]
    description: Option<String>,
    /// Keep this token instead of asking for a password
    #[arg(short, long, value_name = "TOKEN")]
    token: Option<String>,
    /// Name or e-mail address
    #[arg(short, long, value_name = "NAME", alias = "username-or-email")]
    username: Option<String>,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Runs one.
pub fn run(context: &Context, command: &AuthCommand) -> Result<u8, Error> {
    match command {
        AuthCommand::Login(args) => login(context, args),
        AuthCommand::Logout { cloud } => {
            if let Some(registry) = cloud.open_known(context)? {
                registry.logout()?;
            }
            context.done("You are logged out.".to_owned(), json!({ "logged_in": false }));
            Ok(exit::OK)
        }
        AuthCommand::Whoami { token, cloud } => {
            let registry = match token {
                Some(token) => Some(cloud.open_as(context, token.clone())?),
                None => cloud.open_known(context)?,
            };
            Ok(match who(registry.as_ref())? {
                Some(name) => {
                    context.done(format!("Currently logged in as {name}"), json!({ "username": name }));
                    exit::OK
                }
                None => nobody(context),
            })
        }
    }
}

fn who(registry: Option<&Registry>) -> Result<Option<String>, Error> {
    Ok(registry.map(Registry::whoami).transpose()?.flatten())
}

fn nobody(context: &Context) -> u8 {
    let text = "You are not currently logged in. `kiste cloud auth login` asks for your name and password.";
    context.done(text.to_owned(), json!({ "username": null }));
    exit::FAILED
}

fn login(context: &Context, args: &LoginArgs) -> Result<u8, Error> {
    if args.check {
        return Ok(match who(args.cloud.open_known(context)?.as_ref())? {
            Some(_) => {
                context.done("You are already logged in.".to_owned(), json!({ "logged_in": true }));
                exit::OK
            }
            None => nobody(context),
        });
    }
    let (token, said) = match &args.token {
        Some(token) => (token.clone(), "The token was successfully saved.\nYou are already logged in."),
        None => (fetch(context, args)?, "You are now logged in."),
    };
    let registry: Registry = args.cloud.open_as(context, token.clone())?;
    let Some(name) = registry.whoami()? else {
        return Err(Error::NotLoggedIn { registry: registry.shown(), why: "it does not know this token" });
    };
    registry.remember(&token, Some(name.clone()))?;
    context.done(said.to_owned(), json!({ "logged_in": true, "username": name }));
    Ok(exit::OK)
}

fn fetch(context: &Context, args: &LoginArgs) -> Result<String, Error> {
    let registry = args.cloud.open_as(context, String::new())?;
    let login = match &args.username {
        Some(name) => name.clone(),
        None => context.line("Vagrant Cloud username or email: ", "--username")?,
    };
    let password = context.secret("Password (will be hidden): ")?;
    let description = args.description.clone().unwrap_or_else(|| "kiste cloud auth login".to_owned());
    Ok(registry.authenticate(&Credentials { login, password, description })?.token)
}
