//! `kiste snapshot list`.

use clap::Args;
use kiste_lifecycle::{MachineSnapshots, list_snapshots};
use serde_json::json;

use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::{Record, Shown};
use crate::ui::table;

/// Show the snapshots of machines
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Machines: names, `/patterns/` or ids of `global-status`; all without names
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Shows snapshots.
pub fn run(context: &Context, args: &ListArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, &args.names)?;
    context.show(&shown(&list_snapshots(&env, &args.names)?));
    Ok(exit::OK)
}

fn shown(machines: &[MachineSnapshots]) -> Shown {
    let object = |m: &MachineSnapshots| json!({ "name": m.machine, "created": m.created, "snapshots": m.snapshots });
    let all = || machines.iter().flat_map(|m| m.snapshots.iter().map(move |s| (m, s)));
    Shown {
        text: machines.iter().map(text).collect::<Vec<_>>().join("\n"),
        names: all().map(|(_, s)| s.name.clone()).collect(),
        json: json!({ "machines": machines.iter().map(object).collect::<Vec<_>>() }),
        records: all().map(|(m, s)| Record::new(&m.machine, "snapshot", [s.name.as_str(), s.id.as_str()])).collect(),
    }
}

fn text(m: &MachineSnapshots) -> String {
    if !m.created {
        return format!("==> {}: The machine is not created", m.machine);
    }
    if m.snapshots.is_empty() {
        return format!("==> {}: No snapshots have been taken yet; `kiste snapshot save NAME` takes one", m.machine);
    }
    let row = |s: &kiste_providers::capability::Snapshot| {
        let holds = if s.memory { "disks and memory" } else { "disks" };
        let here = if s.current { "the machine goes on from here" } else { "" };
        let said = s.description.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
        [&s.name, s.taken.as_deref().unwrap_or("unknown"), holds, here, said].map(str::to_owned).to_vec()
    };
    let rows = m.snapshots.iter().map(row).collect();
    format!("==> {}:\n{}", m.machine, table::with_header(&["NAME", "TAKEN", "HOLDS", "", ""], rows))
}
