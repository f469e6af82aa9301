//! `ansible-local`: playbooks go into the guest and are run there, by the Ansible that is installed there.

use std::path::{Path, PathBuf};

use kiste_comm::quote;

use super::paths::{self, Want, base_name, with_path};
use super::remote::{Remote, failed};
use crate::error::Error;
use crate::options::Options;
use crate::provisioner::{Provisioner, ProvisionerRun};
use crate::script::escape_single;

/// Its options, checked.
struct AnsibleLocal {
    command: String,
    extra_arguments: Vec<String>,
    /// The one playbook that goes to the top of the staging folder.
    playbook_file: Option<PathBuf>,
    /// Those that keep their paths below it.
    playbook_files: Vec<PathBuf>,
    playbook_dir: Option<PathBuf>,
    playbook_paths: Vec<PathBuf>,
    role_paths: Vec<PathBuf>,
    group_vars: Option<PathBuf>,
    host_vars: Option<PathBuf>,
    /// None: a new one for each run.
    staging_directory: Option<String>,
    clean_staging_directory: bool,
    inventory_file: Option<PathBuf>,
    inventory_groups: Vec<String>,
    galaxy_file: Option<PathBuf>,
    galaxy_command: String,
}

/// The provisioner.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn Provisioner>> {
    let at = options.place("playbook_files").or(options.place("playbook_file"));
    let playbook_file = paths::one(options, "playbook_file", Want::File, with_path);
    let playbook_files = paths::many(options, "playbook_files", Want::File, with_path);
    match (&playbook_file, playbook_files.is_empty()) {
        (Some(_), false) => options.problem(at, "Either playbook_file or playbook_files can be specified, not both"),
        (None, true) => options.problem(at, "Either playbook_file or playbook_files must be specified"),
        _ => {}
    }
    Some(Box::new(AnsibleLocal {
        command: options.text("command").unwrap_or_else(|| "ANSIBLE_FORCE_COLOR=1 PYTHONUNBUFFERED=1 ansible-playbook".to_owned()),
        extra_arguments: options.list("extra_arguments").unwrap_or_default(),
        playbook_file,
        playbook_files,
        playbook_dir: paths::one(options, "playbook_dir", Want::Folder, with_path),
        playbook_paths: paths::many(options, "playbook_paths", Want::Folder, with_path),
        role_paths: paths::many(options, "role_paths", Want::Folder, with_path),
        group_vars: paths::one(options, "group_vars", Want::Folder, with_path),
        host_vars: paths::one(options, "host_vars", Want::Folder, with_path),
        staging_directory: options.text("staging_directory"),
        clean_staging_directory: options.boolean("clean_staging_directory").unwrap_or(false),
        inventory_file: paths::one(options, "inventory_file", Want::File, with_path),
        inventory_groups: options.list("inventory_groups").unwrap_or_default(),
        galaxy_file: paths::one(options, "galaxy_file", Want::File, with_path),
        galaxy_command: options.text("galaxy_command").unwrap_or_else(|| "ansible-galaxy".to_owned()),
    }))
}

impl Provisioner for AnsibleLocal {
    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        run.reporter.say("Provisioning with Ansible...");
        let staging = match &self.staging_directory {
            Some(folder) => run.live().render("staging_directory", folder)?,
            None => format!("/tmp/packer-provisioner-ansible-local/{}", uuid::Uuid::now_v7()),
        };
        let stage = Stage { plan: self, remote: Remote::new(run), run, staging };
        let playbooks = stage.playbooks()?;
        let inventory = stage.inventory()?;
        stage.folders()?;
        stage.execute(&playbooks, &inventory)?;
        if self.clean_staging_directory {
            run.reporter.detail("Removing staging directory...");
            run.reporter.detail(format!("Removing directory: {}", stage.staging));
            stage.remote.must(&format!("rm -rf '{}'", escape_single(&stage.staging)), "Error removing staging directory")?;
        }
        Ok(())
    }
}

/// One run's folder in the guest.
struct Stage<'a> {
    plan: &'a AnsibleLocal,
    remote: Remote<'a>,
    run: &'a ProvisionerRun<'a>,
    staging: String,
}

impl Stage<'_> {
    fn tell(&self, text: impl Into<String>) {
        self.run.reporter.detail(text);
    }

    fn path(&self, below: &str) -> String {
        format!("{}/{}", self.staging.trim_end_matches('/'), below.trim_start_matches('/'))
    }

    fn folder(&self, path: &str) -> Result<(), Error> {
        self.tell(format!("Creating directory: {path}"));
        self.remote.must(&format!("mkdir -p '{}'", escape_single(path)), "Error creating staging directory")
    }

    fn upload_folder(&self, from: &Path, to: &str) -> Result<(), Error> {
        self.folder(to)?;
        self.remote.upload_folder(from, to)
    }

    /// Brings the playbooks in; their paths in the guest.
    fn playbooks(&self) -> Result<Vec<String>, Error> {
        let plan = self.plan;
        if let Some(folder) = &plan.playbook_dir {
            self.tell("Uploading Playbook directory to Ansible staging directory...");
            self.upload_folder(folder, &self.staging)?;
        } else {
            self.tell("Creating Ansible staging directory...");
            self.folder(&self.staging)?;
        }
        if let Some(file) = &plan.playbook_file {
            self.tell("Uploading main Playbook file...");
            let to = self.path(&base_name(file));
            self.remote.upload(file, &to)?;
            return Ok(vec![to]);
        }
        let top = plan.playbook_dir.as_ref().map(|d| absolute(d)).transpose()?;
        let mut playbooks = Vec::new();
        for file in &plan.playbook_files {
            let file = absolute(file)?;
            if let Some(below) = top.as_ref().and_then(|top| file.strip_prefix(top).ok()) {
                playbooks.push(self.path(&below.display().to_string()));
                continue;
            }
            self.tell(format!("Uploading playbook file: {}", file.display()));
            let to = self.path(&file.display().to_string());
            self.folder(to.rsplit_once('/').map_or("", |(folder, _)| folder))?;
            self.remote.upload(&file, &to)?;
            playbooks.push(to);
        }
        Ok(playbooks)
    }

    /// Brings the inventory (and the list of roles to fetch) in; the inventory's path in the guest.
    fn inventory(&self) -> Result<String, Error> {
        let plan = self.plan;
        if let Some(file) = &plan.galaxy_file {
            self.tell("Uploading galaxy file...");
            self.remote.upload(file, &self.path(&base_name(file)))?;
        }
        self.tell("Uploading inventory file...");
        if let Some(file) = &plan.inventory_file {
            let to = self.path(&base_name(file));
            self.remote.upload(file, &to)?;
            return Ok(to);
        }
        let groups: String = plan.inventory_groups.iter().map(|g| format!("[{g}]\n127.0.0.1\n")).collect();
        let text = if groups.is_empty() { "127.0.0.1\n".to_owned() } else { groups };
        let to = self.path(&format!("packer-provisioner-ansible-local{}", super::remote::digits()));
        self.run.comm.upload_bytes(text.as_bytes(), &to, 0o644, self.run.cancel)?;
        Ok(to)
    }

    fn folders(&self) -> Result<(), Error> {
        let plan = self.plan;
        for (folder, name) in [(&plan.group_vars, "group_vars"), (&plan.host_vars, "host_vars")] {
            if let Some(folder) = folder {
                self.tell(format!("Uploading {name} directory..."));
                self.upload_folder(folder, &self.path(name))?;
            }
        }
        if !plan.role_paths.is_empty() {
            self.tell("Uploading role directories...");
        }
        for folder in &plan.role_paths {
            self.upload_folder(folder, &self.path(&format!("roles/{}", base_name(folder))))?;
        }
        if !plan.playbook_paths.is_empty() {
            self.tell("Uploading additional Playbooks...");
            self.folder(&self.path("playbooks"))?;
        }
        for folder in &plan.playbook_paths {
            self.upload_folder(folder, &self.path(&format!("playbooks/{}", base_name(folder))))?;
        }
        Ok(())
    }

    fn execute(&self, playbooks: &[String], inventory: &str) -> Result<(), Error> {
        let (plan, staging) = (self.plan, quote::guest_path(&self.staging));
        if let Some(file) = &plan.galaxy_file {
            let file = quote::guest_path(&self.path(&base_name(file)));
            let roles = quote::guest_path(&self.path("roles"));
            let command = format!("cd {staging} && {} install -r {file} -p {roles}", plan.galaxy_command);
            self.tell(format!("Executing Ansible Galaxy: {command}"));
            self.remote.must(&command, "Error executing Ansible: Error executing Ansible Galaxy")?;
        }
        let (facts, live) = (self.run.facts, self.run.live());
        let mut variables = format!(
            "packer_build_name={} packer_builder_type={}",
            facts.build_name.as_deref().unwrap_or_default(),
            facts.build_type.as_deref().unwrap_or_default()
        );
        if let Some(address) = live.field("PackerHTTPAddr") {
            variables.push_str(&format!(" packer_http_addr={address}"));
        }
        let extra = live.render("extra_arguments", &plan.extra_arguments.join(" "))?;
        for playbook in playbooks {
            let command = format!(
                "cd {staging} && {} {} --extra-vars {} {extra} -c local -i {}",
                plan.command,
                quote::guest_path(playbook),
                double_quoted(&variables),
                quote::guest_path(inventory)
            );
            self.tell(format!("Executing Ansible: {command}"));
            match self.remote.show(&command)? {
                ended if ended.code == 0 => {}
                ended if ended.code == 127 => {
                    let command = &plan.command;
                    return Err(failed(format!(
                        "Error executing Ansible: {command} could not be found. Verify that it is available on the\n\
                         PATH after connecting to the machine."
                    )));
                }
                ended => return Err(failed(format!("Error executing Ansible: {}", ended.said()))),
            }
        }
        Ok(())
    }
}

/// Between double quotes of a POSIX shell, in which nothing means anything.
fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if "\"\\$`".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out + "\""
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(Error::file(path))
}

#[cfg(test)]
#[path = "ansible_local_tests.rs"]
mod tests;
