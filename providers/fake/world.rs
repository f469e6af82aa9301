//! The fake guest's world: a folder that stands for its root, and programs that would otherwise touch the host.

use std::io;
use std::path::{Path, PathBuf};

use kiste_comm::quote;
use kiste_core::state_file;

use super::state::now;

/// Folders of the host that a fake guest sees as they are.
const OF_THE_HOST: [&str; 9] = ["bin", "sbin", "usr", "lib", "lib64", "dev", "proc", "sys", "nix"];
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

const POWER: &str = r#"#!/bin/sh
case "${0##*/} $*" in
reboot*|*" -r"*|*" reboot"*) echo "boot-$$-$(date +%s%N)" > "$KISTE_GUEST_ROOT/proc/sys/kernel/random/boot_id" ;;
*) : > "$KISTE_GUEST_ROOT/.off" ;;
esac
"#;
const SUDO: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
  -u|-g|-p|-C|-D|-R|-T|-U) shift 2 ;;
  --) shift; break ;;
  -*) shift ;;
  *=*) export "$1"; shift ;;
  *) break ;;
  esac
done
[ $# -eq 0 ] || exec "$@"
"#;
const HOSTNAME: &str = r#"#!/bin/sh
case "$1" in
''|-*) cat "$KISTE_GUEST_ROOT/etc/hostname" ;;
set-hostname) echo "$2" > "$KISTE_GUEST_ROOT/etc/hostname" ;;
*) echo "$1" > "$KISTE_GUEST_ROOT/etc/hostname" ;;
esac
"#;
const SYSTEMCTL: &str = r#"#!/bin/sh
case "$*" in
*poweroff*|*halt*) exec poweroff ;;
*reboot*) exec reboot ;;
esac
"#;
const NOTHING: &str = "#!/bin/sh\nexit 0\n";
const OS_RELEASE: &str =
    "ID=debian\nID_LIKE=\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n";

/// The folder that stands for `/`.
#[derive(Clone, Debug)]
pub struct World {
    root: PathBuf,
    user: String,
}

impl World {
    /// The world below `root`, seen by `user`.
    pub fn at(root: PathBuf, user: &str) -> Self {
        Self { root, user: user.to_owned() }
    }

    /// Makes what is missing and gives the guest a new boot id.
    pub fn boot(&self) -> io::Result<()> {
        for folder in ["tmp", "etc", "var/tmp", ".bin"] {
            std::fs::create_dir_all(self.root.join(folder))?;
        }
        std::fs::create_dir_all(self.home())?;
        for (name, text) in [("etc/os-release", OS_RELEASE), ("etc/hostname", "debian\n"), ("etc/hosts", "127.0.0.1 localhost\n")] {
            let path = self.root.join(name);
            if !path.exists() {
                state_file::write(&path, text.as_bytes(), 0o644)?;
            }
        }
        self.programs()?;
        state_file::write(&self.host(BOOT_ID), format!("boot-{}\n", now()).as_bytes(), 0o644)?;
        match std::fs::remove_file(self.off_file()) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    fn programs(&self) -> io::Result<()> {
        let nothing = ["mount", "umount", "chown", "chgrp", "modprobe", "useradd", "usermod", "service", "sync", "apt-get"];
        let told = ["poweroff", "shutdown", "halt", "reboot"].map(|n| (n, POWER)).into_iter();
        let named = [("hostname", HOSTNAME), ("hostnamectl", HOSTNAME), ("sudo", SUDO), ("systemctl", SYSTEMCTL)];
        for (name, text) in told.chain(named).chain(nothing.map(|n| (n, NOTHING))) {
            let path = self.programs_dir().join(name);
            if !path.exists() {
                state_file::write(&path, text.as_bytes(), 0o755)?;
            }
        }
        Ok(())
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Programs that stand before the host's.
    pub fn programs_dir(&self) -> PathBuf {
        self.root.join(".bin")
    }

    /// The user's home.
    pub fn home(&self) -> PathBuf {
        if self.user == "root" { self.root.join("root") } else { self.root.join("home").join(&self.user) }
    }

    /// Exists once the guest switched itself off.
    pub fn off_file(&self) -> PathBuf {
        self.root.join(".off")
    }

    /// A path of the guest as a path of the host (`~` is the home; relative paths too). `..` can't leave the world.
    pub fn host(&self, guest: &str) -> PathBuf {
        let (base, rest) = match guest.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => (self.home(), rest),
            _ if guest.starts_with('/') => (self.root.clone(), guest),
            _ => (self.home(), guest),
        };
        rest.split('/').filter(|part| !matches!(*part, "" | "." | "..")).fold(base, |path, part| path.join(part))
    }

    /// Shell text in which absolute paths of the guest are paths of the host, quoted as their place asks.
    pub fn rewrite(&self, text: &str) -> String {
        let root = self.root.to_string_lossy();
        let mut out = String::with_capacity(text.len() * 2);
        let (mut quote, mut before) = (None, ' ');
        for (at, c) in text.char_indices() {
            if c == '/' && starts_path(before) && self.is_guests(&text[at..]) {
                out.push_str(&match quote {
                    Some('\'') => root.replace('\'', r"'\''"),
                    Some(_) => root.replace('\\', r"\\").replace('"', "\\\"").replace('$', "\\$").replace('`', "\\`"),
                    None => quote::word(&root),
                });
            }
            quote = match (quote, c) {
                (None, '\'' | '"') if before != '\\' => Some(c),
                (Some(q), _) if q == c && (q == '\'' || before != '\\') => None,
                (open, _) => open,
            };
            out.push(c);
            before = c;
        }
        out
    }

    fn is_guests(&self, path: &str) -> bool {
        let first: String = path[1..].chars().take_while(|c| c.is_ascii_alphanumeric() || "_.-".contains(*c)).collect();
        path.starts_with(BOOT_ID)
            || !(first.is_empty() || OF_THE_HOST.contains(&first.as_str()) || path.starts_with(&*self.root.to_string_lossy()))
    }

    /// Output of a command with the host's names for the guest's paths taken out again.
    pub fn restore(&self, line: &str) -> String {
        line.replace(&*self.root.to_string_lossy(), "")
    }
}

fn starts_path(before: char) -> bool {
    before.is_whitespace() || "'\"=<>:(;|&`{},".contains(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_guest_stay_in_its_world() {
        let world = World::at("/w".into(), "vagrant");
        assert_eq!(world.rewrite("cat /etc/hosts > '/a b' && /bin/ls"), "cat /w/etc/hosts > '/w/a b' && /bin/ls");
        assert_eq!(world.rewrite("curl http://x/y; sed s/a/b/"), "curl http://x/y; sed s/a/b/");
        assert_eq!(world.rewrite(&format!("cat {BOOT_ID} /proc/cpuinfo")), format!("cat /w{BOOT_ID} /proc/cpuinfo"));
        assert_eq!(world.host("/../../etc/passwd"), Path::new("/w/etc/passwd"));
        assert_eq!(world.host("~/x"), Path::new("/w/home/vagrant/x"));
    }

    #[test]
    fn a_world_with_an_odd_name_is_quoted() {
        let world = World::at("/it's".into(), "vagrant");
        assert_eq!(world.rewrite("cat /x '/y' \"/z\""), r#"cat '/it'\''s'/x '/it'\''s/y' "/it's/z""#);
    }
}
