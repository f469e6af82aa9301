//! Removing boxes: exactly what was meant, or the choices there are.

use std::collections::BTreeSet;

use kiste_core::dirs;
use kiste_core::{Cancel, Reporter};

use super::{Store, StoredBox, install, leftovers};
use crate::{Error, Version, architecture};

/// Which boxes of a name are meant. What is left open must have one answer, or be meant as all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Name.
    pub name: String,
    /// One version.
    pub version: Option<String>,
    /// One provider.
    pub provider: Option<String>,
    /// One architecture; `none` for a box without.
    pub architecture: Option<String>,
    /// All versions.
    pub all_versions: bool,
    /// All providers.
    pub all_providers: bool,
    /// All architectures.
    pub all_architectures: bool,
}

/// One thing that tells boxes of a name apart.
struct Trait<'a> {
    what: &'static str,
    wanted: Option<String>,
    all: bool,
    of: &'a dyn Fn(&StoredBox) -> String,
}

impl Store {
    /// The boxes that `request` means, without removing them: to ask first. Errors: [`Error::NotFound`], [`Error::Ambiguous`].
    pub fn chosen(&self, request: &Selection) -> Result<Vec<StoredBox>, Error> {
        let mut boxes = self.named(&request.name)?;
        if boxes.is_empty() {
            return Err(Error::NotFound { what: format!("box `{}`", request.name) });
        }
        let version = |text: &str| text.parse::<Version>().map_or(text.to_owned(), |v| v.to_string());
        let arch = |b: &StoredBox| b.architecture.as_deref().map_or(dirs::NO_ARCHITECTURE.to_owned(), architecture::normalise);
        let traits = [
            Trait { what: "provider", wanted: request.provider.clone(), all: request.all_providers, of: &|b| b.provider.clone() },
            Trait {
                what: "version",
                wanted: request.version.as_deref().map(version),
                all: request.all_versions,
                of: &|b| b.version.clone(),
            },
            Trait {
                what: "architecture",
                wanted: request.architecture.as_deref().map(architecture::normalise),
                all: request.all_architectures,
                of: &arch,
            },
        ];
        for one in traits {
            boxes = narrow(boxes, &request.name, &one)?;
        }
        Ok(boxes)
    }

    /// Removes the boxes that `request` means and gives them back. They are gone from every list before their files are.
    pub fn remove(&self, request: &Selection, reporter: &Reporter, cancel: &Cancel) -> Result<Vec<StoredBox>, Error> {
        leftovers::sweep(&self.home, cancel)?;
        let _lock = install::lock(&self.home, &request.name, cancel, reporter)?;
        let boxes = self.chosen(request)?;
        for stored in &boxes {
            self.remove_one(stored, reporter, cancel)?;
        }
        Ok(boxes)
    }

    /// Removes one box. The caller holds the lock of its name.
    pub(super) fn remove_one(&self, stored: &StoredBox, reporter: &Reporter, cancel: &Cancel) -> Result<(), Error> {
        cancel.check()?;
        reporter.say(format!("Removing box `{}` (v{}) for {}", stored.name, stored.version, stored.provider_shown()));
        install::uninstall(&self.home, stored, cancel)
    }
}

fn narrow(boxes: Vec<StoredBox>, name: &str, one: &Trait<'_>) -> Result<Vec<StoredBox>, Error> {
    let choices: BTreeSet<String> = boxes.iter().map(one.of).collect();
    let same = |b: &StoredBox, wanted: &str| {
        let is = (one.of)(b);
        is == wanted
            || (one.what == "version" && is.parse::<Version>().ok().is_some_and(|v| wanted.parse::<Version>().is_ok_and(|w| v == w)))
    };
    match &one.wanted {
        Some(wanted) => {
            let kept: Vec<StoredBox> = boxes.into_iter().filter(|b| same(b, wanted)).collect();
            if kept.is_empty() {
                let there = choices.into_iter().collect::<Vec<_>>().join(", ");
                return Err(Error::NotFound { what: format!("box `{name}` with {} `{wanted}` (there is: {there})", one.what) });
            }
            Ok(kept)
        }
        None if choices.len() > 1 && !one.all => {
            Err(Error::Ambiguous { name: name.to_owned(), what: one.what, choices: choices.into_iter().collect() })
        }
        None => Ok(boxes),
    }
}
