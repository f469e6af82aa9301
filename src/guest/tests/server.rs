//! A real sshd whose login has a home in a temporary folder, and a listener that remembers what it was told.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use kiste_comm::ssh::keys::{self, KeyKind};
use kiste_comm::ssh::{Ssh, SshTarget};
use kiste_core::event::{Event, Scope};
use kiste_core::host::{self, Program};
use kiste_core::ui::Ui;
use kiste_core::{Cancel, Reporter};

use crate::Guest;

/// Everything that was emitted.
#[derive(Default)]
pub struct Ear(Mutex<Vec<Event>>);

impl Ui for Ear {
    fn emit(&self, _: &Scope, event: Event) {
        self.0.lock().unwrap().push(event);
    }
    fn confirm(&self, _: &Scope, _: &str) -> Option<bool> {
        None
    }
    fn ask(&self, _: &Scope, _: &str, _: bool) -> Option<String> {
        None
    }
}

impl Ear {
    /// Lines of output, each with `1` or `2` for its stream.
    pub fn output(&self) -> Vec<String> {
        let line = |e: &Event| match e {
            Event::Output { stream, line, .. } => Some(format!("{} {line}", if *stream == kiste_core::Stream::Stdout { 1 } else { 2 })),
            _ => None,
        };
        self.0.lock().unwrap().iter().filter_map(line).collect()
    }

    /// All of it as text.
    pub fn everything(&self) -> String {
        format!("{:?}", self.0.lock().unwrap())
    }
}

/// A running sshd, a guest behind it; ends with the test.
pub struct Server {
    pub dir: tempfile::TempDir,
    pub ssh: Ssh,
    pub target: SshTarget,
    pub ear: Arc<Ear>,
    pub reporter: Reporter,
    pub cancel: Cancel,
    stop: Cancel,
    thread: Option<JoinHandle<()>>,
}

fn output(program: &str, arg: &str) -> String {
    String::from_utf8(Program::new(program).arg(arg).output(&Cancel::new()).unwrap()).unwrap().trim().to_owned()
}

/// Says why a test does nothing: skipped is not passed.
#[allow(clippy::print_stderr)]
pub fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

impl Server {
    /// `None` where no sshd can run.
    pub fn start() -> Option<Self> {
        let Some(sshd) = host::find("sshd").or_else(|| host::find("/usr/sbin/sshd")) else {
            skip("no sshd on this host (package openssh-server)");
            return None;
        };
        let dir = tempfile::Builder::new().prefix("kiste-guest-").tempdir().unwrap();
        let write = |name: &str, text: &str, mode| kiste_core::state_file::write(&dir.path().join(name), text.as_bytes(), mode).unwrap();
        write("host_key", &keys::generate(KeyKind::Ed25519, "host").unwrap().private, 0o600);
        let pair = keys::generate(KeyKind::Ed25519, "kiste").unwrap();
        write("login_key", &pair.private, 0o600);
        std::fs::create_dir_all(dir.path().join("home")).unwrap();
        write("login_key.pub", &format!("{}\n", pair.public), 0o600);
        // sshd run by root wants this folder; run by anybody else it does not.
        let _ = std::fs::create_dir_all("/run/sshd");
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut server = Self::at(&dir, port);
            if server.listen(&sshd, port) {
                server.dir = dir;
                return Some(server);
            }
        }
        panic!("sshd does not start")
    }

    fn at(dir: &tempfile::TempDir, port: u16) -> Self {
        let mut target = SshTarget::new("127.0.0.1", port, output("id", "-un"));
        target.keys = vec![dir.path().join("login_key")];
        target.offer_insecure = false;
        target.known_host = Some(dir.path().join("known_host"));
        target.sudo_command = "env PRIVILEGED=yes %c".to_owned();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey \"{0}/host_key\"\nPidFile none\n\
             AuthorizedKeysFile \"{0}/login_key.pub\" \"{0}/home/.ssh/authorized_keys\"\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nSetEnv \"HOME={0}/home\"\n\
             MaxStartups 100\nSubsystem sftp internal-sftp -d {0}/home\n",
            dir.path().display()
        );
        std::fs::write(dir.path().join("sshd_config"), config).unwrap();
        let ear = Arc::new(Ear::default());
        Self {
            dir: tempfile::tempdir().unwrap(),
            ssh: Ssh::new(target.clone()),
            target,
            reporter: Reporter::new(Arc::clone(&ear) as Arc<dyn Ui>, Scope::Project),
            ear,
            cancel: Cancel::new(),
            stop: Cancel::new(),
            thread: None,
        }
    }

    fn listen(&mut self, sshd: &std::path::Path, port: u16) -> bool {
        let config = self.target.keys[0].with_file_name("sshd_config");
        let program = Program::new(sshd.display().to_string()).args(["-D", "-e", "-f"]).arg(config);
        let stop = self.stop.clone();
        self.thread = Some(std::thread::spawn(move || {
            // A port that somebody took ends it; the caller sees that and takes another one.
            let _ = program.stream(&stop, |_, _| {});
        }));
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return true;
            }
            if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// The guest behind it.
    pub fn guest(&self) -> Guest<'_> {
        Guest::new(&self.ssh, &self.reporter, &self.cancel)
    }

    /// A path in the server's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The same as text for the guest.
    pub fn at_guest(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// What a file of the server's folder holds.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Makes files in the server's folder, each holding its own name.
    pub fn files(&self, names: &[&str]) {
        for name in names {
            let path = self.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
    }

    /// Paths of all files below a folder of the server's, sorted.
    pub fn list(&self, name: &str) -> Vec<String> {
        let root = self.path(name);
        let below = |e: walkdir::DirEntry| e.path().strip_prefix(&root).unwrap().display().to_string();
        walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().flatten().filter(|e| !e.file_type().is_dir()).map(below).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // What went wrong in there shows in the test itself.
            let _ = thread.join();
        }
        // Read-only copies could not be removed by anybody but root.
        for folder in walkdir::WalkDir::new(self.dir.path()).into_iter().flatten().filter(|e| e.file_type().is_dir()) {
            let _ = std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700));
        }
    }
}

/// Unix mode of a file, without its type.
pub fn mode(path: &std::path::Path) -> u32 {
    crate::provision::file::mode(&path.metadata().unwrap())
}
