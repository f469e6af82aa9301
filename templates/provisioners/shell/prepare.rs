//! Reads and checks the options of `shell`.

use super::Shell;
use crate::options::Options;
use crate::provisioner::Provisioner;
use crate::script::{GUEST_RULES, START_RETRY, ValidCodes, Variables, scripts};

/// The provisioner, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn Provisioner>> {
    let use_env_var_file = options.boolean("use_env_var_file").unwrap_or(false);
    let (format, command) = if use_env_var_file {
        ("export %s='%s'\n", "chmod +x {{.Path}}; . {{.EnvVarFile}} && {{.Path}}")
    } else {
        ("%s='%s' ", "chmod +x {{.Path}}; {{.Vars}} {{.Path}}")
    };
    let remote_folder = options.text("remote_folder").unwrap_or_else(|| "/tmp".to_owned());
    let remote_file = options.text("remote_file");
    let remote_path = options.text("remote_path").or_else(|| remote_file.map(|f| format!("{remote_folder}/{f}")));
    Some(Box::new(Shell {
        scripts: scripts(options, &GUEST_RULES),
        inline_shebang: options.text("inline_shebang").unwrap_or_else(|| "/bin/sh -e".to_owned()),
        variables: Variables::of(options, format),
        use_env_var_file,
        execute_command: options.later("execute_command").unwrap_or_else(|| command.to_owned()),
        remote_folder,
        remote_path: remote_path.unwrap_or_default(),
        binary: options.boolean("binary").unwrap_or(false),
        start_retry_timeout: options.duration("start_retry_timeout").filter(|d| !d.is_zero()).unwrap_or(START_RETRY),
        skip_clean: options.boolean("skip_clean").unwrap_or(false),
        expect_disconnect: options.boolean("expect_disconnect").unwrap_or(false),
        valid_exit_codes: ValidCodes::of(options),
        pause_after: options.duration("pause_after").unwrap_or_default(),
    }))
}
