//! `kiste status`.

use clap::Args;
use kiste_lifecycle::{MachineStatus, status};
use kiste_providers::State;
use serde_json::json;

use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::{Record, Shown};
use crate::ui::table;

/// Show the state of this project's machines
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Machines: names, `/patterns/` or ids of `global-status`; all without names
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Least width of the column of names.
const NAME_WIDTH: usize = 25;

/// Shows states.
pub fn run(context: &Context, args: &StatusArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, &args.names)?;
    let machines = status(&env, &args.names)?;
    context.show(&shown(&machines));
    Ok(exit::OK)
}

fn shown(machines: &[MachineStatus]) -> Shown {
    Shown {
        text: text(machines),
        names: machines.iter().map(|m| m.name.clone()).collect(),
        json: json!({ "machines": machines.iter().map(object).collect::<Vec<_>>() }),
        records: machines.iter().flat_map(records).collect(),
    }
}

fn text(machines: &[MachineStatus]) -> String {
    let width = machines.iter().map(|m| m.name.chars().count()).max().unwrap_or(0).max(NAME_WIDTH);
    let row = |m: &MachineStatus| format!("{} {} ({})", table::pad(&m.name, width), m.state.short(), m.provider);
    let rows: Vec<String> = machines.iter().map(row).collect();
    let more = match machines {
        [one] => long(one.state).to_owned(),
        _ => "Each machine goes its own way: name one or more after a command to reach only them,\ne.g. `kiste status NAME` for what can be done with one.".to_owned(),
    };
    format!("Current machine states:\n\n{}\n\n{more}", rows.join("\n"))
}

fn object(m: &MachineStatus) -> serde_json::Value {
    json!({ "name": m.name, "state": m.state.id(), "provider": m.provider, "id": m.id, "box": m.image })
}

fn records(m: &MachineStatus) -> Vec<Record> {
    vec![
        Record::new(&m.name, "metadata", ["provider", m.provider.as_str()]),
        Record::new(&m.name, "provider-name", [&m.provider]),
        Record::new(&m.name, "state", [m.state.id()]),
        Record::new(&m.name, "state-human-short", [m.state.short()]),
        Record::new(&m.name, "state-human-long", [long(m.state)]),
    ]
}

/// What a state means and what can be done next.
fn long(state: State) -> &'static str {
    match state {
        State::NotCreated => "The machine does not exist yet. `kiste up` creates and boots it.",
        State::Stopped => "The machine is off. `kiste up` boots it.",
        State::Running => {
            "The machine runs. `kiste halt` shuts it down, `kiste suspend` saves it to disk;\n`kiste up` or `kiste resume` bring it back."
        }
        State::Paused => "The machine stands still, its memory kept. `kiste resume` lets it go on.",
        State::Suspended => "The machine is saved to disk. `kiste resume` lets it go on where it was.",
        State::Aborted => "The machine ended without being asked (a crash, a killed process, a lost host).\n`kiste up` boots it again.",
    }
}
