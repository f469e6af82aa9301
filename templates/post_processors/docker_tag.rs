//! `docker-tag`: gives an image names.

use crate::artifact::{Artifact, Belongings};
use crate::docker::{Engine, IMPORTED, TAGGED};
use crate::error::Error;
use crate::options::Options;
use crate::post_processor::{PostProcessor, PostProcessorRun, Processed};

/// Its options, checked.
struct Tag {
    engine: Engine,
    repository: String,
    tags: Vec<String>,
}

/// The post-processor, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    let engine = Engine::prepare(options);
    let old_at = options.place("tag");
    let (old, mut tags) = (options.list("tag").unwrap_or_default(), options.list("tags").unwrap_or_default());
    if !old.is_empty() {
        let advice = "In future versions of Packer, this configuration may not work. Please call `packer fix` on your template to update.";
        options.warn(old_at, format!("Deprecation warning: \"tag\" option has been replaced with \"tags\". {advice}"));
        tags = old.into_iter().chain(tags).collect();
    }
    // Engines move a name to another image without being asked twice.
    let _ = options.boolean("force");
    let Some(repository) = options.text("repository") else {
        options.problem(None, "`repository` is needed: the name that the image gets");
        return None;
    };
    Some(Box::new(Tag { engine, repository, tags }))
}

impl PostProcessor for Tag {
    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error> {
        if ![IMPORTED, TAGGED].contains(&artifact.builder_id.as_str()) {
            let reason = format!("Unknown artifact type: {}\nCan only tag from Docker builder artifacts.", artifact.builder_id);
            return Err(Error::Artifact { post_processor: "docker-tag".to_owned(), reason });
        }
        self.engine.check()?;
        let mut names: Vec<String> = self.tags.iter().map(|tag| format!("{}:{tag}", self.repository)).collect();
        if names.is_empty() {
            names.push(self.repository.clone());
        }
        for name in &names {
            run.reporter.detail(format!("Tagging image: {}", artifact.id));
            run.reporter.detail(format!("Repository: {name}"));
            self.engine.output("Error tagging image", ["tag", "--", &artifact.id, name], run.cancel)?;
        }
        let last = names.last().cloned().unwrap_or_default();
        let artifact = Artifact {
            builder_id: TAGGED.to_owned(),
            description: format!("Imported Docker image: {last} with tags {}", names.join(" ")),
            belongings: Belongings::EngineImage { program: self.engine.client().to_owned(), image: last.clone() },
            id: last,
            tags: names,
            ..Artifact::default()
        };
        // The name is a name of that very image.
        Ok(Processed { artifact: Some(artifact), keep: true, must_keep: true })
    }
}
