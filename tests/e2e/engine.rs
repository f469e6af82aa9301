//! A container engine of the test's own: its own socket, its own data, no network, nothing left when it ends.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest time the engine may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running engine.
pub struct Engine {
    root: tempfile::TempDir,
    daemon: Child,
    registry: Option<Child>,
}

/// Where a program is; tests run by users have no folders of system programs on their PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|dir| dir.join(program)).find(|p| p.is_file())
}

/// Says that something is not tried here, past the harness that keeps what tests print.
pub fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

impl Engine {
    /// Starts one. None where that is impossible, which is then said aloud: not every place where tests run lets containers in.
    pub fn start() -> Option<Self> {
        let skip = |why: &str| {
            skipped(&format!("no test with a real container engine: {why}"));
            None
        };
        if !rustix::process::getuid().is_root() {
            return skip("only root can start one");
        }
        let (Some(daemon), Some(_)) = (find("dockerd"), find("docker")) else {
            return skip("`dockerd` and `docker` are not installed (`.ci/install test`)");
        };
        let root = tempfile::Builder::new().prefix("kiste-engine-").tempdir().expect("a folder");
        let at = |name: &str| root.path().join(name).display().to_string();
        let log = std::fs::File::create(root.path().join("log")).expect("a log");
        let mut command = Command::new(daemon);
        command.args(["--host", &format!("unix://{}", at("socket")), "--data-root", &at("data"), "--exec-root", &at("exec")]);
        command.args(["--pidfile", &at("pid"), "--config-file", &at("no-settings"), "--bridge=none", "--iptables=false"]);
        std::fs::write(root.path().join("no-settings"), "{}").expect("a file");
        command.args(["--ip-forward=false", "--ip-masq=false"]).stdin(Stdio::null()).process_group(0);
        let daemon = command.stdout(log.try_clone().expect("a log")).stderr(log).spawn().expect("dockerd starts");
        let mut engine = Self { root, daemon, registry: None };
        if engine.answers() {
            return Some(engine);
        }
        let log = std::fs::read_to_string(engine.root.path().join("log")).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(3).collect();
        skip(&format!("dockerd does not run here:\n{}", tail.join("\n")))
    }

    fn answers(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && matches!(self.daemon.try_wait(), Ok(None)) {
            if self.docker(&["version"]).status.success() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        false
    }

    /// What `DOCKER_HOST` must be.
    pub fn host(&self) -> String {
        format!("unix://{}", self.root.path().join("socket").display())
    }

    /// Asks it by its own client.
    pub fn docker(&self, arguments: &[&str]) -> std::process::Output {
        let docker = find("docker").expect("docker");
        Command::new(docker).args(arguments).env("DOCKER_HOST", self.host()).stdin(Stdio::null()).output().expect("docker runs")
    }

    /// What its client says, which must work.
    pub fn says(&self, arguments: &[&str]) -> String {
        let done = self.docker(arguments);
        assert!(done.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    /// All containers, running or not.
    pub fn containers(&self) -> String {
        self.says(&["ps", "--all", "--quiet", "--no-trunc"])
    }

    /// Makes the image `base:1`: busybox, a user `u`, an entry point and a command of its own.
    pub fn make_base(&self) {
        let busybox = find("busybox").expect("busybox: `.ci/install test`");
        let mut image = tar::Builder::new(Vec::new());
        let file = |image: &mut tar::Builder<Vec<u8>>, name: &str, mode, bytes: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_mode(mode);
            header.set_size(bytes.len() as u64);
            image.append_data(&mut header, name, bytes).expect("an entry");
        };
        let folder = |image: &mut tar::Builder<Vec<u8>>, name: &str, mode| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Directory);
            header.set_mode(mode);
            header.set_size(0);
            image.append_data(&mut header, name, std::io::empty()).expect("an entry");
        };
        for (name, mode) in [("bin/", 0o755), ("etc/", 0o755), ("tmp/", 0o1777), ("root/", 0o700), ("home/", 0o755)] {
            folder(&mut image, name, mode);
        }
        for library in libraries(&busybox) {
            file(&mut image, library.trim_start_matches('/'), 0o755, &std::fs::read(&library).expect("a library"));
        }
        file(&mut image, "bin/busybox", 0o755, &std::fs::read(busybox).expect("busybox"));
        file(&mut image, "etc/passwd", 0o644, b"root:x:0:0::/root:/bin/sh\nu:x:1000:1000::/tmp:/bin/sh\n");
        file(&mut image, "etc/group", 0o644, b"root:x:0:\nu:x:1000:\n");
        for tool in ["sh", "cat", "chmod", "env", "grep", "id", "ls", "mkdir", "ps", "rm", "sleep", "stat", "tr"] {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            image.append_link(&mut header, format!("bin/{tool}"), "busybox").expect("an entry");
        }
        let path = self.root.path().join("base.tar");
        std::fs::write(&path, image.into_inner().expect("an archive")).expect("a file");
        let path = path.display().to_string();
        self.says(&["import", "-c", r#"ENTRYPOINT ["/bin/busybox"]"#, "-c", r#"CMD ["echo","base"]"#, &path, "base:1"]);
    }

    /// Starts a registry whose user `u` has the password `secret`; its address. None when there is none to start.
    pub fn registry(&mut self) -> Option<String> {
        let program = find("docker-registry")?;
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        let at = |name: &str| self.root.path().join(name).display().to_string();
        // The hash of `secret`, cheap on purpose.
        let users = "u:$2b$04$NdhY8Yo0ndM05k/v.yEeBO7s2JR/OOMrmuJL09qyzTlW8l2RdKpGy\n";
        std::fs::write(at("users"), users).expect("a file");
        let settings = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n\
             auth: {{htpasswd: {{realm: r, path: {}}}}}\n",
            at("registry"),
            at("users")
        );
        std::fs::write(at("registry.yml"), settings).expect("a file");
        let log = std::fs::File::create(at("registry.log")).expect("a log");
        let mut command = Command::new(program);
        command.args(["serve", &at("registry.yml")]).stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        self.registry = Some(command.spawn().expect("docker-registry starts"));
        let end = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "the registry never answered");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(format!("127.0.0.1:{port}"))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(registry) = &mut self.registry {
            let _ = registry.kill();
            let _ = registry.wait();
        }
        let _ = Command::new("kill").arg(self.daemon.id().to_string()).status();
        let end = Instant::now() + PATIENCE;
        while matches!(self.daemon.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// What a program is linked with; nothing for a static one.
fn libraries(program: &Path) -> Vec<String> {
    let said = Command::new("ldd").arg(program).output().map(|done| done.stdout).unwrap_or_default();
    String::from_utf8_lossy(&said).split_whitespace().filter(|word| word.starts_with('/')).map(str::to_owned).collect()
}
