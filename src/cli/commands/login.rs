//! `kiste login`.

use clap::Args;
use kiste_boxes::cloud::{Credentials, Dialect};
use serde_json::json;

use crate::commands::registry::RegistryArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;

/// Log in at a registry, so that later commands know who you are there
///
/// Keeps a token in KISTE_HOME/tokens.json, which only you can read; the password is asked for (or read from standard input)
/// and not kept. KISTE_TOKEN goes before what is kept.
#[derive(Debug, Args)]
pub struct LoginArgs {
    /// Your name there
    #[arg(short, long, value_name = "NAME")]
    username: Option<String>,
    /// Keep this token instead of asking for a password; without a value it is asked for, or read from standard input
    #[arg(short, long, value_name = "TOKEN", num_args = 0..=1, default_missing_value = "")]
    token: Option<String>,
    /// Only tell whether you are logged in; the exit code is 1 when you are not
    #[arg(short, long)]
    check: bool,
    /// What the registry's list of tokens says about this one
    #[arg(short, long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    registry: RegistryArgs,
}

/// Logs in.
pub fn run(context: &Context, args: &LoginArgs) -> Result<u8, Error> {
    if args.check {
        return super::whoami::tell(context, &args.registry);
    }
    let token = match &args.token {
        Some(token) if token.is_empty() => context.secret("Token: ")?,
        Some(token) => token.clone(),
        None => fetch(context, args)?,
    };
    let registry = args.registry.open_with(context, Some(token.clone()), Dialect::Kiste)?;
    let Some(name) = registry.whoami()? else {
        return Err(Error::NotLoggedIn { registry: registry.shown(), why: "it does not know this token" });
    };
    registry.remember(&token, Some(name.clone()).filter(|n| !n.is_empty()))?;
    if std::env::var_os("KISTE_TOKEN").is_some_and(|v| !v.is_empty()) {
        context.box_reporter().warn("KISTE_TOKEN is set: it goes before the token that was kept now");
    }
    context.done(format!("Logged in at {} as {name}", registry.shown()), json!({ "registry": registry.shown(), "username": name }));
    Ok(exit::OK)
}

/// A token for a name and a password.
fn fetch(context: &Context, args: &LoginArgs) -> Result<String, Error> {
    let registry = args.registry.open_with(context, Some(String::new()), Dialect::Kiste)?;
    let login = match &args.username {
        Some(name) => name.clone(),
        None => context.line(&format!("Your name at {}: ", registry.shown()), "--username")?,
    };
    let password = context.secret(&format!("Password for {login}: "))?;
    let description = args.description.clone().unwrap_or_else(|| "kiste login".to_owned());
    Ok(registry.authenticate(&Credentials { login, password, description })?.token)
}
