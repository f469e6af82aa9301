//! `salt-masterless`: a state tree goes into the guest, `salt-call --local` runs there; Salt is installed first, unless it is there.

mod formulas;
mod prepare;

use std::path::{Path, PathBuf};

use super::guest_os::GuestOs;
use super::remote::{Remote, digits, failed};
use crate::error::Error;
use crate::provisioner::{Provisioner, ProvisionerRun};
use formulas::Formula;

pub use prepare::prepare;

/// Its options, checked.
struct Salt {
    os: GuestOs,
    skip_bootstrap: bool,
    bootstrap_args: String,
    minion_config: Option<PathBuf>,
    grains_file: Option<PathBuf>,
    local_state_tree: PathBuf,
    local_pillar_roots: Option<PathBuf>,
    remote_state_tree: String,
    remote_pillar_roots: String,
    temp_config_dir: String,
    no_exit_on_failure: bool,
    /// The program, with its folder.
    salt_call: String,
    /// What follows `salt-call --local`, as one text.
    arguments: String,
    formulas: Vec<Formula>,
}

/// Fetch and run of the script that installs Salt.
const UNIX_BOOTSTRAP: [&str; 2] = [
    "curl -L https://bootstrap.saltstack.com -o /tmp/install_salt.sh || wget -O /tmp/install_salt.sh https://bootstrap.saltstack.com",
    "sh /tmp/install_salt.sh",
];
const WINDOWS_BOOTSTRAP: [&str; 2] = [
    "powershell Invoke-WebRequest -Uri 'https://raw.githubusercontent.com/saltstack/salt-bootstrap/stable/bootstrap-salt.ps1' \
     -OutFile 'C:/Windows/Temp/bootstrap-salt.ps1'",
    "Powershell C:/Windows/Temp/bootstrap-salt.ps1",
];

impl Provisioner for Salt {
    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        let fetched = formulas::fetch(&self.formulas, &self.local_state_tree, run)?;
        run.reporter.say("Provisioning with Salt...");
        let guest = Guest { os: self.os, remote: Remote::of(run, self.os.windows), run };
        if !self.skip_bootstrap {
            self.bootstrap(&guest)?;
        }
        run.reporter.detail(format!("Creating remote temporary directory: {}", self.temp_config_dir));
        guest.folder(&self.temp_config_dir)?;
        let configuration = if self.os.windows { "C:/salt/conf" } else { "/etc/salt" };
        for (file, name, what) in [(&self.minion_config, "minion", "minion config"), (&self.grains_file, "grains", "grains file")] {
            if let Some(file) = file {
                run.reporter.detail(format!("Uploading {what}: {}", file.display()));
                let staged = guest.stage(file, &format!("{}/{name}", self.temp_config_dir))?;
                run.reporter.detail(format!("Make sure directory {configuration} exists"));
                guest.folder(configuration)?;
                guest.rename(&staged, &format!("{configuration}/{name}"))?;
            }
        }
        run.reporter.detail(format!("Uploading local state tree: {}", self.local_state_tree.display()));
        self.tree(&guest, &self.local_state_tree, "states", &self.remote_state_tree)?;
        drop(fetched);
        if let Some(pillar) = &self.local_pillar_roots {
            run.reporter.detail(format!("Uploading local pillar roots: {}", pillar.display()));
            self.tree(&guest, pillar, "pillar", &self.remote_pillar_roots)?;
        }
        self.call(&guest)
    }
}

impl Salt {
    fn bootstrap(&self, guest: &Guest<'_>) -> Result<(), Error> {
        let [fetch, install] = if self.os.windows { WINDOWS_BOOTSTRAP } else { UNIX_BOOTSTRAP };
        let tell = |text: String| guest.run.reporter.detail(text);
        tell("Downloading saltstack bootstrap to /tmp/install_salt.sh".to_owned());
        guest.remote.must(fetch, "Unable to download Salt")?;
        let command = format!("{} {}", self.os.as_root(install), guest.run.live().render("bootstrap_args", &self.bootstrap_args)?);
        tell(format!("Installing Salt with command {command}"));
        guest.remote.must(&command, "Unable to install Salt")
    }

    /// A tree takes the place of what was there.
    fn tree(&self, guest: &Guest<'_>, from: &Path, name: &str, to: &str) -> Result<(), Error> {
        let staged = guest.stage(from, &format!("{}/{name}", self.temp_config_dir.trim_end_matches('/')))?;
        guest.run.reporter.detail(format!("Verifying Path: {to}"));
        if guest.remote.show(&self.os.is_there(to))?.code == 0 {
            guest.run.reporter.detail(format!("Removing directory: {to}"));
            guest.remote.must(&self.os.remove(to), &format!("Unable to clear {to}"))?;
        }
        if let Some((parent, _)) = to.trim_end_matches('/').rsplit_once('/').filter(|(parent, _)| !parent.is_empty()) {
            guest.remote.must(&self.os.make_folder(parent), &format!("Error creating directory {parent}"))?;
        }
        guest.rename(&staged, to)
    }

    fn call(&self, guest: &Guest<'_>) -> Result<(), Error> {
        let arguments = guest.run.live().render("salt_call_args", &self.arguments)?;
        guest.run.reporter.detail(format!("Running: salt-call --local {arguments}"));
        let ended = guest.remote.show(&self.os.as_root(&format!("{} --local {arguments}", self.salt_call)))?;
        match ended.reason {
            Some(reason) => Err(failed(format!("Error executing salt-call: {reason}"))),
            None if ended.code != 0 && !self.no_exit_on_failure => {
                Err(failed(format!("Error executing salt-call: Bad exit status: {}", ended.code)))
            }
            None => Ok(()),
        }
    }
}

/// The guest, for files that only root may put in their places.
struct Guest<'a> {
    os: GuestOs,
    remote: Remote<'a>,
    run: &'a ProvisionerRun<'a>,
}

impl Guest<'_> {
    fn folder(&self, path: &str) -> Result<(), Error> {
        self.run.reporter.detail(format!("Creating directory: {path}"));
        self.remote.must(&self.os.make_folder(path), &format!("Error creating directory {path}"))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), Error> {
        self.run.reporter.detail(format!("Moving {from} to {to}"));
        self.remote.must(&self.os.rename(from, to), &format!("Unable to move {from} to {to}"))
    }

    /// Brings a file or folder into the user's home, under a name that nothing has, and from there to `to`.
    fn stage(&self, from: &Path, to: &str) -> Result<String, Error> {
        let name = format!("kiste-salt-{}", digits());
        if from.is_dir() {
            self.remote.upload_folder(from, &name)?
        } else {
            self.remote.upload(from, &name)?
        }
        self.rename(&name, to)?;
        Ok(to.to_owned())
    }
}

#[cfg(test)]
mod tests;
