//! `kiste registry serve`, the built program.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::part::{Part, own_address};

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Where it listens, also when it is started again.
    pub address: SocketAddr,
    /// `KISTE_HOME` and log.
    pub folder: PathBuf,
    /// More options.
    pub options: Vec<OsString>,
    /// More variables.
    pub variables: Vec<(String, String)>,
    /// What starts it, as `env` would: the program and its options follow.
    pub within: Vec<OsString>,
}

impl Setup {
    /// At an address of its own; everything below `folder`.
    pub fn below(folder: &Path) -> Self {
        Self { address: own_address(), folder: folder.to_owned(), options: Vec::new(), variables: Vec::new(), within: Vec::new() }
    }

    /// With another option.
    pub fn option(mut self, option: impl Into<OsString>) -> Self {
        self.options.push(option.into());
        self
    }

    /// With a variable.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Any other command of kiste in the same surroundings, to its end.
    pub fn kiste(&self, args: &[&str]) -> std::process::Output {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kiste"));
        command.args(args).env("KISTE_HOME", self.folder.join("home"));
        command.envs(self.variables.iter().map(|(k, v)| (k, v))).output().expect("kiste runs")
    }
}

/// A server that runs.
pub struct Server {
    /// How it was started.
    pub setup: Setup,
    part: Part,
    admin: Option<String>,
}

impl Server {
    /// Starts one and waits until it listens.
    #[track_caller]
    pub fn start(setup: Setup) -> Self {
        let log = setup.folder.join(format!("server-{}.log", setup.address.port()));
        let seen = std::fs::metadata(&log).map_or(0, |m| m.len());
        let words = [&setup.within[..], &[OsString::from(env!("CARGO_BIN_EXE_kiste"))]].concat();
        let mut part = Part::start("kiste registry serve", &log, Path::new(&words[0]), |command| {
            command.args(&words[1..]).args(["registry", "serve", "--listen", &setup.address.to_string()]).args(&setup.options);
            command.env("KISTE_HOME", setup.folder.join("home")).env("NO_COLOR", "1");
            command.envs(setup.variables.iter().map(|(k, v)| (k, v)))
        });
        // Requests are answered only after everything of the start was said.
        part.wait(|_| healthy(setup.address).then_some(()));
        let said = part.said().split_off(usize::try_from(seen).expect("a size"));
        let mut lines = said.lines().skip_while(|line| !line.contains("token is shown")).skip(1);
        let admin = lines.next().and_then(|line| line.split_whitespace().last()).map(str::to_owned);
        Self { setup, part, admin }
    }

    /// `http://ADDRESS:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.setup.address)
    }

    /// The administrator's token; only of the first start.
    pub fn admin(&self) -> Option<&str> {
        self.admin.as_deref()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.part.id()
    }

    /// Its log.
    pub fn said(&self) -> String {
        self.part.said()
    }

    /// Most memory it has had, in bytes (`VmHWM`).
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("a process");
        let line = status.lines().find(|l| l.starts_with("VmHWM:")).expect("VmHWM");
        line.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok()).expect("a size") * 1024
    }

    /// SIGKILL: no chance to tidy up.
    pub fn kill(&mut self) {
        self.part.kill();
    }

    /// Ctrl-C and its end; the exit code.
    pub fn interrupt(&mut self) -> Option<i32> {
        self.part.signal(Signal::INT);
        self.part.ended().code()
    }

    /// SIGTERM, as a service manager sends it.
    pub fn terminate(&self) {
        self.part.signal(Signal::TERM);
    }

    /// Waits until its log has some words.
    #[track_caller]
    pub fn wait_until_it_says(&mut self, words: &str) {
        self.part.wait(|part| part.said().contains(words).then_some(()));
    }

    /// Its end; the exit code.
    pub fn ended(&mut self) -> Option<i32> {
        self.part.ended().code()
    }

    /// Again, as before, at the same address.
    #[track_caller]
    pub fn again(mut self) -> Self {
        self.part.kill();
        let mut next = Self::start(self.setup.clone());
        next.admin = self.admin.take();
        next
    }
}

/// Whether a server answers.
fn healthy(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut answer = String::new();
    stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.contains(" 200 ")
}
