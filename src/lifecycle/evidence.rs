//! Keeps what was seen of a failure: a folder per failure below the machine's folder, the last five of them.
//!
//! `destroy` removes it with the rest of the machine. Secrets are taken out: passwords, and values of provisioners' environments.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kiste_core::machine::Machine;
use kiste_core::provision::{ProvisionerKind, Shell, ShellArgs};
use kiste_core::{Cancel, Explain, Kind, state_file};
use kiste_providers::Vm;

use crate::context::Target;
use crate::error::Error;

/// Folders that are kept.
const KEPT: usize = 5;
/// What stands in a secret's place.
const HIDDEN: &str = "(hidden)";
/// The screen as a picture, and as a driver calls its own.
const SCREEN: &str = "screenshot.png";
const DRIVERS_SCREEN: &str = "screen.png";
/// Most bytes kept of a log.
const LOG_TAIL: usize = 256 * 1024;

/// Keeps the evidence of `error` and names it in the result. Of an interrupt, of the user's own mistakes and where nothing
/// can be written, the error is returned as it is.
pub(crate) fn keep(target: &Target<'_>, error: Error) -> Error {
    if matches!(error.kind(), Kind::Interrupted | Kind::Usage) || !target.dir.root().is_dir() {
        return error;
    }
    let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ").to_string();
    let folder = target.dir.evidence().join(stamp);
    match collect(target, &error, &folder) {
        Ok(()) => {
            drop_old(&target.dir.evidence());
            Error::Documented { source: Box::new(error), folder }
        }
        Err(e) => {
            target.reporter.warn(format!("no evidence could be kept: {e}"));
            error
        }
    }
}

fn collect(target: &Target<'_>, error: &Error, folder: &Path) -> std::io::Result<()> {
    let write = |name: &str, bytes: &[u8]| state_file::write(&folder.join(name), bytes, 0o600);
    write("error.txt", format!("{error}\n").as_bytes())?;
    let attempts = attempts(error);
    if !attempts.is_empty() {
        write("attempts.txt", format!("{}\n", attempts.join("\n")).as_bytes())?;
    }
    let config = serde_json::to_vec_pretty(&without_secrets(target.machine))?;
    write("config.json", &config)?;
    // Ctrl-C must not take the evidence away.
    let cancel = Cancel::new();
    let vm = Vm { cancel: &cancel, ..target.vm() };
    let mut files = target.driver.evidence(&vm);
    files.extend(log("serial.log", target.driver.serial().map(|s| s.serial_log(&vm))));
    files.extend(log("driver.log", Some(target.dir.driver_log())));
    for (name, bytes) in files.into_iter().filter(|(name, _)| is_plain(name)) {
        write(if name == DRIVERS_SCREEN { SCREEN } else { &name }, &bytes)?;
    }
    if let Some(screen) = target.driver.screen()
        && !folder.join(SCREEN).exists()
        && let Err(e) = screen.screenshot(&vm, &folder.join(SCREEN))
    {
        write("screenshot.txt", format!("no screenshot: {e}\n").as_bytes())?;
    }
    Ok(())
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\'])
}

fn log(name: &str, path: Option<PathBuf>) -> Option<(String, Vec<u8>)> {
    let bytes = std::fs::read(path?).ok()?;
    Some((name.to_owned(), bytes[bytes.len().saturating_sub(LOG_TAIL)..].to_vec()))
}

fn attempts(error: &Error) -> &[String] {
    match error {
        Error::Unreachable { source, .. } => &source.attempts,
        _ => &[],
    }
}

/// The machine as asked for, fit to be shown to others.
fn without_secrets(machine: &Machine) -> Machine {
    let mut machine = machine.clone();
    if machine.ssh.password.is_some() {
        machine.ssh.password = Some(HIDDEN.to_owned());
    }
    HIDDEN.clone_into(&mut machine.winrm.password);
    if let Some(image) = &mut machine.image {
        image.urls.iter_mut().chain(&mut image.server_url).for_each(|url| *url = without_login(url));
    }
    for provisioner in &mut machine.provision {
        match &mut provisioner.kind {
            ProvisionerKind::Shell(shell) => hide_in_script(shell),
            ProvisionerKind::Other(other) => other.settings.values_mut().for_each(|v| *v = HIDDEN.into()),
            ProvisionerKind::File(_) => {}
        }
    }
    machine.triggers.iter_mut().filter_map(|t| t.run_remote.as_mut()).for_each(hide_in_script);
    machine.triggers.iter_mut().filter_map(|t| t.run.as_mut()).for_each(|run| hide(&mut run.env));
    machine.containers.iter_mut().for_each(|container| hide(&mut container.env));
    machine.cloud_init.iter_mut().filter_map(|part| part.inline.as_mut()).for_each(|text| HIDDEN.clone_into(text));
    machine
}

fn hide(env: &mut BTreeMap<String, String>) {
    env.values_mut().for_each(|v| HIDDEN.clone_into(v));
}

fn hide_in_script(shell: &mut Shell) {
    hide(&mut shell.env);
    if shell.sensitive {
        shell.inline = shell.inline.as_ref().map(|_| HIDDEN.to_owned());
        shell.args = ShellArgs::default();
    }
}

/// An address without `user:password@`.
fn without_login(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    format!("{scheme}://{}{path}", host.rsplit('@').next().unwrap_or(host))
}

fn drop_old(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut kept: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    kept.sort();
    for old in kept.iter().rev().skip(KEPT) {
        // One folder too many does no harm.
        let _ = std::fs::remove_dir_all(old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiste_core::machine::BoxRequest;
    use kiste_core::provision::Provisioner;

    #[test]
    fn no_secret_is_left() {
        let mut machine = Machine::named("web");
        machine.ssh.password = Some("hunter2".into());
        machine.winrm.password = "hunter2".into();
        let shell = Shell {
            inline: Some("login hunter2".into()),
            env: [("P".into(), "hunter2".into())].into(),
            sensitive: true,
            ..Shell::default()
        };
        let json = serde_json::json!({ "type": "shell", "inline": "true" });
        let mut provisioner: Provisioner = serde_json::from_value(json).unwrap();
        provisioner.kind = ProvisionerKind::Shell(shell);
        machine.provision.push(provisioner);
        machine.image = Some(BoxRequest { urls: vec!["https://me:hunter2@boxes.example/a@b.box".into()], ..BoxRequest::default() });
        let trigger = serde_json::json!({ "before": ["up"], "run": { "inline": "x", "env": { "P": "hunter2" } } });
        machine.triggers.push(serde_json::from_value(trigger).unwrap());
        let text = serde_json::to_string(&without_secrets(&machine)).unwrap();
        assert!(!text.contains("hunter2") && text.contains(HIDDEN), "{text}");
        assert!(text.contains("https://boxes.example/a@b.box"), "{text}");
    }

    #[test]
    fn only_the_last_ones_stay() {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..KEPT + 3 {
            std::fs::create_dir(dir.path().join(format!("2026010{n}"))).unwrap();
        }
        drop_old(dir.path());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), KEPT);
        assert!(!dir.path().join("20260100").exists());
    }
}
