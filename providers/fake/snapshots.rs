//! Snapshots of a fake machine: its record and a copy of its guest's folder.

use std::io;
use std::path::{Path, PathBuf};

use super::driver::{Fake, change, faults, file, now_state, world};
use super::state::Record;
use crate::capability::{Snapshot, Snapshots};
use crate::driver::{State, Vm};
use crate::error::Error;

fn kept(vm: &Vm<'_>, id: &str) -> PathBuf {
    vm.dir.driver_file("snapshots").join(id)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(entry.path())?, target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn gone(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(file(folder)(e)),
        _ => Ok(()),
    }
}

/// Where it is in the list.
fn place(record: &Record, id: &str) -> Result<usize, Error> {
    let known = || record.snapshots.iter().map(|(s, _)| s.name.clone()).collect();
    record.snapshots.iter().position(|(s, _)| s.id == id).ok_or_else(|| Error::NoSnapshot { name: id.to_owned(), known: known() })
}

impl Snapshots for Fake {
    fn take(&self, vm: &Vm<'_>, name: &str, description: Option<&str>) -> Result<Snapshot, Error> {
        vm.cancel.check()?;
        let is = now_state(vm)?;
        if !matches!(is, State::Running | State::Stopped | State::Aborted) {
            return Err(Error::WrongState { is: is.short(), needs: "running or off" });
        }
        if let Some(reason) = faults(vm)?.snapshot_fails {
            return Err(Error::Monitor { command: "snapshot".to_owned(), reason });
        }
        let mut record = Record::made(vm)?;
        let snapshot = Snapshot {
            id: uuid::Uuid::new_v4().to_string(),
            name: name.to_owned(),
            description: description.map(str::to_owned),
            parent: record.snapshots.iter().find(|(s, _)| s.current).map(|(s, _)| s.id.clone()),
            taken: Some(jiff::Timestamp::now().to_string()),
            memory: is == State::Running,
            current: true,
        };
        copy(world(vm).root(), &kept(vm, &snapshot.id))
            .or_else(|e| if is == State::Running { Err(e) } else { Ok(()) })
            .map_err(file(kept(vm, &snapshot.id)))?;
        let as_it_was = Record { snapshots: Vec::new(), ..record.clone() };
        record.snapshots.iter_mut().for_each(|(s, _)| s.current = false);
        record.snapshots.push((snapshot.clone(), as_it_was));
        record.write(vm)?;
        Ok(snapshot)
    }

    fn list(&self, vm: &Vm<'_>) -> Result<Vec<Snapshot>, Error> {
        Ok(Record::read(vm)?.unwrap_or_default().snapshots.into_iter().map(|(s, _)| s).collect())
    }

    fn restore(&self, vm: &Vm<'_>, id: &str) -> Result<(), Error> {
        vm.cancel.check()?;
        let is = now_state(vm)?;
        if !matches!(is, State::Stopped | State::Suspended | State::Aborted) {
            return Err(Error::WrongState { is: is.short(), needs: State::Stopped.short() });
        }
        let record = Record::made(vm)?;
        let (snapshot, as_it_was) = record.snapshots[place(&record, id)?].clone();
        gone(world(vm).root())?;
        if kept(vm, id).is_dir() {
            copy(&kept(vm, id), world(vm).root()).map_err(file(kept(vm, id)))?;
        }
        let mut snapshots = record.snapshots;
        snapshots.iter_mut().for_each(|(s, _)| s.current = s.id == id);
        Record { snapshots, since: None, suspended: snapshot.memory, ports: record.ports, shares: record.shares, ..as_it_was }.write(vm)
    }

    fn remove(&self, vm: &Vm<'_>, id: &str) -> Result<(), Error> {
        let at = place(&Record::made(vm)?, id)?;
        change(vm, |r| {
            let (gone, _) = r.snapshots.remove(at);
            for (child, _) in r.snapshots.iter_mut().filter(|(s, _)| s.parent.as_deref() == Some(id)) {
                child.parent.clone_from(&gone.parent);
            }
            if let (true, Some(parent)) = (gone.current, &gone.parent) {
                r.snapshots.iter_mut().filter(|(s, _)| s.id == *parent).for_each(|(s, _)| s.current = true);
            }
        })?;
        gone(&kept(vm, id))
    }
}
