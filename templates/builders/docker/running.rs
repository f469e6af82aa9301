//! The container: run, connected to, and removed in the end, whatever happens.

use std::sync::Arc;

use kiste_comm::Communicator;
use kiste_comm::wait::Sight;
use kiste_core::Cancel;
use kiste_core::step::Step;

use super::{Context, temp_dir};
use crate::communicator::Communication;
use crate::docker::{self, Engine, Guest};
use crate::error::Error;

/// Runs the container.
pub struct Run;

impl<'a> Step<Context<'a>> for Run {
    type Error = Error;

    fn name(&self) -> &'static str {
        "run"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        context.run.reporter.say("Starting docker container...");
        let id = start(context).map_err(|e| context.tell(e))?;
        context.run.reporter.detail(format!("Container ID: {id}"));
        context.fields.insert("ID".to_owned(), id.clone());
        context.container = Some(id);
        Ok(())
    }

    fn undo(&mut self, context: &mut Context<'a>) {
        remove(context);
    }

    fn release(&mut self, context: &mut Context<'a>) {
        if context.artifact.is_some() {
            remove(context);
        }
    }
}

fn start(context: &Context<'_>) -> Result<String, Error> {
    let engine = &context.docker.engine;
    let shown = arguments(context)?;
    context.run.reporter.detail(format!("Run command: {} run {}", engine.client(), shown.join(" ")));
    // How to find it when this process is killed.
    let id_file = context.dir.container().display().to_string();
    if context.dir.container().exists() {
        // The step is tried again.
        temp_dir::remove_container(engine, &context.dir, &context.never)?;
        std::fs::remove_file(&id_file).map_err(Error::file(&id_file))?;
    }
    let mut words = vec!["run".to_owned()];
    let has = |flag: &str| shown.iter().any(|w| w == flag || w.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=')));
    if !has("--cidfile") {
        words.extend(["--cidfile".to_owned(), id_file.clone()]);
    }
    if !has("--name") {
        words.extend(["--name".to_owned(), temp_dir::container_name(&context.dir)]);
    }
    words.extend(shown);
    let done = engine.program(&words).capture(context.run.cancel)?;
    if !done.status.success() {
        return Err(docker::failed("Error running container: Docker exited with a non-zero exit status.\nStderr", &done.stderr));
    }
    let said = String::from_utf8_lossy(&done.stdout);
    let id = std::fs::read_to_string(&id_file).unwrap_or_else(|_| said.trim().lines().last().unwrap_or_default().to_owned());
    std::fs::write(&id_file, &id).map_err(Error::file(&id_file))?;
    Ok(id)
}

/// The command line as the template has it.
fn arguments(context: &Context<'_>) -> Result<Vec<String>, Error> {
    let options = &context.docker.container;
    let mut words = options.flags.clone();
    for (host, inside) in &options.volumes {
        words.extend(["-v".to_owned(), format!("{host}:{inside}")]);
    }
    words.extend(["-v".to_owned(), format!("{}:{}", context.dir.shared().display(), options.folder)]);
    words.extend(context.run_command()?);
    Ok(words)
}

fn remove(context: &mut Context<'_>) {
    let Some(id) = context.container.take().or_else(|| std::fs::read_to_string(context.dir.container()).ok()) else {
        // It may have come into being though its id was never seen.
        let _ = temp_dir::remove_container(&context.docker.engine, &context.dir, &context.never);
        return;
    };
    context.run.reporter.say(format!("Killing the container: {id}"));
    if let Err(error) = temp_dir::remove_container(&context.docker.engine, &context.dir, &context.never) {
        context.run.reporter.warn(format!("the container could not be removed: {error}"));
    }
}

/// Sees that the container can be talked to.
pub struct Connect;

impl<'a> Step<Context<'a>> for Connect {
    type Error = Error;

    fn name(&self) -> &'static str {
        "connect"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let id = context.container.clone().ok_or(Error::GuestEnded { during: "it started" })?;
        let state = state(context, &id).map_err(|e| context.tell(e))?;
        let (running, address) = state.split_once(' ').unwrap_or((&state, ""));
        if running != "true" {
            return Err(context.tell(ended(context, &id)));
        }
        context.comm = Some(comm(context, id, address.trim())?);
        Ok(())
    }
}

/// Who talks to the container; what `{{build}}` knows of it is noted.
fn comm(context: &mut Context<'_>, id: String, address: &str) -> Result<Arc<dyn Communicator>, Error> {
    let docker = context.docker;
    if let Communication::Ssh(login) = &docker.communication {
        let key = login.key(context.dir.root(), context.run)?;
        let engine = &docker.engine;
        let mut alive = || if is_running(engine, &id) { Ok(Sight::default()) } else { Err("the container ended".to_owned()) };
        let comm = login.connect(address, login.port, key.file.as_slice(), context.run, &mut alive)?;
        context.fields.extend(login.fields(address, login.port, &key));
        return Ok(comm);
    }
    let kind = if docker.communication.has_guest() { "docker" } else { "none" };
    for (name, value) in [("Host", address), ("Port", "0"), ("User", ""), ("Password", ""), ("ConnType", kind)] {
        context.fields.insert(name.to_owned(), value.to_owned());
    }
    if docker.communication.has_guest() {
        context.run.reporter.say(format!("Using docker communicator to connect: {address}"));
    }
    let options = &docker.container;
    Ok(Arc::new(Guest::new(docker.engine.clone(), id, options.user.clone(), options.pty, options.own_uploads)))
}

fn is_running(engine: &Engine, id: &str) -> bool {
    engine.output("", ["inspect", "--format", "{{.State.Running}}", id], &Cancel::new()).is_ok_and(|said| said == "true")
}

/// Whether it runs, and its address.
fn state(context: &Context<'_>, id: &str) -> Result<String, Error> {
    let format = "{{.State.Running}} {{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
    context.docker.engine.output("Error inspecting container", ["inspect", "--format", format, id], context.run.cancel)
}

/// Why a container does not run though it was started: its own last words.
fn ended(context: &Context<'_>, id: &str) -> Error {
    let done = context.docker.engine.program(["logs", "--tail", "5", id]).capture(&context.never);
    let said = done.map(|d| format!("{}{}", String::from_utf8_lossy(&d.stdout), d.stderr)).unwrap_or_default();
    docker::failed("the container ended as soon as it was started (does `run_command` start something that stays?)", &said)
}
