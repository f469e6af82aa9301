//! `kiste ssh-config`.

use clap::Args;
use kiste_lifecycle::{select, ssh_config, ssh_info};
use serde_json::json;

use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::{Record, Shown};

/// Print how to reach a machine, as a section for ssh's own configuration
#[derive(Debug, Args)]
pub struct SshConfigArgs {
    /// Machines; all without a name
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Name of the section instead of the machine's
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Prints sections.
pub fn run(context: &Context, args: &SshConfigArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, &args.names)?;
    let mut infos = Vec::new();
    for machine in select::machines(&env, &args.names, select::Unnamed::All)? {
        infos.push(ssh_info(&env, Some(&machine.name))?);
    }
    let texts: Vec<String> = infos.iter().map(|info| ssh_config(info, args.host.as_deref())).collect();
    let object = |info: &kiste_lifecycle::SshInfo| {
        json!({
            "machine": info.machine, "host": info.target.host, "port": info.target.port, "user": info.target.user,
            "identity_files": info.keys, "known_hosts": info.known_host, "host_key_alias": info.host_key_alias,
        })
    };
    context.show(&Shown {
        text: texts.join("\n"),
        names: infos.iter().map(|i| i.machine.clone()).collect(),
        json: json!({ "machines": infos.iter().map(object).collect::<Vec<_>>() }),
        records: infos.iter().zip(&texts).map(|(i, text)| Record::new(&i.machine, "ssh-config", [text])).collect(),
    });
    Ok(exit::OK)
}
