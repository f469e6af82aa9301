//! A bench for tests on real parts: a project and a `KISTE_HOME` of its own, real programs, and no process left behind.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The bench.
pub struct Bench {
    root: tempfile::TempDir,
}

/// How a command ended and what it said.
#[derive(Debug)]
pub struct Said {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Said {
    /// Itself, once its exit code is seen to be 0.
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// Ids of the QEMU processes whose command line names a file below `root`.
pub fn qemu_processes(root: &Path) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let ids = processes.filter_map(|e| e.file_name().to_str().and_then(|n| n.parse::<u32>().ok()));
    ids.filter(|id| {
        let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.contains("qemu-system") && line.contains(&*root.to_string_lossy())
    })
    .collect()
}

impl Bench {
    /// An empty one.
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("kiste-e2e-").tempdir().expect("a folder");
        std::fs::create_dir(root.path().join("project")).expect("a project");
        Self { root }
    }

    /// Everything of this test is below it.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The checkout.
    pub fn top(&self) -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    /// A path in the project.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join("project").join(name)
    }

    /// Writes a file of the project.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// Whether a program is installed.
    pub fn has(&self, program: &str) -> bool {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|dir| dir.join(program).is_file())
    }

    /// Fails with the names of all programs that are missing.
    pub fn require(&self, programs: &[&str]) {
        let missing: Vec<&&str> = programs.iter().filter(|p| !self.has(p)).collect();
        assert!(missing.is_empty(), "missing: {missing:?}; `.ci/install test` installs them");
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let home = self.root().join("home");
        command.current_dir(self.root().join("project")).env("KISTE_HOME", &home).env("VAGRANT_HOME", self.root().join("vagrant"));
        command.env("VAGRANT_CHECKPOINT_DISABLE", "1").env("CI", "true").env_remove("KISTE_PROVIDER").stdin(Stdio::null());
        command
    }

    /// Runs kiste.
    #[must_use]
    pub fn kiste<const N: usize>(&self, args: [&str; N]) -> Said {
        self.with(env!("CARGO_BIN_EXE_kiste"), &args, &[])
    }

    /// Runs a program with variables set.
    #[must_use]
    pub fn with(&self, program: &str, args: &[&str], set: &[(&str, &str)]) -> Said {
        let mut command = self.command(program);
        let done = command.args(args).envs(set.iter().copied()).output().unwrap_or_else(|e| panic!("{program}: {e}"));
        Said {
            code: done.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&done.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
        }
    }

    /// Runs another program that must succeed; gives its standard output.
    pub fn program<const N: usize>(&self, program: &str, args: [&str; N]) -> String {
        let done = self.command(program).args(args).output().unwrap_or_else(|e| panic!("{program}: {e}"));
        assert!(done.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// Runs the real Vagrant.
    pub fn vagrant<const N: usize>(&self, args: [&str; N]) -> String {
        self.program("vagrant", args)
    }

    /// What a web server on 127.0.0.1 answers to `GET /`; it may still be starting.
    pub fn fetch(&self, port: &str) -> String {
        let mut tries = (0..60).map(|_| get(port));
        let last = tries.find(|answer| matches!(answer, Ok(text) if !text.is_empty()) || !pause());
        last.unwrap_or_else(|| get(port)).expect("an answer")
    }

    /// Starts kiste and sends it Ctrl-C once a line of its standard output begins so; waits for its end.
    pub fn interrupt_at<const N: usize>(&self, args: [&str; N], line: &str) -> Said {
        let mut child =
            self.command(env!("CARGO_BIN_EXE_kiste")).args(args).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("kiste");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let mut stdout = String::new();
        for said in lines.by_ref() {
            stdout += &format!("{said}\n");
            if said.starts_with(line) {
                let done = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
                assert!(done.is_ok_and(|s| s.success()), "the signal is sent");
            }
        }
        let code = child.wait().expect("an end").code().unwrap_or(-1);
        assert!(stdout.contains(line), "`{line}` was never said:\n{stdout}");
        Said { code, stdout, stderr: String::new() }
    }

    /// Starts kiste and kills it (SIGKILL) once a line of its standard error is as `when` says.
    pub fn kill_during<const N: usize>(&self, args: [&str; N], when: impl Fn(&str) -> bool) {
        let mut child =
            self.command(env!("CARGO_BIN_EXE_kiste")).args(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("kiste");
        let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let said: Vec<String> = lines.map_while(Result::ok).take_while(|l| !when(l)).collect();
        assert!(child.try_wait().expect("a status").is_none(), "it ended before it could be killed:\n{}", said.join("\n"));
        child.kill().expect("a kill");
        child.wait().expect("an end");
    }
}

fn get(port: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn pause() -> bool {
    std::thread::sleep(Duration::from_millis(500));
    true
}

impl Drop for Bench {
    fn drop(&mut self) {
        for pid in qemu_processes(self.root()) {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
    }
}
