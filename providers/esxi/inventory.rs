//! `vim-cmd vmsvc/getallvms`, and the small answers: a power state, the id of a registered machine, a question.
//!
//! The list has no fixed columns: a row begins with an id, and what does not continues the annotation of the row before.

/// One registered machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The host's number; a new one at each registration.
    pub id: u32,
    /// Display name, not unique.
    pub name: String,
    /// Datastore of the VMX.
    pub datastore: String,
    /// Path of the VMX there.
    pub path: String,
    /// `debian12_64Guest` …
    pub guest: String,
    /// Hardware version.
    pub hardware: u32,
    /// The user's note, with its line ends.
    pub annotation: String,
}

/// The whole inventory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Machines whose VMX is there.
    pub machines: Vec<Entry>,
    /// Ids whose VMX is gone.
    pub invalid: Vec<u32>,
}

/// A machine's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// `Powered on`.
    On,
    /// `Powered off`.
    Off,
    /// `Suspended`.
    Suspended,
}

/// A question that holds a machine up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Number to answer to.
    pub number: u32,
    /// What the host asks.
    pub text: String,
    /// Answers by their numbers.
    pub choices: Vec<(u32, String)>,
}

impl Inventory {
    /// Reads the list; none without its header (a host that answers something else).
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = Self::default();
        let mut header = false;
        for line in text.lines() {
            if let Some(id) = line.strip_prefix("Skipping invalid VM '").and_then(|l| l.split('\'').next()) {
                all.invalid.extend(id.parse::<u32>());
            } else if line.starts_with("Vmid ") {
                header = true;
            } else if let Some(entry) = row(line) {
                all.machines.push(entry);
            } else if let Some(last) = all.machines.last_mut() {
                last.annotation.push('\n');
                last.annotation.push_str(line.trim_end());
            }
        }
        all.machines.iter_mut().for_each(|m| m.annotation = m.annotation.trim().to_owned());
        header.then_some(all)
    }
}

/// `4   web 1   [ds 2] web 1/web 1.vmx   ubuntu64Guest   vmx-19   note`. Names may hold brackets and `.vmx`, so the row is read from the
/// hardware version backwards.
fn row(line: &str) -> Option<Entry> {
    let (id, rest) = line.split_once(char::is_whitespace)?;
    let id = id.parse().ok()?;
    let (at, hardware, after) = hardware(rest)?;
    let before = rest[..at].trim_end();
    let (place, guest) = before.rsplit_once(char::is_whitespace)?;
    let place = place.trim_end().strip_suffix(".vmx")?;
    // The path begins at the last `[datastore] ` that has two blanks or more before it.
    let open = place.rmatch_indices("  [").map(|(i, _)| i + 2).find(|i| place[*i..].contains("] "))?;
    let (datastore, path) = place[open + 1..].split_once("] ")?;
    let name = place[..open].trim().to_owned();
    let (datastore, path) = (datastore.to_owned(), format!("{path}.vmx"));
    Some(Entry { id, name, datastore, path, guest: guest.to_owned(), hardware, annotation: after.trim().to_owned() })
}

/// The first `vmx-NN` word after a path: its place, its number, the text behind.
fn hardware(rest: &str) -> Option<(usize, u32, &str)> {
    rest.match_indices(" vmx-").find_map(|(at, found)| {
        let behind = &rest[at + found.len()..];
        let digits = behind.split(char::is_whitespace).next()?;
        let place = rest[..at].trim_end().rsplit_once(char::is_whitespace)?.0.trim_end();
        (place.ends_with(".vmx")).then_some((at, digits.parse().ok()?, &behind[digits.len()..]))
    })
}

/// Reads `power.getstate`; none unless exactly one state is told.
pub fn power(text: &str) -> Option<Power> {
    let mut states = text.lines().filter_map(|line| match line.trim() {
        "Powered on" => Some(Power::On),
        "Powered off" => Some(Power::Off),
        "Suspended" => Some(Power::Suspended),
        _ => None,
    });
    let state = states.next()?;
    states.next().is_none().then_some(state)
}

/// Reads `solo/registervm`: the number alone.
pub fn registered(text: &str) -> Option<u32> {
    text.trim().parse().ok()
}

/// Reads `vmsvc/message`; none where nothing is asked.
pub fn question(text: &str) -> Option<Question> {
    let (head, rest) = text.trim_start().strip_prefix("Virtual machine message ")?.split_once(":\n")?;
    let number = head.trim().parse().ok()?;
    let (mut said, mut choices) = (Vec::new(), Vec::new());
    for line in rest.lines().map(str::trim) {
        let choice = line.split_once(". ").and_then(|(n, text)| Some((n.parse().ok()?, text.to_owned())));
        match choice {
            Some(choice) => choices.push(choice),
            None if choices.is_empty() => said.push(line),
            None => {}
        }
    }
    Some(Question { number, text: said.join("\n").trim().to_owned(), choices })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "Skipping invalid VM '16'\nVmid   Name        File                  Guest OS        Version   Annotation\n4      web 1   \
                        [ds 2] web 1/web 1.vmx   ubuntu64Guest   vmx-19    first line\nsecond line of the note\n12     db      [ds1] \
                        db/db.vmx          debian11_64Guest vmx-20\n";

    #[test]
    fn rows_have_no_columns_and_notes_have_lines() {
        let seen = Inventory::parse(LIST).unwrap();
        assert_eq!(seen.invalid, [16]);
        let told: Vec<_> =
            seen.machines.iter().map(|m| (m.id, &*m.name, &*m.datastore, &*m.path, &*m.guest, m.hardware, &*m.annotation)).collect();
        let web = (4, "web 1", "ds 2", "web 1/web 1.vmx", "ubuntu64Guest", 19, "first line\nsecond line of the note");
        assert_eq!(told, [web, (12, "db", "ds1", "db/db.vmx", "debian11_64Guest", 20, "")]);
    }

    #[test]
    fn names_may_look_like_paths() {
        let line = "12   a [b].vmx ] x   [ds1] a [b].vmx ] x/a [b].vmx ] x.vmx   otherGuest64   vmx-13   its note vmx-7 here\n";
        let seen = Inventory::parse(&format!("Vmid   Name   File\n{line}")).unwrap();
        let entry = &seen.machines[0];
        assert_eq!((&*entry.name, &*entry.datastore, &*entry.path), ("a [b].vmx ] x", "ds1", "a [b].vmx ] x/a [b].vmx ] x.vmx"));
        assert_eq!((entry.hardware, &*entry.annotation), (13, "its note vmx-7 here"));
    }

    #[test]
    fn an_empty_inventory_has_its_header_and_anything_else_is_none() {
        assert_eq!(Inventory::parse("Vmid   Name   File   Guest OS   Version   Annotation\n"), Some(Inventory::default()));
        assert_eq!(Inventory::parse("Failed to login: Connection refused\n"), None);
    }

    #[test]
    fn exactly_one_state_counts() {
        assert_eq!(power("Retrieved runtime info\nPowered on\n"), Some(Power::On));
        assert_eq!(power("Retrieved runtime info\r\nSuspended\r\n"), Some(Power::Suspended));
        assert_eq!(power("Retrieved runtime info\n"), None);
        assert_eq!(power("Powered on\nPowered off\n"), None);
    }

    #[test]
    fn a_registered_machine_is_a_number_alone() {
        assert_eq!(registered("51\n"), Some(51));
        assert_eq!(registered("(vim.fault.AlreadyExists) {\n}\n"), None);
    }

    #[test]
    fn questions_have_text_and_numbered_answers() {
        let text = "Virtual machine message 3:\nmsg.uuid.altered:This virtual machine might have been moved or copied.\n   0. Cancel (Cancel)\n   \
                    2. I _copied it (I _copied it) [default]\n";
        let seen = question(text).unwrap();
        assert_eq!((seen.number, &*seen.text), (3, "msg.uuid.altered:This virtual machine might have been moved or copied."));
        assert_eq!(seen.choices, [(0, "Cancel (Cancel)".to_owned()), (2, "I _copied it (I _copied it) [default]".to_owned())]);
        assert_eq!(question("No message.\n"), None);
    }
}
