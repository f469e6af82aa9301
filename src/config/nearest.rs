//! The nearest known word to a misspelt one.

/// Names of Vagrant that are called otherwise here.
const CALLED_OTHERWISE: &[(&str, &str)] = &[
    ("synced_folder", "folders"),
    ("synced_folders", "folders"),
    ("share_folder", "folders"),
    ("forwarded_port", "ports"),
    ("forwarded_ports", "ports"),
    ("forward_port", "ports"),
    ("network", "networks"),
    ("host_name", "hostname"),
    ("define", "machines"),
    ("machine", "machines"),
    ("trigger", "triggers"),
    ("provisioner", "provision"),
    ("provisioners", "provision"),
    ("container", "containers"),
    ("disk", "disks"),
    ("ram", "memory"),
    ("only_on", "on"),
    ("user", "username"),
];

/// The candidate that `word` was probably meant to be: a known other name, else the closest one that is close enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let lower = word.to_lowercase();
    let other = CALLED_OTHERWISE.iter().find(|(theirs, _)| *theirs == lower).map(|(_, ours)| *ours);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if Some(candidate) == other {
            return Some(candidate.to_owned());
        }
        let distance = strsim::damerau_levenshtein(&lower.replace('-', "_"), &candidate.to_lowercase());
        if best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    let allowed = (word.chars().count() / 3).max(1);
    best.filter(|(distance, _)| *distance <= allowed).map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let keys = ["box", "memory", "cpus", "folders", "hostname"];
        assert_eq!(nearest("memroy", keys).as_deref(), Some("memory"));
        assert_eq!(nearest("cpu", keys).as_deref(), Some("cpus"));
        assert_eq!(nearest("synced_folder", keys).as_deref(), Some("folders"));
        assert_eq!(nearest("Host_Name", keys).as_deref(), Some("hostname"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("", keys), None);
    }
}
