//! Copying boxes from one registry to another: what is not there yet travels, what is there does not, and what broke off goes on.

use std::path::{Path, PathBuf};

use kiste_core::{Cancel, Explain, Kind};
use serde::Serialize;

use super::{BoxChange, Push, Registry, RegistryBox, RegistryProvider, RegistryVersion, Source, Tag};
use crate::client::{Access, Client};
use crate::digest::Checksum;
use crate::download::{Download, Fetched, Settings, Unfinished};
use crate::{Constraint, Error, Version, architecture};

mod origin;

pub use origin::Origin;

/// What to copy.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// Only this box; none: all of the owner's.
    pub name: Option<String>,
    /// Whose boxes.
    pub owner: String,
    /// Whose they are at the target; none: the same.
    pub to_owner: Option<String>,
    /// Only these versions.
    pub versions: Constraint,
    /// Only for these providers; empty: all.
    pub providers: Vec<String>,
    /// Only tell what would be done.
    pub dry_run: bool,
}

/// What was copied, and what not.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Mirrored {
    /// Files that travelled (or would).
    pub copied: Vec<Copied>,
    /// Files that were there already.
    pub present: usize,
    /// Versions that were released at the target (or would be).
    pub released: Vec<String>,
    /// Versions that were revoked at the target (or would be).
    pub revoked: Vec<String>,
    /// What went wrong, box by box.
    pub failed: Vec<Failure>,
}

/// One file.
#[derive(Clone, Debug, Serialize)]
pub struct Copied {
    /// Box at the target.
    pub tag: String,
    /// Version.
    pub version: String,
    /// Provider.
    pub provider: String,
    /// Architecture.
    pub architecture: String,
}

/// One thing that went wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// What was to be copied.
    pub what: String,
    /// Why it was not.
    pub reason: String,
    /// Kind of the failure.
    #[serde(skip)]
    pub kind: Kind,
}

impl Failure {
    fn new(what: String, error: &Error) -> Self {
        Self { what, reason: error.to_string(), kind: error.kind() }
    }
}

/// One run.
struct Run<'a> {
    from: &'a Origin,
    to: &'a Registry,
    mirror: &'a Mirror,
    client: Client,
    done: Mirrored,
}

impl Registry {
    /// Copies boxes from `from` to here. What goes wrong with one box or file keeps no other back; only an interruption ends it.
    pub fn mirror(&self, from: &Origin, mirror: &Mirror) -> Result<Mirrored, Error> {
        let boxes = from.boxes(&mirror.owner, mirror.name.as_deref())?;
        let client = Client::new(&self.transport, from.access())?;
        let mut run = Run { from, to: self, mirror, client, done: Mirrored::default() };
        for b in &boxes {
            if let Err(error) = run.one(b) {
                interruption(&self.cancel)?;
                run.done.failed.push(Failure::new(b.tag.clone(), &error));
            }
        }
        Ok(run.done)
    }
}

fn interruption(cancel: &Cancel) -> Result<(), Error> {
    Ok(cancel.check()?)
}

impl Run<'_> {
    fn one(&mut self, b: &RegistryBox) -> Result<(), Error> {
        let from: Tag = b.tag.parse()?;
        let to = Tag { owner: self.mirror.to_owner.clone().unwrap_or(from.owner), name: from.name };
        let there = self.to.find_box(&to)?.map(|b| b.versions).unwrap_or_default();
        let mut versions: Vec<(Version, &RegistryVersion)> = Vec::new();
        for version in &b.versions {
            versions.push((version.version.parse()?, version));
        }
        // The oldest first, so that the newest at the target is always one that is whole.
        versions.sort_by(|(a, _), (b, _)| a.cmp(b));
        versions.retain(|(version, _)| self.mirror.versions.allows(version));
        for (_, version) in versions {
            let known = there.iter().find(|v| v.version == version.version);
            if version.is_revoked() {
                self.revoke(&to, version, known)?;
            } else {
                self.version(b, &to, version, known)?;
            }
        }
        Ok(())
    }

    /// What was revoked there is revoked here; it is not copied.
    fn revoke(&mut self, to: &Tag, version: &RegistryVersion, known: Option<&RegistryVersion>) -> Result<(), Error> {
        if !known.is_some_and(RegistryVersion::is_active) {
            return Ok(());
        }
        self.say(format!("Revoking {to} {}", version.version));
        if !self.mirror.dry_run {
            self.to.revoke(to, &version.version, version.revoked_reason.as_deref())?;
        }
        self.done.revoked.push(format!("{to} {}", version.version));
        Ok(())
    }

    fn version(&mut self, b: &RegistryBox, to: &Tag, version: &RegistryVersion, known: Option<&RegistryVersion>) -> Result<(), Error> {
        let failed = self.done.failed.len();
        let mut whole = 0;
        for file in version.providers.iter().filter(|p| p.is_whole()) {
            if !self.mirror.providers.is_empty() && !self.mirror.providers.contains(&file.name) {
                continue;
            }
            whole += 1;
            if let Err(error) = self.file(b, to, version, file, known) {
                interruption(&self.to.cancel)?;
                self.done.failed.push(Failure::new(format!("{to} {} for {}", version.version, file.shown()), &error));
            }
        }
        let was_active = known.is_some_and(RegistryVersion::is_active);
        if !version.is_active() || was_active || whole == 0 || self.done.failed.len() > failed {
            return Ok(());
        }
        self.say(format!("Releasing {to} {}", version.version));
        if !self.mirror.dry_run {
            self.to.release(to, &version.version)?;
        }
        self.done.released.push(format!("{to} {}", version.version));
        Ok(())
    }

    fn file(
        &mut self,
        b: &RegistryBox,
        to: &Tag,
        version: &RegistryVersion,
        file: &RegistryProvider,
        known: Option<&RegistryVersion>,
    ) -> Result<(), Error> {
        let word = file.architecture.clone().filter(|a| !a.is_empty()).unwrap_or_else(|| architecture::UNKNOWN.to_owned());
        if known.and_then(|v| v.provider(&file.name, Some(&word))).is_some_and(|there| same(file, there)) {
            self.done.present += 1;
            return Ok(());
        }
        let (provider, architecture) = (file.name.clone(), word.clone());
        let copied = Copied { tag: to.to_string(), version: version.version.clone(), provider, architecture };
        self.say(format!("Copying {} {} for {}", b.tag, version.version, file.shown()));
        if self.mirror.dry_run {
            self.done.copied.push(copied);
            return Ok(());
        }
        let checksum = declared(file)?;
        let (path, fetched) = self.fetch(file, checksum.as_ref())?;
        self.to.push(&Push {
            tag: to.clone(),
            version: version.version.clone(),
            provider: Some(file.name.clone()),
            as_told: true,
            architecture: Some(word),
            source: Source::File(path),
            checksum,
            default_architecture: Some(file.default_architecture || file.architecture.is_none()),
            about: BoxChange {
                short_description: filled(&b.short_description),
                description: filled(&b.description_markdown),
                is_private: Some(b.private),
            },
            version_description: filled(&version.description_markdown),
            release: false,
            force: true,
            direct: false,
            dry_run: false,
        })?;
        if let Some(fetched) = fetched {
            fetched.remove();
        }
        self.done.copied.push(copied);
        Ok(())
    }

    /// The file on this host, verified; a download stays until it was passed on.
    fn fetch(&self, file: &RegistryProvider, checksum: Option<&Checksum>) -> Result<(PathBuf, Option<Fetched>), Error> {
        let (reporter, cancel) = (&self.to.reporter, &self.to.cancel);
        let place = match self.from.place_of(file)? {
            origin::Location::Path(path) => {
                verify(&path, checksum, self.to)?;
                return Ok((path, None));
            }
            origin::Location::Web(url) => url,
        };
        let settings = Settings::default();
        let download = Download {
            unfinished: Unfinished::of(&self.to.home, &place),
            wanted: Some("a box"),
            client: &self.client,
            url: &place,
            verified: checksum.is_some(),
            settings: &settings,
            reporter,
            cancel,
        };
        let fetched = download.fetch(false)?;
        let path = fetched.path().to_owned();
        match verify(&path, checksum, self.to) {
            Err(error) => {
                if !matches!(error, Error::Cancelled(_)) {
                    fetched.remove();
                }
                Err(error)
            }
            Ok(()) => Ok((path, Some(fetched))),
        }
    }

    fn say(&self, text: String) {
        if self.mirror.dry_run { self.to.reporter.detail(format!("Would be: {text}")) } else { self.to.reporter.say(text) }
    }
}

fn verify(path: &Path, checksum: Option<&Checksum>, to: &Registry) -> Result<(), Error> {
    let Some(checksum) = checksum else { return Ok(()) };
    let mut file = std::fs::File::open(path).map_err(Error::file(path))?;
    checksum.verify(&mut file, path, &path.display().to_string(), &to.reporter, &to.cancel)
}

fn declared(file: &RegistryProvider) -> Result<Option<Checksum>, Error> {
    if let Some(digits) = file.sha256() {
        return Checksum::read(Some(digits), Some("sha256"));
    }
    let kind = Some(file.checksum_type.as_str()).filter(|_| !file.checksum.trim().is_empty());
    Checksum::read(kind.map(|_| file.checksum.as_str()), kind)
}

/// Whether the target has this very file. Where nobody says what is in it, a file of the same length, or any at all, counts.
fn same(source: &RegistryProvider, there: &RegistryProvider) -> bool {
    if !there.is_whole() {
        return false;
    }
    match (source.sha256(), there.sha256()) {
        (Some(a), Some(b)) => return a.eq_ignore_ascii_case(b),
        _ if source.checksum_type == there.checksum_type && !source.checksum.is_empty() => {
            return source.checksum.eq_ignore_ascii_case(&there.checksum);
        }
        _ => {}
    }
    match (source.size, there.size) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

fn filled(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|t| !t.is_empty())
}

impl Origin {
    /// What may be told to whom while fetching.
    fn access(&self) -> Access {
        match self {
            Self::Registry { registry, tokens } => Access {
                server: Some(registry.place.address().clone()),
                token: registry.place.token().map(str::to_owned),
                tokens: tokens.clone(),
                trusted: false,
            },
            Self::Folder(_) => Access::default(),
        }
    }
}
