//! `ansible`: playbooks are run by the host's Ansible. The peer puts an ssh server of its own between Ansible and the guest; here
//! Ansible goes straight to the guest, with the address, user and key of the build's own communicator.

mod inventory;
mod login;
mod prepare;

use std::path::{Path, PathBuf};

use kiste_core::Stream;
use kiste_core::host::{HostError, Program, exit_code};

use super::remote::failed;
use crate::error::Error;
use crate::lines::tell_line;
use crate::provisioner::{Provisioner, ProvisionerRun};
use login::Login;

pub use prepare::prepare;

/// Its options, checked.
struct Ansible {
    command: String,
    extra_arguments: Vec<String>,
    /// `NAME=value`.
    environment: Vec<(String, String)>,
    playbook_file: PathBuf,
    ssh_extra_args: Vec<String>,
    groups: Vec<String>,
    empty_groups: Vec<String>,
    host_alias: String,
    /// None: the communicator's.
    user: Option<String>,
    /// Packer would put its proxy in between.
    proxied: bool,
    use_sftp: bool,
    inventory_directory: Option<PathBuf>,
    inventory_file: Option<PathBuf>,
    inventory_file_template: Option<String>,
    keep_inventory_file: bool,
    galaxy: Option<Galaxy>,
}

/// What is to be fetched first.
struct Galaxy {
    command: String,
    file: PathBuf,
    force: bool,
    roles_path: Option<String>,
    collections_path: Option<String>,
}

impl Provisioner for Ansible {
    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        run.reporter.say("Provisioning with Ansible...");
        let login = Login::of(self, run)?;
        let done = self.play(&login, run);
        login.close(run);
        done
    }
}

/// Runs a program of Ansible's with its output shown; both of its streams count as plain output.
fn execute(program: &Program, name: &str, run: &ProvisionerRun<'_>) -> Result<(), Error> {
    match program.stream(run.cancel, |_, line| tell_line(run.reporter, Stream::Stdout, line.trim_end())) {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(format!("Non-zero exit status: exit status {}", exit_code(status)))),
        Err(error @ HostError::Missing { .. }) => Err(Error::HostLacks {
            what: error.to_string(),
            hint: format!("Install Ansible on this host (package `ansible-core`), or say where `{name}` is by `command`."),
        }),
        Err(error) => Err(error.into()),
    }
}

impl Ansible {
    fn play(&self, login: &Login, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        let inventory = self.inventory(login, run)?;
        if let Some(galaxy) = &self.galaxy {
            galaxy.fetch(self, run)?;
        }
        let (arguments, shown) = self.arguments(login, inventory.path(), run)?;
        run.reporter.say(format!("Executing Ansible: {} {shown}", self.command));
        let mut program = Program::new(&self.command).args(&arguments);
        for (name, value) in self.variables(run)?.into_iter().chain(login.variables()) {
            program = program.env(name, value);
        }
        execute(&program, &self.command, run).map_err(|error| match error {
            Error::Provisioner { what } => failed(format!("Error executing Ansible: {what}")),
            other => other,
        })
    }

    /// The words, and the same as people read them.
    fn arguments(&self, login: &Login, inventory: &Path, run: &ProvisionerRun<'_>) -> Result<(Vec<String>, String), Error> {
        let (facts, live) = (run.facts, run.live());
        let mut words = Vec::new();
        let mut set = |variable: String| words.extend(["-e".to_owned(), variable]);
        set(format!("packer_build_name={:?}", facts.build_name.as_deref().unwrap_or_default()));
        set(format!("packer_builder_type={}", facts.build_type.as_deref().unwrap_or_default()));
        if let Some(address) = live.field("PackerHTTPAddr") {
            set(format!("packer_http_addr={address}"));
        }
        let ssh = login.ssh_words(&self.ssh_extra_args);
        words.extend(ssh.iter().flat_map(|words| ["--ssh-extra-args".to_owned(), words.clone()]));
        for argument in &self.extra_arguments {
            words.push(live.render("extra_arguments", argument)?);
        }
        if !words.iter().any(|w| w.contains("ansible_password")) {
            words.extend(login.words());
        }
        let playbook = std::path::absolute(&self.playbook_file).map_err(Error::file(&self.playbook_file))?;
        words.extend(["-i".to_owned(), inventory.display().to_string(), playbook.display().to_string()]);
        let shown = words.iter().map(|w| if ssh.as_ref() == Some(w) { format!("'{w}'") } else { w.clone() });
        let shown = shown.collect::<Vec<_>>().join(" ");
        Ok((words, shown))
    }

    fn variables(&self, run: &ProvisionerRun<'_>) -> Result<Vec<(String, String)>, Error> {
        let mut all = vec![("ANSIBLE_HOST_KEY_CHECKING".to_owned(), "False".to_owned())];
        if self.use_sftp {
            all.push(("ANSIBLE_SCP_IF_SSH".to_owned(), "False".to_owned()));
        }
        for (name, value) in &self.environment {
            let value = run.live().render("ansible_env_vars", value)?;
            all.retain(|(there, _)| there != name);
            all.push((name.clone(), value));
        }
        Ok(all)
    }
}

impl Galaxy {
    /// Roles (also for lists of the old form, which name nothing else), then collections.
    fn fetch(&self, plan: &Ansible, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        let text = std::fs::read_to_string(&self.file).map_err(Error::file(&self.file))?;
        let has = |key: &str| text.lines().any(|line| line.starts_with(key));
        let (roles, collections) = (has("roles:"), has("collections:"));
        if roles || !collections {
            self.install(&["install"], self.roles_path.as_deref(), plan, run)?;
        }
        if collections {
            self.install(&["collection", "install"], self.collections_path.as_deref(), plan, run)?;
        }
        Ok(())
    }

    fn install(&self, what: &[&str], to: Option<&str>, plan: &Ansible, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        run.reporter.detail("Executing Ansible Galaxy");
        let mut program = Program::new(&self.command).args(what).arg("-r").arg(&self.file);
        if self.force {
            program = program.arg("-f");
        }
        if let Some(to) = to {
            program = program.args(["-p", to]);
        }
        for (name, value) in plan.variables(run)? {
            program = program.env(name, value);
        }
        execute(&program, &self.command, run)
    }
}

#[cfg(test)]
mod tests;
