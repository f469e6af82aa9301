//! The user's boxes on disk.
//!
//! A box becomes visible by one rename of a whole, synced folder; whatever was half made lies in the temporary folder and goes with the next
//! command that changes the store.

use kiste_core::dirs::Home;

use crate::Error;

mod add;
mod install;
mod leftovers;
mod outdated;
mod prune;
mod query;
mod record;
mod remove;
mod repackage;
mod request;
mod resolve;
mod stored_box;
mod withdrawn;

pub use outdated::{Freshness, OutdatedRequest, Update, Updated};
pub use prune::{BoxInUse, PruneRequest, Pruned};
pub use query::Query;
pub use remove::Selection;
pub use request::AddRequest;
pub(crate) use resolve::{Asking, read_document};
pub use stored_box::StoredBox;
pub(crate) use stored_box::provider_shown;
pub use withdrawn::Withdrawn;

/// The store of one user. Cheap to make; nothing is kept in memory.
#[derive(Clone, Debug)]
pub struct Store {
    home: Home,
}

impl Store {
    /// The store in `home`, which need not exist yet.
    pub fn open(home: &Home) -> Self {
        Self { home: home.clone() }
    }

    /// All boxes by name, then version, architecture and provider. Folders that are no boxes are passed over.
    pub fn list(&self) -> Result<Vec<StoredBox>, Error> {
        stored_box::all(&self.home)
    }

    /// All boxes of one name, in the order of [`Store::list`].
    pub fn named(&self, name: &str) -> Result<Vec<StoredBox>, Error> {
        stored_box::named(&self.home, name)
    }

    /// The best box for `query`: the highest version that will do; of that the provider named first.
    pub fn find(&self, query: &Query) -> Result<Option<StoredBox>, Error> {
        query.best(self.named(&query.name)?)
    }
}

#[cfg(test)]
mod tests;
