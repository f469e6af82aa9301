//! A real sshd on a loopback port, with everything it needs in one temporary folder.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use kiste_core::host::{self, Program};
use kiste_core::{Cancel, Stream};

use crate::communicator::{Communicator, GuestCommand};
use crate::error::Error;
use crate::ssh::keys::{self, KeyKind, KeyPair};
use crate::ssh::{Ssh, SshTarget};

/// What one test wants of its server.
pub struct Wish {
    pub host_key: KeyKind,
    pub login_key: KeyKind,
    pub sftp: bool,
    pub config: String,
}

impl Default for Wish {
    fn default() -> Self {
        Self { host_key: KeyKind::Ed25519, login_key: KeyKind::Ed25519, sftp: true, config: String::new() }
    }
}

/// A running sshd; ends with the test.
pub struct Server {
    pub dir: tempfile::TempDir,
    pub port: u16,
    log: Arc<Mutex<String>>,
    cancel: Cancel,
    thread: Option<JoinHandle<()>>,
}

fn sshd() -> Option<PathBuf> {
    host::find("sshd").or_else(|| host::find("/usr/sbin/sshd"))
}

fn user() -> String {
    String::from_utf8(Program::new("id").arg("-un").output(&Cancel::new()).unwrap()).unwrap().trim().to_owned()
}

pub fn write_key(path: &Path, pair: &KeyPair) {
    kiste_core::state_file::write(path, pair.private.as_bytes(), 0o600).unwrap();
}

/// The one place where a test has to speak: skipped is not passed.
fn skipped(why: &str) {
    // Past the capture of the test's output, so that it is seen without asking.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

impl Server {
    /// A server that can give terminals: one that is not run by root may not change their group and dies of it.
    pub fn with_terminals() -> Option<Self> {
        if rustix::process::geteuid().is_root() {
            return Self::start(&Wish::default());
        }
        skipped("only an sshd that root runs can give terminals");
        None
    }

    /// `None` (and a line that says why) where no sshd can run.
    pub fn start(wish: &Wish) -> Option<Self> {
        if sshd().is_none() {
            skipped("no sshd on this host (package openssh-server)");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        write_key(&dir.path().join("host_key"), &keys::generate(wish.host_key, "host").unwrap());
        let pair = keys::generate(wish.login_key, "kiste").unwrap();
        write_key(&dir.path().join("login_key"), &pair);
        std::fs::write(dir.path().join("authorized_keys"), format!("{}\n", pair.public)).unwrap();
        std::fs::create_dir(dir.path().join("home")).unwrap();
        if rustix::process::geteuid().is_root() {
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let mut server = Self { dir, port: 0, log: Arc::default(), cancel: Cancel::new(), thread: None };
        for _ in 0..5 {
            if server.listen(wish) {
                return Some(server);
            }
        }
        panic!("sshd does not start: {}", server.log())
    }

    /// A path in the server's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The same as text for the guest.
    pub fn guest(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    fn config(&self, wish: &Wish) -> String {
        let dir = self.dir.path().display();
        let sftp = if wish.sftp { format!("Subsystem sftp internal-sftp -d {dir}/home\n") } else { String::new() };
        format!(
            "{}\nPort {}\nListenAddress 127.0.0.1\nHostKey {dir}/host_key\nPidFile none\nAuthorizedKeysFile {dir}/authorized_keys\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
             SetEnv HOME={dir}/home\nMaxStartups 100\nLogLevel VERBOSE\nAllowAgentForwarding yes\n{sftp}",
            wish.config, self.port
        )
    }

    /// Starts the process on another port; `false` when somebody else took it.
    pub fn listen(&mut self, wish: &Wish) -> bool {
        self.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        self.listen_again(wish)
    }

    /// Starts the process on the port it had.
    pub fn listen_again(&mut self, wish: &Wish) -> bool {
        std::fs::write(self.path("sshd_config"), self.config(wish)).unwrap();
        self.cancel = Cancel::new();
        let program = Program::new(sshd().unwrap().display().to_string()).args(["-D", "-e", "-f"]).arg(self.path("sshd_config"));
        let (cancel, log) = (self.cancel.clone(), Arc::clone(&self.log));
        self.thread = Some(std::thread::spawn(move || {
            // How it ended is in the log, which failing tests show.
            let _ = program.stream(&cancel, |_, line| {
                let mut log = log.lock().unwrap();
                log.push_str(line);
                log.push('\n');
            });
        }));
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Ends the listening process (open connections live on).
    pub fn stop(&mut self) {
        self.cancel.cancel();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// How to log in with the key made for it.
    pub fn target(&self) -> SshTarget {
        let mut target = SshTarget::new("127.0.0.1", self.port, user());
        target.keys = vec![self.path("login_key")];
        target.offer_insecure = false;
        target.known_host = Some(self.path("known_host"));
        target.sudo_command = "env PRIVILEGED=yes %c".to_owned();
        target
    }

    pub fn ssh(&self) -> Ssh {
        Ssh::new(self.target())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Everything a command printed and how it ended.
pub fn run(ssh: &Ssh, command: &GuestCommand) -> Result<(i32, String, String), Error> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = ssh.run(command, &Cancel::new(), &mut |stream, bytes| match stream {
        Stream::Stdout => out.extend_from_slice(bytes),
        Stream::Stderr => err.extend_from_slice(bytes),
    })?;
    Ok((exit.code, String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned()))
}

/// [`run`] of shell text.
pub fn sh(ssh: &Ssh, text: &str) -> (i32, String, String) {
    run(ssh, &GuestCommand::script(text)).unwrap()
}
