//! What goes wrong outside: programs missing, guests that die or never answer, disks full, provisioners that fail, two commands at once.

use kiste_core::provision::Run;
use kiste_core::state_file::Lock;
use kiste_core::{Explain, Kind, Span};
use kiste_providers::State;

use super::{FAKE, World, add_box, fault, machine, names, shell};
use crate::{Error, UpOptions};

/// The evidence folder that an error names.
fn evidence(error: &Error) -> std::path::PathBuf {
    match error {
        Error::Documented { folder, .. } => folder.clone(),
        other => panic!("no evidence of: {other}"),
    }
}

#[test]
fn a_guest_that_never_answers_leaves_evidence_and_the_machine() {
    let world = World::one(|m| {
        fault(m, "never_ready", true);
        m.boot_timeout = Span(std::time::Duration::from_millis(300));
        m.ssh.password = Some("hunter2".into());
    });
    let error = world.up().unwrap_err();
    assert_eq!(error.kind(), Kind::Guest);
    let folder = evidence(&error);
    assert!(error.hints().iter().any(|h| h.contains(&folder.display().to_string())), "{:?}", error.hints());
    let files = names(&folder);
    for file in ["attempts.txt", "config.json", "error.txt", "screenshot.png", "serial.log"] {
        assert!(files.iter().any(|f| f == file), "{file} in {files:?}");
    }
    assert!(!std::fs::read_to_string(folder.join("config.json")).unwrap().contains("hunter2"));
    assert_eq!(world.state("web"), State::Running, "kept for inspection");
}

#[test]
fn a_machine_that_dies_ends_the_wait_at_once() {
    let world = World::one(|m| {
        fault(m, "never_ready", true);
        fault(m, "dies_after_ms", 50);
        m.boot_timeout = Span::secs(600);
    });
    let error = world.up().unwrap_err();
    assert!(error.to_string().contains("aborted"), "{error}");
    assert_eq!(world.state("web"), State::Aborted);
}

#[test]
fn after_a_failed_boot_the_next_up_goes_on() {
    let mut world = World::one(|m| fault(m, "start_fails", "no such luck"));
    let error = world.up().unwrap_err();
    assert!(error.to_string().contains("no such luck"), "{error}");
    let id = world.index()[0].id.clone();
    world.machine().settings.clear();
    world.up().unwrap();
    assert_eq!((world.state("web"), &world.index()[0].id), (State::Running, &id));
}

#[test]
fn a_failed_create_leaves_nothing() {
    for (key, value) in [("disk_full", serde_json::json!(true)), ("missing_program", serde_json::json!("qemu-system-x86_64"))] {
        let world = World::one(|m| fault(m, key, value));
        world.up().unwrap_err();
        assert!(world.index().is_empty() && !world.dir("web").root().exists(), "{key}");
    }
}

#[test]
fn a_failed_provisioner_is_not_recorded_as_done() {
    let mut world = World::one(|m| {
        m.provision = vec![shell(Some("first"), "echo 1 >> ~/log", Run::Once), shell(Some("second"), "echo 2 >> ~/log; exit 3", Run::Once)];
    });
    let error = world.up().unwrap_err();
    assert!(error.to_string().contains("`second`") && evidence(&error).is_dir(), "{error}");
    let log = |world: &World| std::fs::read_to_string(world.guest("home/vagrant/log")).unwrap();
    world.up().unwrap_err();
    assert_eq!(log(&world), "1\n2\n2\n", "the first one is done, the second one is not");
    world.machine().provision[1] = shell(Some("second"), "echo two >> ~/log", Run::Once);
    world.up().unwrap();
    world.up().unwrap();
    assert_eq!(log(&world), "1\n2\n2\ntwo\n");
}

#[test]
fn a_guest_that_ignores_everything_is_switched_off_with_a_warning() {
    let mut world = World::one(|_| {});
    world.up().unwrap();
    fault(world.machine(), "ignore_power_button", true);
    fault(world.machine(), "refuse_login", true);
    world.told();
    crate::halt(&world.env, &[], false).unwrap();
    assert!(world.told().contains("did not shut down within 1s"));
    assert_eq!(world.state("web"), State::Stopped);
}

#[test]
fn two_commands_on_one_machine_the_second_is_refused() {
    let world = World::one(|_| {});
    let lock = Lock::try_take(&world.dir("web").lock()).unwrap().unwrap();
    let error = world.up().unwrap_err();
    let pid = std::process::id();
    assert_eq!(error.to_string(), format!("another kiste command (pid {pid}) works on `web`"));
    assert_eq!(error.kind(), Kind::Verify);
    // Looking is free.
    assert_eq!(world.state("web"), State::NotCreated);
    drop(lock);
    world.up().unwrap();
}

#[test]
fn every_failing_machine_is_told_and_the_others_come_up() {
    let mut bad = machine("bad");
    fault(&mut bad, "start_fails", "out of luck");
    let mut worse = machine("worse");
    fault(&mut worse, "start_fails", "out of memory");
    let world = World::new(vec![bad, machine("good"), worse]);
    for parallel in [true, false] {
        let error = crate::up(&world.env, &[], &UpOptions { parallel, ..UpOptions::default() }).unwrap_err().to_string();
        assert!(error.starts_with("2 machines failed") && error.contains("`bad`: ") && error.contains("out of memory"), "{error}");
        assert_eq!(world.state("good"), State::Running);
    }
}

#[test]
fn the_provider_of_an_existing_machine_is_not_contradicted() {
    let mut world = World::one(|_| {});
    world.up().unwrap();
    world.env.provider = Some("other".into());
    assert!(matches!(world.up(), Err(Error::OtherProvider { .. })));
    world.env.provider = Some(FAKE.into());
    world.up().unwrap();
    crate::destroy(&world.env, &[], &crate::DestroyOptions { force: true, ..Default::default() }).unwrap();
    world.env.provider = Some("other".into());
    let error = world.up().unwrap_err().to_string();
    assert!(error.contains("`other`") && error.contains(FAKE), "{error}");
}

#[test]
fn a_box_that_nobody_has_is_named() {
    let mut world = World::one(|_| {});
    world.machine().image.as_mut().unwrap().name = "acme/other".into();
    let error = world.up().unwrap_err();
    assert!(error.to_string().contains("acme/other"), "{error}");
    assert!(!world.dir("web").root().exists());
}

#[test]
fn the_lock_file_pins_the_version() {
    let mut world = World::one(|_| {});
    let locked = UpOptions { locked: true, ..UpOptions::default() };
    let force = crate::DestroyOptions { force: true, ..Default::default() };
    let image = |world: &World| crate::status(&world.env, &[]).unwrap()[0].image.clone().unwrap();
    assert_eq!(crate::up(&world.env, &[], &locked).unwrap_err().kind(), Kind::Verify);
    world.up().unwrap();
    add_box(&world.env.home, "2.0.0");
    for options in [&locked, &UpOptions::default()] {
        crate::destroy(&world.env, &[], &force).unwrap();
        crate::up(&world.env, &[], options).unwrap();
        assert_eq!(image(&world), "acme/box (1.0.0)");
    }
    crate::destroy(&world.env, &[], &force).unwrap();
    world.machine().image.as_mut().unwrap().version = ">= 2".into();
    assert_eq!(crate::up(&world.env, &[], &locked).unwrap_err().kind(), Kind::Verify);
    world.up().unwrap();
    assert_eq!(image(&world), "acme/box (2.0.0)");
    let text = std::fs::read_to_string(kiste_core::dirs::lock_file(&world.env.project.root)).unwrap();
    assert!(text.contains("version = \"2.0.0\"") && !text.contains("1.0.0"), "{text}");
}
