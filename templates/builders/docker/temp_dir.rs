//! The build's scratch folder: what is shared with the container, and which container it is. After a crash the next build removes both.

use kiste_core::dirs::BuildDir;
use kiste_core::state_file;
use kiste_core::step::Step;
use kiste_core::{Cancel, Reporter};
use serde::{Deserialize, Serialize};

use super::Context;
use crate::docker::{self, Engine};
use crate::error::Error;
use crate::steps::scratch;

/// The step.
pub struct TempDir;

/// Where the container is.
#[derive(Serialize, Deserialize)]
struct Where {
    client: String,
    /// `DOCKER_HOST` at that time.
    host: Option<String>,
    /// `DOCKER_CONTEXT` at that time.
    context: Option<String>,
}

impl Where {
    fn now(engine: &Engine) -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        Self { client: engine.client().to_owned(), host: set("DOCKER_HOST"), context: set("DOCKER_CONTEXT") }
    }
}

impl<'a> Step<Context<'a>> for TempDir {
    type Error = Error;

    fn name(&self) -> &'static str {
        "temp dir"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        scratch::sweep(&context.run.home.containers(), context.run.reporter, |dir| end(dir, context.run.reporter, &context.never));
        context.run.reporter.say("Creating a temporary directory for sharing data...");
        context.lock = Some(scratch::lock(&context.dir)?);
        let shared = context.dir.shared();
        std::fs::create_dir_all(&shared).map_err(Error::file(&shared))?;
        private(&shared)?;
        let place = context.dir.engine();
        state_file::write_json(&place, &Where::now(&context.docker.engine)).map_err(Error::file(place))
    }

    fn undo(&mut self, context: &mut Context<'a>) {
        scratch::remove(&context.dir, context.run.reporter);
    }

    fn release(&mut self, context: &mut Context<'a>) {
        let lock = context.lock.take();
        scratch::let_go(&context.dir, lock, context.artifact.is_some(), context.run.reporter, || keep(context));
    }
}

fn keep(context: &Context<'_>) {
    let client = context.docker.engine.client();
    let container = context.container.as_deref().unwrap_or("none was made");
    let folder = context.dir.root().display();
    let text = format!("The container is left as it is ({container}); `{client} rm -f` it and remove `{folder}` when you are done");
    match std::fs::write(context.dir.kept(), "") {
        Ok(()) => context.run.reporter.say(text),
        Err(error) => context.run.reporter.warn(format!("the next build will remove the container: {error}")),
    }
}

/// Removes the container that a killed build ran in; whether it is gone. One of another engine is left to a build that uses that engine.
fn end(dir: &BuildDir, reporter: &Reporter, never: &Cancel) -> bool {
    let Ok(Some(place)) = state_file::read_json::<Where>(&dir.engine()) else { return true };
    let engine = Engine::of(place.client.clone());
    let now = Where::now(&engine);
    if (&now.host, &now.context) != (&place.host, &place.context) {
        return false;
    }
    reporter.detail("Removing the container that an interrupted build left");
    match remove_container(&engine, dir, never) {
        Ok(()) => true,
        Err(error) => {
            reporter.warn(format!("a container that an interrupted build left could not be removed: {error}"));
            false
        }
    }
}

/// The name of the build's container, in case that its id never got known.
pub fn container_name(dir: &BuildDir) -> String {
    let uuid = dir.root().file_name().unwrap_or_default().to_string_lossy().into_owned();
    format!("kiste-{uuid}")
}

/// Kills and removes the build's container. One that is gone already is fine.
pub fn remove_container(engine: &Engine, dir: &BuildDir, never: &Cancel) -> Result<(), Error> {
    let id = std::fs::read_to_string(dir.container()).unwrap_or_default();
    let is_id = id.len() >= 12 && id.chars().all(|c| c.is_ascii_hexdigit());
    let container = if is_id { id } else { container_name(dir) };
    let done = engine.program(["rm", "--force", "--volumes", &container]).capture(never)?;
    if done.status.success() || done.stderr.contains("No such container") {
        return Ok(());
    }
    Err(docker::failed("Error removing container", &done.stderr))
}

/// For the user alone.
fn private(folder: &std::path::Path) -> Result<(), Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(Error::file(folder))?;
    }
    Ok(())
}
