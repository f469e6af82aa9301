//! Somebody at a desk: a user's world, and a registry that runs.

use std::ffi::OsStr;

use regex_automata::meta::Regex;

use crate::harness::output::replace;
use crate::harness::{Env, Output, boxes};
use crate::parts::{Kind, World};

/// What differs from run to run, besides what [`Output`] knows of.
const CHANGING: &[(&str, &str)] = &[
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[TOKEN-ID]"),
    (r"\b[0-9a-f]{64}\b", "[64 DIGITS]"),
    (r"[^ `]*/kiste-registry-[0-9A-Za-z]+", "[WORLD]"),
    (r"-[0-9a-f]{12}\.box\b", "-[DIGITS].box"),
    (r"http://127\.\d+\.\d+\.\d+:\d+", "[REGISTRY]"),
    (r"\b127\.\d+\.\d+\.\d+\b", "[ADDRESS]"),
];

/// A desk.
pub struct Desk {
    /// The user.
    pub env: Env,
    /// The registry.
    pub world: World,
}

impl Desk {
    /// Nobody is logged in; `KISTE_REGISTRY` names the registry.
    pub fn new() -> Self {
        let world = World::new(Kind::Files);
        Self { env: Env::new().var("KISTE_REGISTRY", &world.url()), world }
    }

    /// The administrator is logged in, and the organisation `acme` is there.
    pub fn ready() -> Self {
        let desk = Self::new();
        desk.log_in();
        desk.run(["registry", "org", "create", "acme"]).success();
        desk
    }

    /// The administrator logs in.
    pub fn log_in(&self) {
        self.type_in(&self.world.admin, ["login", "--token"]).success();
    }

    /// Runs kiste.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        plain(self.env.run(args))
    }

    /// Runs a line of words.
    pub fn say(&self, line: &str) -> Output {
        self.run(line.split(' '))
    }

    /// Runs kiste with something on standard input.
    pub fn type_in<S: AsRef<OsStr>>(&self, input: &str, args: impl IntoIterator<Item = S>) -> Output {
        plain(self.env.run_with_input(input, args))
    }

    /// A box file in the project; boxes of other marks have other bytes.
    pub fn make(&self, file: &str, mark: &str) {
        let metadata = br#"{"provider":"libvirt","architecture":"amd64","format":"qcow2","virtual_size":1}"#.to_vec();
        let entries = [("metadata.json", metadata), ("box.img", boxes::qcow2()), ("mark", mark.as_bytes().to_vec())];
        boxes::write_entries(&self.env.project().join(file), &entries);
    }

    /// Publishes a released version of a box.
    pub fn publish(&self, tag: &str, version: &str) {
        self.make("published.box", version);
        self.run(["box", "push", "published.box", tag, version, "--release", "-q"]).success();
    }
}

/// An output with a registry's own changing parts replaced.
pub fn plain(mut output: Output) -> Output {
    for (pattern, stand_in) in CHANGING {
        let regex = Regex::new(pattern).expect("a pattern");
        output.stdout = replace(&regex, &output.stdout, stand_in);
        output.stderr = replace(&regex, &output.stderr, stand_in);
    }
    output
}
