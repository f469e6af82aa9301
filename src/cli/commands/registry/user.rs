//! `kiste registry user …`.

use clap::{Args, Subcommand};
use kiste_boxes::cloud::{User, UserChange};
use kiste_core::Size;
use serde_json::json;

use crate::app::either;
use crate::commands::registry::RegistryArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::{table, words};

/// What to do with people.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// List everybody (admins of the registry)
    List {
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Show somebody and their boxes
    Show {
        /// Name
        name: String,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Add somebody; the password is asked for, or read from standard input
    Create {
        /// Name
        name: String,
        #[command(flatten)]
        change: ChangeArgs,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Change somebody
    Update {
        /// Name
        name: String,
        /// Ask for a new password, or read it from standard input
        #[arg(long)]
        password: bool,
        /// Let them do nothing any more
        #[arg(long, overrides_with = "enable")]
        disable: bool,
        /// Let them in again
        #[arg(long, overrides_with = "disable")]
        enable: bool,
        #[command(flatten)]
        change: ChangeArgs,
        #[command(flatten)]
        registry: RegistryArgs,
    },
    /// Remove somebody
    Delete {
        /// Name
        name: String,
        /// Don't ask
        #[arg(short, long)]
        force: bool,
        #[command(flatten)]
        registry: RegistryArgs,
    },
}

/// What is said about somebody.
#[derive(Clone, Debug, Args)]
pub struct ChangeArgs {
    /// E-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Make them an admin of the registry
    #[arg(long, overrides_with = "no_admin")]
    admin: bool,
    /// Make them no admin of the registry
    #[arg(long, overrides_with = "admin")]
    no_admin: bool,
    /// Most that their boxes may take: `20GiB`, or `none`
    #[arg(long, value_name = "SIZE", value_parser = quota)]
    quota: Option<Quota>,
}

/// A limit, or that there is none.
#[derive(Clone, Copy, Debug)]
pub struct Quota(pub Option<u64>);

/// Reads a quota.
pub fn quota(text: &str) -> Result<Quota, String> {
    if text == "none" {
        return Ok(Quota(None));
    }
    text.parse::<Size>().map(|size| Quota(Some(size.0))).map_err(|e| e.to_string())
}

impl ChangeArgs {
    fn change(&self) -> UserChange {
        UserChange {
            email: self.email.clone(),
            admin: either(self.admin, self.no_admin),
            quota: self.quota.map(|q| q.0),
            ..UserChange::default()
        }
    }
}

/// Runs one.
pub fn run(context: &Context, command: &UserCommand) -> Result<u8, Error> {
    match command {
        UserCommand::List { registry } => {
            let users = registry.open(context)?.users()?;
            context.show(&Shown {
                text: table::with_header(&["NAME", "ADMIN", "USED", "QUOTA", "STATE"], users.iter().map(row).collect()),
                names: users.iter().map(|u| u.username.clone()).collect(),
                json: json!({ "users": users }),
                ..Shown::default()
            });
        }
        UserCommand::Show { name, registry } => show(context, &registry.open(context)?.user(name)?),
        UserCommand::Create { name, change, registry } => {
            let registry = registry.open(context)?;
            let change = UserChange { password: Some(context.secret(&format!("Password for {name}: "))?), ..change.change() };
            show(context, &registry.create_user(name, &change)?);
        }
        UserCommand::Update { name, password, disable, enable, change, registry } => {
            let registry = registry.open(context)?;
            let password = if *password { Some(context.secret(&format!("New password for {name}: "))?) } else { None };
            let change = UserChange { password, disabled: either(*disable, *enable), ..change.change() };
            show(context, &registry.update_user(name, &change)?);
        }
        UserCommand::Delete { name, force, registry } => {
            let registry = registry.open(context)?;
            context.sure(*force, &format!("user `{name}` is not removed"), &format!("Remove user `{name}`? [y/N] "))?;
            registry.delete_user(name)?;
            context.show(&Shown { text: format!("Removed user {name}"), json: json!({ "removed": name }), ..Shown::default() });
        }
    }
    Ok(exit::OK)
}

fn row(user: &User) -> Vec<String> {
    let yes = |is: Option<bool>, word: &str| if is == Some(true) { word.to_owned() } else { String::new() };
    vec![user.username.clone(), yes(user.admin, "yes"), size(user.used), size(user.quota), yes(user.disabled, "disabled")]
}

/// Bytes as people read them; nothing when it is not known.
pub fn size(bytes: Option<u64>) -> String {
    bytes.map_or(String::new(), words::amount)
}

fn show(context: &Context, user: &User) {
    let boxes: Vec<&str> = user.boxes.iter().map(|b| b.tag.as_str()).collect();
    let text = table::fields(&[
        ("Name", Some(user.username.clone())),
        ("Kind", user.kind.clone()),
        ("E-mail", user.email.clone().filter(|e| !e.is_empty())),
        ("Admin", user.admin.map(|admin| if admin { "yes" } else { "no" }.to_owned())),
        ("Disabled", user.disabled.filter(|d| *d).map(|_| "yes".to_owned())),
        ("Used", user.used.map(words::amount)),
        ("Quota", user.quota.map(words::amount)),
        ("Created", user.created_at.clone()),
        ("Boxes", Some(boxes.join(", ")).filter(|b| !b.is_empty())),
    ]);
    context.show(&Shown { text, names: vec![user.username.clone()], json: json!({ "user": user }), ..Shown::default() });
}
