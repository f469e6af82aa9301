//! `vagrant-cloud`: publishes a box by the first generation of the registry's API.

use std::path::PathBuf;

use kiste_boxes::publish::{self, Content, Details, Listener, Publication, RETRY_PAUSE, Server};

use crate::artifact::{Artifact, Belongings};
use crate::error::Error;
use crate::options::Options;
use crate::post_processor::{PostProcessor, PostProcessorRun, Processed};

const BUILDER_ID: &str = "pearkes.post-processor.vagrant-cloud";
/// Whose artifacts are boxes.
const BOXES: [&str; 2] = ["mitchellh.post-processor.vagrant", "packer.post-processor.artifice"];

/// Its options, checked.
struct VagrantCloud {
    server: Server,
    tag: String,
    version: String,
    version_description: Option<String>,
    no_release: bool,
    direct: bool,
    box_download_url: Option<String>,
}

/// The post-processor, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    let tag = required(options, "box_tag");
    let version = required(options, "version");
    let own_address = options.text("vagrant_cloud_url");
    let given = options.text("access_token");
    let from_old = || {
        let token = variable("ATLAS_TOKEN");
        token.map(|token| {
            (token, "Using Vagrant Cloud token found in ATLAS_TOKEN. Please make sure it is correct, or set VAGRANT_CLOUD_TOKEN")
        })
    };
    let token = match given.or_else(|| variable("VAGRANT_CLOUD_TOKEN")) {
        Some(token) => Some(token),
        None => from_old().map(|(token, warning)| {
            options.warn(None, warning);
            token
        }),
    };
    if token.is_none() && own_address.is_none() {
        options.problem(None, "access_token must be set if vagrant_cloud_url has not been overriden");
    }
    let box_download_url = options.later("box_download_url");
    let version_description = options.text("version_description");
    Some(Box::new(VagrantCloud {
        server: Server {
            address: own_address.unwrap_or_else(|| publish::CLOUD.to_owned()),
            token,
            insecure: options.boolean("insecure_skip_tls_verify").unwrap_or(false),
            retry_pause: RETRY_PAUSE,
        },
        tag,
        version,
        version_description,
        no_release: options.boolean("no_release").unwrap_or(false),
        direct: !options.boolean("no_direct_upload").unwrap_or(false),
        box_download_url,
    }))
}

/// A variable of the environment, unless it is empty.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// An option that must be there.
pub fn required(options: &mut Options<'_>, key: &'static str) -> String {
    let at = options.place(key);
    let value = options.text(key).unwrap_or_default();
    if value.is_empty() {
        options.problem(at, format!("{key} must be set"));
    }
    value
}

impl PostProcessor for VagrantCloud {
    fn ready(&self, run: &PostProcessorRun<'_>) -> Result<(), Error> {
        Ok(self.server.authenticate(run.cancel)?)
    }

    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error> {
        let (path, provider) = the_box("vagrant-cloud", artifact, run)?;
        let publication = Publication {
            tag: self.tag.clone(),
            version: self.version.clone(),
            provider: provider.clone(),
            version_description: self.version_description.clone(),
            content: content(path, self.direct, self.box_download_url.as_deref(), &artifact.id, &provider, run)?,
            no_release: self.no_release,
            details: Details::default(),
        };
        self.server.publish_v1(&publication, Listener { reporter: run.reporter, cancel: run.cancel })?;
        Ok(published(BUILDER_ID, &self.tag, &provider))
    }
}

/// The box in an artifact and the provider it is for.
pub fn the_box(post_processor: &str, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<(PathBuf, String), Error> {
    let refuse = |reason: String| Error::Artifact { post_processor: post_processor.to_owned(), reason };
    if !BOXES.contains(&artifact.builder_id.as_str()) {
        let reason = "Unknown artifact type: this post-processor requires an input artifact from the artifice post-processor or the vagrant \
             post-processor";
        return Err(refuse(format!("{reason}, not {}", artifact.builder_id)));
    }
    let path = artifact.files.iter().find(|f| f.extension().is_some_and(|e| e == "box"));
    let path = path.ok_or_else(|| refuse("Vagrant box file not found as part of artifact".to_owned()))?;
    let metadata = publish::metadata(path, run.cancel)?;
    Ok((path.clone(), metadata.provider))
}

/// The file, or where it lies already.
pub fn content(
    path: PathBuf,
    direct: bool,
    address: Option<&str>,
    artifact_id: &str,
    provider: &str,
    run: &PostProcessorRun<'_>,
) -> Result<Content, Error> {
    let Some(address) = address else { return Ok(Content::File { path, direct }) };
    let fields = [("ArtifactId", artifact_id.to_owned()), ("Provider", provider.to_owned())];
    Ok(Content::Address(run.live().render_with("box_download_url", address, fields)?))
}

/// What is left of it here: a name.
pub fn published(builder_id: &str, tag: &str, provider: &str) -> Processed {
    let artifact = Artifact {
        builder_id: builder_id.to_owned(),
        description: format!("'{provider}': {tag}"),
        belongings: Belongings::Nothing,
        ..Artifact::default()
    };
    Processed { artifact: Some(artifact), keep: true, must_keep: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;

    #[test]
    fn what_is_missing_is_told_at_once() {
        let mistakes = Trial::of("vagrant-cloud").mistakes(r#"{"vagrant_cloud_url": "http://127.0.0.1:1/api/v1"}"#);
        assert_eq!(mistakes, ["box_tag must be set", "version must be set"]);
        let mistakes = Trial::of("vagrant-registry").mistakes(r#"{"hcp_api_address": "http://127.0.0.1:1", "box_checksum": "sha256"}"#);
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
    }

    #[test]
    fn only_boxes_are_published() {
        let json = r#"{"box_tag": "a/b", "version": "1", "vagrant_cloud_url": "http://127.0.0.1:1/api/v1"}"#;
        let other = Artifact { builder_id: "packer.file".into(), ..Artifact::default() };
        let error = Trial::of("vagrant-cloud").process(json, &other).err().unwrap().to_string();
        assert!(error.contains("Unknown artifact type: this post-processor requires"), "{error}");
        let empty = Artifact { builder_id: BOXES[0].into(), ..Artifact::default() };
        let error = Trial::of("vagrant-cloud").process(json, &empty).err().unwrap().to_string();
        assert!(error.contains("Vagrant box file not found as part of artifact"), "{error}");
    }
}
