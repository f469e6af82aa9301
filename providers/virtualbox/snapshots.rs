//! Snapshots, always by their ids: VirtualBox takes a name twice and then knows only the older one by it.

use std::collections::BTreeMap;

use super::info::Info;
use super::machine::Machine;
use super::record::Record;
use super::{driver::VirtualBox, refusal, start};
use crate::capability::{Snapshot, Snapshots};
use crate::driver::{State, Vm};
use crate::error::Error;

/// `Snapshot taken. UUID: …`.
pub fn taken(said: &str) -> Option<String> {
    said.lines().find_map(|l| l.split_once("UUID: ")).map(|(_, id)| id.trim().to_owned())
}

/// What the machine's own file says beside: when each was taken, and which hold memory.
fn details(text: &str) -> BTreeMap<String, (Option<String>, bool)> {
    let tags = text.split("<Snapshot ").skip(1).map(|t| t.split('>').next().unwrap_or_default());
    let value = |tag: &str, key: &str| {
        let rest = tag.split(&format!("{key}=\"")).nth(1)?;
        rest.split('"').next().map(str::to_owned)
    };
    let id = |tag: &str| value(tag, "uuid").map(|id| id.trim_matches(['{', '}']).to_owned());
    tags.filter_map(|tag| Some((id(tag)?, (value(tag, "timeStamp"), value(tag, "stateFile").is_some())))).collect()
}

/// All snapshots, oldest first.
fn all(info: &Info, definition: &str) -> Vec<Snapshot> {
    let details = details(definition);
    let current = info.get("CurrentSnapshotUUID");
    let one = |(key, name): (&str, &str)| {
        let node = key.strip_prefix("SnapshotName")?;
        let id = info.get(&format!("SnapshotUUID{node}"))?.to_owned();
        let above = node.rsplit_once('-').map(|(above, _)| above);
        let (taken, memory) = details.get(&id).cloned().unwrap_or_default();
        Some(Snapshot {
            name: name.to_owned(),
            description: info.get(&format!("SnapshotDescription{node}")).filter(|d| !d.is_empty()).map(str::to_owned),
            parent: above.and_then(|above| info.get(&format!("SnapshotUUID{above}"))).map(str::to_owned),
            taken,
            memory,
            current: current == Some(&id),
            id,
        })
    };
    let mut found: Vec<(usize, Snapshot)> = info.starting("SnapshotName").filter_map(one).map(|s| (0, s)).collect();
    // Times have whole seconds; of two of one second the one below is younger.
    let depth: BTreeMap<String, usize> = info
        .starting("SnapshotName")
        .filter_map(|(key, _)| {
            let node = key.strip_prefix("SnapshotName")?;
            Some((info.get(&format!("SnapshotUUID{node}"))?.to_owned(), node.matches('-').count()))
        })
        .collect();
    for (at, snapshot) in &mut found {
        *at = depth.get(&snapshot.id).copied().unwrap_or(0);
    }
    found.sort_by(|(a, x), (b, y)| x.taken.cmp(&y.taken).then(a.cmp(b)));
    found.into_iter().map(|(_, s)| s).collect()
}

fn list(vm: &Vm<'_>, machine: &Machine) -> Result<Vec<Snapshot>, Error> {
    let info = machine.info(vm)?;
    let definition = info.get("CfgFile").map(std::fs::read_to_string).and_then(Result::ok).unwrap_or_default();
    Ok(all(&info, &definition))
}

/// The machine, and that it has the snapshot.
fn with(vm: &Vm<'_>, id: &str) -> Result<Machine, Error> {
    let machine = Machine::of(vm, &Record::made(vm)?)?;
    let all = list(vm, &machine)?;
    if all.iter().any(|s| s.id == id) {
        return Ok(machine);
    }
    Err(Error::NoSnapshot { name: id.to_owned(), known: all.into_iter().map(|s| s.name).collect() })
}

impl Snapshots for VirtualBox {
    fn take(&self, vm: &Vm<'_>, name: &str, description: Option<&str>) -> Result<Snapshot, Error> {
        let machine = Machine::of(vm, &Record::made(vm)?)?;
        let runs = start::state(vm)? == State::Running;
        let mut words = vec!["take", name];
        words.extend(description.iter().flat_map(|d| ["--description", d]));
        words.extend(runs.then_some("--live"));
        let said = machine.run("snapshot", &words, vm.cancel)?;
        let id = taken(&said).ok_or_else(|| refusal::of("snapshot", "", &said))?;
        let found = list(vm, &machine)?.into_iter().find(|s| s.id == id);
        found.ok_or_else(|| Error::NoSnapshot { name: id, known: Vec::new() })
    }

    fn list(&self, vm: &Vm<'_>) -> Result<Vec<Snapshot>, Error> {
        match Record::read(vm)? {
            Some(record) => list(vm, &Machine::of(vm, &record)?),
            None => Ok(Vec::new()),
        }
    }

    fn restore(&self, vm: &Vm<'_>, id: &str) -> Result<(), Error> {
        let machine = with(vm, id)?;
        let is = start::state(vm)?;
        if matches!(is, State::Running | State::Paused) {
            return Err(Error::WrongState { is: is.short(), needs: State::Stopped.short() });
        }
        machine.let_go(vm)?;
        machine.run("snapshot", &["restore", id], vm.cancel).map(drop)
    }

    fn remove(&self, vm: &Vm<'_>, id: &str) -> Result<(), Error> {
        with(vm, id)?.run("snapshot", &["delete", id], vm.cancel).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_of_the_real_program() {
        let info = Info::parse(include_str!("testdata/snapshot-list.txt"));
        let found = all(&info, include_str!("testdata/snapshots.vbox"));
        let told: Vec<(&str, bool, bool)> = found.iter().map(|s| (s.name.as_str(), s.memory, s.current)).collect();
        assert_eq!(
            told,
            [("a name; with 'signs' ✓ \"q\"", false, false), ("twice", false, false), ("twice", false, false), ("live", true, true)]
        );
        assert_eq!(found[0].description.as_deref(), Some("two\nlines \"quoted\""));
        for pair in found.windows(2) {
            assert_eq!(pair[1].parent.as_ref(), Some(&pair[0].id));
        }
        assert_eq!(found[3].taken.as_deref(), Some("2026-11-23T21:19:43Z"));
    }

    #[test]
    fn the_id_of_a_new_one() {
        assert_eq!(taken("WARNING: x\nSnapshot taken. UUID: 9aa9\n").as_deref(), Some("9aa9"));
        assert_eq!(taken("nothing"), None);
    }
}
