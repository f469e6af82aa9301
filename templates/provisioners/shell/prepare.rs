//! Reads and checks the options of `shell`.

use std::path::PathBuf;
use std::time::Duration;

use super::{Shell, Source};
use crate::options::Options;
use crate::provisioner::Provisioner;

/// The provisioner, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn Provisioner>> {
    let sources = sources(options);
    let environment = environment(options);
    let use_env_var_file = options.boolean("use_env_var_file").unwrap_or(false);
    let format = options.text("env_var_format");
    let default =
        if use_env_var_file { "chmod +x {{.Path}}; . {{.EnvVarFile}} && {{.Path}}" } else { "chmod +x {{.Path}}; {{.Vars}} {{.Path}}" };
    let remote_folder = options.text("remote_folder").unwrap_or_else(|| "/tmp".to_owned());
    let remote_file = options.text("remote_file");
    let remote_path = options.text("remote_path").or_else(|| remote_file.map(|f| format!("{remote_folder}/{f}")));
    let shell = Shell {
        sources,
        environment,
        env_var_format: format.unwrap_or_else(|| if use_env_var_file { "export %s='%s'\n" } else { "%s='%s' " }.to_owned()),
        use_env_var_file,
        execute_command: options.later("execute_command").unwrap_or_else(|| default.to_owned()),
        remote_folder,
        remote_path: remote_path.unwrap_or_default(),
        binary: options.boolean("binary").unwrap_or(false),
        start_retry_timeout: options.duration("start_retry_timeout").unwrap_or(Duration::from_secs(300)),
        skip_clean: options.boolean("skip_clean").unwrap_or(false),
        expect_disconnect: options.boolean("expect_disconnect").unwrap_or(false),
        valid_exit_codes: options.codes("valid_exit_codes").filter(|c| !c.is_empty()).unwrap_or_else(|| vec![0]),
        pause_after: options.duration("pause_after").unwrap_or(Duration::ZERO),
    };
    Some(Box::new(shell))
}

fn sources(options: &mut Options<'_>) -> Vec<Source> {
    let at = ["inline", "script", "scripts"].map(|key| options.place(key));
    let shebang = options.text("inline_shebang").unwrap_or_else(|| "/bin/sh -e".to_owned());
    let inline = options.lines("inline").filter(|l| !l.is_empty());
    let script = options.text("script");
    let scripts = options.list("scripts").filter(|l| !l.is_empty());
    let given = [inline.is_some(), script.is_some(), scripts.is_some()].into_iter().filter(|g| *g).count();
    if given != 1 {
        let message = if given == 0 {
            "Either a script file or inline script must be specified."
        } else {
            "Only one of `inline`, `script` and `scripts` can be specified."
        };
        options.problem(at.into_iter().flatten().next(), message);
    }
    if let Some(lines) = inline {
        return vec![Source::Inline { shebang, lines }];
    }
    let files: Vec<PathBuf> = script.into_iter().chain(scripts.into_iter().flatten()).map(PathBuf::from).collect();
    let at = at[1].or(at[2]);
    for file in &files {
        match std::fs::metadata(file) {
            Ok(found) if found.is_file() => {}
            Ok(_) => options.problem(at, format!("Bad script '{}': not a file", file.display())),
            Err(error) => options.problem(at, format!("Bad script '{}': {error}", file.display())),
        }
    }
    files.into_iter().map(Source::File).collect()
}

fn environment(options: &mut Options<'_>) -> Vec<(String, String)> {
    let at = options.place("environment_vars");
    let mut pairs = Vec::new();
    for entry in options.lines("environment_vars").unwrap_or_default() {
        match entry.split_once('=') {
            Some((name, value)) if kiste_comm::quote::is_variable(name) => pairs.push((name.to_owned(), value.to_owned())),
            _ => options.problem(at, format!("Environment variable not in format 'key=value': {entry}")),
        }
    }
    pairs
}
