//! What the verbs do when nothing goes wrong.

use kiste_core::provision::Run;
use kiste_providers::State;

use super::{World, machine, shell};
use crate::{DestroyOptions, Error, ProvisionOptions, UpOptions};

const FORCE: DestroyOptions = DestroyOptions { force: true, graceful: false, parallel: false };

#[test]
fn a_machine_lives_and_dies() {
    let world = World::one(|m| {
        m.hostname = Some("web.example".into());
        m.provision = vec![shell(None, "echo ran >> ~/ran", Run::Once)];
        m.post_up_message = Some("hello from the machine".into());
    });
    assert_eq!(world.state("web"), State::NotCreated);
    world.up().unwrap();
    let told = world.told();
    assert!(told.contains("hello from the machine"), "{told}");
    assert_eq!(world.state("web"), State::Running);
    assert_eq!(std::fs::read_to_string(world.guest("home/vagrant/ran")).unwrap(), "ran\n");
    assert!(std::fs::read_to_string(world.guest("etc/hostname")).unwrap().starts_with("web"));

    crate::halt(&world.env, &[], false).unwrap();
    assert_eq!(world.state("web"), State::Stopped);
    world.told();
    world.up().unwrap();
    assert_eq!(
        world.steps(),
        "fetch box, forward ports, offer folders, networks, boot, connect, identity, hostname, share folders, provision"
    );
    assert_eq!(std::fs::read_to_string(world.guest("home/vagrant/ran")).unwrap(), "ran\n", "once means once");

    crate::suspend(&world.env, &[]).unwrap();
    assert_eq!(world.state("web"), State::Suspended);
    crate::resume(&world.env, &[], &ProvisionOptions::default()).unwrap();
    assert_eq!(world.state("web"), State::Running);
    crate::reload(&world.env, &[], &UpOptions::default(), false).unwrap();
    assert_eq!(world.state("web"), State::Running);

    let destroyed = crate::destroy(&world.env, &[], &FORCE).unwrap();
    assert_eq!((destroyed.done, destroyed.declined), (1, 0));
    assert_eq!(world.state("web"), State::NotCreated);
    assert!(!world.dir("web").root().exists() && world.index().is_empty());
}

#[test]
fn a_running_machine_gets_only_its_always_provisioners() {
    let mut world =
        World::one(|m| m.provision = vec![shell(None, "echo once >> ~/log", Run::Once), shell(None, "echo always >> ~/log", Run::Always)]);
    world.up().unwrap();
    world.told();
    world.up().unwrap();
    assert_eq!(world.steps(), "connect, provision");
    let log = || std::fs::read_to_string(world.guest("home/vagrant/log")).unwrap();
    assert_eq!(log(), "once\nalways\nalways\n");
    crate::provision(&world.env, &[], &[]).unwrap();
    assert_eq!(log(), "once\nalways\nalways\nonce\nalways\n");
    let off = UpOptions { provision: ProvisionOptions { provision: Some(false), with: vec![] }, ..UpOptions::default() };
    crate::reload(&world.env, &[], &off, false).unwrap();
    assert_eq!(log().lines().count(), 5);
    world.machine().provision.push(shell(Some("late"), "echo late >> ~/log", Run::Never));
    crate::provision(&world.env, &[], &["late".into()]).unwrap();
    assert!(std::fs::read_to_string(world.guest("home/vagrant/log")).unwrap().ends_with("late\n"));
    let error = crate::provision(&world.env, &[], &["lat".into()]).unwrap_err().to_string();
    assert!(error.contains("lat") && error.contains("late, shell"), "{error}");
}

#[test]
fn several_machines_come_up_at_once_and_go_down_in_reverse() {
    let world = World::new(vec![machine("db"), machine("web"), {
        let mut m = machine("spare");
        m.autostart = false;
        m
    }]);
    world.up().unwrap();
    assert_eq!((world.state("db"), world.state("web"), world.state("spare")), (State::Running, State::Running, State::NotCreated));
    world.told();
    crate::halt(&world.env, &[], true).unwrap();
    let told = world.told();
    let at = |text: &str| told.find(text).unwrap_or_else(|| panic!("{text} in {told}"));
    assert!(at("spare: ") < at("web: ") && at("web: ") < at("db: "), "{told}");
}

#[test]
fn machines_are_chosen_by_name_pattern_and_id() {
    let mut world = World::new(vec![machine("db"), machine("web-1"), machine("web-2")]);
    let names = |names: &[&str]| -> Result<Vec<String>, Error> {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        crate::status(&world.env, &names).map(|all| all.into_iter().map(|s| s.name).collect())
    };
    assert_eq!(names(&["/^web/"]).unwrap(), ["web-1", "web-2"]);
    assert_eq!(names(&["web-2", "db", "/db/"]).unwrap(), ["db", "web-2"]);
    assert_eq!(names(&["bd"]).unwrap_err().to_string(), "there is no machine `bd` (known: db, web-1, web-2)");
    assert!(matches!(names(&["/we(/"]), Err(Error::Pattern { .. })));
    assert!(matches!(names(&["/x/"]), Err(Error::UnknownMachine { .. })));
    crate::up(&world.env, &["db".into()], &UpOptions::default()).unwrap();
    let id = crate::status(&world.env, &["db".into()]).unwrap()[0].id.clone().unwrap();
    assert_eq!(names(&[&id[..7]]).unwrap(), ["db"]);
    assert!(matches!(crate::ports(&world.env, None), Err(Error::NeedsOne { .. })));
    world.machine().primary = true;
    assert_eq!(crate::ports(&world.env, None).unwrap().len(), 1);
}

#[test]
fn everything_that_is_not_there_yet_is_told_at_once_before_anything_starts() {
    let world = World::one(|m| {
        m.networks = vec![serde_json::from_value(serde_json::json!({ "type": "private", "ip": "10.9.0.2" })).unwrap()];
        m.clone = Some("other".into());
        m.hostname = Some("not a name".into());
        let folder = |json| serde_json::from_value(json).unwrap();
        m.folders = vec![
            folder(serde_json::json!({ "host": "/nowhere/at/all", "guest": "/x" })),
            folder(serde_json::json!({ "host": "/tmp", "guest": "/y", "type": "nfs" })),
        ];
        m.provision = vec![serde_json::from_value(serde_json::json!({ "type": "ansible", "playbook": "p.yml" })).unwrap()];
    });
    let error = world.up().unwrap_err();
    let text = error.to_string();
    assert_eq!(kiste_core::Explain::kind(&error), kiste_core::Kind::Usage);
    for word in ["networks", "clone", "/nowhere/at/all", "ansible", "not a name", "nfs"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(!world.dir("web").root().exists());
}

#[test]
fn destroy_asks_and_counts() {
    let world = World::new(vec![machine("db"), machine("web")]);
    world.up().unwrap();
    let ask = DestroyOptions::default();
    assert!(matches!(crate::destroy(&world.env, &["web".into()], &ask), Err(Error::Unattended { .. })));
    assert_eq!(world.state("web"), State::Running);
    // Answers are taken from the end: yes for `web`, which comes first, no for `db`.
    *world.told.answers.lock().unwrap() = vec![false, true];
    let destroyed = crate::destroy(&world.env, &[], &ask).unwrap();
    assert_eq!((destroyed.done, destroyed.declined), (1, 1));
    assert_eq!((world.state("db"), world.state("web")), (State::Running, State::NotCreated));
}

#[test]
fn folders_are_copied_and_followed_by_rsync_verb() {
    let mut world = World::one(|_| {});
    let folder = world.env.project.root.join("data");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a"), "1").unwrap();
    let json = serde_json::json!({ "host": folder, "guest": "/srv/data" });
    world.machine().folders = vec![serde_json::from_value(json).unwrap()];
    world.up().unwrap();
    assert_eq!(std::fs::read_to_string(world.guest("srv/data/a")).unwrap(), "1");
    std::fs::write(folder.join("a"), "2").unwrap();
    crate::rsync(&world.env, &[], &crate::RsyncOptions::default()).unwrap();
    assert_eq!(std::fs::read_to_string(world.guest("srv/data/a")).unwrap(), "2");
}

#[test]
fn a_file_and_a_folder_are_uploaded() {
    let world = World::one(|_| {});
    world.up().unwrap();
    let from = world.scratch.path().join("from");
    std::fs::create_dir_all(from.join("sub")).unwrap();
    std::fs::write(from.join("sub/f"), "x").unwrap();
    let upload = |from: &std::path::Path, to: Option<&str>, compress| {
        let options = crate::UploadOptions { compress, ..Default::default() };
        crate::upload(&world.env, None, from, to, &options).unwrap()
    };
    assert_eq!(upload(&from.join("sub/f"), None, false), "~/f");
    assert_eq!(upload(&from.join("sub/f"), Some("/tmp/deep/name with space"), true), "/tmp/deep/name with space");
    upload(&from, Some("/opt/tree"), false);
    upload(&from, Some("/opt/packed"), true);
    for path in ["home/vagrant/f", "tmp/deep/name with space", "opt/tree/sub/f", "opt/packed/sub/f"] {
        assert_eq!(std::fs::read_to_string(world.guest(path)).unwrap_or_else(|e| panic!("{path}: {e}")), "x");
    }
}

#[test]
fn commands_run_and_their_exit_codes_come_back() {
    let world = World::one(|_| {});
    let mut sink = |_: kiste_core::Stream, _: &[u8]| {};
    assert!(matches!(crate::run_command(&world.env, None, "true", false, &mut sink), Err(Error::NotCreated { .. })));
    world.up().unwrap();
    let mut said = Vec::new();
    let code = crate::run_command(&world.env, None, "echo out; exit 7", false, &mut |_, b| said.extend_from_slice(b)).unwrap();
    assert_eq!((code, said.as_slice()), (7, b"out\n".as_slice()));
}
