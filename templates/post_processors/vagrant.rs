//! `vagrant`: packs a machine into a box, laid out as its provider wants it. Which provider that is follows from who made the machine.

mod layout;
mod ovf;
mod provider;

use std::path::{Path, PathBuf};

use kiste_boxes::pack::{self, Compression, PackEntry, PackSource};
use kiste_boxes::{architecture, metadata};

use crate::artifact::Artifact;
use crate::error::Error;
use crate::options::Options;
use crate::post_processor::{PostProcessor, PostProcessorRun, Processed};

use layout::Layout;
use provider::Provider;

const BUILDER_ID: &str = "mitchellh.post-processor.vagrant";
const VAGRANTFILE: &str = "Vagrantfile";

/// Its options, checked; those of some providers may differ.
struct Vagrant {
    usual: Settings,
    overrides: Vec<(String, Settings)>,
    provider: Option<Provider>,
}

#[derive(Clone)]
struct Settings {
    output: String,
    compression: Compression,
    include: Vec<PathBuf>,
    vagrantfile_template: Option<PathBuf>,
    architecture: Option<String>,
}

/// The post-processor, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    let provider_at = options.place("provider_override");
    let word = options.text("provider_override");
    let provider = word.as_deref().and_then(Provider::named);
    if let Some(word) = word.filter(|_| provider.is_none()) {
        let names = Provider::names().join(", ");
        options.problem(provider_at, format!("The given provider_override {word} is not valid. Please choose from one of {names}"));
    }
    let mut overrides = Vec::new();
    for (name, mut set) in options.variants("override") {
        overrides.push((name, settings(&mut set)));
        options.close(set);
    }
    Some(Box::new(Vagrant { usual: settings(options), overrides, provider }))
}

fn settings(options: &mut Options<'_>) -> Settings {
    let is_generated = options.boolean("vagrantfile_template_generated").unwrap_or(false);
    let at = options.place("vagrantfile_template");
    let vagrantfile_template = options.text("vagrantfile_template").map(PathBuf::from);
    if let Some(file) = vagrantfile_template.as_ref().filter(|f| !is_generated && !f.is_file()) {
        options.problem(at, format!("vagrantfile_template '{}' does not exist", file.display()));
    }
    // The engine has read it; a set of options for a provider may repeat it.
    options.ignore("keep_input_artifact");
    Settings {
        output: options.later("output").unwrap_or_else(|| "packer_{{ .BuildName }}_{{.Provider}}.box".to_owned()),
        compression: compression(options),
        include: options.list("include").unwrap_or_default().into_iter().map(PathBuf::from).collect(),
        vagrantfile_template,
        architecture: options.text("architecture").map(|word| architecture::normalise(&word)),
    }
}

fn compression(options: &mut Options<'_>) -> Compression {
    let at = options.place("compression_level");
    match options.parsed::<i32>("compression_level", "a number from 0 to 9") {
        None | Some(-1) => Compression::Gzip(pack::GZIP_LEVEL),
        Some(0) => Compression::None,
        Some(level @ 1..=9) => Compression::Gzip(level.unsigned_abs()),
        Some(level) => {
            options.problem(at, format!("`compression_level` must be from 0 (none) to 9, or -1 (as gzip does by itself), not {level}"));
            Compression::None
        }
    }
}

impl PostProcessor for Vagrant {
    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error> {
        let provider = match self.provider {
            Some(provider) => provider,
            None => {
                Provider::of(artifact).ok_or_else(|| refuse(format!("Unknown artifact type, can't build box: {}", artifact.builder_id)))?
            }
        };
        let settings = self.overrides.iter().find(|(name, _)| name == provider.name()).map_or(&self.usual, |(_, settings)| settings);
        let architecture = settings.architecture.clone().unwrap_or_else(|| of_image(artifact));
        let fields = || fields(artifact, provider, &architecture, run);
        let to = PathBuf::from(run.live().render_with("output", &settings.output, fields())?);
        run.reporter.say(format!("Creating Vagrant box for '{}' provider", provider.name()));
        let layout = layout::of(provider, artifact, &architecture, run)?;
        let entries = settings.entries(layout, |text| run.live().render_with("vagrantfile_template", text, fields()), run)?;
        if let Some(folder) = to.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        }
        entries.iter().for_each(|entry| run.reporter.detail(format!("Compressing: {}", entry.name)));
        let packed = pack::pack(&entries, &to, settings.compression, run.reporter, run.cancel)?;
        run.reporter.detail(format!("{}: {:.1} MB, sha256 {}", to.display(), packed.size as f64 / 1e6, packed.sha256));
        let artifact = Artifact {
            builder_id: BUILDER_ID.to_owned(),
            id: provider.name().to_owned(),
            description: format!("'{}' provider box: {}", provider.name(), to.display()),
            files: vec![to],
            ..Artifact::default()
        };
        Ok(if provider.is_only_a_name() { Processed::beside(artifact) } else { Processed::made(artifact) })
    }
}

fn refuse(reason: impl Into<String>) -> Error {
    Error::Artifact { post_processor: "vagrant".to_owned(), reason: reason.into() }
}

fn of_image(artifact: &Artifact) -> String {
    artifact.image.as_ref().map_or_else(|| architecture::host().to_owned(), |image| image.architecture.clone())
}

fn fields(artifact: &Artifact, provider: Provider, architecture: &str, run: &PostProcessorRun<'_>) -> [(&'static str, String); 4] {
    [
        ("ArtifactId", artifact.id.clone()),
        ("BuildName", run.facts.build_name.clone().unwrap_or_default()),
        ("Provider", provider.name().to_owned()),
        ("Architecture", architecture.to_owned()),
    ]
}

impl Settings {
    /// In lexical order. The machine's own files win over those that are included; an included `metadata.json` wins over ours.
    fn entries(
        &self,
        layout: Layout,
        render: impl Fn(&str) -> Result<String, Error>,
        run: &PostProcessorRun<'_>,
    ) -> Result<Vec<PackEntry>, Error> {
        let mut entries = Vec::new();
        for file in &self.include {
            run.reporter.detail(format!("Copying from include: {}", file.display()));
            if !file.is_file() {
                return Err(Error::file(file)(std::io::ErrorKind::NotFound.into()));
            }
            put(&mut entries, base_name(file), PackSource::File(file.clone()));
        }
        for (name, source) in layout.files {
            put(&mut entries, name, source);
        }
        if !entries.iter().any(|e| e.name == metadata::FILE) {
            put(&mut entries, metadata::FILE.to_owned(), PackSource::Bytes(format!("{}\n", layout.metadata).into_bytes()));
        }
        let mut own = String::new();
        if let Some(file) = &self.vagrantfile_template {
            run.reporter.detail(format!("Using custom Vagrantfile: {}", file.display()));
            own = render(&std::fs::read_to_string(file).map_err(Error::file(file))?)?;
        }
        let text = vagrantfile(&layout.vagrantfile, &own);
        put(&mut entries, VAGRANTFILE.to_owned(), PackSource::Bytes(text.into_bytes()));
        entries.sort_by(|a, b| Path::new(&a.name).cmp(Path::new(&b.name)));
        Ok(entries)
    }
}

/// The last one of a name stays.
fn put(entries: &mut Vec<PackEntry>, name: String, source: PackSource) {
    entries.retain(|e| e.name != name);
    entries.push(PackEntry { name, source });
}

fn base_name(file: &Path) -> String {
    file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What the provider needs, then what the template's author wants; the text between is the peer's, so that boxes are equal.
fn vagrantfile(provider: &str, own: &str) -> String {
    include_str!("../library/box.Vagrantfile").replace("@provider@", provider).replacen("@own@", own, 1)
}

#[cfg(test)]
mod tests;
