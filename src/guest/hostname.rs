//! The guest's host name, and its line in the guest's hosts file.

use kiste_comm::GuestCommand;

use crate::{Error, Guest, task};

/// Marks the line that is ours, so that the next name replaces it.
const MARK: &str = "# kiste";

/// Gives the guest the host name `name` (short or fully qualified), now and for later boots; with `allow_hosts` its hosts file
/// gets `127.0.N.1 FQDN SHORT`. One round trip when all is right already. Gives whether anything changed.
pub fn set(guest: &Guest<'_>, name: &str, allow_hosts: bool) -> Result<bool, Error> {
    if !is_valid(name) {
        return Err(Error::Hostname { name: name.to_owned() });
    }
    let os = guest.os()?;
    if os.is("windows") {
        return Err(Error::NotYet { what: "set the host name".to_owned(), os: os.id.clone() });
    }
    let seen = task::run(guest, "read the host name", &GuestCommand::script(READ))?;
    let (current, hosts) = seen.split_once('\n').unwrap_or((&seen, ""));
    let short = short(name);
    let named = [name, short].contains(&current.trim());
    let new_hosts = allow_hosts.then(|| with_name(hosts, name)).flatten();
    if let Some(text) = &new_hosts {
        task::write_as_root(guest, "/etc/hosts", text)?;
    }
    if !named {
        let script = "set -e\nPATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin\n".to_owned()
            + &task::variables(&[("fqdn", name), ("short", short)])
            + os.system().hostname;
        task::run(guest, "set the host name", &GuestCommand::script(script).sudo())?;
    }
    Ok(!named || new_hosts.is_some())
}

/// The name, a line feed, the hosts file.
const READ: &str = r#"PATH=$PATH:/usr/sbin:/sbin
{ hostname 2>/dev/null || uname -n; } | head -n 1
cat /etc/hosts 2>/dev/null || true
"#;

/// Labels of letters, digits and inner `-`, at most 63 long; 253 in all.
pub fn is_valid(name: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len()) && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && !l.starts_with('-') && !l.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

fn short(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// The hosts file with a line for `name`; none when it has one that is not of the network's side of things already.
fn with_name(hosts: &str, name: &str) -> Option<String> {
    let entry = |line: &str| line.split('#').next().unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let ours = |line: &&str| line.trim_end().ends_with(MARK);
    let has = |line: &str| entry(line).iter().skip(1).any(|n| n == name);
    if hosts.lines().any(has) {
        return None;
    }
    let kept: Vec<&str> = hosts.lines().filter(|l| !ours(l)).collect();
    let taken = |n: u8| kept.iter().any(|l| entry(l).first().is_some_and(|a| *a == format!("127.0.{n}.1")));
    let free = (1..=254).find(|n| !taken(*n)).unwrap_or(1);
    let names = if short(name) == name { name.to_owned() } else { format!("{name} {}", short(name)) };
    let mut text: String = kept.iter().map(|l| format!("{l}\n")).collect();
    text.push_str(&format!("127.0.{free}.1 {names} {MARK}\n"));
    Some(text)
}

#[cfg(test)]
mod tests {
    use kiste_comm::fake::{Answer, FakeGuest};
    use kiste_core::{Cancel, Reporter};

    use super::*;

    #[test]
    fn names() {
        for good in ["web", "web-1.example.org", "9a", "a"] {
            assert!(is_valid(good), "{good}");
        }
        for bad in ["", "-web", "web-", "a..b", "a_b", "$(reboot)", "a b", &"x".repeat(64)] {
            assert!(!is_valid(bad), "{bad}");
        }
    }

    #[test]
    fn the_hosts_file_gets_one_line_at_a_free_address() {
        let hosts = "127.0.0.1 localhost\n127.0.1.1 box";
        let text = with_name(hosts, "web.example.org").unwrap();
        assert_eq!(text, "127.0.0.1 localhost\n127.0.1.1 box\n127.0.2.1 web.example.org web # kiste\n");
        assert_eq!(with_name(&text, "web.example.org"), None);
        assert_eq!(with_name(&text, "db").unwrap(), "127.0.0.1 localhost\n127.0.1.1 box\n127.0.2.1 db # kiste\n");
        assert_eq!(with_name("10.0.0.7 web\n# web\n", "web"), None);
    }

    fn set_with(facts: &str, seen: &str, name: &str, allow_hosts: bool) -> (bool, Vec<GuestCommand>) {
        let answer = |when: &str, stdout: &str| Answer { when: when.to_owned(), stdout: stdout.to_owned(), ..Answer::default() };
        let fake = FakeGuest::answering(vec![answer("kiste-facts", facts), answer("cat /etc/hosts", seen)]);
        let (reporter, cancel) = (Reporter::silent(), Cancel::new());
        let changed = set(&Guest::new(&fake, &reporter, &cancel), name, allow_hosts).unwrap();
        (changed, fake.commands())
    }

    #[test]
    fn nothing_is_done_when_all_is_right() {
        let (changed, commands) = set_with("uname Linux\n", "web\n127.0.1.1 web.example.org web\n", "web.example.org", true);
        assert_eq!((changed, commands.len()), (false, 2));
    }

    #[test]
    fn families_have_their_own_ways() {
        for (facts, sign) in [
            ("uname Linux\nrelease ID=ubuntu\n", "/etc/mailname"),
            ("uname Linux\nrelease ID=rocky\n", "/etc/sysconfig/network"),
            ("uname Linux\nrelease ID=alpine\n", "hostname -F"),
            ("uname FreeBSD\n", "sysrc"),
            ("uname Linux\n", "hostnamectl"),
        ] {
            let (changed, commands) = set_with(facts, "old\n127.0.0.1 localhost\n", "web.example.org", false);
            let last = commands.last().unwrap();
            assert!(changed && last.privileged && last.text.contains(sign), "{facts}: {}", last.text);
            assert!(last.text.contains("fqdn=web.example.org\nshort=web\n"));
            assert_eq!(commands.len(), 3, "the hosts file is left alone");
        }
    }
}
