//! Whether what the project names on the host is there.

use std::path::Path;

use crate::document::Node;
use crate::load::Built;
use crate::mistake::{Mistake, absorb};

/// Checks every machine; relative scripts start at `root`.
pub fn files(machines: &[Built], root: &Path, mistakes: &mut Vec<Mistake>) {
    for built in machines {
        let mut found = Vec::new();
        one(&built.tree, root, &mut found);
        absorb(mistakes, found);
    }
}

fn one(tree: &Node, root: &Path, out: &mut Vec<Mistake>) {
    for folder in tree.list("folders").iter().filter(|f| !f.is_true("disabled") && !f.is_true("create")) {
        need(folder, "host", root, Path::is_dir, "folder", out);
    }
    for provisioner in tree.list("provision") {
        match provisioner.text("type") {
            Some("shell") => need(provisioner, "path", root, Path::is_file, "script", out),
            Some("file") => need(provisioner, "source", root, Path::exists, "file or folder", out),
            _ => {}
        }
    }
    for trigger in tree.list("triggers") {
        for script in ["run", "run_remote"].into_iter().filter_map(|key| trigger.get(key)) {
            need(script, "path", root, Path::is_file, "script", out);
        }
    }
    for container in tree.list("containers") {
        need(container, "build", root, Path::is_dir, "folder", out);
        need(container, "load", root, Path::is_file, "file", out);
    }
    for part in tree.list("cloud_init") {
        need(part, "path", root, Path::is_file, "file", out);
    }
    for disk in tree.list("disks").iter().filter(|d| d.text("type").is_some_and(|kind| kind != "disk")) {
        need(disk, "file", root, Path::is_file, "file", out);
    }
    let keys = tree.get("ssh").and_then(|ssh| ssh.get("private_key_path"));
    for (text, node) in keys.map(Node::texts).unwrap_or_default() {
        missing(text, node, "ssh.private_key_path", root, Path::is_file, "file", out);
    }
    need(tree, "clone", root, Path::is_dir, "folder", out);
}

type Test = fn(&Path) -> bool;

fn need(table: &Node, key: &str, root: &Path, is_there: Test, kind: &str, out: &mut Vec<Mistake>) {
    if let Some((text, node)) = table.get(key).and_then(|n| Some((n.as_text()?, n))) {
        missing(text, node, key, root, is_there, kind, out);
    }
}

fn missing(text: &str, node: &Node, key: &str, root: &Path, is_there: Test, kind: &str, out: &mut Vec<Mistake>) {
    if !text.contains("://") && !is_there(&root.join(text)) {
        out.push(Mistake::new(&node.place, key, format!("`{key}`: there is no {kind} `{text}`")));
    }
}
