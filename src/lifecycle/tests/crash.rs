//! Any moment can be the last: commands killed and interrupted at every event, state damaged by hand, folders moved.

use std::panic::{AssertUnwindSafe, catch_unwind};

use kiste_core::provision::Run;
use kiste_core::{Explain, Kind};
use kiste_providers::State;

use super::{Blow, World, names, shell};
use crate::record::{Phase, Record};
use crate::{DestroyOptions, UpOptions};

const FORCE: DestroyOptions = DestroyOptions { force: true, graceful: false, parallel: false };

fn world() -> World {
    World::one(|m| {
        m.provision = vec![shell(Some("once"), "echo x >> ~/ran", Run::Once)];
    })
}

/// Everything is as after an undisturbed `up`.
fn is_whole(world: &World, when: usize) {
    assert_eq!(world.state("web"), State::Running, "after event {when}");
    let ran = std::fs::read_to_string(world.guest("home/vagrant/ran")).unwrap_or_default();
    assert!(!ran.is_empty(), "not provisioned after event {when}");
    let index = world.index();
    assert_eq!((index.len(), index[0].state.as_str()), (1, "running"), "after event {when}");
    let record = Record::read(&world.dir("web"), &world.env.reporter).unwrap();
    assert!(record.own_key && record.ready && record.phase == Phase::Created && record.id == index[0].id, "{record:?}");
    let keys = std::fs::read_to_string(world.guest("home/vagrant/.ssh/authorized_keys")).unwrap();
    let own = std::fs::read_to_string(world.dir("web").public_key()).unwrap();
    assert!(keys.contains(own.trim()), "after event {when}: {keys}");
}

#[test]
fn up_killed_at_any_event_is_finished_by_the_next_one() {
    for when in 0.. {
        let mut world = world();
        world.light(when, Blow::Death);
        let killed = catch_unwind(AssertUnwindSafe(|| world.up())).is_err();
        if !killed {
            assert!(when > 20, "only {when} events");
            break;
        }
        world.calm_down();
        crate::status(&world.env, &[]).unwrap();
        world.up().unwrap_or_else(|e| panic!("after event {when}: {e}"));
        is_whole(&world, when);
        crate::destroy(&world.env, &[], &FORCE).unwrap();
        assert!(world.index().is_empty() && !world.dir("web").root().exists());
    }
}

#[test]
fn destroy_removes_what_a_killed_up_left() {
    for when in 0.. {
        let mut world = world();
        world.light(when, Blow::Death);
        let killed = catch_unwind(AssertUnwindSafe(|| world.up())).is_err();
        if !killed {
            break;
        }
        world.calm_down();
        assert_eq!(crate::destroy(&world.env, &[], &FORCE).unwrap().done, 1);
        assert!(world.index().is_empty() && !world.dir("web").root().exists(), "after event {when}");
    }
}

type Verb = fn(&World) -> Result<(), crate::Error>;

#[test]
fn other_verbs_killed_at_any_event_leave_something_to_go_on_with() {
    let verbs: [Verb; 3] =
        [|w| crate::halt(&w.env, &[], false), |w| crate::suspend(&w.env, &[]), |w| crate::destroy(&w.env, &[], &FORCE).map(drop)];
    for (number, verb) in verbs.into_iter().enumerate() {
        for when in 0.. {
            let mut world = world();
            world.up().unwrap();
            world.light(when, Blow::Death);
            if catch_unwind(AssertUnwindSafe(|| verb(&world))).is_ok() {
                assert!(when > 0, "verb {number} has no event");
                break;
            }
            world.calm_down();
            crate::status(&world.env, &[]).unwrap();
            world.up().unwrap_or_else(|e| panic!("verb {number}, event {when}: {e}"));
            is_whole(&world, when);
        }
    }
}

#[test]
fn a_first_up_interrupted_at_any_event_leaves_nothing() {
    for when in 0.. {
        let mut world = world();
        world.light(when, Blow::Interrupt(world.env.cancel.clone()));
        let result = world.up();
        if !world.burnt() {
            break;
        }
        world.calm_down();
        match result {
            Ok(()) => is_whole(&world, when),
            Err(e) => {
                assert_eq!(e.kind(), Kind::Interrupted, "event {when}: {e}");
                assert_eq!(world.state("web"), State::NotCreated, "event {when}");
                assert!(!world.dir("web").root().exists() && world.index().is_empty(), "event {when}");
            }
        }
    }
}

#[test]
fn an_interrupted_up_keeps_the_machine_when_asked() {
    let mut world = world();
    world.interrupt_at("[connect]");
    let options = UpOptions { destroy_on_error: false, ..UpOptions::default() };
    assert_eq!(crate::up(&world.env, &[], &options).unwrap_err().kind(), Kind::Interrupted);
    assert_eq!(world.state("web"), State::Stopped);
    world.calm_down();
    world.up().unwrap();
    is_whole(&world, 0);
}

#[test]
fn an_older_machine_interrupted_goes_back_to_what_it_was() {
    for (before, at) in [(State::Stopped, "[connect]"), (State::Stopped, "[boot]"), (State::Suspended, "[connect]")] {
        let mut world = world();
        world.up().unwrap();
        if before == State::Suspended {
            crate::suspend(&world.env, &[]).unwrap()
        } else {
            crate::halt(&world.env, &[], true).unwrap()
        }
        world.interrupt_at(at);
        assert_eq!(world.up().unwrap_err().kind(), Kind::Interrupted);
        assert_eq!(world.state("web"), before, "interrupted at {at}");
        world.calm_down();
        world.up().unwrap();
        is_whole(&world, 0);
    }
}

#[test]
fn an_older_machine_that_came_up_is_left_running_when_its_provisioner_is_interrupted() {
    let mut world = world();
    world.up().unwrap();
    crate::halt(&world.env, &[], true).unwrap();
    world.machine().provision = vec![shell(Some("long"), "echo working; sleep 60", Run::Always)];
    world.interrupt_at("working");
    assert_eq!(world.up().unwrap_err().kind(), Kind::Interrupted);
    assert_eq!(world.state("web"), State::Running);
}

#[test]
fn state_removed_by_hand_is_mended() {
    let mut world = world();
    world.up().unwrap();
    let id = world.index()[0].id.clone();
    // The record alone: the machine is taken as it is.
    std::fs::remove_file(world.dir("web").machine()).unwrap();
    world.up().unwrap();
    assert_eq!(world.index()[0].id, id);
    // The record damaged: the same, and told.
    std::fs::write(world.dir("web").machine(), "{\"id\": 3").unwrap();
    world.told();
    crate::halt(&world.env, &[], false).unwrap();
    assert!(world.told().contains("damaged"));
    assert_eq!(world.state("web"), State::Stopped);
    // The index entry: written anew.
    std::fs::remove_file(world.env.home.index_entry(&id)).unwrap();
    world.up().unwrap();
    assert_eq!(world.index()[0].id, id);
    // The whole folder: the old entry is stale, a new machine takes its place.
    std::fs::remove_dir_all(world.dir("web").root()).unwrap();
    assert_eq!(world.index()[0].state, "not created");
    world.up().unwrap();
    is_whole(&world, 0);
    assert_ne!(world.index()[0].id, id);
    // Every file of it, one after the other: `up` and `destroy` still find their way.
    for file in names(world.dir("web").root()) {
        let path = world.dir("web").root().join(&file);
        if path.is_file() {
            std::fs::remove_file(&path).unwrap();
        }
        world.up().unwrap_or_else(|e| panic!("without {file}: {e}"));
        assert_eq!(world.state("web"), State::Running, "without {file}");
    }
    world.calm_down();
    crate::destroy(&world.env, &[], &FORCE).unwrap();
    assert!(world.index().is_empty());
}

#[test]
fn a_disk_that_nobody_knows_any_more_is_put_aside_not_removed() {
    let world = world();
    world.up().unwrap();
    let dir = world.dir("web");
    std::fs::write(dir.driver_file("disk0.qcow2"), vec![7; 1 << 20]).unwrap();
    std::fs::remove_file(dir.driver_file("fake.json")).unwrap();
    world.up().unwrap();
    is_whole(&world, 0);
    let beside = names(dir.root().parent().unwrap());
    let lost = beside.iter().find(|n| n.starts_with("fake.lost-")).unwrap_or_else(|| panic!("{beside:?}"));
    assert_eq!(std::fs::metadata(dir.root().with_file_name(lost).join("disk0.qcow2")).unwrap().len(), 1 << 20);
}

#[test]
fn a_moved_project_keeps_its_machine_and_a_copied_one_gets_its_own() {
    let mut world = world();
    world.up().unwrap();
    let id = world.index()[0].id.clone();
    let (old, new) = (world.env.project.root.clone(), world.scratch.path().join("moved"));
    std::fs::rename(&old, &new).unwrap();
    assert_eq!(world.index()[0].state, "not created", "nothing is where the index says");
    world.env.project.root = new.clone();
    world.up().unwrap();
    let index = world.index();
    assert_eq!((index.len(), &index[0].directory, &index[0].id), (1, &new, &id));

    copy(&new, &old);
    world.env.project.root = old.clone();
    world.up().unwrap();
    let index = world.index();
    assert_eq!(index.len(), 2);
    assert_ne!(index[0].id, index[1].id);
    assert!(index.iter().all(|e| e.state == "running"), "{index:?}");
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &target) } else { std::fs::copy(entry.path(), target).map(drop).unwrap() }
    }
}

#[test]
fn pruning_removes_what_is_gone_and_damaged_and_nothing_else() {
    let world = world();
    world.up().unwrap();
    let entry = world.index()[0].clone();
    let gone = crate::index::Entry { id: "0".repeat(32), directory: world.scratch.path().join("gone"), ..entry.clone() };
    crate::index::write(&world.env.home, &gone).unwrap();
    std::fs::write(world.env.home.index_entry("broken"), "{").unwrap();
    assert_eq!(world.index().len(), 2);
    assert!(world.told().contains("broken.json"));
    let removed = crate::index::prune(&world.env.home, &world.env.drivers).unwrap();
    assert_eq!(removed.iter().map(|e| &e.id).collect::<Vec<_>>(), [&gone.id]);
    assert_eq!((world.index(), names(&world.env.home.index()).len()), (vec![entry], 1));
}
