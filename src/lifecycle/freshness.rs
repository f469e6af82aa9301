//! Whether a machine's box has a newer version: asked beside the way up, told after it, never waited for.

use std::thread::JoinHandle;

use kiste_boxes::store::{Freshness, OutdatedRequest};
use kiste_boxes::{Store, StoredBox};
use kiste_core::Reporter;
use kiste_core::machine::BoxRequest;

use crate::context::Target;
use crate::record::Image;

/// A question on its way; the answer is what the user is told.
pub(crate) struct Question {
    answer: JoinHandle<Option<String>>,
}

/// Asks, unless the file says not to or there is nobody to ask. At most once an hour the network is used.
pub(crate) fn ask(target: &Target<'_>, request: &BoxRequest, stored: StoredBox) -> Option<Question> {
    if !request.check_update || stored.metadata_url.is_none() {
        return None;
    }
    let (store, cancel) = (Store::open(&target.env.home), target.env.cancel.clone());
    let question = OutdatedRequest {
        constraint: request.version.clone(),
        server_url: request.server_url.clone(),
        download: request.download.clone(),
        ..OutdatedRequest::new(stored)
    };
    let answer = std::thread::spawn(move || match store.outdated(&question, &Reporter::silent(), &cancel) {
        Ok(fresh) => sentence(&question.stored, fresh),
        Err(e) => {
            tracing::debug!("no answer about newer versions: {e}");
            None
        }
    });
    Some(Question { answer })
}

/// The box in the store that a machine was made from.
pub(crate) fn stored(target: &Target<'_>, image: &Image) -> Option<StoredBox> {
    let all = Store::open(&target.env.home).named(&image.name).ok()?;
    all.into_iter().find(|b| b.version == image.version && b.provider == image.provider && b.architecture == image.architecture)
}

impl Question {
    /// Tells of a newer version, if the answer is there.
    pub fn tell(self, reporter: &Reporter) {
        if !self.answer.is_finished() {
            return;
        }
        if let Ok(Some(text)) = self.answer.join() {
            reporter.warn(text);
        }
    }
}

fn sentence(stored: &StoredBox, fresh: Freshness) -> Option<String> {
    let StoredBox { name, version, .. } = stored;
    match fresh {
        Freshness::Newer { latest } => Some(format!(
            "A newer version of the box '{name}' is available: {latest} (this machine has {version}). `kiste box update` fetches it; machines made from then on have it."
        )),
        Freshness::Withdrawn(withdrawn) => {
            let back = withdrawn.latest.as_ref().map(|latest| format!(" `kiste box update` goes back to {latest}.")).unwrap_or_default();
            Some(format!("Of the box '{name}', {}.{back}", withdrawn.sentence(version)))
        }
        Freshness::Current | Freshness::NoCatalog => None,
    }
}
