//! Publishing a box in one go: what is not there is made, what is there already is left, and what was interrupted goes on.

use std::path::PathBuf;

use serde::Serialize;

use super::upload::Upload;
use super::{BoxChange, ProviderChange, Registry, RegistryProvider, RegistryVersion, Tag};
use crate::digest::Checksum;
use crate::store::provider_shown;
use crate::{Error, Version, architecture, digest, name, publish};

/// What is to be published.
#[derive(Clone, Debug)]
pub struct Push {
    /// Box.
    pub tag: Tag,
    /// Version.
    pub version: String,
    /// Provider; none: as the box's metadata says.
    pub provider: Option<String>,
    /// Provider and architecture are those given, and nobody looks into the file: a copy of what is published somewhere (boxes of old tell nothing
    /// of themselves, some providers are known by several names).
    pub as_told: bool,
    /// Architecture; none: as the box's metadata says, else this host's.
    pub architecture: Option<String>,
    /// Where the box comes from.
    pub source: Source,
    /// Digest and its type, as declared by the caller; none: computed of a file.
    pub checksum: Option<Checksum>,
    /// Whether it is for those who ask for no architecture; none: the registry decides.
    pub default_architecture: Option<bool>,
    /// About a box.
    pub about: BoxChange,
    /// What is new in the version.
    pub version_description: Option<String>,
    /// Let everybody get it.
    pub release: bool,
    /// Replace another file of an unreleased version.
    pub force: bool,
    /// Into the registry's storage directly, where it has one of its own.
    pub direct: bool,
    /// Only tell what would be done.
    pub dry_run: bool,
}

/// Where a box comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// This file.
    File(PathBuf),
    /// It lies there, and stays there.
    Address(String),
}

/// How it ended.
#[derive(Clone, Debug, Serialize)]
pub struct Pushed {
    /// Box.
    pub tag: String,
    /// Version.
    pub version: String,
    /// Provider.
    pub provider: String,
    /// Architecture.
    pub architecture: String,
    /// Status of the version now.
    pub status: String,
    /// SHA-256 in hex, when known.
    pub sha256: Option<String>,
    /// Whether the file travelled; false when it was there already.
    pub uploaded: bool,
    /// Nothing was really done.
    pub dry_run: bool,
}

/// A push whose open questions are answered.
struct Ready<'a> {
    push: &'a Push,
    provider: String,
    architecture: String,
    checksum: Option<Checksum>,
}

impl Registry {
    /// Publishes. What was done before a failure stays, and the same call goes on there.
    pub fn push(&self, push: &Push) -> Result<Pushed, Error> {
        push.version.parse::<Version>()?;
        let ready = self.prepare(push)?;
        self.make_box(push)?;
        let version = self.make_version(push)?;
        let uploaded = self.make_provider(&ready, version.as_ref())?;
        let status = self.finish(push, version.as_ref())?;
        Ok(Pushed {
            tag: push.tag.to_string(),
            version: push.version.clone(),
            sha256: ready.checksum.as_ref().and_then(|c| c.sha256()).map(str::to_owned),
            provider: ready.provider,
            architecture: ready.architecture,
            status,
            uploaded,
            dry_run: push.dry_run,
        })
    }

    fn prepare<'a>(&self, push: &'a Push) -> Result<Ready<'a>, Error> {
        let mut provider = push.provider.clone();
        let mut word = push.architecture.clone();
        let mut checksum = push.checksum.clone();
        if let Source::File(path) = &push.source {
            if !push.as_told {
                let metadata = publish::metadata(path, &self.cancel)?;
                if let Some(wanted) = provider.filter(|p| *p != metadata.provider) {
                    let source_name = path.display().to_string();
                    return Err(Error::Mismatch { source_name, what: "a box for provider", is: metadata.provider, wanted });
                }
                provider = Some(metadata.provider);
                word = word.or(metadata.architecture);
            }
            if checksum.as_ref().is_none_or(|c| c.sha256().is_none()) {
                self.reporter.detail(format!("Reading {}", path.display()));
                let digits = digest::of_file(path, &["sha256"], &self.cancel)?.pop();
                let computed = Checksum::read(digits.as_deref(), Some("sha256"))?;
                checksum = checksum.or(computed);
            }
        }
        let provider = provider.ok_or_else(|| Error::Usage("for which provider is it? Nothing but an address is given".to_owned()))?;
        name::check_word("provider", &provider)?;
        let architecture = word.map_or_else(|| architecture::host().to_owned(), |w| architecture::normalise(&w));
        name::check_word("architecture", &architecture)?;
        Ok(Ready { push, provider, architecture, checksum })
    }

    fn make_box(&self, push: &Push) -> Result<(), Error> {
        let found = self.find_box(&push.tag)?;
        match found {
            Some(found) => {
                let change = changed(&push.about, &found);
                if change.is_empty() {
                    return Ok(());
                }
                self.plan(push, format!("Updating box `{}`", push.tag));
                if push.dry_run { Ok(()) } else { self.update_box(&push.tag, &change).map(drop) }
            }
            None => {
                self.plan(push, format!("Creating box `{}`", push.tag));
                if push.dry_run { Ok(()) } else { meanwhile(self.create_box(&push.tag, &push.about), || self.find_box(&push.tag)) }
            }
        }
    }

    /// What was there of the version before.
    fn make_version(&self, push: &Push) -> Result<Option<RegistryVersion>, Error> {
        let found = self.find_version(&push.tag, &push.version)?;
        let text = push.version_description.as_deref();
        match &found {
            Some(version) if text.is_some_and(|t| t != version.description_markdown) => {
                self.plan(push, format!("Updating version {}", push.version));
                if !push.dry_run {
                    self.update_version(&push.tag, &push.version, text)?;
                }
            }
            Some(_) => {}
            None => {
                self.plan(push, format!("Creating version {}", push.version));
                if !push.dry_run {
                    meanwhile(self.create_version(&push.tag, &push.version, text), || self.find_version(&push.tag, &push.version))?;
                }
            }
        }
        Ok(found)
    }

    /// Whether the file travelled.
    fn make_provider(&self, ready: &Ready<'_>, version: Option<&RegistryVersion>) -> Result<bool, Error> {
        let push = ready.push;
        let there = version.and_then(|v| v.provider(&ready.provider, Some(&ready.architecture)));
        let shown = provider_shown(&ready.provider, Some(&ready.architecture));
        if let Some(there) = there {
            if ready.is(there) {
                self.reporter.detail(format!("Version {} for {shown} is there already", push.version));
                return Ok(false);
            }
            may_change(ready, there, version)?;
        }
        let verb = if there.is_some() { "Updating" } else { "Creating" };
        self.plan(push, format!("{verb} provider {shown}"));
        if !push.dry_run {
            let change = ready.change();
            match there {
                // What is declared of a file that is there can't become another file's: both go together.
                Some(there) if there.is_whole() && matches!(push.source, Source::File(_)) => {
                    let is_default = change.default_architecture.or(Some(there.default_architecture));
                    self.delete_provider(&push.tag, &push.version, &ready.provider, Some(&ready.architecture))?;
                    let change = ProviderChange { default_architecture: is_default, ..change };
                    self.create_provider(&push.tag, &push.version, &change).map(drop)?;
                }
                Some(_) => self.update_provider(&push.tag, &push.version, Some(&ready.architecture), &change).map(drop)?,
                None => meanwhile(self.create_provider(&push.tag, &push.version, &change), || {
                    self.find(&push.tag.provider(&push.version, &ready.provider, Some(&ready.architecture)))
                        as Result<Option<RegistryProvider>, Error>
                })?,
            }
        }
        let Source::File(file) = &push.source else { return Ok(false) };
        if push.dry_run {
            self.plan(push, format!("Uploading {}", file.display()));
            return Ok(false);
        }
        let sha256 = ready.checksum.as_ref().map(|c| c.to_string()).unwrap_or_default();
        self.upload(&Upload {
            tag: &push.tag,
            version: &push.version,
            provider: &ready.provider,
            architecture: Some(&ready.architecture),
            file,
            sha256: &sha256,
            direct: push.direct,
        })?;
        self.compare(ready, file)?;
        Ok(true)
    }

    /// Whether the registry has what we sent. One that says nothing is believed.
    fn compare(&self, ready: &Ready<'_>, file: &std::path::Path) -> Result<(), Error> {
        let push = ready.push;
        let there = self.provider(&push.tag, &push.version, &ready.provider, Some(&ready.architecture))?;
        match (ready.checksum.as_ref().filter(|c| c.sha256().is_some()), there.sha256()) {
            (Some(sent), Some(has)) => sent.compare(has, &file.display().to_string()),
            _ => Ok(()),
        }
    }

    /// Releases when asked to; the version's status then.
    fn finish(&self, push: &Push, before: Option<&RegistryVersion>) -> Result<String, Error> {
        let status = before.map_or("unreleased", |v| v.status.as_str());
        if !push.release || status == "active" {
            return Ok(status.to_owned());
        }
        self.plan(push, format!("Releasing version {}", push.version));
        if push.dry_run {
            return Ok(status.to_owned());
        }
        Ok(self.release(&push.tag, &push.version)?.status)
    }

    fn plan(&self, push: &Push, what: String) {
        if push.dry_run { self.reporter.detail(format!("Would be: {what}")) } else { self.reporter.say(what) }
    }
}

impl Ready<'_> {
    fn change(&self) -> ProviderChange {
        let address = match &self.push.source {
            Source::Address(address) => Some(address.clone()),
            Source::File(_) => None,
        };
        let (kind, digits) = match &self.checksum {
            Some(checksum) => (Some(checksum.kind().to_owned()), Some(checksum.digits().to_owned())),
            None => (None, None),
        };
        ProviderChange {
            name: self.provider.clone(),
            url: address,
            checksum: digits,
            checksum_type: kind,
            architecture: Some(self.architecture.clone()),
            default_architecture: self.push.default_architecture,
        }
    }

    /// Whether what is there is what is to come.
    fn is(&self, there: &RegistryProvider) -> bool {
        let same = match &self.checksum {
            Some(ours) => match ours.sha256() {
                Some(digits) => there.sha256().is_some_and(|has| has.eq_ignore_ascii_case(digits)),
                None => there.checksum_type == ours.kind() && there.checksum.eq_ignore_ascii_case(ours.digits()),
            },
            None => true,
        };
        match &self.push.source {
            Source::File(_) => there.hosted && same,
            Source::Address(address) => there.original_url.as_ref() == Some(address) && same,
        }
    }
}

fn may_change(ready: &Ready<'_>, there: &RegistryProvider, version: Option<&RegistryVersion>) -> Result<(), Error> {
    let push = ready.push;
    let status = version.map_or("unreleased", |v| v.status.as_str());
    if !there.is_whole() {
        return Ok(());
    }
    let shown = provider_shown(&ready.provider, Some(&ready.architecture));
    if status != "unreleased" {
        let status = if status == "active" { "released" } else { status };
        return Err(Error::Immutable { what: format!("version {} of `{}`", push.version, push.tag), status: status.to_owned() });
    }
    if push.force { Ok(()) } else { Err(Error::Taken { what: format!("version {} of `{}` for {shown}", push.version, push.tag) }) }
}

/// What of `about` is not so yet.
fn changed(about: &BoxChange, found: &super::RegistryBox) -> BoxChange {
    let other = |text: &Option<String>, is: &str| text.clone().filter(|t| t != is);
    BoxChange {
        short_description: other(&about.short_description, &found.short_description),
        description: other(&about.description, &found.description_markdown),
        is_private: about.is_private.filter(|private| *private != found.private),
    }
}

/// What somebody else made meanwhile is as good as what we make.
fn meanwhile<T>(made: Result<T, Error>, find: impl FnOnce() -> Result<Option<T>, Error>) -> Result<(), Error> {
    match made {
        Err(error @ Error::Status { .. }) => find()?.map(drop).ok_or(error),
        other => other.map(drop),
    }
}
