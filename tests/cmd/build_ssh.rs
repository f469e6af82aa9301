//! `kiste build` in a guest that is reached by ssh: a real sshd of this host on 127.0.0.1, and the builder `null`.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::harness::Env;

/// A running sshd; ended when dropped.
struct Sshd {
    child: Child,
    port: u16,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn sshd() -> Option<PathBuf> {
    let found = ["/usr/sbin/sshd", "/usr/bin/sshd"].into_iter().map(PathBuf::from).find(|p| p.is_file());
    if found.is_none() {
        // Past the capture of the test's output: skipped is not passed.
        let _ = writeln!(std::io::stderr(), "skipped: no sshd on this host (package openssh-server)");
    }
    found
}

impl Sshd {
    /// Its guest's home is `guest` below the root; the key that it takes is `key` there.
    fn start(env: &Env) -> Option<Self> {
        let program = sshd()?;
        let root = env.root();
        std::fs::create_dir_all(root.join("guest")).expect("a folder");
        for name in ["key", "host"] {
            let file = root.join(name);
            let done = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&file).stdin(Stdio::null()).status();
            assert!(done.expect("ssh-keygen").success());
        }
        // Root's sshd wants its folder, even for a server of one's own.
        let _ = std::fs::create_dir_all("/run/sshd");
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
            if let Some(server) = Self::listen(&program, root, port) {
                return Some(server);
            }
        }
        panic!("sshd does not start");
    }

    fn listen(program: &Path, root: &Path, port: u16) -> Option<Self> {
        let at = root.display();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nPidFile none\nAuthorizedKeysFile {at}/key.pub\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nPermitRootLogin yes\nSetEnv HOME={at}/guest\nMaxStartups 100\nSubsystem sftp internal-sftp -d {at}/guest\n"
        );
        std::fs::write(root.join("sshd_config"), config).expect("a file");
        let mut command = Command::new(program);
        command.args(["-D", "-e", "-f"]).arg(root.join("sshd_config")).stdin(Stdio::null()).stderr(Stdio::null());
        let mut server = Self { child: command.spawn().expect("sshd"), port };
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(server);
            }
            if server.child.try_wait().expect("a status").is_some() {
                return None;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        None
    }

    /// A template whose guest it is.
    fn template(&self, env: &Env, provisioners: &str) {
        let user = std::process::Command::new("id").arg("-un").output().expect("id").stdout;
        let user = String::from_utf8_lossy(&user).trim().to_owned();
        env.write(
            "project/t.json",
            format!(
                r#"{{ "builders": [{{ "type": "null", "ssh_host": "127.0.0.1", "ssh_port": {}, "ssh_username": "{user}",
                   "ssh_private_key_file": "{}/key" }}], "provisioners": [{provisioners}] }}"#,
                self.port,
                env.root().display()
            ),
        );
    }
}

/// Processes of this host whose command line holds `words`.
fn processes(words: &str) -> usize {
    let all = std::fs::read_dir("/proc").expect("/proc").flatten();
    let line =
        |e: &std::fs::DirEntry| String::from_utf8_lossy(&std::fs::read(e.path().join("cmdline")).unwrap_or_default()).replace('\0', " ");
    all.filter(|e| line(e).contains(words)).count()
}

#[test]
fn ctrl_c_ends_a_script_in_the_guest_and_takes_its_file_away() {
    let env = Env::new();
    let Some(server) = Sshd::start(&env) else { return };
    let folder = env.root().join("guest").display().to_string();
    server.template(
        &env,
        &format!(r#"{{ "type": "shell", "inline": ["echo it runs", "exec tail -f {folder}/../key"], "remote_folder": "{folder}" }}"#),
    );
    let mut build = env.start_on_stdout(["build", "-color=false", "t.json"]);
    build.until("null: it runs").interrupt();
    let said = build.end();
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stdout.ends_with("Cleanly cancelled builds after being interrupted.\n"), "{said}");
    let mut gone = (0..500).map(|_| processes(&format!("tail -f {folder}")) == 0 || !pause());
    assert!(gone.any(|gone| gone), "what ran in the guest has ended: {said}");
}

fn pause() -> bool {
    std::thread::sleep(std::time::Duration::from_millis(20));
    true
}

#[test]
fn ctrl_c_while_a_file_is_brought_in_leaves_no_half_of_it() {
    let env = Env::new();
    let Some(server) = Sshd::start(&env) else { return };
    // So long that the interrupt comes in its middle, and no room on the host's disk.
    env.write("project/big", []);
    let big = std::fs::File::options().write(true).open(env.project().join("big")).expect("the file");
    big.set_len(4 << 30).expect("a hole");
    let to = env.root().join("guest/big");
    server.template(&env, &format!(r#"{{ "type": "file", "source": "big", "destination": "{}" }}"#, to.display()));
    let mut build = env.start_on_stdout(["build", "-color=false", "t.json"]);
    build.until("null: Uploading big =>").interrupt();
    let said = build.end();
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stdout.ends_with("Cleanly cancelled builds after being interrupted.\n"), "{said}");
    assert!(!to.exists(), "under its name there is a whole file or none: {said}");
}
