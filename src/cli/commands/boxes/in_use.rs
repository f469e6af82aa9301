//! Which boxes the user's machines were made from, so that none is removed unasked.

use kiste_boxes::StoredBox;
use kiste_boxes::store::BoxInUse;
use kiste_lifecycle::index;

use crate::context::Context;
use crate::error::Error;

/// A box and the machine that was made from it.
pub struct Use {
    /// The box.
    pub used: BoxInUse,
    /// The machine: `web in /home/me/project`.
    pub machine: String,
}

/// Every use by every machine of the user.
pub fn all(context: &Context) -> Result<Vec<Use>, Error> {
    let drivers = kiste_providers::all();
    let mut uses = Vec::new();
    for entry in index::list(&context.home()?, &drivers, &context.reporter)? {
        let Some((name, version)) = entry.image.as_deref().and_then(name_and_version) else { continue };
        let machine = format!("`{}` in `{}`", entry.name, entry.directory.display());
        let kinds = drivers.iter().find(|d| d.name() == entry.provider).map(|d| d.box_providers()).unwrap_or_default();
        uses.extend(kinds.iter().map(|kind| Use {
            used: BoxInUse { name: name.clone(), version: version.clone(), provider: (*kind).to_owned(), architecture: None },
            machine: machine.clone(),
        }));
    }
    Ok(uses)
}

/// Machines that were made from one of `boxes`.
pub fn machines(uses: &[Use], boxes: &[StoredBox]) -> Vec<String> {
    let mut machines: Vec<String> = uses.iter().filter(|u| boxes.iter().any(|b| u.used.is(b))).map(|u| u.machine.clone()).collect();
    machines.dedup();
    machines
}

/// Of `debian/12 (12.5.0)`.
fn name_and_version(image: &str) -> Option<(String, String)> {
    let (name, version) = image.strip_suffix(')')?.rsplit_once(" (")?;
    Some((name.to_owned(), version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_a_name_and_a_version() {
        assert_eq!(name_and_version("my (old) box (1.0)"), Some(("my (old) box".to_owned(), "1.0".to_owned())));
        assert_eq!(name_and_version("nothing"), None);
    }
}
