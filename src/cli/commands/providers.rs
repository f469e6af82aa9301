//! `kiste providers`.

use clap::Args;
use kiste_providers::capability::{self, HostShares, Named, Networks};
use kiste_providers::driver::Finding;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::table;

/// Show the providers: whether each can be used here, and what it can
#[derive(Debug, Args)]
pub struct ProvidersArgs {}

/// One provider as it is on this host.
struct Seen {
    name: &'static str,
    boxes: &'static [&'static str],
    findings: Vec<Finding>,
    can: Vec<Named>,
    folders: Vec<String>,
    networks: Vec<String>,
}

impl Seen {
    /// What keeps it from working here.
    fn missing(&self) -> Vec<&Finding> {
        self.findings.iter().filter(|f| f.fatal).collect()
    }

    fn verdict(&self) -> String {
        let reason = |f: &&Finding| match &f.todo {
            Some(todo) => format!("{}: {} ({})", f.what, f.seen, todo.trim_end_matches('.')),
            None => format!("{}: {}", f.what, f.seen),
        };
        match self.missing().as_slice() {
            [] => "yes".to_owned(),
            missing => format!("no: {}", missing.iter().map(reason).collect::<Vec<_>>().join("; ")),
        }
    }

    fn object(&self) -> Value {
        let finding = |f: &Finding| json!({ "what": f.what, "seen": f.seen, "fatal": f.fatal, "todo": f.todo });
        json!({
            "name": self.name,
            "usable": self.missing().is_empty(),
            "boxes": self.boxes,
            "capabilities": self.can.iter().map(|c| c.id).collect::<Vec<_>>(),
            "folders": self.folders,
            "networks": self.networks,
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    }

    fn text(&self) -> String {
        let list = |words: Vec<String>| (!words.is_empty()).then(|| words.join(", "));
        let fields = [
            ("usable here", Some(self.verdict())),
            ("boxes for", list(self.boxes.iter().map(|b| (*b).to_owned()).collect())),
            ("can", list(self.can.iter().map(|c| c.words.to_owned()).collect())),
            ("live folders", list(self.folders.clone())),
            ("networks", list(self.networks.clone())),
        ];
        format!("{}\n{}", self.name, table::fields(&fields).lines().map(|l| format!("  {l}")).collect::<Vec<_>>().join("\n"))
    }
}

/// Shows the providers, best first.
pub fn run(context: &Context, _: &ProvidersArgs) -> Result<u8, Error> {
    let home = context.home()?;
    let mut all = Vec::new();
    for driver in kiste_providers::all() {
        let findings = driver.check(&home, &context.cancel);
        context.cancel.check()?;
        let kinds = driver.host_shares().map(HostShares::kinds).unwrap_or_default();
        let networks = driver.networks().map(Networks::network_kinds).unwrap_or_default();
        all.push(Seen {
            name: driver.name(),
            boxes: driver.box_providers(),
            findings,
            can: capability::of(driver.as_ref()),
            folders: kinds.iter().map(ToString::to_string).collect(),
            networks: networks.iter().map(ToString::to_string).collect(),
        });
    }
    context.show(&Shown {
        text: all.iter().map(Seen::text).collect::<Vec<_>>().join("\n\n"),
        names: all.iter().filter(|s| s.missing().is_empty()).map(|s| s.name.to_owned()).collect(),
        json: json!({ "providers": all.iter().map(Seen::object).collect::<Vec<_>>() }),
        records: Vec::new(),
    });
    Ok(exit::OK)
}
