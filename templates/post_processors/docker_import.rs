//! `docker-import`: an image from a container's exported files.

use crate::artifact::{Artifact, Belongings};
use crate::docker::{self, EXPORTED, Engine, IMPORTED};
use crate::error::Error;
use crate::options::Options;
use crate::post_processor::{PostProcessor, PostProcessorRun, Processed};

/// Builder id of artifacts that were made elsewhere.
const ARTIFICE: &str = "packer.post-processor.artifice";

/// Its options, checked.
struct Import {
    engine: Engine,
    repository: Option<String>,
    tag: Option<String>,
    changes: Vec<String>,
    platform: Option<String>,
}

/// The post-processor, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    let engine = Engine::prepare(options);
    let tag_at = options.place("tag");
    let (repository, tag) = (options.text("repository"), options.text("tag"));
    if tag.is_some() && repository.is_none() {
        options.problem(tag_at, "`tag` needs a `repository`");
    }
    let changes = options.list("changes").unwrap_or_default();
    Some(Box::new(Import { engine, repository, tag, changes, platform: options.text("platform") }))
}

impl PostProcessor for Import {
    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error> {
        let refuse = |reason: String| Error::Artifact { post_processor: "docker-import".to_owned(), reason };
        if ![EXPORTED, ARTIFICE].contains(&artifact.builder_id.as_str()) {
            let only = "Can only import from Docker builder artifacts.";
            return Err(refuse(format!("Unknown artifact type: {}\n{only}", artifact.builder_id)));
        }
        let [file] = artifact.files.as_slice() else {
            return Err(refuse(format!("it holds {} files, an image is made of one", artifact.files.len())));
        };
        self.engine.check()?;
        run.reporter.detail(format!("Importing image: {}", artifact.id));
        let name = self.repository.as_ref().map(|r| self.tag.as_ref().map_or(r.clone(), |t| format!("{r}:{t}")));
        if let Some(name) = &name {
            run.reporter.detail(format!("Repository: {name}"));
        }
        let id = self.import(file, name.as_deref(), run)?;
        run.reporter.detail(format!("Imported ID: {id}"));
        let image = name.unwrap_or(id);
        let artifact = Artifact {
            builder_id: IMPORTED.to_owned(),
            description: format!("Imported Docker image: {image}"),
            belongings: Belongings::EngineImage { program: self.engine.client().to_owned(), image: image.clone() },
            id: image,
            ..Artifact::default()
        };
        Ok(Processed { artifact: Some(artifact), keep: false, must_keep: false })
    }
}

impl Import {
    fn import(&self, file: &std::path::Path, name: Option<&str>, run: &PostProcessorRun<'_>) -> Result<String, Error> {
        let mut words = vec!["import"];
        words.extend(self.changes.iter().flat_map(|c| ["--change", c.as_str()]));
        words.extend(self.platform.iter().flat_map(|p| ["--platform", p.as_str()]));
        words.push("-");
        words.extend(name);
        let mut content = std::fs::File::open(file).map_err(Error::file(file))?;
        let read = |pipe: &mut dyn std::io::Read| {
            let mut text = String::new();
            pipe.read_to_string(&mut text).map(|_| text)
        };
        let done = self.engine.program(words).piped(run.cancel, |pipe| std::io::copy(&mut content, pipe).map(drop), read)?;
        if !done.status.success() {
            return Err(docker::failed("Error importing container", &done.stderr));
        }
        done.written.map_err(Error::file(file))?;
        Ok(done.read.map_err(Error::file(file))?.trim().to_owned())
    }
}
