//! `vim-cmd vmsvc/snapshot.get`: the tree of snapshots, by dashes.

/// One snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The host's number, by which it is reverted to and removed: names repeat.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Depth in the tree, from 0.
    pub depth: usize,
    /// Whether it was taken of a running machine.
    pub running: bool,
}

/// Why a name leads to no snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// None has it.
    Missing,
    /// Several have it.
    Repeated(Vec<u32>),
}

/// Reads the tree in the host's order; none where there is no title.
pub fn parse(text: &str) -> Option<Vec<Snapshot>> {
    let mut all: Vec<Snapshot> = Vec::new();
    let mut titled = false;
    for line in text.lines() {
        let rest = line.trim_start_matches('-');
        let dashes = line.len() - rest.len();
        titled |= line.trim_end().ends_with("Snapshot:");
        if rest.starts_with("|-") {
            all.push(Snapshot { depth: dashes / 2, ..Snapshot::default() });
        } else if let (Some(snapshot), Some((key, value))) = (all.last_mut(), rest.split_once(':')) {
            let value = value.strip_prefix(' ').unwrap_or(value).trim_end_matches('\r');
            match key.trim() {
                "Snapshot Name" => value.clone_into(&mut snapshot.name),
                "Snapshot Id" => snapshot.id = value.trim().parse().ok()?,
                "Snapshot State" => snapshot.running = value.trim() == "powered on",
                _ => {}
            }
        }
    }
    titled.then_some(all)
}

/// The id of the one snapshot of that name.
pub fn named(all: &[Snapshot], name: &str) -> Result<u32, Unclear> {
    let ids: Vec<u32> = all.iter().filter(|s| s.name == name).map(|s| s.id).collect();
    match *ids {
        [] => Err(Unclear::Missing),
        [id] => Ok(id),
        _ => Err(Unclear::Repeated(ids)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "Get Snapshot:\n|-ROOT\n--Snapshot Name        : base\n--Snapshot Id        : 1\n--Snapshot Desciption  : first: of \
                        all\n--Snapshot Created On  : 3/4/2025 9:5:52\n--Snapshot State       : powered off\n--|-CHILD\n----Snapshot \
                        Name        : two\n----Snapshot Id        : 2\n----Snapshot State       : powered on\n--|-CHILD\n----Snapshot Name        \
                        : two\n----Snapshot Id        : 5\n";

    #[test]
    fn dashes_are_the_depth() {
        let told: Vec<_> = parse(TREE).unwrap().into_iter().map(|s| (s.depth, s.id, s.name, s.running)).collect();
        let two = "two".to_owned();
        assert_eq!(told, [(0, 1, "base".to_owned(), false), (1, 2, two.clone(), true), (1, 5, two, false)]);
    }

    #[test]
    fn a_name_that_repeats_is_no_answer() {
        let all = parse(TREE).unwrap();
        assert_eq!(named(&all, "base"), Ok(1));
        assert_eq!(named(&all, "two"), Err(Unclear::Repeated(vec![2, 5])));
        assert_eq!(named(&all, "three"), Err(Unclear::Missing));
    }

    #[test]
    fn none_is_the_title_alone_and_a_fault_is_no_tree() {
        assert_eq!(parse("Get Snapshot:\n"), Some(Vec::new()));
        assert_eq!(parse("(vim.fault.NotFound) {\n   msg = \"x\"\n}\n"), None);
    }
}
