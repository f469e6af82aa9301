//! `kiste port`.

use clap::Args;
use kiste_core::network::Port;
use kiste_lifecycle::{ports, select};
use serde_json::json;

use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::{Record, Shown};

/// Show which ports of this host reach a machine
#[derive(Debug, Args)]
pub struct PortArgs {
    /// Machine; the primary one without a name
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Print only the port of the host that reaches this port of the guest
    #[arg(long, value_name = "PORT")]
    guest: Option<u16>,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Shows ports.
pub fn run(context: &Context, args: &PortArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, args.name.as_slice())?;
    let machine = select::one(&env, args.name.as_deref())?.name.clone();
    let mut ports = ports(&env, args.name.as_deref())?;
    if let Some(guest) = args.guest {
        ports.retain(|p| p.guest == guest);
        ports.truncate(1);
        let port = ports.first().ok_or(Error::NotForwarded { machine: machine.clone(), guest })?;
        context.show(&Shown { text: port.host.to_string(), ..shown(&machine, &ports) });
    } else {
        context.show(&shown(&machine, &ports));
    }
    Ok(exit::OK)
}

fn shown(machine: &str, ports: &[Port]) -> Shown {
    let object = |p: &Port| json!({ "guest": p.guest, "host": p.host, "host_ip": p.host_ip, "protocol": p.protocol, "id": p.id });
    Shown {
        text: text(ports),
        names: ports.iter().map(|p| p.host.to_string()).collect(),
        json: json!({ "machine": machine, "ports": ports.iter().map(object).collect::<Vec<_>>() }),
        records: ports.iter().map(|p| Record::new(machine, "forwarded_port", [p.guest.to_string(), p.host.to_string()])).collect(),
    }
}

fn text(ports: &[Port]) -> String {
    if ports.is_empty() {
        return "The machine forwards no ports.".to_owned();
    }
    let rows: Vec<String> = ports.iter().map(|p| format!("{:>6} (guest) => {} (host)", p.guest, p.host)).collect();
    format!(
        "Forwarded ports of the machine, as they are in force now (they may differ from the\nKistefile where a taken port was replaced):\n\n{}",
        rows.join("\n")
    )
}
