//! Reads and checks the options of `puppet-masterless`.

use std::path::{Path, PathBuf};

use super::Puppet;
use crate::options::Options;
use crate::provisioner::Provisioner;
use crate::provisioners::elevated::Elevated;
use crate::provisioners::guest_os::GuestOs;
use crate::provisioners::paths::{self, Want};

/// The provisioner, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn Provisioner>> {
    let prevent_sudo = yes(options, "prevent_sudo");
    let os = GuestOs::of(options, !prevent_sudo);
    let staging = options.text("staging_directory").unwrap_or_else(|| {
        let temporary = if os.windows { "C:/Windows/Temp" } else { "/tmp" };
        format!("{temporary}/packer-puppet-masterless")
    });
    let key_only = |key: &str, _: &str| key.to_owned();
    let hiera_config_path = paths::one(options, "hiera_config_path", Want::File, key_only);
    let manifest_dir = paths::one(options, "manifest_dir", Want::Folder, key_only);
    let at = options.place("manifest_file");
    let manifest_file = options.text("manifest_file");
    match &manifest_file {
        None => options.problem(at, "A manifest_file must be specified."),
        Some(path) => paths::check(options, at, Path::new(path), "manifest_file", Want::Any),
    }
    let module_paths = modules(options);
    let facter = facter(options);
    Some(Box::new(Puppet {
        os,
        execute_command: options.later("execute_command"),
        extra_arguments: options.later_list("extra_arguments").unwrap_or_default(),
        facter,
        hiera_config_path,
        ignore_exit_codes: yes(options, "ignore_exit_codes"),
        module_paths,
        manifest_file: PathBuf::from(manifest_file.unwrap_or_default()),
        manifest_dir,
        puppet_bin_dir: options.text("puppet_bin_dir").unwrap_or_default(),
        working_directory: options.text("working_directory").unwrap_or_else(|| staging.clone()),
        staging_directory: staging,
        clean_staging_directory: yes(options, "clean_staging_directory"),
        elevated: Elevated::of(options),
    }))
}

fn yes(options: &mut Options<'_>, key: &'static str) -> bool {
    options.boolean(key).unwrap_or(false)
}

fn modules(options: &mut Options<'_>) -> Vec<PathBuf> {
    let at = options.place("module_paths");
    let paths = options.list("module_paths").unwrap_or_default();
    for (i, path) in paths.iter().enumerate() {
        paths::check(options, at, Path::new(path), &format!("module_path[{i}]"), Want::Folder);
    }
    paths.into_iter().map(PathBuf::from).collect()
}

fn facter(options: &mut Options<'_>) -> Vec<(String, String)> {
    let at = options.place("facter");
    let mut facts = options.pairs("facter").unwrap_or_default();
    for (name, _) in &facts {
        if !kiste_comm::quote::is_variable(name) {
            options.problem(at, format!("`{name}` cannot be the name of a fact"));
        }
    }
    facts.sort();
    facts
}
