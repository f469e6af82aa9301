//! `shell`: scripts in a guest, the way templates run them (which is not the way machines do: the command line that runs
//! a script is the template's own, variables stand before it, the exit code is judged against a list).

mod prepare;

use std::time::Duration;

use kiste_comm::{GuestCommand, quote};

use super::remote::{DISCONNECTED, Ended, Remote, digits};
use crate::error::Error;
use crate::provisioner::{Provisioner, ProvisionerRun};
use crate::script::{self, Script, ValidCodes, Variables};

pub use prepare::prepare;

/// Its options, checked.
struct Shell {
    scripts: Vec<Script>,
    inline_shebang: String,
    variables: Variables,
    use_env_var_file: bool,
    execute_command: String,
    remote_folder: String,
    /// Empty: a new name for each script.
    remote_path: String,
    binary: bool,
    start_retry_timeout: Duration,
    skip_clean: bool,
    expect_disconnect: bool,
    valid_exit_codes: ValidCodes,
    pause_after: Duration,
}

impl Provisioner for Shell {
    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        for script in &self.scripts {
            self.script(script, run)?;
        }
        script::pause(self.pause_after, run)
    }
}

impl Shell {
    fn script(&self, script: &Script, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        let (remote, live) = (Remote::new(run), run.live());
        let bytes = script.bytes(Some(&self.inline_shebang), &live)?;
        let bytes = if self.binary { bytes } else { unix_lines(bytes) };
        run.reporter.say(format!("Provisioning with shell script: {}", script.shown()));
        let variables = self.variables.text(&live, script::escape_single)?;
        let env_file = self.use_env_var_file.then(|| format!("{}/varfile_{}.sh", self.remote_folder, digits()));
        let path = match self.remote_path.as_str() {
            "" => format!("{}/script_{}.sh", self.remote_folder, digits()),
            path => live.render("remote_path", path)?,
        };
        let fields = [("Path", path.clone()), ("Vars", variables.clone()), ("EnvVarFile", env_file.clone().unwrap_or_default())];
        let command = live.render_with("execute_command", &self.execute_command, fields)?;
        // What was uploaded before a restart may be gone after it: the whole is tried again.
        let ended = remote.patiently(self.start_retry_timeout, || {
            if let Some(file) = &env_file {
                run.comm.upload_bytes(variables.as_bytes(), file, 0o600, run.cancel)?;
            }
            run.comm.upload_bytes(&bytes, &path, 0o755, run.cancel)?;
            remote.show(&command)
        })?;
        self.judge(ended)?;
        if self.skip_clean {
            return Ok(());
        }
        let files: Vec<&str> = std::iter::once(path.as_str()).chain(env_file.as_deref()).collect();
        let remove = GuestCommand::script(format!("rm -f -- {}", files.into_iter().map(quote::guest_path).collect::<Vec<_>>().join(" ")));
        remote.patiently(self.start_retry_timeout, || {
            kiste_comm::communicator::capture(run.comm, &remove, run.cancel)?;
            Ok(())
        })
    }

    fn judge(&self, ended: Ended) -> Result<(), Error> {
        match ended.reason {
            Some(_) if self.expect_disconnect || self.valid_exit_codes.allow(DISCONNECTED) => {
                tracing::info!("the guest disconnected, as expected");
                Ok(())
            }
            Some(reason) => Err(Error::ScriptDisconnected { reason }),
            None => self.valid_exit_codes.check(ended.code),
        }
    }
}

fn unix_lines(bytes: Vec<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.as_slice();
    while let Some((first, tail)) = rest.split_first() {
        if *first != b'\r' || tail.first() != Some(&b'\n') {
            out.push(*first);
        }
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests;
