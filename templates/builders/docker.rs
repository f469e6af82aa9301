//! `docker`: an image (or the plain files) of a container that provisioners have changed.

mod base;
mod finish;
mod prepare;
mod running;
mod temp_dir;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use kiste_comm::Communicator;
use kiste_core::dirs::BuildDir;
use kiste_core::state_file::Lock;
use kiste_core::step::{self, BoxedStep};
use kiste_core::{Cancel, Kind};

use crate::artifact::Artifact;
use crate::builder::{Builder, BuilderRun, Fields};
use crate::communicator::Communication;
use crate::docker::{Engine, Login};
use crate::error::Error;
use crate::interpolate::{Facts, Scope, render_known};
use crate::steps::evidence::{self, Scene, Sight};
use crate::steps::provision::{Guest, Provision};

pub use prepare::prepare;

/// Its options, checked.
struct Docker {
    engine: Engine,
    base: Base,
    platform: Option<String>,
    login: Option<Login>,
    container: ContainerOptions,
    finish: Finish,
    communication: Communication,
    /// What `run_command` may use.
    variables: BTreeMap<String, String>,
    facts: Facts,
}

/// What the container is made from.
enum Base {
    /// An image.
    Image { name: String, pull: bool },
    /// One that is built first.
    Build(Dockerfile),
}

/// How to build the image that the container is made from.
struct Dockerfile {
    path: PathBuf,
    folder: PathBuf,
    arguments: Vec<(String, String)>,
    pull: bool,
    compress: bool,
}

/// How the container runs.
struct ContainerOptions {
    /// Options of `run`.
    flags: Vec<String>,
    /// Folder of the host and of the container.
    volumes: Vec<(String, String)>,
    /// Where the shared folder is in the container.
    folder: String,
    /// The rest of the command line, rendered when it runs.
    command: Vec<String>,
    user: Option<String>,
    pty: bool,
    own_uploads: bool,
}

/// What becomes of the container.
enum Finish {
    Commit { author: Option<String>, message: Option<String>, changes: Vec<String> },
    Export(PathBuf),
    Discard,
}

/// What the steps hand to each other.
struct Context<'a> {
    run: &'a BuilderRun<'a>,
    docker: &'a Docker,
    dir: BuildDir,
    lock: Option<Lock>,
    /// Name or id of the image.
    image: String,
    /// Id of the container.
    container: Option<String>,
    comm: Option<Arc<dyn Communicator>>,
    fields: Fields,
    artifact: Option<Artifact>,
    /// For cleaning up, which goes on after an interrupt.
    never: Cancel,
}

type DockerStep<'a> = BoxedStep<Context<'a>, Error>;

impl Builder for Docker {
    fn has_guest(&self) -> bool {
        self.communication.has_guest()
    }

    fn build(&self, run: &BuilderRun<'_>) -> Result<Artifact, Error> {
        self.engine.check()?;
        let mut context = Context {
            run,
            docker: self,
            dir: BuildDir::at(run.home.containers().join(uuid::Uuid::now_v7().to_string())),
            lock: None,
            image: String::new(),
            container: None,
            comm: None,
            fields: no_images(),
            artifact: None,
            never: Cancel::new(),
        };
        let steps: Vec<DockerStep<'_>> = vec![
            Box::new(temp_dir::TempDir),
            Box::new(base::Pull),
            Box::new(running::Run),
            Box::new(running::Connect),
            Box::new(Provision),
            Box::new(finish::Finishing),
        ];
        step::run(&mut evidence::watched(steps), &mut context, run.reporter, run.cancel, run.on_error)?;
        context.artifact.ok_or(Error::GuestEnded { during: "it was finished" })
    }
}

/// What `{{build}}` says of images before they are known.
fn no_images() -> Fields {
    let none = [
        ("ImageSha256", "ERR_IMAGE_SHA256_NOT_FOUND"),
        ("SourceImageDigest", "ERR_SOURCE_IMAGE_DIGEST_NOT_FOUND"),
        ("SourceImageSha256", "ERR_SOURCE_IMAGE_SHA256_NOT_FOUND"),
    ];
    none.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

impl<'a> Guest<'a> for Context<'a> {
    fn run(&self) -> &'a BuilderRun<'a> {
        self.run
    }

    fn comm(&self) -> Option<Arc<dyn Communicator>> {
        self.comm.clone()
    }

    fn fields(&self) -> &Fields {
        &self.fields
    }
}

impl Sight for Context<'_> {
    fn scene(&self) -> Scene<'_> {
        Scene { run: self.run, machine: None, comm: self.comm.as_deref(), logs: Vec::new() }
    }
}

impl Context<'_> {
    /// Shown as Packer shows what a step failed with, before anything is undone.
    fn tell(&self, error: Error) -> Error {
        use kiste_core::Explain;
        if error.kind() != Kind::Interrupted {
            self.run.reporter.emit(kiste_core::Event::Error { text: error.to_string() });
            for hint in error.hints() {
                self.run.reporter.detail(hint);
            }
        }
        error
    }

    /// The rest of the command line that runs the container.
    fn run_command(&self) -> Result<Vec<String>, Error> {
        let fields = Fields::from([("Image".to_owned(), self.image.clone())]);
        let scope = Scope { variables: &self.docker.variables, facts: &self.docker.facts, fields: Some(&fields), in_variables: false };
        let one = |text: &String| render_known(text, &scope).map_err(|reason| Error::Render { option: "run_command".to_owned(), reason });
        self.docker.container.command.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests;
