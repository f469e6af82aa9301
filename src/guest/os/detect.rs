//! Finds out what a guest is and has, in one round trip.

use kiste_comm::GuestCommand;

use super::{Os, known, line};
use crate::{Error, Guest, task};

/// Programs looked for.
pub const PROGRAMS: &[&str] = &["rsync", "sudo", "systemctl", "hostnamectl", "nmcli", "tar"];

/// Prints one fact a line, `key value`; never fails. Starts three processes: each costs a slow guest a good part of a second.
const PROBE: &str = r#"PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/run/current-system/sw/bin
printf 'kiste-facts\nuname '
uname -s -r -m
printf 'id '
id
echo "home $HOME"
if [ ! -d /proc/sys/kernel ]; then printf 'build '; uname -v; fi
for file in /etc/os-release /usr/lib/os-release; do
  if [ -r "$file" ]; then
    while IFS= read -r line || [ -n "$line" ]; do printf 'release %s\n' "$line"; done < "$file"
    break
  fi
done
for file in alpine-release arch-release debian_version gentoo-release openwrt_release redhat-release slackware-version SuSE-release NIXOS; do
  if [ -e "/etc/$file" ]; then echo "file $file"; fi
done
if [ -r /etc/issue ]; then
  if IFS= read -r line < /etc/issue; then printf 'issue %s\n' "$line"; fi
fi
for program in $programs; do
  if command -v "$program" >/dev/null 2>&1; then echo "program $program"; fi
done
if [ -r /proc/filesystems ]; then
  while read -r flag name; do
    case ${name:-$flag} in virtiofs|9p|vboxsf) echo "mounts ${name:-$flag}";; esac
  done < /proc/filesystems
fi
if [ -r /proc/sys/kernel/osrelease ] && read -r release < /proc/sys/kernel/osrelease; then
  for root in /lib/modules /usr/lib/modules /run/booted-system/kernel-modules/lib/modules; do
    for file in "$root/$release"/kernel/fs/fuse/virtiofs.ko*; do
      if [ -e "$file" ]; then echo "mounts virtiofs"; fi
    done
    for file in "$root/$release"/kernel/fs/vboxsf/vboxsf.ko* "$root/$release"/misc/vboxsf.ko* "$root/$release"/updates/dkms/vboxsf.ko*; do
      if [ -e "$file" ]; then echo "mounts vboxsf"; fi
    done
    for file in "$root/$release"/kernel/net/9p/9pnet_virtio.ko*; do
      if [ -e "$file" ] && [ -d "$root/$release/kernel/fs/9p" ]; then echo "mounts 9p"; fi
    done
  done
fi
exit 0
"#;

/// Asks the guest; `forced` is a system the user named.
pub(crate) fn detect(guest: &Guest<'_>, forced: Option<&str>) -> Result<Os, Error> {
    let script = task::variables(&[("programs", &PROGRAMS.join(" "))]) + PROBE;
    let facts = task::run(guest, "look around", &GuestCommand::script(script))?;
    let mut os = parse(&facts);
    if let Some(name) = forced {
        let id = known(name).ok_or_else(|| {
            Error::Mistakes(vec![format!("guest = `{name}`: this system is not known (leave it out to have it detected)")])
        })?;
        os.id = id.to_owned();
        os.line = line(id);
    }
    tracing::debug!(?os, "guest system");
    Ok(os)
}

/// Reads what [`PROBE`] printed.
fn parse(facts: &str) -> Os {
    let mut os = Os::default();
    let (mut id, mut like, mut file, mut issue, mut build) = (String::new(), String::new(), Vec::new(), "", "");
    for (key, value) in facts.lines().filter_map(|l| l.trim_end().split_once(' ')) {
        match key {
            "uname" => {
                let mut words = value.split_whitespace().map(str::to_owned);
                os.kernel = words.next().unwrap_or_default();
                os.machine = words.next_back().unwrap_or_default();
            }
            "build" => build = value,
            "home" => os.home = value.to_owned(),
            "id" => {
                os.root = value.starts_with("uid=0(") || value.starts_with("uid=0 ");
                os.user = in_brackets(value, "uid=");
                os.group = in_brackets(value, "gid=");
            }
            "release" => match value.split_once('=') {
                Some(("ID", v)) => id = unquote(v),
                Some(("ID_LIKE", v)) => like = unquote(v),
                Some(("VERSION_ID", v)) => os.version = unquote(v),
                Some(("PRETTY_NAME", v)) => os.pretty = unquote(v),
                _ => {}
            },
            "file" => file.push(value),
            "issue" => issue = value,
            "program" => _ = os.programs.insert(value.to_owned()),
            "mounts" => _ = os.file_systems.insert(value.to_owned()),
            _ => {}
        }
    }
    let ours = identify(&os.kernel, build, &id, &like, &file, issue);
    os.line = line(ours);
    // A descendant nobody knows keeps its own name, and its parents' ways.
    os.id = if id.is_empty() || known(&id).is_some() { ours.to_owned() } else { id };
    if os.pretty.is_empty() {
        os.pretty.clone_from(&os.id);
    }
    os
}

/// The nearest id we know.
fn identify(kernel: &str, build: &str, id: &str, like: &str, files: &[&str], issue: &str) -> &'static str {
    let by_kernel = match kernel {
        "Linux" => "linux",
        "SunOS" if build.starts_with("joyent") => "smartos",
        "SunOS" => known(id).unwrap_or("solaris"),
        "VMkernel" => "esxi",
        k if ["MINGW", "MSYS", "CYGWIN", "Windows"].iter().any(|w| k.starts_with(w)) => "windows",
        other => known(other).unwrap_or("linux"),
    };
    if by_kernel != "linux" {
        return by_kernel;
    }
    let by_file = || {
        files.iter().find_map(|f| match *f {
            "SuSE-release" => Some("suse"),
            "debian_version" => Some("debian"),
            "NIXOS" => Some("nixos"),
            other => known(other.split(['-', '_']).next()?),
        })
    };
    let by_issue = || issue.split_whitespace().find_map(known).filter(|id| *id != "linux");
    known(id).or_else(|| like.split_whitespace().find_map(known)).or_else(by_file).or_else(by_issue).unwrap_or("linux")
}

/// A value of os-release without its quotes.
fn unquote(value: &str) -> String {
    let value = value.trim();
    let inner = ['"', '\''].iter().find_map(|q| value.strip_prefix(*q).and_then(|v| v.strip_suffix(*q)));
    inner.unwrap_or(value).to_owned()
}

/// The name in `uid=1000(vagrant) gid=100(users)` behind `key`.
fn in_brackets(id: &str, key: &str) -> String {
    let named = id.split_whitespace().find_map(|w| w.strip_prefix(key)).unwrap_or_default();
    let (number, name) = named.split_once('(').unwrap_or((named, ""));
    let name = name.trim_end_matches(')');
    if name.is_empty() { number.to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(facts: &str) -> (String, Vec<&'static str>) {
        let os = parse(facts);
        (os.id, os.line)
    }

    #[test]
    fn debian_with_everything() {
        let os = parse(
            "Welcome!\nkiste-facts\nuname Linux 6.1.0 x86_64\nid uid=1000(vagrant) gid=100(users) groups=100(users)\nrelease PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n\
             release VERSION_ID=\"12\"\nrelease ID=debian\nprogram rsync\nprogram sudo\nmounts virtiofs\n",
        );
        assert_eq!((os.id.as_str(), os.version.as_str(), os.line.as_slice()), ("debian", "12", ["debian", "linux"].as_slice()));
        assert_eq!((os.user.as_str(), os.group.as_str(), os.root), ("vagrant", "users", false));
        assert!(os.has("rsync") && !os.has("tar") && os.file_systems.contains("virtiofs"));
    }

    #[test]
    fn names_are_told_apart() {
        let linux = |release: &str| system(&format!("uname Linux\n{release}"));
        assert_eq!(linux("release ID=linuxmint\nrelease ID_LIKE=\"ubuntu debian\"").1, ["mint", "ubuntu", "debian", "linux"]);
        assert_eq!(linux("release ID=\"rocky\"\nrelease ID_LIKE=\"rhel centos fedora\"").1, ["rocky", "redhat", "linux"]);
        assert_eq!(linux("release ID='amzn'").1, ["amazon", "redhat", "linux"]);
        assert_eq!(linux("release ID=\"opensuse-leap\"").1, ["suse", "linux"]);
        assert_eq!(linux("release ID=flatcar\nrelease ID_LIKE=coreos").1, ["flatcar", "coreos", "linux"]);
    }

    #[test]
    fn strangers_go_by_their_kin_or_their_files() {
        assert_eq!(
            system("uname Linux\nrelease ID=neon2\nrelease ID_LIKE=\"foo ubuntu\"\n"),
            ("neon2".into(), vec!["ubuntu", "debian", "linux"])
        );
        assert_eq!(system("uname Linux\nfile redhat-release\nissue CentOS release 6.10\n"), ("redhat".into(), vec!["redhat", "linux"]));
        assert_eq!(system("uname Linux\nissue Slackware 14\n").0, "slackware");
        assert_eq!(system("uname Linux\nrelease ID=homebrewed\n"), ("homebrewed".into(), vec!["linux"]));
        assert_eq!(system(""), ("linux".into(), vec!["linux"]));
    }

    #[test]
    fn other_kernels() {
        assert_eq!(system("uname FreeBSD\nrelease ID=freebsd\n").1, ["freebsd", "bsd"]);
        assert_eq!(system("uname DragonFly\n").1, ["dragonflybsd", "freebsd", "bsd"]);
        assert_eq!(system("uname SunOS\nbuild joyent_2023\n").1, ["smartos", "solaris"]);
        assert_eq!(system("uname Darwin\n").0, "darwin");
        assert_eq!(system("uname VMkernel\n").0, "esxi");
        assert_eq!(system("uname MINGW64_NT-10.0\n").0, "windows");
    }
}
