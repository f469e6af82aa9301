//! Removing old versions.

use std::collections::BTreeMap;

use kiste_core::{Cancel, Reporter};

use super::{Store, StoredBox, install, leftovers};
use crate::Error;

/// Which boxes may go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PruneRequest {
    /// Only boxes of this name.
    pub name: Option<String>,
    /// Only boxes for this provider.
    pub provider: Option<String>,
    /// Boxes that machines were made from; they stay.
    pub in_use: Vec<BoxInUse>,
    /// Only tell.
    pub dry_run: bool,
}

/// A box as a machine remembers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoxInUse {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Provider.
    pub provider: String,
    /// Architecture, when it is known; without, any counts.
    pub architecture: Option<String>,
}

/// What became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Stay.
    pub kept: Vec<StoredBox>,
    /// Went, or would go.
    pub removed: Vec<StoredBox>,
}

impl Store {
    /// Removes all but the newest version of each name, provider and architecture.
    pub fn prune(&self, request: &PruneRequest, reporter: &Reporter, cancel: &Cancel) -> Result<Pruned, Error> {
        let pruned = sorted_out(self.list()?, request);
        if request.dry_run {
            return Ok(pruned);
        }
        leftovers::sweep(&self.home, cancel)?;
        for stored in &pruned.removed {
            let _lock = install::lock(&self.home, &stored.name, cancel, reporter)?;
            self.remove_one(stored, reporter, cancel)?;
        }
        Ok(pruned)
    }
}

fn sorted_out(boxes: Vec<StoredBox>, request: &PruneRequest) -> Pruned {
    let meant = |b: &StoredBox| {
        request.name.as_ref().is_none_or(|name| *name == b.name) && request.provider.as_ref().is_none_or(|provider| *provider == b.provider)
    };
    let mut kinds: BTreeMap<_, Vec<StoredBox>> = BTreeMap::new();
    for stored in boxes.into_iter().filter(meant) {
        let kind = (stored.name.clone(), stored.provider.clone(), stored.architecture.clone());
        kinds.entry(kind).or_default().push(stored);
    }
    let mut pruned = Pruned::default();
    // the store lists versions in rising order
    for mut versions in kinds.into_values() {
        pruned.kept.extend(versions.pop());
        for stored in versions {
            let used = request.in_use.iter().any(|used| used.is(&stored));
            if used { pruned.kept.push(stored) } else { pruned.removed.push(stored) }
        }
    }
    pruned
}

impl BoxInUse {
    /// Whether `stored` is this box.
    pub fn is(&self, stored: &StoredBox) -> bool {
        let architecture = self.architecture.is_none() || self.architecture == stored.architecture;
        self.name == stored.name && self.version == stored.version && self.provider == stored.provider && architecture
    }
}
