//! Settings of a machine itself: names, its box.

use crate::document::Node;
use crate::mistake::Mistake;

use super::version;

/// Checks one machine.
pub fn check(tree: &Node, out: &mut Vec<Mistake>) {
    hostname(tree, out);
    image(tree, out);
    checksum(tree, out);
    port_range(tree, out);
    ssh(tree, out);
}

fn hostname(tree: &Node, out: &mut Vec<Mistake>) {
    let Some(node) = tree.get("hostname") else { return };
    let name = node.as_text().unwrap_or_default();
    let label = |l: &str| {
        let plain = l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (1..=63).contains(&l.len()) && plain && !l.starts_with('-') && !l.ends_with('-')
    };
    if name.len() > 253 || !name.split('.').all(label) {
        let message = format!(
            "`hostname`: `{name}` is not a host name (letters, digits, `-` and `.`; each part begins and ends with a letter or digit)"
        );
        out.push(Mistake::new(&node.place, "hostname", message));
    }
}

fn image(tree: &Node, out: &mut Vec<Mistake>) {
    let (image, clone) = (tree.get("box"), tree.get("clone"));
    if let (Some(_), Some(clone)) = (image, clone) {
        out.push(Mistake::new(&clone.place, "clone", "`clone` and `box` exclude each other"));
    }
    if let Some(node) = image.filter(|n| n.as_text().is_some_and(|t| t.trim().is_empty())) {
        out.push(Mistake::new(&node.place, "box", "`box` is empty"));
    }
    if image.is_none() {
        for entry in tree.entries().iter().filter(|e| e.key.starts_with("box_") || e.key == "ignore_box_vagrantfile") {
            // Settings for whichever box may stand in the user's file; a box or its address in the project's needs a name.
            let naming = ["box_version", "box_url", "box_download_checksum"].contains(&entry.key.as_str());
            if naming {
                out.push(Mistake::new(&entry.place, entry.key.clone(), format!("`{}` needs `box`", entry.key)));
            }
        }
    }
    if let Some(node) = tree.get("box_version")
        && let Some(why) = node.as_text().and_then(version::wrong)
    {
        out.push(Mistake::new(&node.place, "box_version", format!("`box_version`: {why}")));
    }
    for (text, node) in tree.get("box_url").map(Node::texts).unwrap_or_default() {
        if text.contains("://") && url::Url::parse(text).is_err() {
            out.push(Mistake::new(&node.place, "box_url", format!("`box_url`: `{text}` is not an address")));
        }
    }
}

fn checksum(tree: &Node, out: &mut Vec<Mistake>) {
    let (sum, kind) = (tree.get("box_download_checksum"), tree.get("box_download_checksum_type"));
    match (sum, kind) {
        (Some(sum), None) => {
            out.push(Mistake::new(&sum.place, "box_download_checksum", "`box_download_checksum` needs `box_download_checksum_type`"));
        }
        (None, Some(kind)) => {
            let key = "box_download_checksum_type";
            out.push(Mistake::new(&kind.place, key, "`box_download_checksum_type` needs `box_download_checksum`"));
        }
        (Some(sum), Some(kind)) => {
            digest(sum, kind.as_text().unwrap_or_default(), "box_download_checksum", out);
        }
        (None, None) => {}
    }
}

/// Checks that `node` holds a digest of this kind.
pub fn digest(node: &Node, kind: &str, key: &str, out: &mut Vec<Mistake>) {
    let digits = match kind {
        "md5" => 32,
        "sha1" => 40,
        "sha256" => 64,
        "sha384" => 96,
        _ => 128,
    };
    let text = node.as_text().unwrap_or_default();
    if text.len() != digits || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        let found =
            if text.bytes().all(|b| b.is_ascii_hexdigit()) { format!("has {}", text.len()) } else { "is not hexadecimal".to_owned() };
        out.push(Mistake::new(&node.place, key, format!("`{key}` must have {digits} hexadecimal digits to be {kind}; it {found}")));
    }
}

fn port_range(tree: &Node, out: &mut Vec<Mistake>) {
    let Some(node) = tree.get("usable_port_range") else { return };
    let numbers: Vec<i64> = node.to_json().as_array().into_iter().flatten().filter_map(serde_json::Value::as_i64).collect();
    if let [first, last] = numbers.as_slice()
        && (*first < 1 || first > last)
    {
        let message = format!("`usable_port_range` must go up from 1 or more, not from {first} to {last}");
        out.push(Mistake::new(&node.place, "usable_port_range", message));
    }
}

fn ssh(tree: &Node, out: &mut Vec<Mistake>) {
    let Some(ssh) = tree.get("ssh") else { return };
    for key in ["port", "guest_port"] {
        if let Some(node) = ssh.get(key).filter(|_| ssh.integer(key) == Some(0)) {
            out.push(Mistake::new(&node.place, format!("ssh.{key}"), format!("`ssh.{key}` can't be 0")));
        }
    }
    if let Some(node) = ssh.get("username").filter(|n| n.as_text().is_some_and(str::is_empty)) {
        out.push(Mistake::new(&node.place, "ssh.username", "`ssh.username` is empty"));
    }
    if let Some(node) = ssh.get("sudo_command").filter(|n| n.as_text().is_some_and(|t| !t.contains("%c"))) {
        out.push(Mistake::new(&node.place, "ssh.sudo_command", "`ssh.sudo_command` needs `%c`, which stands for the command"));
    }
}
