//! `windows-shell`: batch files in a Windows guest.

use std::time::Duration;

use super::remote::Remote;
use crate::error::Error;
use crate::options::Options;
use crate::provisioner::{Provisioner, ProvisionerRun};
use crate::script::{self, GUEST_RULES, START_RETRY, Script, ValidCodes, Variables};

/// Its options, checked.
struct WindowsShell {
    scripts: Vec<Script>,
    variables: Variables,
    execute_command: String,
    remote_path: String,
    start_retry_timeout: Duration,
    valid_exit_codes: ValidCodes,
}

/// The provisioner.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn Provisioner>> {
    // What is uploaded goes as it is, always.
    options.boolean("binary");
    Some(Box::new(WindowsShell {
        scripts: script::scripts(options, &GUEST_RULES),
        variables: Variables::of(options, r#"set "%s=%s" && "#),
        execute_command: options.later("execute_command").unwrap_or_else(|| r#"{{.Vars}}"{{.Path}}""#.to_owned()),
        remote_path: options.text("remote_path").unwrap_or_else(|| "c:/Windows/Temp/script.bat".to_owned()),
        start_retry_timeout: options.duration("start_retry_timeout").filter(|d| !d.is_zero()).unwrap_or(START_RETRY),
        valid_exit_codes: ValidCodes::of(options),
    }))
}

impl Provisioner for WindowsShell {
    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        run.reporter.say("Provisioning with windows-shell...");
        let (remote, live) = (Remote::of(run, true), run.live());
        for script in &self.scripts {
            let bytes = script.bytes(None, &live)?;
            run.reporter.say(format!("Provisioning with shell script: {}", script.shown()));
            let fields = [("Vars", self.variables.text(&live, str::to_owned)?), ("Path", self.remote_path.clone())];
            let command = live.render_with("execute_command", &self.execute_command, fields)?;
            let ended = remote.patiently(self.start_retry_timeout, || {
                run.comm.upload_bytes(&bytes, &self.remote_path, 0o644, run.cancel)?;
                remote.show(&command)
            })?;
            self.valid_exit_codes.check(ended.code)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use kiste_comm::fake::{Answer, FakeGuest};

    use crate::trial::Trial;

    #[test]
    fn variables_stand_before_the_batch_file() {
        let guest = FakeGuest::default();
        Trial::of("windows-shell").run(r#"{"inline": ["dir", "echo 1"], "environment_vars": ["A=it's", "B=2"]}"#, &guest).unwrap();
        assert_eq!(guest.files()["c:/Windows/Temp/script.bat"], b"dir\necho 1\n");
        let command = &guest.commands()[0];
        assert!(command.bare);
        assert_eq!(
            command.text,
            r#"set "A=it's" && set "B=2" && set "PACKER_BUILDER_TYPE=qemu" && set "PACKER_BUILD_NAME=deb" && "c:/Windows/Temp/script.bat""#
        );
    }

    #[test]
    fn the_exit_code_is_judged() {
        let guest = FakeGuest::answering(vec![Answer { when: "script.bat".into(), code: 2, ..Answer::default() }]);
        assert!(Trial::of("windows-shell").run(r#"{"inline": "x"}"#, &guest).is_err());
        Trial::of("windows-shell").run(r#"{"inline": "x", "valid_exit_codes": [2]}"#, &guest).unwrap();
    }
}
