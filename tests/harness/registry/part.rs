//! One running part: a server process with its log, ended by its own process id.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// So long may a part take until it listens; a machine under load is slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server process. Killed when dropped.
pub struct Part {
    name: String,
    child: Child,
    log: PathBuf,
    last: Signal,
}

impl Part {
    /// Starts `program`; what it says goes to the end of the file `log`.
    pub fn start(name: &str, log: &Path, program: &Path, set: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        Self::start_as(name, log, &["--pdeathsig", "KILL"], program, set)
    }

    /// The same with other options of `setpriv`: another user.
    pub fn start_as(name: &str, log: &Path, privileges: &[&str], program: &Path, set: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("a log");
        let mut command = Command::new("setpriv");
        command.args(privileges).arg("--").arg(program).stdin(Stdio::null());
        command.stdout(file.try_clone().expect("a log")).stderr(file);
        let child = set(&mut command).spawn().unwrap_or_else(|e| panic!("{name} does not start: {e}"));
        Self { name: name.to_owned(), child, log: log.to_owned(), last: Signal::KILL }
    }

    /// Is ended by another signal than SIGKILL.
    pub fn ended_by(mut self, signal: Signal) -> Self {
        self.last = signal;
        self
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All it has said.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until `what` gives something; fails the test when the part ends before, or takes too long.
    #[track_caller]
    pub fn wait<T>(&mut self, mut what: impl FnMut(&Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = what(self) {
                return found;
            }
            let ended = self.child.try_wait().expect("a status");
            assert!(ended.is_none(), "{} ended ({}):\n{}", self.name, ended.expect("a status"), self.said());
            assert!(start.elapsed() < PATIENCE, "{} is not ready after {PATIENCE:?}:\n{}", self.name, self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until something listens at an address.
    #[track_caller]
    pub fn wait_for(&mut self, address: SocketAddr) {
        self.wait(|_| TcpStream::connect(address).ok().map(drop));
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, signal).expect("the signal is sent");
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> std::process::ExitStatus {
        self.child.wait().expect("its end")
    }

    /// SIGKILL, and it is gone.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.last != Signal::KILL && matches!(self.child.try_wait(), Ok(None)) {
            self.signal(self.last);
            let _ = self.child.wait();
        }
        self.kill();
    }
}

/// A loopback address for this test alone, with a port that is free there. Ports stay the part's own when it is started again: nobody else
/// listens at that address.
pub fn own_address() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let [_, _, b, c] = std::process::id().to_be_bytes();
    let a = u8::try_from(NEXT.fetch_add(1, Ordering::Relaxed) % 200).expect("below 200") + 20;
    let ip = Ipv4Addr::new(127, a, b, c.clamp(1, 254));
    let probe = TcpListener::bind(SocketAddrV4::new(ip, 0)).expect("a free port");
    probe.local_addr().expect("its address")
}

/// A program by its name, in `PATH` and where Debian keeps servers.
#[track_caller]
pub fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is missing; `.ci/install test` installs it"))
}
