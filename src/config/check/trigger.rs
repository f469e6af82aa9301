//! Triggers: one of `before` and `after`, known commands, known machines, something to do.

use crate::document::Node;
use crate::load::Built;
use crate::mistake::Mistake;
use crate::nearest::nearest;

use super::provision::script;

/// Words that `before`, `after` and `ignore` take, unless the trigger is a hook.
const COMMANDS: &[&str] = &[
    "all",
    "up",
    "halt",
    "reload",
    "suspend",
    "resume",
    "destroy",
    "provision",
    "status",
    "ssh",
    "ssh_run",
    "ssh-config",
    "port",
    "upload",
    "rsync",
    "rsync-auto",
    "sync_folders",
    "package",
    "snapshot",
    "snapshot_save",
    "snapshot_restore",
    "snapshot_delete",
    "screenshot",
    "logs",
    "validate",
];

/// Checks one machine's triggers; `machines` are all of the project.
pub fn check(tree: &Node, machines: &[Built], out: &mut Vec<Mistake>) {
    for trigger in tree.list("triggers") {
        when(trigger, out);
        on(trigger, machines, out);
        what(trigger, out);
    }
}

fn when(trigger: &Node, out: &mut Vec<Mistake>) {
    let given = |key: &str| trigger.get(key).filter(|n| !n.elements().is_empty());
    match (given("before"), given("after")) {
        (Some(_), Some(after)) => out.push(Mistake::new(&after.place, "triggers.after", "`before` and `after` exclude each other")),
        (None, None) => out.push(Mistake::new(&trigger.place, "triggers", "a trigger needs `before` or `after`")),
        _ => {}
    }
    if trigger.text("type") != Some("hook") {
        for key in ["before", "after", "ignore"] {
            for (word, node) in given(key).map(Node::texts).unwrap_or_default() {
                if !COMMANDS.contains(&word) {
                    let message = format!("`{key}`: `{word}` is not a command of machines");
                    out.push(
                        Mistake::new(&node.place, format!("triggers.{key}"), message).nearest(nearest(word, COMMANDS.iter().copied())),
                    );
                }
            }
        }
    }
    if let Some(ignore) = given("ignore") {
        let all = ["before", "after"].into_iter().filter_map(given).flat_map(Node::texts).any(|(word, _)| word == "all");
        if !all {
            out.push(Mistake::new(&ignore.place, "triggers.ignore", "`ignore` takes commands out of `all`, which is not asked for"));
        }
    }
}

fn on(trigger: &Node, machines: &[Built], out: &mut Vec<Mistake>) {
    for (name, node) in trigger.get("on").map(Node::texts).unwrap_or_default() {
        if name.starts_with('/') {
            if name.len() < 3 || !name.ends_with('/') {
                out.push(Mistake::new(&node.place, "triggers.on", format!("`{name}` must end in `/` to be a pattern")));
            }
        } else if !machines.iter().any(|m| m.name == name || m.group == name) {
            let known = machines.iter().flat_map(|m| [m.name.as_str(), m.group.as_str()]);
            let message = format!("`on`: there is no machine `{name}`");
            out.push(Mistake::new(&node.place, "triggers.on", message).nearest(nearest(name, known)));
        }
    }
}

fn what(trigger: &Node, out: &mut Vec<Mistake>) {
    let work = ["info", "warn", "run", "run_remote", "abort"];
    if !work.iter().any(|key| trigger.get(key).is_some()) {
        out.push(Mistake::new(
            &trigger.place,
            "triggers",
            "a trigger needs something to do: `info`, `warn`, `run`, `run_remote` or `abort`",
        ));
    }
    if let Some(run) = trigger.get("run") {
        match (run.get("inline"), run.get("path")) {
            (Some(inline), Some(_)) => {
                out.push(Mistake::new(&inline.place, "triggers.run.inline", "`inline` and `path` exclude each other"));
            }
            (None, None) => out.push(Mistake::new(&run.place, "triggers.run", "`run` needs `inline` or `path`")),
            _ => {}
        }
    }
    if let Some(remote) = trigger.get("run_remote") {
        script(remote, "run_remote", out);
    }
    if trigger.get("abort").is_some()
        && let Some(code) = trigger.integer("abort").filter(|code| !(0..=255).contains(code))
    {
        out.push(Mistake::new(&trigger.get("abort").unwrap_or(trigger).place, "triggers.abort", format!("{code} is not an exit code")));
    }
}
