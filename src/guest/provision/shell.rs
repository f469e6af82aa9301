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
    if guest.os()?.is("windows") {
        return Err(Error::NotYet { what: "run shell provisioners".to_owned(), os: "windows".to_owned() });
    }
    if let Some(bytes) = script(shell, guest, context)? {
        guest.reporter.detail(match (name, &shell.path) {
            (Some(name), _) => format!("Running: script: {name}"),
            (None, Some(path)) => format!("Running: {path}"),
            (None, None) => "Running: inline script".to_owned(),
        });
        let ran = remote(shell, bytes).run(guest)?;
        if ran.code != 0 {
            return Err(Error::Provisioner { provisioner: label.to_owned(), code: ran.code, said: ran.said });
        }
    }
    if shell.reboot {
        power::reboot(guest, power::REBOOT_TIMEOUT)?;
        (context.after_reboot)().map_err(|reason| Error::Reconnect { reason })?;
    } else if shell.reset {
        guest.comm.reset();
        guest.comm.ready(guest.cancel)?;
    }
    Ok(())
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
