//! `vagrant`: packs a machine's disk into a box that Vagrant's libvirt provider and kiste both take.
//!
//! The box holds `Vagrantfile`, `box.img`, `metadata.json` and what `include` names. The disk is compressed already, so the
//! default is a plain tar: it is as small as any other and the fastest to add.

use std::path::{Path, PathBuf};

use kiste_boxes::pack::{self, Compression, PackEntry, PackSource};

use crate::artifact::{Artifact, Image};
use crate::error::Error;
use crate::interpolate::{Scope, render};
use crate::options::Options;
use crate::post_processor::{PostProcessor, PostProcessorRun, Processed};

/// The provider whose boxes these are.
const PROVIDER: &str = "libvirt";
const GIB: u64 = 1 << 30;

/// Its options, checked.
struct Vagrant {
    output: String,
    compression: Compression,
    include: Vec<PathBuf>,
    vagrantfile_template: Option<PathBuf>,
    architecture: Option<String>,
}

/// The post-processor, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    let output = options.later("output").unwrap_or_else(|| "packer_{{ .BuildName }}_{{ .Provider }}.box".to_owned());
    let compression = compression(options);
    let include_at = options.place("include");
    let include: Vec<PathBuf> = options.list("include").unwrap_or_default().into_iter().map(PathBuf::from).collect();
    for file in include.iter().filter(|f| !f.is_file()) {
        options.problem(include_at, format!("`include`: there is no file `{}`", file.display()));
    }
    let template_at = options.place("vagrantfile_template");
    let vagrantfile_template = options.text("vagrantfile_template").map(PathBuf::from);
    if let Some(file) = vagrantfile_template.as_ref().filter(|f| !f.is_file()) {
        options.problem(template_at, format!("`vagrantfile_template`: there is no file `{}`", file.display()));
    }
    let provider_at = options.place("provider_override");
    if options.text("provider_override").is_some_and(|p| p != PROVIDER) {
        options.problem(provider_at, format!("not built in yet: `provider_override` other than `{PROVIDER}`"));
    }
    let override_at = options.place("override");
    if override_at.is_some() {
        options.problem(override_at, "not built in yet: `override` by provider (there is only one here: give its options directly)");
        options.ignore("override");
    }
    let architecture = options.text("architecture");
    Some(Box::new(Vagrant { output, compression, include, vagrantfile_template, architecture }))
}

fn compression(options: &mut Options<'_>) -> Compression {
    let at = options.place("compression_level");
    match options.parsed::<i32>("compression_level", "a number from 0 to 9") {
        None | Some(-1 | 0) => Compression::None,
        Some(level @ 1..=9) => Compression::Gzip(level.unsigned_abs()),
        Some(level) => {
            options.problem(at, format!("`compression_level` must be from 0 (none) to 9, not {level}"));
            Compression::None
        }
    }
}

impl PostProcessor for Vagrant {
    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error> {
        let refuse = |reason: &str| Error::Artifact { post_processor: "vagrant".to_owned(), reason: reason.to_owned() };
        let image = artifact.image.as_ref().ok_or_else(|| refuse("it holds no disk image"))?;
        if image.format != "qcow2" {
            return Err(refuse(&format!("a {PROVIDER} box needs a qcow2 disk, this one is {}", image.format)));
        }
        let architecture = self.architecture.clone().unwrap_or_else(|| image.architecture.clone());
        let to = self.output(artifact, &architecture, run)?;
        run.reporter.say(format!("Creating a box for the '{PROVIDER}' provider"));
        if let Some(folder) = to.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        }
        let entries = self.entries(image, &architecture)?;
        let packed = pack::pack(&entries, &to, self.compression, run.reporter, run.cancel)?;
        run.reporter.detail(format!("{}: {:.1} MB, sha256 {}", to.display(), packed.size as f64 / 1e6, packed.sha256));
        let artifact = Artifact {
            builder_id: "mitchellh.post-processor.vagrant".to_owned(),
            id: PROVIDER.to_owned(),
            description: format!("'{PROVIDER}' provider box: {}", to.display()),
            files: vec![to],
            ..Artifact::default()
        };
        Ok(Processed { artifact: Some(artifact), keep: false, must_keep: false })
    }
}

impl Vagrant {
    fn output(&self, artifact: &Artifact, architecture: &str, run: &PostProcessorRun<'_>) -> Result<PathBuf, Error> {
        let fields = [
            ("ArtifactId", artifact.id.clone()),
            ("BuildName", run.facts.build_name.clone().unwrap_or_default()),
            ("Provider", PROVIDER.to_owned()),
            ("Architecture", architecture.to_owned()),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value)).into();
        let scope = Scope { variables: run.variables, facts: run.facts, fields: Some(&fields), in_variables: false };
        let path = render(&self.output, &scope).map_err(|reason| Error::Render { option: "output".to_owned(), reason })?;
        Ok(PathBuf::from(path))
    }

    /// In lexical order; a `metadata.json` or `Vagrantfile` that the user includes stands instead of ours.
    fn entries(&self, image: &Image, architecture: &str) -> Result<Vec<PackEntry>, Error> {
        let mut entries = vec![
            PackEntry { name: "Vagrantfile".to_owned(), source: PackSource::Bytes(self.vagrantfile()?.into_bytes()) },
            PackEntry { name: "box.img".to_owned(), source: PackSource::File(image.disk.clone()) },
            PackEntry { name: "metadata.json".to_owned(), source: PackSource::Bytes(metadata(image, architecture)) },
        ];
        for file in &self.include {
            let name = base_name(file);
            entries.retain(|e| e.name != name);
            entries.push(PackEntry { name, source: PackSource::File(file.clone()) });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn vagrantfile(&self) -> Result<String, Error> {
        let mut text = include_str!("../library/box.Vagrantfile").to_owned();
        if let Some(file) = &self.vagrantfile_template {
            text.push('\n');
            text.push_str(&std::fs::read_to_string(file).map_err(Error::file(file))?);
        }
        Ok(text)
    }
}

fn metadata(image: &Image, architecture: &str) -> Vec<u8> {
    let value = serde_json::json!({
        "provider": PROVIDER,
        "format": image.format,
        "virtual_size": image.virtual_size.div_ceil(GIB),
        "architecture": architecture,
    });
    format!("{value}\n").into_bytes()
}

fn base_name(file: &Path) -> String {
    file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
