//! `docker-save`: an image with all its layers as one file, for `docker load` elsewhere.

use std::path::PathBuf;

use crate::artifact::{Artifact, Belongings};
use crate::docker::{self, Engine, IMPORTED, TAGGED};
use crate::error::Error;
use crate::options::Options;
use crate::post_processor::{PostProcessor, PostProcessorRun, Processed};

/// Its options, checked.
struct Save {
    engine: Engine,
    path: PathBuf,
}

/// The post-processor, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    let engine = Engine::prepare(options);
    let at = options.place("path");
    let Some(path) = options.text("path").map(PathBuf::from) else {
        options.problem(at, "`path` is needed: the file that the image is saved to");
        return None;
    };
    if path.is_dir() {
        options.problem(at, format!("`path` must be a file, `{}` is a folder", path.display()));
    }
    Some(Box::new(Save { engine, path }))
}

impl PostProcessor for Save {
    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error> {
        if ![IMPORTED, TAGGED].contains(&artifact.builder_id.as_str()) {
            let reason = format!("Unknown artifact type: {}\nCan only save Docker builder artifacts.", artifact.builder_id);
            return Err(Error::Artifact { post_processor: "docker-save".to_owned(), reason });
        }
        self.engine.check()?;
        run.reporter.detail(format!("Saving image: {}", artifact.id));
        docker::save_to(&self.engine.program(["save", "--", &artifact.id]), "Error exporting", &self.path, run.cancel)?;
        run.reporter.detail(format!("Saved to: {}", self.path.display()));
        // The image goes on as it came; it belongs to what it came as.
        let artifact = Artifact { belongings: Belongings::Nothing, ..artifact.clone() };
        Ok(Processed { artifact: Some(artifact), keep: true, must_keep: false })
    }
}
