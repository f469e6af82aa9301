//! Debian's `vagrant` does against this registry what it does against Vagrant's own: logs in, publishes, searches, adds and updates boxes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::boxes;
use crate::harness::part::program;
use crate::harness::{Kind, World};

/// Somebody with Vagrant and nothing else.
struct Vagrant {
    root: TempDir,
    server: String,
}

/// How a command ended, and all it said.
struct Said {
    code: Option<i32>,
    text: String,
}

impl Said {
    /// Fails the test unless it worked and said all of `words`.
    #[track_caller]
    fn ok(self, words: &[&str]) -> String {
        assert_eq!(self.code, Some(0), "{}", self.text);
        self.holds(words)
    }

    /// Fails the test if it worked, or did not say all of `words`.
    #[track_caller]
    fn fails(self, words: &[&str]) -> String {
        assert_ne!(self.code, Some(0), "{}", self.text);
        self.holds(words)
    }

    #[track_caller]
    fn holds(self, words: &[&str]) -> String {
        for word in words {
            assert!(self.text.contains(word), "`{word}` is not said:\n{}", self.text);
        }
        self.text
    }
}

impl Vagrant {
    fn new(server: &str) -> Self {
        let root = tempfile::Builder::new().prefix("kiste-vagrant-").tempdir().expect("a folder");
        Self { root, server: server.to_owned() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.root.path()).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.root.path()).env("VAGRANT_HOME", self.path("vagrant.d")).env("VAGRANT_SERVER_URL", &self.server);
        command.env("VAGRANT_CHECKPOINT_DISABLE", "1").env("VAGRANT_NO_PLUGINS", "1").env("LC_ALL", "C.UTF-8").env("TERM", "dumb");
        command
    }

    fn run(&self, args: &[&str]) -> Said {
        let mut command = self.command(&program("vagrant"));
        said(command.args(args).stdin(Stdio::null()).output().expect("vagrant runs"))
    }

    /// In a terminal, with what a person types.
    fn type_in(&self, args: &[&str], typed: &str) -> Said {
        let input = self.path("typed");
        std::fs::write(&input, typed).expect("a file");
        let line = format!("vagrant {}", args.join(" "));
        let mut command = self.command(&program("script"));
        command.args(["-qec", &line, "/dev/null"]).stdin(std::fs::File::open(input).expect("the file"));
        said(command.output().expect("vagrant runs"))
    }

    /// A box of some content.
    fn make(&self, name: &str, mark: &str) -> String {
        let metadata = br#"{"provider":"libvirt","format":"qcow2","virtual_size":1}"#.to_vec();
        let path = self.path(name);
        boxes::write_entries(&path, &[("metadata.json", metadata), ("box.img", boxes::qcow2()), ("mark", mark.as_bytes().to_vec())]);
        path.to_str().expect("a path").to_owned()
    }

    /// The mark of the box that Vagrant has.
    fn mark(&self, name: &str, version: &str) -> String {
        let name = name.replace('/', "-VAGRANTSLASH-");
        let folder = self.path("vagrant.d/boxes").join(name).join(version);
        let below = [folder.join("libvirt/mark"), folder.join("amd64/libvirt/mark")];
        let found = below.iter().find_map(|file| std::fs::read_to_string(file).ok());
        found.unwrap_or_else(|| panic!("no mark below {}", folder.display()))
    }
}

fn said(done: std::process::Output) -> Said {
    let text = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    Said { code: done.status.code(), text }
}

#[test]
fn vagrant_publishes_and_adds_with_files() {
    story(Kind::Files);
}

#[test]
fn vagrant_publishes_and_adds_with_postgresql_and_s3() {
    story(Kind::Shared);
}

fn story(kind: Kind) {
    let world = World::new(kind);
    let alice = world.admin().user("alice", "correct horse battery");
    let publisher = Vagrant::new(&world.url());
    logs_in(&publisher, alice.token().expect("a token"));
    publishes(&publisher);
    let consumer = Vagrant::new(&world.url());
    adds_and_updates(&publisher, &consumer);
    works_step_by_step(&publisher);
    keeps_private_boxes(&publisher, &consumer, alice.token().expect("a token"));
    takes_back(&publisher, &consumer);

    let entries = world.admin().call("GET", "/audit?account=alice", Value::Null).ok();
    let actions: Vec<&str> = entries["entries"].as_array().expect("entries").iter().filter_map(|e| e["action"].as_str()).collect();
    for action in ["box.create", "version.release", "provider.upload", "version.revoke"] {
        assert!(actions.contains(&action), "{action} in {actions:?}");
    }
}

fn logs_in(vagrant: &Vagrant, token: &str) {
    vagrant.run(&["cloud", "auth", "login", "--check"]).fails(&["You are not currently logged in"]);
    let typed = "correct horse battery\nfrom a test\n";
    vagrant.type_in(&["cloud", "auth", "login", "--username", "alice"], typed).ok(&["You are now logged in"]);
    vagrant.run(&["cloud", "auth", "whoami"]).ok(&["Currently logged in as alice"]);
    vagrant.run(&["cloud", "auth", "logout"]).ok(&["You are logged out"]);
    // Vagrant keeps a token before it tries it.
    vagrant.run(&["cloud", "auth", "login", "--token", "wrong"]).fails(&["the token is not known here, or over: log in again"]);
    vagrant.run(&["cloud", "auth", "login", "--token", token]).ok(&["The token was successfully saved"]);
    vagrant.run(&["cloud", "auth", "whoami"]).ok(&["Currently logged in as alice"]);
}

fn publishes(vagrant: &Vagrant) {
    let first = vagrant.make("first.box", "one");
    let published = [
        "cloud",
        "publish",
        "alice/tiny",
        "1.0.0",
        "libvirt",
        &first,
        "--force",
        "--release",
        "--short-description",
        "A tiny box",
        "--version-description",
        "The first",
    ];
    vagrant.run(&published).ok(&["Complete! Published alice/tiny", "A tiny box", "Versions:", "1.0.0"]);
    let again = vagrant.run(&published).text;
    assert!(!again.contains("Complete!"), "a released version never changes:\n{again}");
    vagrant.run(&["cloud", "search", "tiny"]).ok(&["alice/tiny", "1.0.0", "libvirt"]);
    vagrant.run(&["cloud", "search", "nothing-like-this"]).ok(&["No results found for `nothing-like-this`"]);
    vagrant.run(&["cloud", "box", "show", "alice/tiny"]).ok(&["alice/tiny", "1.0.0"]);
}

fn adds_and_updates(publisher: &Vagrant, consumer: &Vagrant) {
    consumer.run(&["box", "add", "alice/nothing"]).fails(&["could not be accessed"]);
    consumer.run(&["box", "add", "alice/tiny"]).ok(&["Successfully added box 'alice/tiny' (v1.0.0) for 'libvirt'!"]);
    assert_eq!(consumer.mark("alice/tiny", "1.0.0"), "one");
    consumer.run(&["box", "outdated", "--global"]).ok(&["'alice/tiny' for 'libvirt' (v1.0.0) is up to date"]);

    let second = publisher.make("second.box", "two");
    publisher.run(&["cloud", "publish", "alice/tiny", "1.1.0", "libvirt", &second, "-f", "-r"]).ok(&["Complete! Published alice/tiny"]);
    consumer.run(&["box", "outdated", "--global"]).ok(&["'alice/tiny' for 'libvirt' is outdated! Current: 1.0.0. Latest: 1.1.0"]);
    let updated = consumer.run(&["box", "update", "--box", "alice/tiny", "--provider", "libvirt"]);
    updated.ok(&["Successfully added box 'alice/tiny' (v1.1.0) for 'libvirt'!"]);
    assert_eq!(consumer.mark("alice/tiny", "1.1.0"), "two");
    let old = ["box", "add", "alice/tiny", "--box-version", "1.0.0", "--force", "--provider", "libvirt"];
    consumer.run(&old).ok(&["Successfully added box 'alice/tiny' (v1.0.0)"]);
}

/// Every command of `vagrant cloud` that makes or changes something.
fn works_step_by_step(vagrant: &Vagrant) {
    let file = vagrant.make("step.box", "step");
    vagrant.run(&["cloud", "box", "create", "alice/steps", "--short-description", "By hand"]).ok(&["Created box alice/steps"]);
    vagrant.run(&["cloud", "box", "create", "alice/steps"]).fails(&["alice/steps"]);
    vagrant.run(&["cloud", "box", "update", "alice/steps", "--short-description", "Changed"]).ok(&["Updated box alice/steps"]);
    vagrant.run(&["cloud", "version", "create", "alice/steps", "0.1.0"]).ok(&["Created version 0.1.0 on alice/steps"]);
    vagrant
        .run(&["cloud", "version", "update", "alice/steps", "0.1.0", "--description", "words"])
        .ok(&["Updated version 0.1.0 on alice/steps"]);
    vagrant.run(&["cloud", "provider", "create", "alice/steps", "libvirt", "0.1.0"]).ok(&["Created provider libvirt on alice/steps"]);
    vagrant
        .run(&["cloud", "provider", "create", "alice/steps", "other", "0.1.0", "http://127.0.0.1:1/x.box"])
        .ok(&["Created provider other"]);
    vagrant
        .run(&["cloud", "provider", "update", "alice/steps", "other", "0.1.0", "http://127.0.0.1:1/y.box"])
        .ok(&["Updated provider other"]);
    vagrant
        .run(&["cloud", "provider", "upload", "alice/steps", "libvirt", "0.1.0", &file])
        .ok(&["Uploaded provider libvirt on alice/steps"]);
    vagrant.run(&["cloud", "provider", "delete", "--force", "alice/steps", "other", "0.1.0"]).ok(&["Deleted provider other"]);
    vagrant.run(&["cloud", "version", "release", "--force", "alice/steps", "0.1.0"]).ok(&["Released version 0.1.0 on alice/steps"]);
    vagrant.run(&["cloud", "box", "show", "alice/steps"]).ok(&["alice/steps", "0.1.0"]);
    vagrant.run(&["cloud", "version", "create", "alice/steps", "0.2.0"]).ok(&["Created version 0.2.0"]);
    vagrant.run(&["cloud", "version", "delete", "--force", "alice/steps", "0.2.0"]).ok(&["Deleted version 0.2.0"]);
    vagrant.run(&["cloud", "box", "delete", "--force", "alice/steps"]).ok(&["Deleted box alice/steps"]);
    vagrant.run(&["cloud", "box", "show", "alice/steps"]).fails(&[]);
}

fn keeps_private_boxes(publisher: &Vagrant, consumer: &Vagrant, token: &str) {
    let file = publisher.make("hidden.box", "hidden");
    let published = publisher.run(&["cloud", "publish", "alice/hidden", "1.0.0", "libvirt", &file, "-f", "-r", "--private"]);
    published.ok(&["Complete! Published alice/hidden"]);
    consumer.run(&["box", "add", "alice/hidden"]).fails(&["could not be accessed"]);
    let found = consumer.run(&["cloud", "search", "hidden"]).text;
    assert!(!found.contains("alice/hidden"), "{found}");
    consumer.run(&["cloud", "auth", "login", "--token", token]).ok(&[]);
    consumer.run(&["box", "add", "alice/hidden"]).ok(&["Successfully added box 'alice/hidden' (v1.0.0)"]);
    assert_eq!(consumer.mark("alice/hidden", "1.0.0"), "hidden");
    consumer.run(&["cloud", "auth", "logout"]).ok(&[]);
}

fn takes_back(publisher: &Vagrant, consumer: &Vagrant) {
    publisher.run(&["cloud", "version", "revoke", "--force", "alice/tiny", "1.1.0"]).ok(&["Revoked version 1.1.0 on alice/tiny"]);
    consumer.run(&["box", "add", "alice/tiny", "--box-version", "1.1.0", "--force"]).fails(&["1.1.0"]);
    consumer.run(&["box", "add", "alice/tiny", "--force"]).ok(&["Successfully added box 'alice/tiny' (v1.0.0)"]);
}

/// Names and shapes that no command of Vagrant's shows.
#[test]
fn the_client_library_of_vagrant_finds_its_shapes() {
    let world = World::new(Kind::Files);
    let admin = world.admin();
    admin.publish("admin/tiny", "1.0.0", "libvirt", b"content".to_vec());
    for prefix in ["/api/v1", "/api/v2"] {
        let found = admin.call("GET", &format!("{prefix}/box/admin/tiny"), Value::Null).ok();
        assert_eq!(found["tag"], "admin/tiny");
        assert_eq!(found["current_version"]["version"], "1.0.0");
        assert_eq!(found["versions"][0]["status"], "active");
        assert_eq!(found["versions"][0]["providers"][0]["name"], "libvirt");
        assert_eq!(found["versions"][0]["providers"][0]["hosted"], json!(true));
        assert!(found["created_at"].is_string() && found["versions"][0]["created_at"].is_string(), "{found}");
    }
    let code = admin.call("POST", "/api/v1/two-factor/request-code", json!({"two_factor": {"delivery_method": "sms"}}));
    assert!((400..500).contains(&code.status), "there is no second factor: {}", code.json);
}
