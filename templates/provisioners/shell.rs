//! `shell`: scripts in a guest, the way templates run them (which is not the way machines do: the command line that runs
//! a script is the template's own, variables stand before it, the exit code is judged against a list).

mod prepare;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use kiste_comm::{GuestCommand, quote};

use crate::error::Error;
use crate::interpolate::{Scope, render};
use crate::lines::Lines;
use crate::provisioner::{Provisioner, ProvisionerRun};

pub use prepare::prepare;

/// What a lost connection counts as in `valid_exit_codes`.
const DISCONNECTED: i32 = 2_300_218;
/// Pause between two tries to reach a guest that restarts.
const RETRY: Duration = Duration::from_secs(2);

/// Its options, checked.
struct Shell {
    sources: Vec<Source>,
    /// Name and value, sorted by name.
    environment: Vec<(String, String)>,
    env_var_format: String,
    use_env_var_file: bool,
    execute_command: String,
    remote_folder: String,
    remote_path: String,
    binary: bool,
    start_retry_timeout: Duration,
    skip_clean: bool,
    expect_disconnect: bool,
    valid_exit_codes: Vec<i32>,
    pause_after: Duration,
}

/// A script.
enum Source {
    /// A file of the host.
    File(PathBuf),
    /// Lines of the template, rendered again when they run.
    Inline { shebang: String, lines: Vec<String> },
}

impl Provisioner for Shell {
    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        for source in &self.sources {
            self.script(source, run)?;
        }
        if !self.pause_after.is_zero() {
            run.reporter.say(format!("Pausing {} after this provisioner...", kiste_core::Span(self.pause_after)));
            run.cancel.sleep(self.pause_after)?;
        }
        Ok(())
    }
}

impl Shell {
    fn script(&self, source: &Source, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        let (shown, bytes) = self.read(source, run)?;
        run.reporter.say(format!("Provisioning with shell script: {shown}"));
        let variables = self.variables(run);
        let env_file = self.use_env_var_file.then(|| format!("{}/varfile_{}.sh", self.remote_folder, short_id()));
        let path =
            if self.remote_path.is_empty() { format!("{}/script_{}.sh", self.remote_folder, short_id()) } else { self.remote_path.clone() };
        let mut fields = run.fields.clone();
        fields.extend([
            ("Path".to_owned(), path.clone()),
            ("Vars".to_owned(), if env_file.is_some() { String::new() } else { variables.clone() }),
            ("EnvVarFile".to_owned(), env_file.clone().unwrap_or_default()),
        ]);
        let command = at_run(run, "execute_command", &self.execute_command, &fields)?;
        self.patiently(run, || {
            if let Some(file) = &env_file {
                run.comm.upload_bytes(variables.as_bytes(), file, 0o600, run.cancel)?;
            }
            Ok(run.comm.upload_bytes(&bytes, &path, 0o755, run.cancel)?)
        })?;
        self.execute(&command, run)?;
        if self.skip_clean {
            return Ok(());
        }
        let files: Vec<&str> = std::iter::once(path.as_str()).chain(env_file.as_deref()).collect();
        let remove = GuestCommand::script(format!("rm -f {}", quote::words(files)));
        self.patiently(run, || {
            kiste_comm::communicator::capture(run.comm, &remove, run.cancel)?;
            Ok(())
        })
    }

    fn read(&self, source: &Source, run: &ProvisionerRun<'_>) -> Result<(String, Vec<u8>), Error> {
        let (shown, bytes) = match source {
            Source::File(path) => (path.display().to_string(), std::fs::read(path).map_err(Error::file(path))?),
            Source::Inline { shebang, lines } => {
                let mut text = format!("#!{shebang}\n");
                for line in lines {
                    text.push_str(&at_run(run, "inline", line, run.fields)?);
                    text.push('\n');
                }
                ("(inline)".to_owned(), text.into_bytes())
            }
        };
        Ok((shown, if self.binary { bytes } else { unix_lines(bytes) }))
    }

    /// Every variable in the format the template gave; quotes in values are closed, escaped and opened again.
    fn variables(&self, run: &ProvisionerRun<'_>) -> String {
        let facts = run.facts;
        let mut all = std::collections::BTreeMap::from([
            ("PACKER_BUILD_NAME", facts.build_name.clone().unwrap_or_default()),
            ("PACKER_BUILDER_TYPE", facts.build_type.clone().unwrap_or_default()),
        ]);
        for (name, field) in
            [("PACKER_HTTP_ADDR", "PackerHTTPAddr"), ("PACKER_HTTP_IP", "PackerHTTPIP"), ("PACKER_HTTP_PORT", "PackerHTTPPort")]
        {
            if let Some(value) = run.fields.get(field) {
                all.insert(name, value.clone());
            }
        }
        all.extend(self.environment.iter().map(|(name, value)| (name.as_str(), value.clone())));
        let one = |(name, value): (&str, String)| {
            let value = value.replace('\'', r#"'"'"'"#);
            self.env_var_format.replacen("%s", name, 1).replacen("%s", &value, 1)
        };
        all.into_iter().map(one).collect()
    }

    fn execute(&self, command: &str, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        let mut lines = Lines::new(run.reporter);
        let ended = run.comm.run(&GuestCommand::script(command), run.cancel, &mut |stream, bytes| lines.take(stream, bytes));
        lines.finish();
        match ended {
            Ok(exit) if self.valid_exit_codes.contains(&exit.code) => Ok(()),
            Ok(exit) => Err(Error::Script { code: exit.code, allowed: self.valid_exit_codes.clone() }),
            Err(kiste_comm::Error::Disconnected { .. }) if self.expect_disconnect || self.valid_exit_codes.contains(&DISCONNECTED) => {
                run.reporter.detail("The guest disconnected, as expected.");
                run.comm.reset();
                Ok(())
            }
            Err(kiste_comm::Error::Disconnected { reason }) => Err(Error::ScriptDisconnected { reason }),
            Err(error) => Err(error.into()),
        }
    }

    /// Tries again while the guest can't be reached (it may be restarting), up to `start_retry_timeout`.
    fn patiently(&self, run: &ProvisionerRun<'_>, attempt: impl Fn() -> Result<(), Error>) -> Result<(), Error> {
        let end = Instant::now() + self.start_retry_timeout;
        let mut told = false;
        loop {
            let error = match attempt() {
                Err(Error::Guest(error)) if is_passing(&error, run) && Instant::now() < end => error,
                other => return other,
            };
            if !told {
                let limit = kiste_core::Span(self.start_retry_timeout);
                run.reporter.detail(format!("The guest cannot be reached ({error}); trying again for up to {limit}"));
                told = true;
            }
            run.cancel.sleep(RETRY)?;
        }
    }
}

/// Whether waiting may help. A transfer that fails though the guest answers fails for a reason of its own.
fn is_passing(error: &kiste_comm::Error, run: &ProvisionerRun<'_>) -> bool {
    use kiste_comm::Error as E;
    match error {
        E::Connect { .. } | E::Handshake { .. } | E::Disconnected { .. } | E::Refused { .. } => true,
        E::Transfer { .. } => run.comm.ready(run.cancel).is_err(),
        _ => false,
    }
}

fn at_run(run: &ProvisionerRun<'_>, option: &str, text: &str, fields: &crate::builder::Fields) -> Result<String, Error> {
    let scope = Scope { variables: run.variables, facts: run.facts, fields: Some(fields), in_variables: false };
    render(text, &scope).map_err(|reason| Error::Render { option: option.to_owned(), reason })
}

fn short_id() -> String {
    uuid::Uuid::new_v4().simple().to_string().chars().take(12).collect()
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
