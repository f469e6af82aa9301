//! Containers inside a machine.

use crate::document::Node;
use crate::mistake::Mistake;
use crate::shorthand;

/// Checks one machine.
pub fn check(tree: &Node, out: &mut Vec<Mistake>) {
    for container in tree.list("containers") {
        source(container, out);
        name(container, out);
        ports(container, out);
        volumes(container, out);
    }
}

fn source(container: &Node, out: &mut Vec<Mistake>) {
    let given: Vec<&str> = ["image", "build", "load"].into_iter().filter(|key| container.get(key).is_some()).collect();
    let called = container.text("name").unwrap_or_default();
    match given.as_slice() {
        [_] => {}
        [] => out.push(Mistake::new(&container.place, "containers", format!("container `{called}` needs one of `image`, `build`, `load`"))),
        [first, second, ..] => {
            let place = container.get(second).map_or(&container.place, |n| &n.place);
            out.push(Mistake::new(place, format!("containers.{second}"), format!("`{second}` and `{first}` exclude each other")));
        }
    }
}

fn name(container: &Node, out: &mut Vec<Mistake>) {
    let Some(node) = container.get("name") else { return };
    let text = node.as_text().unwrap_or_default();
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    if !plain || !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        let message = format!("`{text}` can't be the name of a container (letters, digits, `-`, `_`, `.`; the first a letter or digit)");
        out.push(Mistake::new(&node.place, "containers.name", message));
    }
}

fn ports(container: &Node, out: &mut Vec<Mistake>) {
    for (text, node) in container.get("ports").map(Node::texts).unwrap_or_default() {
        match shorthand::port::parse(text) {
            Ok(port) if port.guest == 0 => out.push(Mistake::new(&node.place, "containers.ports", "a container's port can't be 0")),
            Ok(_) => {}
            Err(why) => out.push(Mistake::new(&node.place, "containers.ports", why)),
        }
    }
}

fn volumes(container: &Node, out: &mut Vec<Mistake>) {
    for (text, node) in container.get("volumes").map(Node::texts).unwrap_or_default() {
        let parts: Vec<&str> = text.split(':').collect();
        let right = match parts.as_slice() {
            [from, to] | [from, to, "ro" | "rw" | "z" | "Z"] => !from.is_empty() && to.starts_with('/'),
            _ => false,
        };
        if !right {
            let message = format!("`{text}` is not a volume (write `volume-or-path:/path[:ro]`)");
            out.push(Mistake::new(&node.place, "containers.volumes", message));
        }
    }
}
