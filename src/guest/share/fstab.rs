//! Live folders in the guest's `/etc/fstab`, in a block of our own: they come back when the guest reboots by itself.

use kiste_comm::GuestCommand;
use kiste_core::share::{Folder, FolderKind};

use super::{mount_options, own_options};
use crate::{Error, Guest, task};

const BEGIN: &str = "# kiste begin";
const END: &str = "# kiste end";

/// Makes the block list exactly these folders, each with its tag and live kind; an empty list takes the block away. Everything
/// else in the file stays as it is, and nothing is written when nothing changes.
pub fn write(guest: &Guest<'_>, mounts: &[(&Folder, &str, FolderKind)]) -> Result<(), Error> {
    let old = task::run(guest, "read `/etc/fstab`", &GuestCommand::script("cat /etc/fstab 2>/dev/null || true"))?;
    let lines: Vec<String> = mounts.iter().map(|(folder, tag, kind)| line(folder, tag, *kind)).collect();
    let new = with_block(&old, &lines);
    if new == old {
        return Ok(());
    }
    task::write_as_root(guest, "/etc/fstab", &new)
}

fn line(folder: &Folder, tag: &str, kind: FolderKind) -> String {
    // A guest whose folder is not offered any more must boot all the same.
    let options = mount_options(folder, &[&["nofail"], own_options(kind)].concat());
    format!("{} {} {kind} {} 0 0", escape(tag), escape(&folder.guest), escape(&options))
}

/// A field of fstab: blanks in octal.
fn escape(text: &str) -> String {
    let escaped = |c: char| match c {
        ' ' | '\t' | '\n' | '\r' | '\\' | '#' => format!("\\{:03o}", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

fn with_block(old: &str, lines: &[String]) -> String {
    let mut kept = Vec::new();
    let mut block: Option<Vec<&str>> = None;
    for line in old.lines() {
        match (&mut block, line.trim()) {
            (None, BEGIN) => block = Some(vec![line]),
            (Some(_), END) => block = None,
            (Some(inside), _) => inside.push(line),
            (None, _) => kept.push(line),
        }
    }
    // A block without an end is not ours to judge: only its mark goes.
    kept.extend(block.unwrap_or_default().into_iter().skip(1));
    let mut text: String = kept.iter().map(|l| format!("{l}\n")).collect();
    if !lines.is_empty() {
        text.push_str(&format!("{BEGIN}\n{}\n{END}\n", lines.join("\n")));
    }
    if text == format!("{old}\n") { old.to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(guest: &str, read_only: bool) -> Folder {
        serde_json::from_value(serde_json::json!({ "host": "/h", "guest": guest, "read_only": read_only })).unwrap()
    }

    #[test]
    fn lines_hold_what_mount_needs() {
        assert_eq!(line(&folder("/srv/a b", true), "k0", FolderKind::Virtiofs), "k0 /srv/a\\040b virtiofs nofail,ro 0 0");
        let ninep = line(&folder("/x", false), "k1", FolderKind::Ninep);
        assert_eq!(ninep, "k1 /x 9p nofail,trans=virtio,version=9p2000.L,msize=262144 0 0");
    }

    #[test]
    fn the_block_comes_changes_and_goes() {
        let own = "/dev/vda1 / ext4 defaults 0 1";
        let one = with_block(own, &["a".into()]);
        assert_eq!(one, format!("{own}\n# kiste begin\na\n# kiste end\n"));
        assert_eq!(with_block(&one, &["a".into()]), one);
        assert_eq!(with_block(&format!("{one}tail\n"), &["b".into()]), format!("{own}\ntail\n# kiste begin\nb\n# kiste end\n"));
        assert_eq!(with_block(&one, &[]), format!("{own}\n"));
        assert_eq!(with_block(own, &[]), own);
    }

    #[test]
    fn a_torn_block_costs_nobody_a_line() {
        assert_eq!(with_block("# kiste begin\nproc /proc proc\n", &[]), "proc /proc proc\n");
    }
}
