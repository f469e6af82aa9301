//! Asking the store for a box.

use std::cmp::Reverse;

use crate::store::StoredBox;
use crate::{Constraint, Error, architecture};

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Name.
    pub name: String,
    /// Constraints, comma separated; empty: any version.
    pub constraint: String,
    /// Providers, best first; empty: any.
    pub providers: Vec<String>,
    /// `auto` (this host's) or an architecture, else a box without one; none: a box without one, else this host's, else any.
    pub architecture: Option<String>,
}

impl Query {
    /// The best of `boxes`, all of this name.
    pub(crate) fn best(&self, boxes: Vec<StoredBox>) -> Result<Option<StoredBox>, Error> {
        let constraint: Constraint = self.constraint.parse()?;
        let ranked = boxes.into_iter().filter_map(|b| {
            let version = b.parsed_version().filter(|v| constraint.allows(v))?;
            let provider = self.provider_rank(&b.provider)?;
            let architecture = rank(self.architecture.as_deref(), b.architecture.as_deref())?;
            Some(((b.withdrawn.is_some(), Reverse(version), provider, architecture), b))
        });
        Ok(ranked.min_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, b)| b))
    }

    fn provider_rank(&self, provider: &str) -> Option<usize> {
        if self.providers.is_empty() { Some(0) } else { self.providers.iter().position(|p| p == provider) }
    }
}

/// How well a box of architecture `is` answers to `wanted`: 0 is best, none is not at all.
fn rank(wanted: Option<&str>, is: Option<&str>) -> Option<u8> {
    let is = is.map(architecture::normalise);
    let host = || is.as_deref() == Some(architecture::host());
    match wanted {
        Some("auto") if host() => Some(0),
        Some(word) if is == Some(architecture::normalise(word)) => Some(0),
        Some(_) => is.is_none().then_some(1),
        None if is.is_none() => Some(0),
        None if host() => Some(1),
        None => Some(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(version: &str, provider: &str, architecture: Option<&str>) -> StoredBox {
        StoredBox {
            name: "a/b".to_owned(),
            version: version.to_owned(),
            provider: provider.to_owned(),
            architecture: architecture.map(str::to_owned),
            dir: Default::default(),
            metadata_url: None,
            digest: None,
            withdrawn: None,
        }
    }

    fn best(constraint: &str, providers: &[&str], architecture: Option<&str>, boxes: &[StoredBox]) -> String {
        let query = Query {
            name: "a/b".to_owned(),
            constraint: constraint.to_owned(),
            providers: providers.iter().map(|p| (*p).to_owned()).collect(),
            architecture: architecture.map(str::to_owned),
        };
        query.best(boxes.to_vec()).unwrap().map_or("none".to_owned(), |b| format!("{} {} {:?}", b.version, b.provider, b.architecture))
    }

    #[test]
    fn the_highest_version_wins_before_the_better_provider() {
        let boxes = [stored("1.9", "p", None), stored("1.10", "q", None), stored("1.10", "r", None)];
        assert_eq!(best("", &["p", "r", "q"], Some("auto"), &boxes), "1.10 r None");
        assert_eq!(best("< 1.10", &["q", "p"], Some("auto"), &boxes), "1.9 p None");
        assert_eq!(best("", &["x"], Some("auto"), &boxes), "none");
        assert_eq!(best("> 2", &[], Some("auto"), &boxes), "none");
    }

    #[test]
    fn a_withdrawn_version_is_the_last_choice() {
        let gone = StoredBox { withdrawn: Some(String::new()), ..stored("1.1", "p", None) };
        assert_eq!(best("", &[], None, &[stored("1.0", "p", None), gone.clone()]), "1.0 p None");
        assert_eq!(best("= 1.1", &[], None, &[stored("1.0", "p", None), gone]), "1.1 p None");
    }

    #[test]
    fn auto_takes_this_hosts_or_none_but_no_other() {
        let other = if architecture::host() == "arm64" { "amd64" } else { "arm64" };
        let (ours, foreign, without) =
            (stored("1", "p", Some(architecture::host())), stored("1", "p", Some(other)), stored("1", "p", None));
        let all = [foreign.clone(), without.clone(), ours.clone()];
        let host = format!("1 p Some({:?})", architecture::host());
        assert_eq!(best("", &[], Some("auto"), &all), host);
        assert_eq!(best("", &[], Some("auto"), &[foreign.clone(), without]), "1 p None");
        assert_eq!(best("", &[], Some("auto"), std::slice::from_ref(&foreign)), "none");
        assert_eq!(best("", &[], Some(&architecture::rust_name(other)), &all), format!("1 p Some({other:?})"));
        assert_eq!(best("", &[], None, &all), "1 p None");
        assert_eq!(best("", &[], None, &[foreign, ours]), host);
    }
}
