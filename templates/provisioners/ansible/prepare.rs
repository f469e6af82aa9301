//! Reads and checks the options of `ansible`.

use std::path::PathBuf;

use super::{Ansible, Galaxy};
use crate::options::Options;
use crate::provisioner::Provisioner;
use crate::provisioners::paths::{self, Want, with_path};

/// The provisioner, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn Provisioner>> {
    let command = command(options);
    let playbook_file = paths::one(options, "playbook_file", Want::File, with_path);
    if playbook_file.is_none() {
        options.problem(None, "playbook_file must be specified.");
    }
    let proxied = proxy(options);
    let galaxy = galaxy(options);
    Some(Box::new(Ansible {
        command,
        extra_arguments: options.list("extra_arguments").unwrap_or_default(),
        environment: environment(options),
        playbook_file: playbook_file.unwrap_or_default(),
        ssh_extra_args: options.list("ansible_ssh_extra_args").unwrap_or_default(),
        groups: options.list("groups").unwrap_or_default(),
        empty_groups: options.list("empty_groups").unwrap_or_default(),
        host_alias: options.text("host_alias").unwrap_or_else(|| "default".to_owned()),
        user: options.text("user"),
        proxied,
        use_sftp: options.boolean("use_sftp").unwrap_or(false),
        inventory_directory: paths::one(options, "inventory_directory", Want::Folder, with_path),
        inventory_file: options.text("inventory_file").map(PathBuf::from),
        inventory_file_template: options.later("inventory_file_template"),
        keep_inventory_file: options.boolean("keep_inventory_file").unwrap_or(false),
        galaxy,
    }))
}

fn command(options: &mut Options<'_>) -> String {
    let at = options.place("command");
    let command = options.text("command").unwrap_or_else(|| "ansible-playbook".to_owned());
    let skip = options.boolean("skip_version_check").unwrap_or(false);
    if !skip && !command.contains("{{") && kiste_core::host::find(&command).is_none() {
        options.problem(at, format!("Error running \"{command} --version\": exec: \"{command}\": executable file not found in $PATH"));
    }
    command
}

/// What tunes the peer's ssh server: checked, and said to be of no use here. Whether the template has it (the default).
fn proxy(options: &mut Options<'_>) -> bool {
    let useless = "has no effect: Ansible goes straight to the guest, there is no ssh proxy";
    for key in ["ssh_authorized_key_file", "ssh_host_key_file"] {
        let at = options.place(key);
        if paths::one(options, key, Want::File, with_path).is_some() {
            options.warn(at, format!("`{key}` {useless}"));
        }
    }
    let at = ["local_port", "sftp_command", "use_proxy"].map(|key| options.place(key));
    match options.parsed::<u64>("local_port", "a number") {
        Some(port) if port > 65535 => options.problem(at[0], format!("local_port: {port} must be a valid port")),
        Some(_) => options.warn(at[0], format!("`local_port` {useless}")),
        None => {}
    }
    if options.text("sftp_command").is_some() {
        options.warn(at[1], format!("`sftp_command` {useless}"));
    }
    let wanted = options.boolean("use_proxy");
    if wanted == Some(true) {
        options.warn(at[2], format!("`use_proxy` {useless}"));
    }
    wanted != Some(false)
}

fn environment(options: &mut Options<'_>) -> Vec<(String, String)> {
    let at = options.place("ansible_env_vars");
    let mut pairs = Vec::new();
    for entry in options.list("ansible_env_vars").unwrap_or_default() {
        match entry.split_once('=') {
            Some((name, value)) if !name.is_empty() => pairs.push((name.to_owned(), value.to_owned())),
            _ => options.problem(at, format!("Environment variable not in format 'key=value': {entry}")),
        }
    }
    pairs
}

fn galaxy(options: &mut Options<'_>) -> Option<Galaxy> {
    options.outdated("galaxycommand");
    let command = options.text("galaxy_command").unwrap_or_else(|| "ansible-galaxy".to_owned());
    let force = options.boolean("galaxy_force_install").unwrap_or(false);
    let (roles_path, collections_path) = (options.text("roles_path"), options.text("collections_path"));
    let file = paths::one(options, "galaxy_file", Want::File, with_path)?;
    Some(Galaxy { command, file, force, roles_path, collections_path })
}
