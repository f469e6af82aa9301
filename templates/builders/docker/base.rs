//! The image that the container is made from: pulled, or built from a Dockerfile.

use kiste_core::step::Step;

use super::{Base, Context, Dockerfile};
use crate::docker::{self, Engine, Login};
use crate::error::Error;

/// The step.
pub struct Pull;

impl<'a> Step<Context<'a>> for Pull {
    type Error = Error;

    fn name(&self) -> &'static str {
        "pull"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        match &context.docker.base {
            Base::Image { name, pull } => {
                context.image.clone_from(name);
                if *pull {
                    self::pull(context, name).map_err(|e| context.tell(e))?;
                }
            }
            Base::Build(dockerfile) => context.image = build(context, dockerfile).map_err(|e| context.tell(e))?,
        }
        note_source(context)
    }
}

fn pull(context: &Context<'_>, image: &str) -> Result<(), Error> {
    let (docker, run) = (context.docker, context.run);
    run.reporter.say(format!("Pulling Docker image: {image}"));
    Login::during(docker.login.as_ref(), &docker.engine, run.reporter, run.cancel, |engine| {
        let mut words = vec!["pull"];
        words.extend(docker.platform.iter().flat_map(|p| ["--platform", p]));
        words.extend(["--", image]);
        engine.told("Error pulling Docker image", &engine.program(words), run.reporter, run.cancel)
    })
}

fn build(context: &Context<'_>, dockerfile: &Dockerfile) -> Result<String, Error> {
    let (docker, run) = (context.docker, context.run);
    run.reporter.say("Building base image...");
    let id_file = context.dir.root().join("image");
    Login::during(docker.login.as_ref(), &docker.engine, run.reporter, run.cancel, |engine| {
        // Values come from the client's environment: they may be secrets, and arguments are seen by everybody.
        let program = engine.program(arguments(dockerfile, docker.platform.as_deref(), &id_file));
        let program = dockerfile.arguments.iter().fold(program, |p, (name, value)| p.env(name, value));
        engine.told("Error building base image", &program, run.reporter, run.cancel)
    })?;
    let id = std::fs::read_to_string(&id_file).map_err(Error::file(&id_file))?.trim().to_owned();
    run.reporter.say(format!("Finished building base image \"{id}\""));
    Ok(id)
}

fn arguments(dockerfile: &Dockerfile, platform: Option<&str>, id_file: &std::path::Path) -> Vec<String> {
    let mut words = vec!["build".to_owned(), "--iidfile".to_owned(), id_file.display().to_string()];
    words.extend(["-f".to_owned(), dockerfile.path.display().to_string()]);
    words.extend(platform.iter().flat_map(|p| ["--platform".to_owned(), (*p).to_owned()]));
    words.extend(dockerfile.pull.then(|| "--pull".to_owned()));
    words.extend(dockerfile.compress.then(|| "--compress".to_owned()));
    words.extend(dockerfile.arguments.iter().flat_map(|(name, _)| ["--build-arg".to_owned(), name.clone()]));
    words.extend(["--".to_owned(), dockerfile.folder.display().to_string()]);
    words
}

/// What `{{build}}` tells of the image, and what the result is made from. An image that is not there yet is pulled when it runs.
fn note_source(context: &mut Context<'_>) -> Result<(), Error> {
    let Some((id, digest)) = source(&context.docker.engine, context)? else { return Ok(()) };
    context.run.inputs.used(&format!("docker://{}", context.image), Some(id.trim_start_matches("sha256:")));
    context.fields.insert("SourceImageSha256".to_owned(), id);
    if let Some(digest) = digest {
        context.fields.insert("SourceImageDigest".to_owned(), digest);
    }
    Ok(())
}

fn source(engine: &Engine, context: &Context<'_>) -> Result<Option<(String, Option<String>)>, Error> {
    let words = ["image", "inspect", "--format", "{{.Id}}{{range .RepoDigests}} {{.}}{{end}}", "--", &context.image];
    let done = engine.program(words).capture(context.run.cancel)?;
    if !done.status.success() {
        // That the engine is away would be told again by each step that follows: say it here.
        return if docker::is_away(&done.stderr) {
            Err(context.tell(docker::failed("Error inspecting image", &done.stderr)))
        } else {
            Ok(None)
        };
    }
    let text = String::from_utf8_lossy(&done.stdout).trim().to_owned();
    let mut words = text.split(' ').map(str::to_owned);
    Ok(words.next().map(|id| (id, words.next())))
}
