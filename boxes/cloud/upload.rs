//! Uploading a box's file for a provider: where to, sending it, and telling that it is there. What was interrupted goes on in another command a
//! day later.

use std::path::{Path, PathBuf};

use kiste_core::state_file;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::{Registry, Tag};
use crate::Error;
use crate::api::refused;
use crate::upload::Sending;

/// What goes where.
#[derive(Clone, Debug)]
pub struct Upload<'a> {
    /// Box.
    pub tag: &'a Tag,
    /// Version.
    pub version: &'a str,
    /// Provider.
    pub provider: &'a str,
    /// Architecture; none at registries that know of none.
    pub architecture: Option<&'a str>,
    /// The file.
    pub file: &'a Path,
    /// Its SHA-256 in hex.
    pub sha256: &'a str,
    /// Into the registry's storage directly, where it has one of its own.
    pub direct: bool,
}

/// Where the registry wants it. The address is a key: whoever knows it can write there.
#[derive(Clone, Serialize, Deserialize)]
struct Target {
    upload_path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    callback: Option<String>,
}

impl Registry {
    /// Uploads a file for a provider that exists. [`Error::Checksum`] when another file arrived than the one that was declared.
    pub fn upload(&self, upload: &Upload<'_>) -> Result<(), Error> {
        upload.file.metadata().map_err(Error::file(upload.file))?;
        let journal = self.journal(upload);
        let mut begun = self.begun(upload, &journal)?;
        loop {
            let (target, from) = match begun.take() {
                Some((target, from)) => (target, from),
                None => self.begin(upload, &journal)?,
            };
            let url = web(&target.upload_path)?;
            let done = match from {
                Some(from) => self.sending(upload, &url).from(from)?,
                None => self.sending(upload, &url).in_one_piece().map(|()| true)?,
            };
            if done {
                forget(&journal)?;
                return self.confirm(&target);
            }
            self.reporter.warn("The registry has forgotten what was uploaded so far; beginning anew");
        }
    }

    fn journal(&self, upload: &Upload<'_>) -> PathBuf {
        let place = self.api.url(&upload.tag.provider(upload.version, upload.provider, upload.architecture));
        let key = Sha256::digest(format!("{place}\n{}", upload.sha256).as_bytes());
        self.home.upload(&hex::encode(&key[..16]))
    }

    /// What an earlier command left, when the registry still knows of it.
    fn begun(&self, upload: &Upload<'_>, journal: &Path) -> Result<Option<(Target, Option<u64>)>, Error> {
        // A damaged note is as good as none.
        let Some(target) = state_file::read_json::<Target>(journal).ok().flatten() else { return Ok(None) };
        let from = self.sending(upload, &web(&target.upload_path)?).offset()?;
        if let Some(from) = from.filter(|from| *from > 0) {
            self.reporter.detail(format!("An earlier upload goes on after {}", kiste_core::Size(from)));
        }
        Ok(from.map(|from| (target, Some(from))))
    }

    fn begin(&self, upload: &Upload<'_>, journal: &Path) -> Result<(Target, Option<u64>), Error> {
        let way = if upload.direct { "upload/direct" } else { "upload" };
        let path = format!("{}/{way}", upload.tag.provider(upload.version, upload.provider, upload.architecture));
        let target: Target = self.get(&path, &[])?;
        let from = self.sending(upload, &web(&target.upload_path)?).offset()?;
        if from.is_some() {
            let text = serde_json::to_vec(&target).unwrap_or_default();
            state_file::write(journal, &text, 0o600).map_err(Error::file(journal))?;
        }
        Ok((target, from))
    }

    fn sending<'a>(&'a self, upload: &Upload<'a>, url: &'a Url) -> Sending<'a> {
        Sending { api: &self.api, url, file: upload.file, reporter: &self.reporter, cancel: &self.cancel }
    }

    /// Tells the registry that its storage has the file now. Only the path counts: what confirms an upload is the registry itself.
    fn confirm(&self, target: &Target) -> Result<(), Error> {
        let Some(told) = &target.callback else { return Ok(()) };
        let told = web(told)?;
        let mut url = self.api.url("");
        url.set_path(told.path());
        url.set_query(told.query());
        self.api.ask_at(Method::PUT, &url, None, &self.cancel)?.map(drop).map_err(|refusal| refused(&url, &refusal))
    }
}

fn web(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| Error::Network { url: "upload_path".to_owned(), reason: "the registry names no address for the file".to_owned() })
}

fn forget(journal: &Path) -> Result<(), Error> {
    match std::fs::remove_file(journal) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::file(journal)(e)),
        _ => Ok(()),
    }
}
