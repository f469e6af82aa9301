//! Failures looked at on the fake provider.

use std::collections::{BTreeMap, BTreeSet};

use kiste_comm::fake::{Answer, FakeGuest};
use kiste_comm::wait::{WaitCause, WaitError};
use kiste_core::dirs::{Home, MachineDir};
use kiste_core::step::{self, BoxedStep, OnError};
use kiste_core::{Cancel, Machine, Reporter};
use kiste_providers::Source;
use kiste_providers::fake::Fake;

use super::*;
use crate::inputs::Inputs;

struct Place {
    _dir: tempfile::TempDir,
    home: Home,
    machine: Machine,
    machine_dir: MachineDir,
    inputs: Inputs,
    reporter: Reporter,
    cancel: Cancel,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let values = BTreeMap::from([("open".to_owned(), "v".to_owned()), ("pw".to_owned(), "hunter2".to_owned())]);
        Self {
            home: Home::at(dir.path().join("home")),
            machine: Machine::named("m"),
            machine_dir: MachineDir::at(dir.path().join("m")),
            inputs: Inputs::new("u", "t.json".into(), &["hunter2".to_owned()]).with_variables(&values),
            reporter: Reporter::silent(),
            cancel: Cancel::new(),
            _dir: dir,
        }
    }

    fn run(&self) -> BuilderRun<'_> {
        BuilderRun {
            name: "deb/ian",
            home: &self.home,
            reporter: &self.reporter,
            cancel: &self.cancel,
            force: false,
            on_error: OnError::Cleanup,
            inputs: &self.inputs,
            debug: false,
            provision: &|_, _| Ok(()),
            clean_up: &|_, _| {},
        }
    }

    fn vm(&self) -> Vm<'_> {
        Vm { machine: &self.machine, dir: &self.machine_dir, home: &self.home, reporter: &self.reporter, cancel: &self.cancel }
    }

    /// What is in the one folder of evidence.
    fn files(&self) -> BTreeMap<String, String> {
        let folders: Vec<PathBuf> = std::fs::read_dir(self.home.build_evidence()).unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!(folders.len(), 1);
        assert!(folders[0].file_name().unwrap().to_str().unwrap().starts_with("deb-ian-2"));
        let files = std::fs::read_dir(&folders[0]).unwrap().map(|e| e.unwrap().path());
        let text = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        files.map(|p| (p.file_name().unwrap().to_str().unwrap().to_owned(), text(&p))).collect()
    }
}

fn guest() -> FakeGuest {
    FakeGuest::answering(vec![Answer { when: "journalctl".into(), stdout: "sshd: failed, password hunter2\n".into(), ..Answer::default() }])
}

#[test]
fn a_failure_leaves_all_that_can_be_seen() {
    let place = Place::new();
    let run = place.run();
    Fake.create(&place.vm(), &Source::default()).unwrap();
    Fake.start(&place.vm()).unwrap();
    let guest = guest();
    let logs = vec![("qemu.log".to_owned(), place.machine_dir.serial_log()), ("../up".to_owned(), place.machine_dir.serial_log())];
    let scene = Scene { run: &run, machine: Some((&Fake, place.vm())), comm: Some(&guest), logs };
    let error = keep(&scene, Error::Script { code: 3, allowed: vec![0] });
    assert!(error.hints()[0].contains(&*place.home.build_evidence().to_string_lossy()), "{:?}", error.hints());
    assert_eq!(error.kind(), Kind::Failed);
    let files = place.files();
    let names: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    let expected = ["config.json", "error.txt", "journal.txt", "qemu.log", "screenshot.png", "serial.log"];
    assert!(names.is_superset(&BTreeSet::from(expected)), "{names:?}");
    assert_eq!(files["journal.txt"], "sshd: failed, password <sensitive>\n");
    assert!(files["error.txt"].starts_with("Script exited with non-zero exit status: 3"));
    assert!(files["screenshot.png"].contains("PNG"));
    let config: serde_json::Value = serde_json::from_str(&files["config.json"]).unwrap();
    assert_eq!(config["variables"], serde_json::json!({ "open": "v", "pw": "<sensitive>" }));
    assert!(guest.commands().iter().all(|c| c.privileged));
}

#[test]
fn tries_to_reach_a_guest_are_kept_without_a_machine_too() {
    let place = Place::new();
    let run = place.run();
    let source = Box::new(WaitError {
        what: "the guest's ssh".into(),
        waited: Duration::from_secs(1),
        last_seen: "connection refused".into(),
        attempts: vec!["0s connection refused".into()],
        cause: WaitCause::TimedOut,
    });
    let error = keep(&Scene { run: &run, machine: None, comm: None, logs: vec![] }, Error::NotReady { source });
    assert!(matches!(error, Error::Documented { .. }));
    assert_eq!(place.files()["attempts.txt"], "0s connection refused\n");
    let again = keep(&Scene { run: &run, machine: None, comm: None, logs: vec![] }, error);
    assert!(matches!(again, Error::Documented { .. }));
    assert_eq!(place.files().len(), 3);
}

/// A step that notes when it is undone, and fails.
struct Fails;
struct World<'a>(&'a Place, BuilderRun<'a>, bool);
impl Sight for World<'_> {
    fn scene(&self) -> Scene<'_> {
        assert!(!self.2, "undone before it was looked at");
        Scene { run: &self.1, machine: None, comm: None, logs: vec![] }
    }
}
impl Step<World<'_>> for Fails {
    type Error = Error;
    fn name(&self) -> &'static str {
        "fails"
    }
    fn run(&mut self, world: &mut World<'_>) -> Result<(), Error> {
        world.0.cancel.check()?;
        Err(Error::GuestEnded { during: "it was tested" })
    }
    fn undo(&mut self, world: &mut World<'_>) {
        world.2 = true;
    }
}

#[test]
fn steps_are_looked_at_before_they_are_undone() {
    let place = Place::new();
    let steps: Vec<BoxedStep<World<'_>, Error>> = vec![Box::new(Fails)];
    let mut world = World(&place, place.run(), false);
    let done = step::run(&mut watched(steps), &mut world, &place.reporter, &place.cancel, OnError::Cleanup);
    assert!(matches!(done, Err(Error::Documented { .. })) && world.2);
    assert_eq!(done.unwrap_err().to_string(), "the guest ended while it was tested");
}

#[test]
fn an_interrupt_leaves_nothing() {
    let place = Place::new();
    place.cancel.cancel();
    let steps: Vec<BoxedStep<World<'_>, Error>> = vec![Box::new(Fails)];
    let mut world = World(&place, place.run(), false);
    let error = keep(&world.scene(), kiste_core::Cancelled.into());
    assert!(matches!(error, Error::Cancelled(_)));
    assert!(step::run(&mut watched(steps), &mut world, &place.reporter, &place.cancel, OnError::Cleanup).is_err());
    assert!(!place.home.build_evidence().exists());
}

#[test]
fn only_the_last_ones_stay() {
    let dir = tempfile::tempdir().unwrap();
    for n in 10..10 + KEPT + 3 {
        std::fs::create_dir(dir.path().join(format!("{}-202601{n}", if n % 2 == 0 { "a" } else { "z-b" }))).unwrap();
    }
    drop_old(dir.path());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), KEPT);
    assert!(!dir.path().join("a-20260112").exists() && !dir.path().join("z-b-20260111").exists());
}

#[test]
fn names_of_files_are_plain() {
    assert_eq!(plain_name("../a b/ö"), "-a-b--");
    assert!(is_plain("x.log") && !is_plain("../x") && !is_plain(".x") && !is_plain(""));
}
