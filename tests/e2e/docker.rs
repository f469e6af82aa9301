//! The builder `docker` and what comes after it, with a real engine and a real registry.

use std::io::{BufRead, BufReader, PipeReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::engine::{Engine, skipped};

/// Longest wait for something that is bound to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A user with a project, an engine and nothing else.
struct User {
    engine: Engine,
    root: tempfile::TempDir,
}

/// How a command ended, and all that it said.
struct Said {
    code: Option<i32>,
    text: String,
}

impl Said {
    #[track_caller]
    fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.text);
        self.text
    }

    #[track_caller]
    fn fails(self) -> String {
        assert!(self.code.is_some_and(|c| c != 0), "{}", self.text);
        self.text
    }
}

impl User {
    fn path(&self, name: &str) -> std::path::PathBuf {
        self.root.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    fn template(&self, name: &str, template: &Value) {
        self.write(name, serde_json::to_vec_pretty(template).expect("json"));
    }

    /// Starts kiste; both its streams come as one.
    fn start(&self, args: &[&str], host: &str) -> (Child, BufReader<PipeReader>) {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut command = Command::new(env!("CARGO_BIN_EXE_kiste"));
        command.args(args).current_dir(self.root.path()).env("KISTE_HOME", self.path("home")).env("HOME", self.path("user"));
        command.env("DOCKER_HOST", host).env("PACKER_NO_COLOR", "1").env_remove("DOCKER_CONFIG").stdin(Stdio::null());
        let child = command.stdout(writer.try_clone().expect("a pipe")).stderr(writer).spawn().expect("kiste starts");
        (child, BufReader::new(reader))
    }

    fn kiste_at(&self, args: &[&str], host: &str) -> Said {
        let (mut child, mut said) = self.start(args, host);
        let mut text = String::new();
        std::io::Read::read_to_string(&mut said, &mut text).expect("its words");
        Said { code: child.wait().expect("its end").code(), text }
    }

    fn kiste(&self, args: &[&str]) -> Said {
        self.kiste_at(args, &self.engine.host())
    }

    /// Builds a template of this builder and these provisioners.
    fn build(&self, builder: Value, provisioners: Value) -> Said {
        self.template("t.json", &json!({ "builders": [with_base(builder)], "provisioners": provisioners }));
        self.kiste(&["build", "t.json"])
    }

    /// What a build leaves of itself beside its artifact.
    fn left(&self) -> String {
        let scratch = self.path("home/tmp/containers");
        let entries = std::fs::read_dir(scratch).map(|d| d.count()).unwrap_or(0);
        format!("containers: {:?}, scratch: {entries}", self.engine.containers())
    }
}

const NOTHING: &str = "containers: \"\", scratch: 0";

/// The options with what every build here has.
fn with_base(mut builder: Value) -> Value {
    let map = builder.as_object_mut().expect("an object");
    for (key, value) in [("type", json!("docker")), ("image", json!("base:1")), ("pull", json!(false))] {
        map.entry(key).or_insert(value);
    }
    builder
}

fn shell(lines: &[&str]) -> Value {
    json!({ "type": "shell", "inline": lines })
}

#[test]
fn containers_become_images() {
    let Some(engine) = Engine::start() else { return };
    engine.make_base();
    let mut user = User { engine, root: tempfile::Builder::new().prefix("kiste-e2e-").tempdir().expect("a folder") };
    std::fs::create_dir(user.path("user")).expect("a home");
    commits(&user);
    uploads_and_downloads(&user);
    exports_imports_tags_and_saves(&user);
    logs_in_to_registries(&mut user);
    leaves_nothing_after_failures(&user);
    keeps_secrets_out_of_the_list_of_processes(&user);
    ends_what_takes_too_long(&user);
    survives_signals(&user);
    says_what_to_do(&user);
}

fn commits(user: &User) {
    let builder = json!({
        "commit": true, "author": "A <a@example>", "message": "made here", "changes": ["ENV A=b", "LABEL x=y"], "exec_user": "u",
    });
    let said = user
        .build(builder, json!([shell(&["id -un", "echo err >&2", "echo '{{build `ID`}}'", "touch /tmp/made 2>/dev/null || > /tmp/made"])]))
        .ok();
    for part in ["    docker: u\n", "==> docker: Committing the container", "--> docker: Imported Docker image: sha256:"] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let id = said.lines().find_map(|l| l.strip_prefix("    docker: Image ID: ")).expect("an id").to_owned();
    let format = "{{json .Config.Entrypoint}} {{json .Config.Cmd}} {{json .Config.Env}} {{json .Config.Labels}} {{.Author}} {{.Comment}}";
    let config = user.engine.says(&["inspect", "--format", format, &id]);
    assert_eq!(config, r#"["/bin/busybox"] ["echo","base"] ["A=b"] {"x":"y"} A <a@example> made here"#);
    assert_eq!(user.left(), NOTHING);
}

fn uploads_and_downloads(user: &User) {
    std::fs::create_dir_all(user.path("folder/sub")).expect("folders");
    user.write("folder/a file", "one");
    user.write("folder/sub/b", "two");
    std::os::unix::fs::symlink("a file", user.path("folder/link")).expect("a link");
    let file = |source: &str, destination: &str| json!({ "type": "file", "source": source, "destination": destination });
    let provisioners = json!([
        file("folder/", "/tmp/new/deep"),
        file("folder/sub/b", "/tmp/not/there/yet/b"),
        shell(&["cat '/tmp/new/deep/link' /tmp/new/deep/sub/b /tmp/not/there/yet/b", "echo", "stat -c %U:%a /tmp/new/deep/sub/b"]),
        shell(&["mkdir /tmp/out; echo got > /tmp/out/x; ln -s x /tmp/out/l; ln -s /nowhere /tmp/out/broken"]),
        json!({ "type": "file", "direction": "download", "source": "/tmp/out/", "destination": "got" }),
        json!({ "type": "file", "direction": "download", "source": "/tmp/out/x", "destination": "single" }),
    ]);
    let said = user.build(json!({ "discard": true, "exec_user": "u" }), provisioners).ok();
    assert!(said.contains("docker: onetwotwo"), "{said}");
    assert!(said.contains("docker: u:644") || said.contains("docker: u:664"), "uploads belong to who runs commands:\n{said}");
    let read = |name: &str| std::fs::read_to_string(user.path(name)).unwrap_or_else(|e| panic!("{name}: {e}\n{said}"));
    assert_eq!((read("single"), read("got/out/x"), read("got/out/l")), ("got\n".into(), "got\n".into(), "got\n".into()));
    assert!(!user.path("got/out/l").is_symlink() && !user.path("got/out/broken").exists());
}

fn exports_imports_tags_and_saves(user: &User) {
    let post = json!([[
        { "type": "docker-import", "repository": "imported", "tag": "9", "changes": ["ENV Q=1"] },
        { "type": "docker-tag", "repository": "named", "tags": ["1", "2"], "force": true },
        { "type": "docker-save", "path": "saved/image.tar" }
    ]]);
    let builder =
        with_base(json!({ "export_path": "out/files.tar", "tmpfs": ["/scratch"], "cap_drop": ["MKNOD"], "container_dir": "/data" }));
    user.template("t.json", &json!({ "builders": [builder], "provisioners": [shell(&["echo x > /exported"])], "post-processors": post }));
    let said = user.kiste(&["build", "t.json"]).ok();
    for part in [
        "==> docker: Exporting the container",
        "    docker (docker-import): Repository: imported:9",
        "    docker (docker-tag): Repository: named:2",
        "    docker (docker-save): Saved to: saved/image.tar",
        "--> docker: Imported Docker image: named:2 with tags named:1 named:2",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    assert!(!user.path("out/files.tar").exists(), "what was imported is not kept");
    let id = |name: &str| user.engine.says(&["inspect", "--format", "{{.Id}}", name]);
    assert_eq!(id("imported:9"), id("named:1"));
    assert_eq!(user.engine.says(&["run", "--rm", "--entrypoint", "/bin/cat", "named:2", "/exported"]), "x");
    user.engine.says(&["rmi", "imported:9", "named:1", "named:2"]);
    let saved = user.path("saved/image.tar").display().to_string();
    assert!(user.engine.says(&["load", "--input", &saved]).contains("named:2"));
}

fn logs_in_to_registries(user: &mut User) {
    let Some(server) = user.engine.registry() else {
        skipped("no registry to push to: `docker-registry` is not installed (`.ci/install test`)");
        return;
    };
    let image = format!("{server}/my/app");
    let login = |password: &str| json!({ "login": true, "login_server": server, "login_username": "u", "login_password": password });
    let push = merged(json!({ "type": "docker-push" }), login("secret"));
    let post = json!([[{ "type": "docker-tag", "repository": image, "tags": ["1", "2"] }, push]]);
    user.template("t.json", &json!({ "builders": [with_base(json!({ "commit": true }))], "post-processors": post }));
    let said = user.kiste(&["build", "t.json"]).ok();
    assert!(said.contains("    docker (docker-push): Login Succeeded"), "{said}");
    assert_eq!(said.matches("(docker-push): Pushing: ").count(), 2, "each name once:\n{said}");
    user.engine.says(&["rmi", &format!("{image}:1"), &format!("{image}:2")]);

    let pull = json!({ "image": format!("{image}:2"), "pull": true, "discard": true });
    let said = user.build(merged(pull.clone(), login("secret")), json!([])).ok();
    assert!(said.contains("Status: Downloaded newer image"), "{said}");
    let said = user.build(merged(pull, login("wrong")), json!([])).fails();
    assert!(said.contains("Error logging in: ") && said.contains("401 Unauthorized"), "{said}");
    assert!(!user.path("user/.docker/config.json").exists(), "the user's own logins are not touched");
    assert_eq!(user.left(), NOTHING);
}

fn merged(mut one: Value, other: Value) -> Value {
    let (Some(map), Value::Object(more)) = (one.as_object_mut(), other) else { panic!("objects") };
    map.extend(more);
    one
}

fn leaves_nothing_after_failures(user: &User) {
    let fails = json!([shell(&["exit 7"])]);
    let said = user.build(json!({ "commit": true }), fails).fails();
    assert!(said.contains("Script exited with non-zero exit status: 7.Allowed exit codes are: [0]"), "{said}");
    assert!(said.contains("==> docker: Killing the container: "), "{said}");
    assert!(said.contains("are kept in `"), "evidence is kept: {said}");
    let dies = json!(["-d", "--entrypoint=/bin/sh", "{{.Image}}", "-c", "echo last words; exit 3"]);
    let said = user.build(json!({ "discard": true, "run_command": dies }), json!([])).fails();
    assert!(said.contains("ended as soon as it was started") && said.contains("last words"), "{said}");
    let said = user.build(json!({ "discard": true, "image": "no/such:1" }), json!([])).fails();
    assert!(said.contains("Unable to find image 'no/such:1' locally"), "{said}");
    user.write("target.tar", "old");
    user.build(json!({ "export_path": "target.tar" }), json!([shell(&["exit 1"])])).fails();
    assert_eq!(std::fs::read(user.path("target.tar")).expect("the old file"), b"old", "replaced only by something whole");
    user.build(json!({ "export_path": "target.tar" }), json!([])).ok();
    assert!(std::fs::metadata(user.path("target.tar")).expect("a file").len() > 10_000);
    assert_eq!(user.left(), NOTHING);
}

/// Reads until a line holds a text.
#[track_caller]
fn until(said: &mut BufReader<PipeReader>, text: &str) {
    let mut seen = String::new();
    loop {
        let before = seen.len();
        let read = said.read_line(&mut seen).expect("a line");
        assert!(read > 0, "`{text}` was never said:\n{seen}");
        if seen[before..].contains(text) {
            return;
        }
    }
}

/// Command lines of all processes that hold a text.
fn processes_with(text: &str) -> Vec<String> {
    let all = std::fs::read_dir("/proc").expect("/proc").flatten();
    let lines = all.filter_map(|e| std::fs::read(e.path().join("cmdline")).ok());
    lines.map(|l| String::from_utf8_lossy(&l).replace('\0', " ")).filter(|l| l.contains(text)).collect()
}

fn waits(user: &User, inline: &[&str]) -> (Child, BufReader<PipeReader>) {
    let provisioner = json!({ "type": "shell", "inline": inline, "environment_vars": ["TOKEN=hush-4711"] });
    user.template("t.json", &json!({ "builders": [with_base(json!({ "commit": true }))], "provisioners": [provisioner] }));
    let (child, mut said) = user.start(&["build", "t.json"], &user.engine.host());
    until(&mut said, "now waiting");
    (child, said)
}

fn keeps_secrets_out_of_the_list_of_processes(user: &User) {
    let (mut child, mut said) = waits(user, &["echo now waiting", "sleep 5", "echo token is $TOKEN"]);
    // What was said comes a moment before the next process does.
    let end = Instant::now() + Duration::from_secs(60);
    while processes_with("sleep 5").is_empty() {
        assert!(Instant::now() < end, "the container's processes are seen from here");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(processes_with("hush-4711"), [""; 0]);
    until(&mut said, "token is hush-4711");
    while said.read_line(&mut String::new()).is_ok_and(|n| n > 0) {}
    assert!(child.wait().expect("its end").success());
}

fn ends_what_takes_too_long(user: &User) {
    let slow = json!({ "type": "shell", "inline": ["sleep 4711"], "timeout": "3s" });
    let template = json!({
        "builders": [with_base(json!({ "discard": true }))],
        "provisioners": [slow],
        "error-cleanup-provisioner": { "type": "shell", "inline": ["echo alive: $(ps | grep -c '[s]leep 4711')"] },
    });
    user.template("t.json", &template);
    let said = user.kiste(&["build", "t.json"]).fails();
    assert!(said.contains("alive: 0"), "what the limit ended does not run on:\n{said}");
    assert_eq!(user.left(), NOTHING);
}

fn survives_signals(user: &User) {
    let signal = |child: &Child, name: &str| {
        let done = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill");
        assert!(done.success());
    };
    let (mut child, mut said) = waits(user, &["echo now waiting", "sleep 600"]);
    signal(&child, "-INT");
    while said.read_line(&mut String::new()).is_ok_and(|n| n > 0) {}
    assert!(!child.wait().expect("its end").success());
    assert_eq!(user.left(), NOTHING);

    let (mut child, said) = waits(user, &["echo now waiting", "sleep 600"]);
    signal(&child, "-KILL");
    child.wait().expect("its end");
    drop(said);
    assert_eq!(user.engine.containers().lines().count(), 1, "a container that nobody owns any more");
    let said = user.build(json!({ "discard": true }), json!([])).ok();
    assert!(said.contains("Removing the container that an interrupted build left"), "{said}");
    assert_eq!(user.left(), NOTHING);
}

fn says_what_to_do(user: &User) {
    user.template("t.json", &json!({ "builders": [with_base(json!({ "discard": true }))] }));
    let nowhere = format!("unix://{}", user.path("no-socket").display());
    let said = user.kiste_at(&["build", "t.json"], &nowhere).fails();
    assert!(said.contains("Cannot connect to the Docker daemon") || said.contains("failed to connect to the docker API"), "{said}");
    assert!(said.contains("Start the engine (`sudo systemctl start docker`)"), "the next move is said:\n{said}");
    user.template("t.json", &json!({ "builders": [with_base(json!({ "discard": true, "docker_path": "/no/such/docker" }))] }));
    let said = user.kiste(&["build", "t.json"]).fails();
    assert!(said.contains("`/no/such/docker` is not installed"), "{said}");
    assert_eq!(user.left(), NOTHING);
    let end = Instant::now() + PATIENCE;
    while !processes_with("sleep 600").is_empty() {
        assert!(Instant::now() < end, "a container's process runs on");
        std::thread::sleep(Duration::from_millis(100));
    }
}
