//! The `shell` provisioner.

use std::path::Path;

use kiste_core::provision::{Shell, ShellArgs};

use super::ProvisionContext;
use super::fetch;
use super::remote_script::RemoteScript;
use crate::{Error, Guest, power};

/// Whether `path` is an address rather than a file.
pub(crate) fn is_address(path: &str) -> bool {
    let scheme = path.split_once("://").map(|(s, _)| s.to_ascii_lowercase());
    scheme.is_some_and(|s| ["http", "https", "ftp"].contains(&s.as_str()))
}

/// See [`super::prepare`].
pub(super) fn prepare(shell: &Shell, project_root: &Path) -> Vec<String> {
    let mut mistakes = Vec::new();
    match (&shell.inline, &shell.path) {
        (Some(_), Some(_)) => mistakes.push("`inline` and `path` exclude each other".to_owned()),
        (None, None) if !shell.reboot && !shell.reset => mistakes.push("it needs `inline` or `path`".to_owned()),
        (None, Some(path)) => mistakes.extend(path_mistake(path, project_root)),
        _ => {}
    }
    for name in shell.env.keys().filter(|n| !kiste_comm::quote::is_variable(n)) {
        mistakes.push(format!("`{name}` in `env` cannot be the name of a variable"));
    }
    for (algorithm, digest) in &shell.checksums {
        mistakes.extend(fetch::digest_mistake(algorithm, digest));
    }
    if !shell.checksums.is_empty() && shell.path.is_none() {
        mistakes.push("digests hold for a script from `path` only".to_owned());
    }
    if let Some(path) = shell.upload_path.as_deref().filter(|p| p.trim().is_empty() || p.ends_with('/')) {
        mistakes.push(format!("upload_path `{path}` must be the path of a file"));
    }
    if shell.powershell_args.is_some() || shell.powershell_elevated_interactive {
        mistakes.push("`powershell_*` settings are for Windows guests, which kiste cannot provision yet".to_owned());
    }
    mistakes.extend(nul_mistake(shell));
    mistakes
}

fn path_mistake(path: &str, project_root: &Path) -> Option<String> {
    if is_address(path) {
        let ftp = path.get(..3).is_some_and(|s| s.eq_ignore_ascii_case("ftp"));
        return ftp.then(|| format!("`{path}`: ftp is not supported; give an http or https address"));
    }
    let file = project_root.join(path);
    match file.metadata() {
        Err(_) => Some(format!("script `{path}` does not exist")),
        Ok(m) if !m.is_file() => Some(format!("script `{path}` is not a file")),
        Ok(_) => None,
    }
}

/// No shell can carry a NUL.
fn nul_mistake(shell: &Shell) -> Option<String> {
    let args = match &shell.args {
        ShellArgs::Line(line) => line.contains('\0'),
        ShellArgs::List(list) => list.iter().any(|a| a.contains('\0')),
    };
    let others = shell.env.values().chain(&shell.upload_path).any(|v| v.contains('\0'));
    (args || others).then(|| "`args`, `env` and `upload_path` cannot hold a NUL".to_owned())
}

/// Runs it. `label` is for errors, `name` is what the user called it.
pub(super) fn run(label: &str, name: Option<&str>, shell: &Shell, guest: &Guest<'_>, context: &ProvisionContext<'_>) -> Result<(), Error> {
    let before = if shell.reboot { Some(power::boot_id(guest)?) } else { None };
    if let Some(bytes) = script(shell, guest, context)? {
        guest.reporter.detail(match (name, &shell.path) {
            (Some(name), _) => format!("Running: script: {name}"),
            (None, Some(path)) => format!("Running: {path}"),
            (None, None) => "Running: inline script".to_owned(),
        });
        match remote(shell, bytes).run(guest) {
            Ok(ran) if ran.code == 0 => {}
            Ok(ran) => return Err(Error::Provisioner { provisioner: label.to_owned(), code: ran.code, said: ran.said }),
            // The script did the reboot itself: wait for it, do not do another one.
            Err(Error::Comm(kiste_comm::Error::Disconnected { .. })) if shell.reboot => {
                power::await_boot(guest, before.as_deref().unwrap_or_default(), power::REBOOT_TIMEOUT)?;
                return resume(context);
            }
            Err(e) => return Err(e),
        }
    }
    if shell.reboot {
        power::reboot(guest, power::REBOOT_TIMEOUT)?;
        return resume(context);
    }
    if shell.reset {
        guest.comm.reset();
        guest.comm.ready(guest.cancel)?;
    }
    Ok(())
}

fn resume(context: &ProvisionContext<'_>) -> Result<(), Error> {
    (context.after_reboot)().map_err(|reason| Error::Reconnect { reason })
}

fn remote(shell: &Shell, bytes: Vec<u8>) -> RemoteScript {
    RemoteScript {
        bytes: if shell.binary { bytes } else { unix_lines(bytes) },
        args: shell.args.clone(),
        env: shell.env.clone(),
        privileged: shell.privileged(),
        upload_path: shell.upload_path.clone(),
        keep_color: shell.keep_color,
        sensitive: shell.sensitive,
    }
}

/// The script's bytes; none when there is only a reboot or reset to do.
fn script(shell: &Shell, guest: &Guest<'_>, context: &ProvisionContext<'_>) -> Result<Option<Vec<u8>>, Error> {
    let bytes = match (&shell.inline, &shell.path) {
        (Some(text), _) => Some(text.clone().into_bytes()),
        (None, Some(url)) if is_address(url) => Some(fetch::fetch(url, guest.reporter, guest.cancel)?),
        (None, Some(path)) => {
            let file = context.project_root.join(path);
            Some(std::fs::read(&file).map_err(|e| Error::Read { path: file.display().to_string(), reason: e.to_string() })?)
        }
        (None, None) => None,
    };
    for (algorithm, expected) in &shell.checksums {
        fetch::verify(shell.path.as_deref().unwrap_or("inline script"), bytes.as_deref().unwrap_or_default(), algorithm, expected)?;
    }
    Ok(bytes)
}

/// CRLF becomes LF.
fn unix_lines(bytes: Vec<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied().peekable();
    while let Some(b) = rest.next() {
        if b != b'\r' || rest.peek() != Some(&b'\n') {
            out.push(b);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_mistake_at_once() {
        let map = |k: &str, v: &str| BTreeMap::from([(k.to_owned(), v.to_owned())]);
        let all = Shell {
            inline: Some("a".into()),
            path: Some("b".into()),
            env: map("A B", "\0"),
            checksums: map("sha257", "00"),
            upload_path: Some("/tmp/".into()),
            powershell_args: Some("-x".into()),
            ..Shell::default()
        };
        assert_eq!(prepare(&all, Path::new("/")).len(), 6, "{:?}", prepare(&all, Path::new("/")));
    }

    #[test]
    fn what_is_to_run_must_be_there() {
        let path = |path: &str| prepare(&Shell { path: Some(path.into()), ..Shell::default() }, Path::new("/")).join(" ");
        assert_eq!(path("HTTPS://example.org/x.sh"), "");
        assert!(path("ftp://example.org/x.sh").contains("ftp is not supported"));
        assert!(path("no/such.sh").contains("does not exist") && path("tmp").contains("not a file"));
        assert!(prepare(&Shell::default(), Path::new("/"))[0].contains("needs `inline` or `path`"));
        assert_eq!(prepare(&Shell { reboot: true, ..Shell::default() }, Path::new("/")), [""; 0]);
        let short = BTreeMap::from([("md5".to_owned(), "12".to_owned())]);
        let wrong = Shell { path: Some("http://example.org/x".into()), checksums: short, ..Shell::default() };
        assert_eq!(prepare(&wrong, Path::new("/")), ["`md5` needs 32 hexadecimal digits"]);
    }

    #[test]
    fn only_pairs_become_line_feeds() {
        assert_eq!(unix_lines(b"a\r\nb\rc\r\r\n".to_vec()), b"a\nb\rc\r\n");
    }
}
