//! Shared folders: paths in the guest, options that fit the kind.

use crate::document::Node;
use crate::mistake::Mistake;
use crate::shorthand::folder::starts_with_drive;

/// Checks one machine.
pub fn check(tree: &Node, out: &mut Vec<Mistake>) {
    for folder in tree.list("folders").iter().filter(|f| !f.is_true("disabled")) {
        let Some(guest) = folder.text("guest") else { continue };
        let place = &folder.get("guest").unwrap_or(folder).place;
        if !guest.starts_with('/') && !starts_with_drive(guest) {
            out.push(Mistake::new(place, "folders.guest", format!("`{guest}` must be an absolute path in the guest, such as `/srv/app`")));
        } else if guest.trim_end_matches('/').is_empty() || guest.split('/').any(|part| part == "..") {
            out.push(Mistake::new(place, "folders.guest", format!("`{guest}` can't be a shared folder in the guest")));
        }
        for key in ["exclude", "args", "rsync_path"] {
            let other = folder.text("type").filter(|kind| *kind != "rsync");
            if let (Some(node), Some(kind)) = (folder.get(key), other) {
                out.push(Mistake::new(
                    &node.place,
                    format!("folders.{key}"),
                    format!("`{key}` is for folders of type `rsync`, not `{kind}`"),
                ));
            }
        }
    }
}
