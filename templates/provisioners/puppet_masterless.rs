//! `puppet-masterless`: manifests and modules go into the guest, `puppet apply` runs there.

mod prepare;

use std::path::PathBuf;

use super::elevated::Elevated;
use super::guest_os::GuestOs;
use super::paths::base_name;
use super::remote::{Remote, failed};
use crate::error::Error;
use crate::provisioner::{Provisioner, ProvisionerRun};
use crate::script::escape_single;

pub use prepare::prepare;

/// Exit codes of `puppet apply --detailed-exitcodes` that are fine: nothing to do, something done.
const FINE: [i32; 2] = [0, 2];

/// Its options, checked.
struct Puppet {
    os: GuestOs,
    /// None: the usual command line.
    execute_command: Option<String>,
    extra_arguments: Vec<String>,
    /// By name.
    facter: Vec<(String, String)>,
    hiera_config_path: Option<PathBuf>,
    ignore_exit_codes: bool,
    module_paths: Vec<PathBuf>,
    manifest_file: PathBuf,
    manifest_dir: Option<PathBuf>,
    puppet_bin_dir: String,
    staging_directory: String,
    working_directory: String,
    clean_staging_directory: bool,
    elevated: Option<Elevated>,
}

/// Where things are in the guest.
#[derive(Default)]
struct Staged {
    hiera: String,
    manifest_dir: String,
    modules: String,
    manifest: String,
}

impl Provisioner for Puppet {
    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        run.reporter.say("Provisioning with Puppet...");
        let remote = Remote::of(run, self.os.windows);
        let staged = self.stage(&remote, run)?;
        let command = self.command(&staged, run)?;
        let command = self.elevated.as_ref().map_or(Ok(command.clone()), |e| e.wrap(&command, run))?;
        run.reporter.detail(format!("Running Puppet: {command}"));
        let ended = remote.show(&command)?;
        if !FINE.contains(&ended.code) && !self.ignore_exit_codes {
            let reason = ended.reason.map(|r| format!(" ({r})")).unwrap_or_default();
            return Err(failed(format!("Puppet exited with a non-zero exit status: {}{reason}", ended.code)));
        }
        if self.clean_staging_directory {
            remote.must(&self.os.remove(&self.staging_directory), "Error removing staging directory")?;
        }
        Ok(())
    }
}

impl Puppet {
    fn folder(&self, path: &str, remote: &Remote<'_>, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        run.reporter.detail(format!("Creating directory: {path}"));
        remote.must(&self.os.make_folder(path), "Error creating directory")?;
        // The user who logs in has to write there too.
        self.os.open_folder(path).map_or(Ok(()), |command| remote.must(&command, "Error creating directory"))
    }

    fn stage(&self, remote: &Remote<'_>, run: &ProvisionerRun<'_>) -> Result<Staged, Error> {
        let (at, mut staged) = (&self.staging_directory, Staged::default());
        run.reporter.detail("Creating Puppet staging directory...");
        self.folder(at, remote, run)?;
        if let Some(hiera) = &self.hiera_config_path {
            run.reporter.detail("Uploading hiera configuration...");
            staged.hiera = format!("{at}/hiera.yaml");
            remote.upload(hiera, &staged.hiera)?;
        }
        let manifests = format!("{at}/manifests");
        if let Some(folder) = &self.manifest_dir {
            run.reporter.detail(format!("Uploading manifest directory from: {}", folder.display()));
            staged.manifest_dir.clone_from(&manifests);
            self.folder(&manifests, remote, run)?;
            remote.upload_folder(folder, &manifests)?;
        }
        let mut modules = Vec::new();
        for (i, folder) in self.module_paths.iter().enumerate() {
            run.reporter.detail(format!("Uploading local modules from: {}", folder.display()));
            let to = format!("{at}/module-{i}");
            self.folder(&to, remote, run)?;
            remote.upload_folder(folder, &to)?;
            modules.push(to);
        }
        staged.modules = modules.join(if self.os.windows { ";" } else { ":" });
        run.reporter.detail("Uploading manifests...");
        self.folder(&manifests, remote, run)?;
        if self.manifest_file.is_dir() {
            run.reporter.detail(format!("Uploading manifest directory from: {}", self.manifest_file.display()));
            self.folder(&manifests, remote, run)?;
            remote.upload_folder(&self.manifest_file, &manifests)?;
            staged.manifest = manifests;
        } else {
            run.reporter.detail(format!("Uploading manifest file from: {}", self.manifest_file.display()));
            staged.manifest = format!("{manifests}/{}", base_name(&self.manifest_file));
            remote.upload(&self.manifest_file, &staged.manifest)?;
        }
        Ok(staged)
    }

    fn facts(&self, run: &ProvisionerRun<'_>) -> Result<String, Error> {
        let mut all = self.facter.clone();
        all.push(("packer_build_name".to_owned(), run.facts.build_name.clone().unwrap_or_default()));
        all.push(("packer_builder_type".to_owned(), run.facts.build_type.clone().unwrap_or_default()));
        let mut words = Vec::new();
        for (name, value) in all {
            let value = run.live().render("facter", &value)?;
            words.push(if self.os.windows {
                format!("SET \"FACTER_{name}={value}\"")
            } else {
                format!("FACTER_{name}='{}'", escape_single(&value))
            });
        }
        Ok(words.join(if self.os.windows { " & " } else { " " }))
    }

    fn command(&self, staged: &Staged, run: &ProvisionerRun<'_>) -> Result<String, Error> {
        let fields = |extra: &str| -> Result<Vec<(&'static str, String)>, Error> {
            Ok(vec![
                ("ExtraArguments", extra.to_owned()),
                ("FacterVars", self.facts(run)?),
                ("HieraConfigPath", staged.hiera.clone()),
                ("ModulePath", staged.modules.clone()),
                ("ModulePathJoiner", if self.os.windows { ";" } else { ":" }.to_owned()),
                ("ManifestFile", staged.manifest.clone()),
                ("ManifestDir", staged.manifest_dir.clone()),
                ("PuppetBinDir", self.puppet_bin_dir.clone()),
                // Empty counts as false in `{{if}}`.
                ("Sudo", if self.os.sudo { "true" } else { "" }.to_owned()),
                ("Debug", String::new()),
                ("WorkingDir", self.working_directory.clone()),
            ])
        };
        let extra = run.live().render_with("extra_arguments", &self.extra_arguments.join(" "), fields("")?)?;
        match &self.execute_command {
            Some(command) => run.live().render_with("execute_command", command, fields(&extra)?),
            None => self.usual(staged, &extra, &self.facts(run)?),
        }
    }

    /// `cd WORKING && FACTS sudo -E puppet apply …`.
    fn usual(&self, staged: &Staged, extra: &str, facts: &str) -> Result<String, Error> {
        let quoted = |option: &str, path: &str| {
            let path = if self.os.windows { path.to_owned() } else { escape_single(path) };
            if path.is_empty() { String::new() } else { format!("--{option}='{path}' ") }
        };
        let word = |path: &str| if self.os.windows { path.to_owned() } else { kiste_comm::quote::guest_path(path) };
        let bin = if self.puppet_bin_dir.is_empty() { String::new() } else { format!("{}/", self.puppet_bin_dir) };
        Ok([
            format!("cd {} && {facts} ", word(&self.working_directory)),
            if self.os.windows { "&& ".to_owned() } else { String::new() },
            if self.os.sudo { "sudo -E ".to_owned() } else { String::new() },
            format!("{} apply --detailed-exitcodes ", word(&format!("{bin}puppet"))),
            quoted("modulepath", &staged.modules),
            quoted("hiera_config", &staged.hiera),
            quoted("manifestdir", &staged.manifest_dir),
            if extra.is_empty() { String::new() } else { format!("{extra} ") },
            word(&staged.manifest),
        ]
        .concat())
    }
}

#[cfg(test)]
mod tests;
