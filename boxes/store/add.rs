//! Adding a box: decide, fetch, verify, unpack aside, look at it, make it visible.

use std::fs::File;
use std::io::Seek;
use std::path::{Path, PathBuf};

use kiste_core::dirs::{self, Home};
use kiste_core::state_file::{self, Lock};
use kiste_core::{Cancel, Reporter};

use super::install::{self, Place};
use super::leftovers::{self, Scratch};
use super::record::Record;
use super::request::AddRequest;
use super::resolve::{self, Asking, Location, Plan};
use super::{Query, Store, StoredBox, provider_shown};
use crate::download::{Download, Fetched, Settings, Unfinished};
use crate::format::{self, Limits};
use crate::{Error, Metadata, architecture, failure, metadata, name};

/// Boxes from before there was a metadata.json: the file that shows it, and the provider there was then.
const WITHOUT_METADATA: (&str, &str) = ("box.ovf", "virtualbox");

/// One box being added.
struct Adding<'a> {
    home: &'a Home,
    request: &'a AddRequest,
    plan: Plan,
    asking: Asking<'a>,
}

impl Store {
    /// Fetches, checks and unpacks a box. [`Error::Exists`] when it is there already and `force` is not set. When another command adds
    /// the same box right now, waits for it and takes what it added.
    pub fn add(&self, request: &AddRequest, reporter: &Reporter, cancel: &Cancel) -> Result<StoredBox, Error> {
        cancel.check()?;
        leftovers::sweep(&self.home, cancel)?;
        let asking = Asking::new(&self.home, request, reporter, cancel)?;
        let plan = resolve::resolve(request, &asking)?;
        Adding { home: &self.home, request, plan, asking }.run()
    }

    /// The best box for `query`, else the one that `request` adds.
    pub fn find_or_add(&self, query: &Query, request: &AddRequest, reporter: &Reporter, cancel: &Cancel) -> Result<StoredBox, Error> {
        if let Some(found) = self.find(query)? {
            return Ok(found);
        }
        match self.add(request, reporter, cancel) {
            Err(exists @ Error::Exists { .. }) => self.find(query)?.ok_or(exists),
            added => added,
        }
    }
}

impl Adding<'_> {
    fn run(&self) -> Result<StoredBox, Error> {
        let (plan, reporter) = (&self.plan, self.asking.reporter);
        if !self.request.force
            && let Some(place) = self.present()?
        {
            return Err(place.exists());
        }
        let mut waited = false;
        let _lock = self.lock(&mut waited)?;
        if let (true, false, Some(place)) = (waited, self.request.force, self.present()?)
            && let Some(stored) = place.stored(self.home)?
        {
            return Ok(stored);
        }
        let provider = plan.provider.as_ref().map(|p| format!(" for {}", provider_shown(p, plan.architecture.as_deref())));
        reporter.say(format!("Adding box `{}` (v{}){}", plan.name, plan.version, provider.unwrap_or_default()));
        let stored = self.try_locations()?;
        let shown = provider_shown(&stored.provider, stored.architecture.as_deref());
        reporter.success(format!("Added box `{}` (v{}) for {shown}", stored.name, stored.version));
        Ok(stored)
    }

    fn lock(&self, waited: &mut bool) -> Result<Lock, Error> {
        let plan = &self.plan;
        let words = [plan.name.as_str(), &plan.version, plan.provider.as_deref().unwrap_or(""), plan.architecture.as_deref().unwrap_or("")];
        let path = self.home.lock(&format!("add-{}", install::hashed(&words)));
        let waiting = |_| {
            *waited = true;
            self.asking.reporter.detail("Waiting for another command that adds the same box");
        };
        Lock::take(&path, self.asking.cancel, waiting).map_err(Error::file(&path))
    }

    /// Where the box is already. A single file shows its provider only when unpacked: any that was asked for counts.
    fn present(&self) -> Result<Option<Place>, Error> {
        let store = Store::open(self.home);
        let there = store.named(&self.plan.name)?.into_iter().find(|b| {
            b.version == self.plan.version
                && match &self.plan.provider {
                    Some(provider) => b.provider == *provider && b.architecture == self.plan.architecture,
                    None => self.request.providers.is_empty() || self.request.providers.contains(&b.provider),
                }
        });
        Ok(there.map(|b| Place { name: b.name, version: b.version, architecture: b.architecture, provider: b.provider }))
    }

    /// The first place that gives the file.
    fn try_locations(&self) -> Result<StoredBox, Error> {
        let mut failure = None;
        for location in &self.plan.locations {
            match self.try_location(location) {
                Err(error @ (Error::Network { .. } | Error::Status { .. } | Error::NotABox { .. } | Error::Checksum { .. }))
                    if self.plan.locations.len() > 1 =>
                {
                    self.asking.reporter.warn(format!("{error}; trying the next address"));
                    failure = Some(error);
                }
                other => return other,
            }
        }
        Err(failure.unwrap_or_else(|| Error::NotFound { what: format!("an address of box `{}`", self.plan.name) }))
    }

    fn try_location(&self, location: &Location) -> Result<StoredBox, Error> {
        match location {
            Location::Path(path) => self.unpack(path, location),
            Location::Web(url) => {
                let settings = Settings::default();
                let download = Download {
                    unfinished: Unfinished::of(self.home, url),
                    wanted: Some("a box"),
                    client: self.asking.client()?,
                    url,
                    verified: self.plan.checksum.is_some(),
                    settings: &settings,
                    reporter: self.asking.reporter,
                    cancel: self.asking.cancel,
                };
                let fetched = download.fetch(self.request.clean)?;
                let result = self.unpack(fetched.path(), location);
                // an interruption is no fault of the file; everything else would be the same again
                if !matches!(result, Err(Error::Cancelled(_))) {
                    Fetched::remove(fetched);
                }
                result
            }
        }
    }

    fn unpack(&self, path: &Path, location: &Location) -> Result<StoredBox, Error> {
        let (reporter, cancel, source) = (self.asking.reporter, self.asking.cancel, location.shown());
        let mut file = open(path)?;
        if let Some(checksum) = &self.plan.checksum {
            checksum.verify(&mut file, path, &source, reporter, cancel)?;
            file.rewind().map_err(Error::file(path))?;
        }
        let scratch = Scratch::new(self.home, dirs::ADDING, cancel)?;
        let folder = scratch.path().join("box");
        std::fs::create_dir(&folder).map_err(|e| failure::writing(&folder, 0, e))?;
        let total = file.metadata().map_err(Error::file(path))?.len();
        let mut progress = reporter.transfer(format!("Unpacking {source}"), Some(total), 0);
        let unpacked = format::unpack(file, path, &folder, &source, &Limits::default(), cancel, &mut |done| progress.done(done))?;
        if let Some(checksum) = self.plan.checksum.as_ref().filter(|c| c.sha256().is_some()) {
            // the file might have become another one since it was verified
            checksum.compare(&unpacked.sha256, &source)?;
        }
        progress.finish();
        let place = self.look(&folder, &source)?;
        let record = Record {
            digest: Some(format!("sha256:{}", unpacked.sha256)),
            size: unpacked.size,
            source,
            added: jiff::Timestamp::now().to_string(),
            withdrawn: None,
        };
        let record_path = folder.join(dirs::BOX_RECORD);
        state_file::write_json(&record_path, &record).map_err(|e| failure::writing(&record_path, 0, e))?;
        self.install(&place, &folder)
    }

    /// What the unpacked box says it is; refuses one that was not asked for and one with hostile disks.
    fn look(&self, folder: &Path, source: &str) -> Result<Place, Error> {
        let metadata = read_metadata(folder, source)?;
        let wanted = match &self.plan.provider {
            Some(provider) => std::slice::from_ref(provider),
            None => self.request.providers.as_slice(),
        };
        if !wanted.is_empty() && !wanted.contains(&metadata.provider) {
            let (is, wanted) = (metadata.provider, wanted.join("` or `"));
            return Err(Error::Mismatch { source_name: source.to_owned(), what: "a box for provider", is, wanted });
        }
        if metadata.has_own_disks(folder) {
            metadata.disks(folder)?;
        }
        let architecture = match self.plan.provider {
            Some(_) => self.plan.architecture.clone(),
            None => self.direct_architecture(&metadata),
        };
        if let Some(architecture) = &architecture {
            name::check_word("architecture", architecture)?;
        }
        Ok(Place { name: self.plan.name.clone(), version: self.plan.version.clone(), architecture, provider: metadata.provider })
    }

    /// Of a single file: the one asked for, else the one it says.
    fn direct_architecture(&self, metadata: &Metadata) -> Option<String> {
        let asked = self.request.architecture.as_deref().filter(|a| *a != "auto");
        let word = architecture::normalise(asked.or(metadata.architecture.as_deref())?);
        (!word.is_empty() && word != architecture::UNKNOWN).then_some(word)
    }

    fn install(&self, place: &Place, folder: &Path) -> Result<StoredBox, Error> {
        self.asking.cancel.check()?;
        let _lock = install::lock(self.home, &place.name, self.asking.cancel, self.asking.reporter)?;
        install::install(self.home, place, folder, self.plan.metadata_url.as_deref(), self.request.force)
    }
}

fn open(path: &Path) -> Result<File, Error> {
    match File::open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(Error::NotFound { what: format!("file `{}`", path.display()) }),
        opened => opened.map_err(Error::file(path)),
    }
}

fn read_metadata(folder: &Path, source: &str) -> Result<Metadata, Error> {
    let path: PathBuf = folder.join(metadata::FILE);
    if !path.exists() {
        let (sign, provider) = WITHOUT_METADATA;
        if !folder.join(sign).is_file() {
            let reason = format!("there is no `{}` in it", metadata::FILE);
            return Err(Error::Archive { source_name: source.to_owned(), reason });
        }
        let metadata = Metadata { provider: provider.to_owned(), ..Metadata::default() };
        state_file::write_json(&path, &metadata).map_err(|e| failure::writing(&path, 0, e))?;
    }
    Metadata::read(folder).map_err(|error| match error {
        Error::Metadata { what, reason, .. } => Error::Metadata { what, source_name: source.to_owned(), reason },
        other => other,
    })
}
