//! `kiste.lock`: which version of each box the project's machines are made from. Meant for version control.
//!
//! A pin holds as long as the file's constraint on the version allows it; one that does not is replaced. A box of a catalog whose
//! content is not what was pinned is refused. A box that came as a file has no version worth the name, so its digest is
//! simply written anew when it was added again.

use std::path::PathBuf;

use kiste_boxes::{Constraint, StoredBox, Version};
use kiste_core::dirs;
use kiste_core::machine::BoxRequest;
use kiste_core::state_file::{self, Lock};
use serde::{Deserialize, Serialize};

use crate::context::Target;
use crate::error::Error;

const HEADER: &str = "# Written by `kiste up`; `kiste box update` changes it. Keep it in version control.\n\n";

/// One box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pin {
    pub name: String,
    pub version: String,
    pub provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Address of the catalog document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    #[serde(rename = "box", default)]
    boxes: Vec<Pin>,
}

/// The pin that holds for a machine to be made.
pub(crate) fn pin(target: &Target<'_>, request: &BoxRequest) -> Result<Option<Pin>, Error> {
    let constraint: Constraint = request.version.parse()?;
    let allowed = |p: &Pin| p.version.parse::<Version>().is_ok_and(|v| constraint.allows(&v));
    let providers = target.driver.box_providers();
    let arch = request.architecture.as_deref();
    let content = read(target)?;
    let fits =
        |p: &Pin| p.name == request.name && providers.contains(&p.provider.as_str()) && architecture_fits(arch, p.architecture.as_deref());
    Ok(content.boxes.into_iter().find(|p| fits(p) && allowed(p)))
}

/// A pin made on a host of another architecture is not this host's.
fn architecture_fits(wanted: Option<&str>, pinned: Option<&str>) -> bool {
    use kiste_boxes::architecture::{host, normalise};
    match (wanted, pinned) {
        (_, None) | (None, _) => true,
        (Some("auto"), Some(pinned)) => normalise(pinned) == host(),
        (Some(wanted), Some(pinned)) => normalise(wanted) == normalise(pinned),
    }
}

/// Checks the box against its pin and writes the pin when there is something new to say.
pub(crate) fn note(target: &Target<'_>, stored: &StoredBox, pin: Option<&Pin>, locked: bool) -> Result<(), Error> {
    let new = Pin {
        name: stored.name.clone(),
        version: stored.version.clone(),
        provider: stored.provider.clone(),
        architecture: stored.architecture.clone(),
        registry: stored.metadata_url.clone(),
        digest: stored.digest.clone().or_else(|| pin.and_then(|p| p.digest.clone())),
    };
    if pin == Some(&new) {
        return Ok(());
    }
    let other_content = pin.is_some_and(|p| p.digest.is_some() && new.digest != p.digest);
    let reason = || format!("the box `{}` ({}) is not the one that is pinned", new.name, new.version);
    if (other_content && stored.metadata_url.is_some()) || locked {
        return Err(Error::Locked { reason: reason() });
    }
    write(target, new)
}

fn path(target: &Target<'_>) -> PathBuf {
    dirs::lock_file(&target.env.project.root)
}

fn read(target: &Target<'_>) -> Result<Content, Error> {
    let path = path(target);
    match std::fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text).map_err(|e| Error::Locked { reason: format!("it cannot be read: {}", e.message()) }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Content::default()),
        Err(e) => Err(Error::file("read", path)(e)),
    }
}

fn write(target: &Target<'_>, new: Pin) -> Result<(), Error> {
    let guard = dirs::lock_file_guard(&target.env.project.root);
    let _guard = Lock::take(&guard, &target.env.cancel, |_| {}).map_err(Error::file("lock", &guard))?;
    let mut content = read(target)?;
    content.boxes.retain(|p| !(p.name == new.name && p.provider == new.provider && p.architecture == new.architecture));
    content.boxes.push(new);
    content.boxes.sort_by(|a, b| (&a.name, &a.provider, &a.architecture).cmp(&(&b.name, &b.provider, &b.architecture)));
    let text = toml::to_string(&content).map_err(|e| Error::Locked { reason: e.to_string() })?;
    state_file::write(&path(target), format!("{HEADER}{text}").as_bytes(), 0o644).map_err(Error::file("write", path(target)))
}
