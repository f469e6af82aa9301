//! `examples/pipeline` as a CI system runs it: test a box, publish it as a draft, release it, deploy it, and go back to the version before.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::bench::{Bench, qemu_processes};

/// A registry, ended with the test.
struct Registry {
    child: Child,
    address: String,
    token: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may be gone already; nothing else is to be done about it here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Registry {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kiste"));
        command.args(["registry", "serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).env("KISTE_HOME", data);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("kiste");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("listens at ")).expect("an address");
        let address = line.split("listens at ").nth(1).expect("an address").trim().to_owned();
        let is_token = |word: &str| word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit());
        let token = lines.find_map(|line| line.split(' ').find(|word| is_token(word)).map(str::to_owned)).expect("a token");
        // What it logs is read on, or the pipe would fill.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address, token }
    }
}

/// The project `debian-12.box` lies in is the CI system's working folder.
pub fn goes_the_whole_way_and_back(bench: &Bench) {
    let registry = Registry::start(&bench.root().join("registry"));
    let copy = bench.root().join("pipeline");
    let examples = bench.top().join("examples/pipeline");
    bench.program("cp", ["-r", examples.to_str().expect("utf-8"), copy.to_str().expect("utf-8")]);
    let step = |version: &str, step: &str| {
        let bin = Path::new(env!("CARGO_BIN_EXE_kiste")).parent().expect("a folder");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("PATH"));
        let script = copy.join("pipeline.sh");
        let set = [("PATH", path.as_str()), ("KISTE_REGISTRY", &registry.address), ("KISTE_TOKEN", &registry.token), ("VERSION", version)];
        bench.with(script.to_str().expect("utf-8"), &[step], &set)
    };
    let set = [("KISTE_REGISTRY", registry.address.as_str()), ("KISTE_TOKEN", &registry.token)];
    bench.with(env!("CARGO_BIN_EXE_kiste"), &["registry", "org", "create", "acme"], &set).ok();

    assert!(step("0.1.0", "test").ok().stdout.contains("the machine works"));
    let draft = step("0.1.0", "publish").ok();
    assert!(draft.stdout.contains(r#""status":"unreleased""#), "{}", draft.stdout);
    let early = step("0.1.0", "deploy");
    assert_eq!(early.code, 3, "a draft is nobody's to deploy: {}", early.stderr);
    step("0.1.0", "release").ok();
    step("0.2.0", "publish").ok();
    step("0.2.0", "release").ok();

    let lock = || std::fs::read_to_string(copy.join("app/kiste.lock")).expect("a lock file");
    assert!(step("0.2.0", "deploy").ok().stdout.contains("the machine works"));
    assert!(lock().contains("version = \"0.2.0\""), "{}", lock());
    let back = step("0.2.0", "rollback").ok();
    assert!(back.stderr.contains("version 0.2.0 was revoked: rolled back. Going back to 0.1.0."), "{}", back.stderr);
    assert!(lock().contains("version = \"0.1.0\""), "{}", lock());

    let app = copy.join("app");
    bench.with(env!("CARGO_BIN_EXE_kiste"), &["destroy", "--force"], &[("KISTE_CWD", app.to_str().expect("utf-8"))]).ok();
    assert_eq!(qemu_processes(bench.root()), Vec::<u32>::new(), "nothing is left running");
}
