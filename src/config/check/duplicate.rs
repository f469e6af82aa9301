//! Entries of one list that would replace each other. Across layers that is how one overrides; within one it is a slip.

use crate::document::Node;
use crate::kistefile::APPENDED;
use crate::merge::identify;
use crate::mistake::Mistake;

/// Checks the lists of one layer.
pub fn layer(tree: &Node, out: &mut Vec<Mistake>) {
    for (key, identity) in APPENDED {
        let mut seen: Vec<(String, &Node)> = Vec::new();
        for element in tree.list(key) {
            let Some(name) = identify(element, *identity) else { continue };
            match seen.iter().find(|(known, _)| *known == name) {
                Some((_, first)) => {
                    let (line, _) = first.place.line_and_column();
                    let message = format!("{} stands twice in `{key}` (first on line {line})", called(element, &name));
                    out.push(Mistake::new(&element.place, *key, message));
                }
                None => seen.push((name, element)),
            }
        }
    }
}

fn called(element: &Node, name: &str) -> String {
    if let Some(id) = element.text("id").or_else(|| element.text("name")) {
        return format!("`{id}`");
    }
    match name.strip_prefix("guest ") {
        Some(guest) => format!("guest path `{guest}`"),
        None => super::port::called(element),
    }
}
