//! Logs in to a registry for as long as something is pulled or pushed. The user's own logins are neither changed nor forgotten: the
//! client works with a private copy of its settings meanwhile.

use std::path::{Path, PathBuf};

use kiste_core::{Cancel, Reporter, state_file};
use serde_json::Value;

use super::Engine;
use crate::error::Error;
use crate::options::Options;

/// A registry and who one is there.
#[derive(Clone)]
pub struct Login {
    server: Option<String>,
    user: Option<String>,
    password: Option<String>,
}

impl Login {
    /// The options `login…`; none when nobody is to log in.
    pub fn prepare(options: &mut Options<'_>) -> Option<Self> {
        let ecr_at = options.place("ecr_login");
        let ecr = options.boolean("ecr_login").unwrap_or(false);
        for key in ["aws_access_key", "aws_secret_key", "aws_token", "aws_profile", "aws_force_use_public_ecr"] {
            options.ignore(key);
        }
        let wanted = options.boolean("login").unwrap_or(false);
        let login =
            Self { server: options.text("login_server"), user: options.text("login_username"), password: options.text("login_password") };
        if ecr {
            if login.server.is_none() {
                options.problem(ecr_at, "ECR login requires login server to be provided.");
            }
            let instead = "let `aws ecr get-login-password` give a variable for `login_password`";
            options
                .problem(ecr_at, format!("`ecr_login` is known, but not built in: kiste does not speak to Amazon's services ({instead})"));
        }
        wanted.then_some(login)
    }

    /// Does `work` while logged in.
    pub fn during<T>(
        login: Option<&Self>,
        engine: &Engine,
        reporter: &Reporter,
        cancel: &Cancel,
        work: impl FnOnce(&Engine) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Some(login) = login else { return work(engine) };
        reporter.detail("Logging in...");
        let folder = tempfile::Builder::new().prefix("kiste-docker-").tempdir().map_err(Error::file(std::env::temp_dir()))?;
        copy_settings(folder.path(), login.server.as_deref())?;
        let private = engine.with_settings(folder.path());
        login.enter(&private, reporter, cancel)?;
        let done = work(&private);
        reporter.detail("Logging out...");
        done
    }

    fn enter(&self, engine: &Engine, reporter: &Reporter, cancel: &Cancel) -> Result<(), Error> {
        let mut program = engine.program(["login"]);
        if let Some(user) = &self.user {
            program = program.args(["-u", user]);
        }
        if let Some(password) = &self.password {
            program = program.arg("--password-stdin").input(password.as_bytes());
        }
        if let Some(server) = &self.server {
            program = program.args(["--", server]);
        }
        // Where the password is stored does not matter: that place goes away. Where logging in failed matters, and only that.
        let done = program.capture(cancel)?;
        let said = String::from_utf8_lossy(&done.stdout);
        for line in said.lines().map(str::trim).filter(|l| !l.is_empty()) {
            reporter.detail(line);
        }
        if done.status.success() { Ok(()) } else { Err(super::failed("Error logging in", &done.stderr)) }
    }
}

/// The user's settings in `folder`, all but where passwords are kept: links to the files, a changed copy of the main one.
fn copy_settings(folder: &Path, server: Option<&str>) -> Result<(), Error> {
    let own = settings_folder();
    let mut settings = Value::Object(serde_json::Map::new());
    if let Some(own) = own.as_deref().filter(|f| f.is_dir()) {
        for entry in std::fs::read_dir(own).map_err(Error::file(own))?.flatten() {
            if entry.file_name() == "config.json" {
                // What the client can't read it will ignore by itself.
                let text = std::fs::read(entry.path()).map_err(Error::file(entry.path()))?;
                settings = serde_json::from_slice(&text).unwrap_or(settings);
            } else {
                link(&entry.path(), &folder.join(entry.file_name()))?;
            }
        }
    }
    if let Some(map) = settings.as_object_mut() {
        map.remove("credsStore");
        if let Some(helpers) = map.get_mut("credHelpers").and_then(Value::as_object_mut) {
            helpers.remove(server.unwrap_or_default());
        }
    }
    let path = folder.join("config.json");
    state_file::write(&path, settings.to_string().as_bytes(), 0o600).map_err(Error::file(path))
}

fn settings_folder() -> Option<PathBuf> {
    let set = std::env::var_os("DOCKER_CONFIG").filter(|v| !v.is_empty()).map(PathBuf::from);
    set.or_else(|| std::env::home_dir().map(|h| h.join(".docker"))).and_then(|f| std::path::absolute(f).ok())
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> Result<(), Error> {
    std::os::unix::fs::symlink(from, to).map_err(Error::file(to))
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> Result<(), Error> {
    Ok(())
}
