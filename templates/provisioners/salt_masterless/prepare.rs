//! Reads and checks the options of `salt-masterless`.

use super::Salt;
use super::formulas::Formula;
use crate::options::Options;
use crate::provisioner::Provisioner;
use crate::provisioners::guest_os::GuestOs;
use crate::provisioners::paths::{self, Want};

/// The provisioner, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn Provisioner>> {
    let label = |key: &str, path: &str| format!("{key}: path '{path}'");
    let disable_sudo = options.boolean("disable_sudo").unwrap_or(false);
    let os = GuestOs::of(options, !disable_sudo);
    let (temporary, states, pillar) =
        if os.windows { ("C:/Windows/Temp/salt", "C:/salt/state", "C:/salt/pillar") } else { ("/tmp/salt", "/srv/salt", "/srv/pillar") };
    let local_state_tree = paths::one(options, "local_state_tree", Want::Folder, label);
    if local_state_tree.is_none() {
        options.problem(None, "local_state_tree cannot be empty");
    }
    let formulas = formulas(options);
    let local_pillar_roots = paths::one(options, "local_pillar_roots", Want::Folder, label);
    let minion_config = paths::one(options, "minion_config", Want::File, label);
    let grains_file = paths::one(options, "grains_file", Want::File, label);
    let at = options.place("remote_state_tree").or(options.place("remote_pillar_roots"));
    let (remote_state_tree, remote_pillar_roots) = (options.text("remote_state_tree"), options.text("remote_pillar_roots"));
    if minion_config.is_some() && (remote_state_tree.is_some() || remote_pillar_roots.is_some()) {
        options.problem(at, "remote_state_tree and remote_pillar_roots only apply when minion_config is not used");
    }
    let no_exit_on_failure = options.boolean("no_exit_on_failure").unwrap_or(false);
    let remote_state_tree = remote_state_tree.unwrap_or_else(|| states.to_owned());
    let remote_pillar_roots = remote_pillar_roots.unwrap_or_else(|| pillar.to_owned());
    let roots = minion_config.is_none().then(|| format!(" --file-root={remote_state_tree} --pillar-root={remote_pillar_roots}"));
    let arguments = [
        options.text("custom_state").map_or_else(|| " state.highstate".to_owned(), |state| format!(" state.sls {state}")),
        roots.unwrap_or_default(),
        if no_exit_on_failure { String::new() } else { " --retcode-passthrough".to_owned() },
        format!(" -l {}", options.text("log_level").unwrap_or_else(|| "info".to_owned())),
        options.text("salt_call_args").map(|more| format!(" {more}")).unwrap_or_default(),
    ];
    let bin = options.text("salt_bin_dir").map(|dir| format!("{}/", dir.trim_end_matches('/'))).unwrap_or_default();
    Some(Box::new(Salt {
        os,
        skip_bootstrap: options.boolean("skip_bootstrap").unwrap_or(false),
        bootstrap_args: options.text("bootstrap_args").unwrap_or_default(),
        minion_config,
        grains_file,
        local_state_tree: local_state_tree.unwrap_or_default(),
        local_pillar_roots,
        remote_state_tree,
        remote_pillar_roots,
        temp_config_dir: options.text("temp_config_dir").unwrap_or_else(|| temporary.to_owned()),
        no_exit_on_failure,
        salt_call: format!("{bin}salt-call"),
        arguments: arguments.concat(),
        formulas,
    }))
}

fn formulas(options: &mut Options<'_>) -> Vec<Formula> {
    let at = options.place("formulas");
    let mut formulas = Vec::new();
    for address in options.list("formulas").unwrap_or_default() {
        match Formula::parse(&address) {
            Some(formula) => formulas.push(formula),
            None => options.problem(at, "Invalid formula URL. Please verify the git URLs also contain a '//' subdir"),
        }
    }
    formulas
}
