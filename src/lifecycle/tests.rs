//! Whole flows on the fake provider, in milliseconds: a project, a home and a box in a scratch folder.

mod crash;
mod faults;
mod flow;
mod mortal;
mod ports;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use kiste_core::dirs::{Home, MachineDir};
use kiste_core::machine::{BoxRequest, Project};
use kiste_core::provision::{Provisioner, ProvisionerKind, Run, Shell};
use kiste_core::{Cancel, Event, Machine, Reporter, Scope, Span, Ui};
use kiste_providers::State;

use crate::{Environment, Error, UpOptions};

/// Name of the provider in these tests.
const FAKE: &str = "fake";

/// Everything that was told, as lines; and the answers to give.
#[derive(Default)]
pub struct Told {
    lines: Mutex<Vec<String>>,
    answers: Mutex<Vec<bool>>,
    /// Sets a token when a line holds a text.
    trap: Mutex<Option<(String, Cancel)>>,
    /// What happens at the event of that number, counted down.
    fuse: Mutex<Option<(usize, Blow)>>,
}

/// What comes over a command in its middle.
#[derive(Clone)]
pub enum Blow {
    /// Ctrl-C.
    Interrupt(Cancel),
    /// As good as kill -9: nothing of the engine's own runs any more, locks go.
    Death,
}

impl Told {
    fn burn(&self) {
        let blow = {
            let mut fuse = self.fuse.lock().unwrap();
            match fuse.as_mut() {
                Some((0, _)) => fuse.take().map(|(_, blow)| blow),
                Some((left, _)) => {
                    *left -= 1;
                    None
                }
                None => None,
            }
        };
        match blow {
            Some(Blow::Interrupt(cancel)) => cancel.cancel(),
            Some(Blow::Death) => std::panic::resume_unwind(Box::new("killed")),
            None => {}
        }
    }
}

impl Ui for Told {
    fn emit(&self, scope: &Scope, event: Event) {
        if matches!(event, Event::StepStarted { .. } | Event::StepFinished { .. }) {
            self.burn();
        }
        let text = match event {
            Event::Say { text } | Event::Detail { text } | Event::Warn { text } | Event::Success { text } | Event::Error { text } => text,
            Event::StepStarted { step } => format!("[{step}]"),
            Event::Output { line, .. } => line,
            _ => return,
        };
        if let Some((word, cancel)) = &*self.trap.lock().unwrap()
            && text.contains(word.as_str())
        {
            cancel.cancel();
        }
        let who = if let Scope::Machine(name) = scope { format!("{name}: ") } else { String::new() };
        self.lines.lock().unwrap().push(format!("{who}{text}"));
    }
    fn confirm(&self, _: &Scope, _: &str) -> Option<bool> {
        self.answers.lock().unwrap().pop()
    }
    fn ask(&self, _: &Scope, _: &str, _: bool) -> Option<String> {
        None
    }
}

/// A scratch project.
pub struct World {
    pub scratch: tempfile::TempDir,
    pub env: Environment,
    pub told: Arc<Told>,
}

impl World {
    pub fn new(machines: Vec<Machine>) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let home = Home::at(scratch.path().join("home"));
        add_box(&home, "1.0.0");
        let root = scratch.path().join("project");
        std::fs::create_dir_all(&root).unwrap();
        let told = Arc::new(Told::default());
        let env = Environment {
            project: Project { file: root.join("Kistefile"), root, machines },
            home,
            reporter: Reporter::new(told.clone(), Scope::Project),
            cancel: Cancel::new(),
            drivers: vec![Arc::new(mortal::Mortal(told.clone()))],
            provider: None,
            default_provider: None,
        };
        Self { scratch, env, told }
    }

    pub fn one(change: impl FnOnce(&mut Machine)) -> Self {
        let mut machine = machine("web");
        change(&mut machine);
        Self::new(vec![machine])
    }

    /// The only machine, to be changed.
    pub fn machine(&mut self) -> &mut Machine {
        &mut self.env.project.machines[0]
    }

    pub fn up(&self) -> Result<(), Error> {
        crate::up(&self.env, &[], &UpOptions::default())
    }

    pub fn state(&self, name: &str) -> State {
        crate::status(&self.env, &[name.to_owned()]).unwrap()[0].state
    }

    pub fn dir(&self, name: &str) -> MachineDir {
        self.env.machine_dir(name, FAKE)
    }

    /// A path in the guest of `web`.
    pub fn guest(&self, path: &str) -> PathBuf {
        self.dir("web").driver_file("guest").join(path)
    }

    pub fn told(&self) -> String {
        std::mem::take(&mut *self.told.lines.lock().unwrap()).join("\n")
    }

    /// Names of the steps that ran since the last look.
    pub fn steps(&self) -> String {
        let told = self.told();
        let steps: Vec<&str> = told.lines().filter_map(|l| l.split_once('[')?.1.strip_suffix(']')).collect();
        steps.join(", ")
    }

    /// The token is set when this is told.
    pub fn interrupt_at(&self, text: &str) {
        *self.told.trap.lock().unwrap() = Some((text.to_owned(), self.env.cancel.clone()));
    }

    /// The event after `count` others brings this.
    pub fn light(&self, count: usize, blow: Blow) {
        *self.told.fuse.lock().unwrap() = Some((count, blow));
    }

    /// Whether the blow came (it did not when there were fewer events).
    pub fn burnt(&self) -> bool {
        self.told.fuse.lock().unwrap().is_none()
    }

    /// The next command: nobody interrupted it yet.
    pub fn calm_down(&mut self) {
        *self.told.trap.lock().unwrap() = None;
        *self.told.fuse.lock().unwrap() = None;
        self.env.cancel = Cancel::new();
    }

    pub fn index(&self) -> Vec<crate::index::Entry> {
        crate::index::list(&self.env.home, &self.env.drivers, &self.env.reporter).unwrap()
    }
}

pub fn machine(name: &str) -> Machine {
    Machine {
        image: Some(BoxRequest { name: "acme/box".into(), ..BoxRequest::default() }),
        boot_timeout: Span::secs(5),
        graceful_halt_timeout: Span::secs(1),
        usable_port_range: (42200, 42260),
        ports: vec![any_ssh()],
        ..Machine::named(name)
    }
}

/// ssh's forward on any free port: tests run at once.
fn any_ssh() -> kiste_core::network::Port {
    serde_json::from_value(serde_json::json!({ "guest": 22, "host": 0, "id": "ssh" })).unwrap()
}

pub fn shell(name: Option<&str>, text: &str, run: Run) -> Provisioner {
    Provisioner {
        name: name.map(str::to_owned),
        kind: ProvisionerKind::Shell(Shell { inline: Some(text.into()), privileged: Some(false), ..Shell::default() }),
        run,
        before: None,
        after: None,
        preserve_order: false,
        communicator_required: true,
    }
}

pub fn fault(machine: &mut Machine, key: &str, value: impl Into<serde_json::Value>) {
    let table = machine.settings.entry(FAKE.into()).or_insert_with(|| serde_json::json!({}));
    table[key] = value.into();
}

pub fn add_box(home: &Home, version: &str) {
    let dir = home.box_files(&kiste_boxes::name::encode("acme/box"), version, None, FAKE);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("metadata.json"), r#"{"provider":"fake","format":"raw"}"#).unwrap();
    std::fs::write(dir.join("box.img"), [0u8; 4096]).unwrap();
}

/// Names of what lies in a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
