//! A container engine, asked through its client program (`docker`, or what speaks like it): one argument vector per request, passwords
//! only ever on its standard input.

mod archive;
#[cfg(test)]
pub mod client_trial;
mod fetch;
pub mod guest;
pub mod login;
mod marks;

use std::path::{Path, PathBuf};

use kiste_core::host::{self, Program};
use kiste_core::{Cancel, Reporter};

use crate::error::Error;
use crate::options::Options;

pub use guest::Guest;
pub use login::Login;

/// The client when the template names none.
const CLIENT: &str = "docker";
/// Builder id of an exported container.
pub const EXPORTED: &str = "packer.docker";
/// … of an image that was committed or imported.
pub const IMPORTED: &str = "packer.post-processor.docker-import";
/// … of an image with a name.
pub const TAGGED: &str = "packer.post-processor.docker-tag";

/// The engine.
#[derive(Clone, Debug)]
pub struct Engine {
    program: String,
    /// The client's folder of settings, when it is not the user's.
    settings: Option<PathBuf>,
}

impl Engine {
    /// As the options say (`docker_path`).
    pub fn prepare(options: &mut Options<'_>) -> Self {
        Self::of(options.text("docker_path").unwrap_or_else(|| CLIENT.to_owned()))
    }

    /// By its client.
    pub fn of(program: impl Into<String>) -> Self {
        Self { program: program.into(), settings: None }
    }

    /// The client's name or path.
    pub fn client(&self) -> &str {
        &self.program
    }

    fn with_settings(&self, settings: &Path) -> Self {
        Self { settings: Some(settings.to_owned()), ..self.clone() }
    }

    /// Whether its client is there at all.
    pub fn check(&self) -> Result<(), Error> {
        if host::find(&self.program).is_some() {
            return Ok(());
        }
        Err(Error::HostLacks {
            what: format!("`{}` is not installed (not found on PATH)", self.program),
            hint: "Install a container engine (Debian: `docker.io`), or name its client with `docker_path`.".to_owned(),
        })
    }

    /// The client with arguments.
    pub fn program<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Program {
        let program = Program::new(&self.program).args(arguments);
        match &self.settings {
            Some(folder) => program.env("DOCKER_CONFIG", folder),
            None => program,
        }
    }

    /// What the client says on standard output, trimmed. `what` begins the error: `Error committing container`.
    pub fn output<S: AsRef<std::ffi::OsStr>>(
        &self,
        what: &str,
        arguments: impl IntoIterator<Item = S>,
        cancel: &Cancel,
    ) -> Result<String, Error> {
        let done = self.program(arguments).capture(cancel)?;
        if done.status.success() {
            return Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned());
        }
        Err(failed(what, &done.stderr))
    }

    /// Runs the client and tells all that it says, as details.
    pub fn told(&self, what: &str, program: &Program, reporter: &Reporter, cancel: &Cancel) -> Result<(), Error> {
        let mut last = String::new();
        let status = program.stream(cancel, |_, line| {
            if !line.trim().is_empty() {
                line.trim_end().clone_into(&mut last);
                reporter.detail(line.trim_end());
            }
        })?;
        if status.success() { Ok(()) } else { Err(failed(what, &last)) }
    }
}

/// Writes what a client gives to a file, whole or not at all.
pub fn save_to(program: &Program, what: &str, path: &Path, cancel: &Cancel) -> Result<(), Error> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
    let mut file = tempfile::Builder::new().prefix(".kiste-").tempfile_in(folder).map_err(Error::file(folder))?;
    let done = program.piped(cancel, |_| Ok(()), |pipe| std::io::copy(pipe, file.as_file_mut()))?;
    if !done.status.success() {
        return Err(failed(what, &done.stderr));
    }
    done.read.and_then(|_| open_to_all(file.as_file())).and_then(|()| file.as_file().sync_all()).map_err(Error::file(path))?;
    file.persist(path).map(drop).map_err(|e| Error::file(path)(e.error))
}

/// Temporary files are private; an artifact is an ordinary file.
fn open_to_all(file: &std::fs::File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}

/// An error in the engine's own words.
pub fn failed(what: &str, said: &str) -> Error {
    let lines: Vec<&str> = said.lines().map(str::trim_end).filter(|l| !l.is_empty() && !l.starts_with("See 'docker")).collect();
    let said = if lines.is_empty() { "the engine's client ended without a word".to_owned() } else { lines.join("\n") };
    Error::Engine { what: what.to_owned(), said }
}

/// What to do about something the engine said.
pub fn hint(said: &str) -> Option<&'static str> {
    let has = |part: &str| said.contains(part);
    if has("Cannot connect to the Docker daemon") || has("failed to connect to the docker API") || has("the docker daemon running") {
        return Some("Start the engine (`sudo systemctl start docker`), or say where it is with `DOCKER_HOST` or `docker context use`.");
    }
    if has("permission denied") && (has("docker.sock") || has("Docker daemon socket") || has("docker API")) {
        return Some("Only root and the group `docker` may use the engine: `sudo usermod -aG docker $USER`, then log in again.");
    }
    if has("unauthorized") || has("Unauthorized") || has("no basic auth credentials") || has("access denied") || has("is denied") {
        return Some("Log in with `login`, `login_server`, `login_username` and `login_password`, or check the image's name.");
    }
    if has("Unable to find image") || has("No such image") || has("manifest unknown") || has("manifest for") {
        return Some("Check the image's name and tag; with `\"pull\": false` it must be there already (`docker images`).");
    }
    None
}

/// Whether the engine cannot be reached at all.
pub fn is_away(said: &str) -> bool {
    hint(said).is_some_and(|h| h.starts_with("Start") || h.starts_with("Only root"))
}
