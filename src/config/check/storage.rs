//! Disks and cloud-init parts.

use crate::document::Node;
use crate::mistake::Mistake;

const CONTENT_TYPES: &[&str] = &[
    "text/cloud-boothook",
    "text/cloud-config",
    "text/cloud-config-archive",
    "text/jinja2",
    "text/part-handler",
    "text/upstart-job",
    "text/x-include-once-url",
    "text/x-include-url",
    "text/x-shellscript",
];

/// Checks one machine.
pub fn check(tree: &Node, out: &mut Vec<Mistake>) {
    let disks = tree.list("disks");
    disks.iter().for_each(|disk| one_disk(disk, out));
    for disk in disks.iter().filter(|d| d.is_true("primary")).skip(1) {
        out.push(Mistake::new(&disk.place, "disks", "only one disk can be `primary`"));
    }
    let files: Vec<&Node> = disks.iter().filter_map(|d| d.get("file")).collect();
    for (i, file) in files.iter().enumerate() {
        if files[..i].iter().any(|f| f.as_text() == file.as_text()) {
            let message = format!("`{}` is the file of two disks", file.as_text().unwrap_or_default());
            out.push(Mistake::new(&file.place, "disks.file", message));
        }
    }
    tree.list("cloud_init").iter().for_each(|part| cloud_init(part, out));
}

fn one_disk(disk: &Node, out: &mut Vec<Mistake>) {
    let kind = disk.text("type").unwrap_or("disk");
    let mut say = |key: &str, message: String| {
        let place = disk.get(key).map_or(&disk.place, |n| &n.place);
        out.push(Mistake::new(place, format!("disks.{key}"), message));
    };
    if kind == "disk" {
        if disk.get("size").is_none() && disk.get("file").is_none() {
            say("name", "a disk needs `size`".to_owned());
        }
        return;
    }
    if disk.get("file").is_none() {
        say("name", format!("a {kind} needs `file`"));
    }
    for key in ["primary", "size"] {
        if disk.is_true(key) || (key == "size" && disk.get(key).is_some()) {
            say(key, format!("a {kind} can't have `{key}`"));
        }
    }
}

fn cloud_init(part: &Node, out: &mut Vec<Mistake>) {
    match (part.get("path"), part.get("inline")) {
        (Some(_), Some(inline)) => {
            out.push(Mistake::new(&inline.place, "cloud_init.inline", "`inline` and `path` exclude each other"));
        }
        (None, None) => out.push(Mistake::new(&part.place, "cloud_init", "a part of `cloud_init` needs `inline` or `path`")),
        _ => {}
    }
    let Some(kind) = part.get("content_type") else { return };
    let text = kind.as_text().unwrap_or_default();
    if !CONTENT_TYPES.contains(&text) {
        let nearest = crate::nearest::nearest(text, CONTENT_TYPES.iter().copied());
        let message = format!("`{text}` is not a kind of part that cloud-init knows");
        out.push(Mistake::new(&kind.place, "cloud_init.content_type", message).nearest(nearest));
    }
}
