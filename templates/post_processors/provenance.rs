//! `provenance`: a statement about the artifact's files beside them, and the guest's packages when that is asked for.

use std::path::PathBuf;

use super::artifice::listed;
use crate::artifact::Artifact;
use crate::error::Error;
use crate::options::Options;
use crate::post_processor::{PostProcessor, PostProcessorRun, Processed};
use crate::provenance::{self, Told};

const BUILDER_ID: &str = "kiste.post-processor.provenance";

/// Its options, checked.
struct Provenance {
    output: String,
    sbom_output: Option<String>,
}

/// The post-processor, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    let output = options.later("output").unwrap_or_else(|| "packer_{{.BuildName}}_{{.BuilderType}}.provenance.json".to_owned());
    Some(Box::new(Provenance { output, sbom_output: options.later("sbom_output") }))
}

impl PostProcessor for Provenance {
    fn wants_packages(&self) -> bool {
        self.sbom_output.is_some()
    }

    fn wants_materials(&self) -> bool {
        true
    }

    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error> {
        let name = run.facts.build_name.clone().unwrap_or_default();
        let told = Told { name: &name, inputs: run.inputs, began: run.facts.start };
        let subjects = provenance::subjects([artifact], run.cancel)?;
        let mut files = artifact.files.clone();
        let mut write = |option: &str, text: &str, document: &serde_json::Value| -> Result<(), Error> {
            let path = self.path(option, text, run)?;
            provenance::write(&path, document)?;
            run.reporter.detail(format!("Wrote {}", path.display()));
            if !files.contains(&path) {
                files.push(path);
            }
            Ok(())
        };
        write("output", &self.output, &provenance::statement(&told, &subjects, run.cancel))?;
        match (&self.sbom_output, run.inputs.packages()) {
            (Some(text), Some(packages)) => write("sbom_output", text, &provenance::document(&told, packages, &subjects))?,
            (Some(_), None) => {
                let reason = "there was no guest whose packages could be listed (`sbom_output`)".to_owned();
                return Err(Error::Artifact { post_processor: "provenance".to_owned(), reason });
            }
            _ => {}
        }
        let description = format!("Created artifact from files: {}", listed(&files));
        let made = Artifact { builder_id: BUILDER_ID.to_owned(), id: artifact.id.clone(), description, files, ..Artifact::default() };
        Ok(Processed::beside(made))
    }
}

impl Provenance {
    fn path(&self, option: &str, text: &str, run: &PostProcessorRun<'_>) -> Result<PathBuf, Error> {
        let fields = [
            ("BuildName", run.facts.build_name.clone().unwrap_or_default()),
            ("BuilderType", run.facts.build_type.clone().unwrap_or_default()),
        ];
        Ok(PathBuf::from(run.live().render_with(option, text, fields)?))
    }
}
