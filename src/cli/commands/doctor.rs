//! `kiste doctor`.

use std::path::Path;

use clap::Args;
use console::Style;
use kiste_core::Size;
use kiste_core::dirs::Home;
use kiste_core::host::{self, Program};
use kiste_providers::driver::Finding;
use serde_json::json;

use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;
use crate::ui::table;

/// Check this host: programs, versions, accelerator, room for boxes
///
/// Exit code 4 when something is missing without which nothing works.
#[derive(Debug, Args)]
pub struct DoctorArgs {}

/// Programs beside the providers' own: name, how it tells its version, what it is for.
const PROGRAMS: [(&str, &str, &str); 3] = [
    ("ssh", "-V", "`kiste ssh` uses its own terminal without it. Install `openssh-client`."),
    ("rsync", "--version", "Folders of type `rsync` need it. Install `rsync`."),
    ("mmdebstrap", "--version", "`kiste build` of a `bootstrap` template needs it. Install `mmdebstrap`."),
];
/// Less room than this deserves a word.
const LITTLE_ROOM: u64 = 5 << 30;

/// What was found, by whom.
struct Found {
    group: String,
    finding: Finding,
    fatal: bool,
}

/// Checks the host.
pub fn run(context: &Context, _: &DoctorArgs) -> Result<u8, Error> {
    let home = context.home()?;
    let mut found: Vec<Found> = Vec::new();
    let mut usable = false;
    for driver in kiste_providers::all() {
        let findings = driver.check(&home, &context.cancel);
        context.cancel.check()?;
        usable |= findings.iter().all(|f| !f.fatal);
        found.extend(findings.into_iter().map(|finding| Found { group: driver.name().to_owned(), fatal: finding.fatal, finding }));
    }
    // One provider that works is enough: what another lacks is no more than a warning then.
    found.iter_mut().for_each(|f| f.fatal &= !usable);
    found.extend(host_findings(context, &home).into_iter().map(|finding| Found {
        group: "host".to_owned(),
        fatal: finding.fatal,
        finding,
    }));
    context.show(&shown(&found, context.colors()));
    Ok(if found.iter().any(|f| f.fatal) { exit::HOST } else { exit::OK })
}

fn host_findings(context: &Context, home: &Home) -> Vec<Finding> {
    let programs = PROGRAMS.iter().map(|(name, version, todo)| program(context, name, version, todo));
    [writable(home), room(home)].into_iter().chain(programs).collect()
}

fn finding(what: &str, seen: String, todo: Option<String>, fatal: bool) -> Finding {
    Finding { what: what.to_owned(), seen, todo, fatal }
}

fn writable(home: &Home) -> Finding {
    let root = home.root();
    let probe = root.join(format!(".doctor-{}", std::process::id()));
    let tried = std::fs::create_dir_all(root).and_then(|()| std::fs::write(&probe, b"")).and_then(|()| std::fs::remove_file(&probe));
    match tried {
        Ok(()) => finding("home folder", root.display().to_string(), None, false),
        Err(e) => {
            let todo = "Make the folder writable, or set `KISTE_HOME` to one that is.".to_owned();
            finding("home folder", format!("{}: {e}", root.display()), Some(todo), true)
        }
    }
}

fn room(home: &Home) -> Finding {
    let existing = home.root().ancestors().find(|p| p.is_dir()).unwrap_or(Path::new("/"));
    match rustix::fs::statvfs(existing) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let todo = (free < LITTLE_ROOM).then(|| "Make room: `kiste box prune` removes old versions of boxes.".to_owned());
            finding("free disk", format!("{:.1} GiB", Size(free).in_mib() as f64 / 1024.0), todo, false)
        }
        Err(e) => finding("free disk", format!("unknown: {e}"), None, false),
    }
}

fn program(context: &Context, name: &str, version: &str, todo: &str) -> Finding {
    if host::find(name).is_none() {
        return finding(name, "missing".to_owned(), Some(todo.to_owned()), false);
    }
    let told = Program::new(name).arg(version).capture(&context.cancel);
    let seen = told.map(|t| first_line(&t.stdout).or_else(|| first_line(t.stderr.as_bytes())).unwrap_or_default());
    finding(name, seen.unwrap_or_else(|e| e.to_string()), None, false)
}

fn first_line(text: &[u8]) -> Option<String> {
    String::from_utf8_lossy(text).lines().map(str::trim).find(|l| !l.is_empty()).map(str::to_owned)
}

fn verdict(found: &Found) -> &'static str {
    match (&found.finding.todo, found.fatal) {
        (_, true) => "missing",
        (Some(_), false) => "warn",
        (None, false) => "ok",
    }
}

fn shown(found: &[Found], color: bool) -> Shown {
    let rows: Vec<Vec<String>> =
        found.iter().map(|f| [verdict(f), &f.group, &f.finding.what, &f.finding.seen].map(str::to_owned).to_vec()).collect();
    let mut lines = Vec::new();
    for (row, f) in table::columns(&rows, &[7, 4, 4, 4]).iter().zip(found) {
        lines.push(row.trim_end().to_owned());
        lines.extend(f.finding.todo.iter().map(|todo| format!("        → {todo}")));
    }
    let worst = if found.iter().any(|f| f.fatal) {
        "Something is missing without which no machine runs."
    } else {
        "Machines can run on this host."
    };
    // Colours are for people on a terminal; standard output as a pipe stays plain.
    let worst = Style::new().bold().force_styling(color && console::user_attended()).apply_to(worst);
    let object = |f: &Found| json!({ "group": f.group, "what": f.finding.what, "seen": f.finding.seen, "verdict": verdict(f), "todo": f.finding.todo });
    Shown {
        text: format!("{}\n\n{worst}", lines.join("\n")),
        names: found.iter().filter(|f| f.finding.todo.is_some()).map(|f| f.finding.what.clone()).collect(),
        json: json!({ "usable": !found.iter().any(|f| f.fatal), "findings": found.iter().map(object).collect::<Vec<_>>() }),
        records: Vec::new(),
    }
}
