//! The inventory that Ansible is given: the template's own, or one that holds just the guest.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::{Ansible, Login};
use crate::error::Error;
use crate::provisioner::ProvisionerRun;

/// The file.
pub enum Inventory {
    /// Of the user.
    Given(PathBuf),
    /// Made; goes with the value.
    Made(NamedTempFile),
}

impl Inventory {
    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Made(file) => file.path(),
        }
    }
}

impl Ansible {
    pub(super) fn inventory(&self, login: &Login, run: &ProvisionerRun<'_>) -> Result<Inventory, Error> {
        if let Some(file) = &self.inventory_file {
            return Ok(Inventory::Given(file.clone()));
        }
        let template = self.inventory_file_template.as_deref().unwrap_or(login.line);
        let fields = login.fields.iter().cloned().chain([("HostAlias", self.host_alias.clone())]);
        let mut host = run.live().render_with("inventory_file_template", template, fields)?;
        if !host.ends_with('\n') {
            host.push('\n');
        }
        let grouped = self.groups.iter().map(|group| format!("[{group}]\n{host}"));
        let empty = self.empty_groups.iter().map(|group| format!("[{group}]\n"));
        let text: String = std::iter::once(host.clone()).chain(grouped).chain(empty).collect();
        let folder = self.inventory_directory.clone().unwrap_or_else(std::env::temp_dir);
        let mut builder = tempfile::Builder::new();
        let mut file = builder.prefix("packer-provisioner-ansible").tempfile_in(&folder).map_err(Error::file(&folder))?;
        file.write_all(text.as_bytes()).map_err(Error::file(file.path()))?;
        if self.keep_inventory_file {
            let path = file.path().to_owned();
            file.keep().map_err(|e| Error::file(&path)(e.error))?;
            return Ok(Inventory::Given(path));
        }
        Ok(Inventory::Made(file))
    }
}
