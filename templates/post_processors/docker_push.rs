//! `docker-push`: brings an image, by all its names, to its registry.

use crate::artifact::{Artifact, Belongings};
use crate::docker::{Engine, IMPORTED, Login, TAGGED};
use crate::error::Error;
use crate::options::Options;
use crate::post_processor::{PostProcessor, PostProcessorRun, Processed};

/// Its options, checked.
struct Push {
    engine: Engine,
    login: Option<Login>,
    platform: Option<String>,
}

/// The post-processor, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    options.outdated("login_email");
    let (engine, login) = (Engine::prepare(options), Login::prepare(options));
    Some(Box::new(Push { engine, login, platform: options.text("platform") }))
}

impl PostProcessor for Push {
    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error> {
        if ![IMPORTED, TAGGED].contains(&artifact.builder_id.as_str()) {
            let only = "Can only import from docker-import and docker-tag artifacts.";
            let reason = format!("Unknown artifact type: {}\n{only}", artifact.builder_id);
            return Err(Error::Artifact { post_processor: "docker-push".to_owned(), reason });
        }
        self.engine.check()?;
        let mut names = vec![artifact.id.clone()];
        names.extend(artifact.tags.iter().filter(|name| **name != artifact.id).cloned());
        Login::during(self.login.as_ref(), &self.engine, run.reporter, run.cancel, |engine| {
            for name in &names {
                run.reporter.detail(format!("Pushing: {name}"));
                let mut words = vec!["push"];
                words.extend(self.platform.iter().flat_map(|p| ["--platform", p.as_str()]));
                words.extend(["--", name]);
                engine.told("Error pushing image", &engine.program(words), run.reporter, run.cancel)?;
            }
            Ok(())
        })?;
        let artifact = Artifact { builder_id: IMPORTED.to_owned(), belongings: Belongings::Nothing, ..artifact.clone() };
        Ok(Processed { artifact: Some(artifact), keep: true, must_keep: false })
    }
}
