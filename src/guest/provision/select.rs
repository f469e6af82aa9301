//! Which provisioners run now, and the record of those that did.

use std::path::Path;

use kiste_core::provision::{Provisioner, Run};
use serde::{Deserialize, Serialize};

use super::fingerprint::{fingerprint, settings};
use crate::Error;

/// What the user asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// `provision`, or `up --provision`: those that ran before run again.
    pub again: bool,
    /// `--provision-with`: only these names and types, whatever their `run` and the record.
    pub with: Vec<String>,
}

/// Which provisioners of a machine have run. Plain data for a state file; begins empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// One per provisioner that was tried.
    #[serde(default)]
    pub tried: Vec<Tried>,
}

/// One provisioner that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Its name, or its type and place among the nameless of this type: `shell#2`.
    pub key: String,
    /// Digest of its settings alone.
    pub settings: String,
    /// Its [`fingerprint`](super::fingerprint()) then.
    pub fingerprint: String,
    /// Whether the last try worked.
    pub succeeded: bool,
}

/// What [`select`] chose.
#[derive(Debug, Default)]
pub struct Selection<'a> {
    /// Run these, in this order.
    pub run: Vec<&'a Provisioner>,
    /// Labels of those left out because they succeeded before.
    pub done: Vec<String>,
}

/// Chooses from all provisioners of a machine (`list`, as written) in their `row` (from [`order`](super::order())):
/// `always` every time, `once` until it succeeded once, `never` only by `--provision-with`.
pub fn select<'a>(list: &'a [Provisioner], row: &[&'a Provisioner], wanted: &Wanted, record: &Record) -> Result<Selection<'a>, Error> {
    check(list, &wanted.with)?;
    let mut selection = Selection::default();
    for p in row.iter().copied() {
        let takes = match p.run {
            _ if !wanted.with.is_empty() => wanted.with.iter().any(|w| matches(p, w)),
            Run::Always => true,
            Run::Never => false,
            Run::Once => wanted.again || !record.is_done(list, p),
        };
        if takes {
            selection.run.push(p);
        } else if p.run == Run::Once && wanted.with.is_empty() && !selection.done.iter().any(|l| l == p.label()) {
            selection.done.push(p.label().to_owned());
        }
    }
    Ok(selection)
}

fn matches(p: &Provisioner, word: &str) -> bool {
    p.name.as_deref() == Some(word) || p.kind.type_name() == word
}

fn check(list: &[Provisioner], with: &[String]) -> Result<(), Error> {
    let Some(name) = with.iter().find(|w| !list.iter().any(|p| matches(p, w))) else { return Ok(()) };
    let mut known: Vec<String> = list.iter().map(|p| p.label().to_owned()).collect();
    known.sort();
    known.dedup();
    Err(Error::NoSuchProvisioner { name: name.clone(), known })
}

/// Key of `p` in the record.
fn key(list: &[Provisioner], p: &Provisioner) -> String {
    if let Some(name) = &p.name {
        return name.clone();
    }
    let kind = p.kind.type_name();
    let nameless = list.iter().filter(|o| o.name.is_none() && o.kind.type_name() == kind);
    let place = nameless.take_while(|o| !std::ptr::eq(*o, p)).count() + 1;
    format!("{kind}#{place}")
}

impl Record {
    /// Notes how a try of `p`, one of `list`, ended. Write it down before the next one starts: a later failure does not undo it.
    pub fn note(&mut self, list: &[Provisioner], p: &Provisioner, succeeded: bool, project_root: &Path) {
        // Entries move with the nameless provisioners they are about; names that are no longer there are kept.
        let mut tried: Vec<Tried> = list
            .iter()
            .filter(|o| !std::ptr::eq(*o, p))
            .filter_map(|o| self.find(list, o).map(|t| Tried { key: key(list, o), ..t.clone() }))
            .collect();
        let named = |t: &&Tried| !t.key.contains('#') && !list.iter().any(|o| o.name.as_ref() == Some(&t.key));
        tried.extend(self.tried.iter().filter(named).cloned());
        // What can't be read any more counts as changed, not as an error: the try itself has ended already.
        let fingerprint = fingerprint(p, project_root).unwrap_or_default();
        tried.push(Tried { key: key(list, p), settings: settings(p), fingerprint, succeeded });
        self.tried = tried;
    }

    /// Whether `p`, one of `list`, succeeded before.
    pub fn is_done(&self, list: &[Provisioner], p: &Provisioner) -> bool {
        self.find(list, p).is_some_and(|t| t.succeeded)
    }

    /// Whether `p` succeeded before, but its settings or files are others now. Reads the files.
    pub fn changed(&self, list: &[Provisioner], p: &Provisioner, project_root: &Path) -> bool {
        self.find(list, p).is_some_and(|t| t.succeeded && fingerprint(p, project_root).is_ok_and(|now| now != t.fingerprint))
    }

    /// The nameless are known by their settings first, so that one more before them does not shift them;
    /// by their place only where no other one claims the entry.
    fn find(&self, list: &[Provisioner], p: &Provisioner) -> Option<&Tried> {
        let key = key(list, p);
        let by_key = self.tried.iter().find(|t| t.key == key);
        if p.name.is_some() || by_key.is_some_and(|t| t.settings == settings(p)) {
            return by_key;
        }
        let prefix = format!("{}#", p.kind.type_name());
        let mine = settings(p);
        let same = self.tried.iter().find(|t| t.key.starts_with(&prefix) && t.settings == mine);
        same.or_else(|| by_key.filter(|t| !list.iter().any(|o| o.name.is_none() && settings(o) == t.settings)))
    }
}

#[cfg(test)]
mod tests {
    use kiste_core::provision::{ProvisionerKind, Shell};

    use super::*;
    use crate::provision::order;

    fn one(name: Option<&str>, text: &str, run: Run) -> Provisioner {
        Provisioner {
            name: name.map(str::to_owned),
            kind: ProvisionerKind::Shell(Shell { inline: Some(text.to_owned()), ..Shell::default() }),
            run,
            before: None,
            after: None,
            preserve_order: false,
            communicator_required: true,
        }
    }

    fn texts(list: &[Provisioner], wanted: &Wanted, record: &Record) -> String {
        let selection = select(list, &order(list).unwrap(), wanted, record).unwrap();
        let text = |p: &&Provisioner| match &p.kind {
            ProvisionerKind::Shell(s) => s.inline.clone().unwrap_or_default(),
            _ => String::new(),
        };
        selection.run.iter().map(text).collect::<Vec<_>>().join(" ")
    }

    fn note(record: &mut Record, list: &[Provisioner], index: usize, succeeded: bool) {
        record.note(list, &list[index], succeeded, Path::new("/"));
    }

    #[test]
    fn once_always_never() {
        let list = [one(Some("o"), "o", Run::Once), one(Some("a"), "a", Run::Always), one(Some("n"), "n", Run::Never)];
        let mut record = Record::default();
        assert_eq!(texts(&list, &Wanted::default(), &record), "o a");
        note(&mut record, &list, 0, false);
        assert_eq!(texts(&list, &Wanted::default(), &record), "o a", "a failure is not recorded as done");
        note(&mut record, &list, 0, true);
        assert_eq!(texts(&list, &Wanted::default(), &record), "a");
        assert_eq!(texts(&list, &Wanted { again: true, with: vec![] }, &record), "o a");
        assert_eq!(texts(&list, &Wanted { again: false, with: vec!["n".into()] }, &record), "n");
        assert_eq!(texts(&list, &Wanted { again: false, with: vec!["shell".into()] }, &record), "o a n");
    }

    #[test]
    fn an_unknown_word_is_an_error_that_names_the_known() {
        let list = [one(Some("web"), "x", Run::Once)];
        let wanted = Wanted { again: false, with: vec!["wbe".into()] };
        let error = select(&list, &order(&list).unwrap(), &wanted, &Record::default()).unwrap_err();
        assert_eq!(error.to_string(), "no provisioner is called or of type `wbe` (there are: web)");
    }

    #[test]
    fn nameless_ones_are_followed_when_others_come_before_them() {
        let before = [one(None, "b", Run::Once)];
        let mut record = Record::default();
        note(&mut record, &before, 0, true);
        let after = [one(None, "a", Run::Once), one(None, "b", Run::Once)];
        assert_eq!(texts(&after, &Wanted::default(), &record), "a");
        note(&mut record, &after, 0, true);
        assert_eq!(texts(&after, &Wanted::default(), &record), "");
    }

    #[test]
    fn changed_content_alone_does_not_run_again_but_shows() {
        let before = [one(None, "old", Run::Once)];
        let mut record = Record::default();
        note(&mut record, &before, 0, true);
        let after = [one(None, "new", Run::Once)];
        assert_eq!(texts(&after, &Wanted::default(), &record), "");
        assert!(record.changed(&after, &after[0], Path::new("/")) && !record.changed(&before, &before[0], Path::new("/")));
    }

    #[test]
    fn twins_are_two() {
        let list = [one(None, "x", Run::Once), one(None, "x", Run::Once)];
        let mut record = Record::default();
        note(&mut record, &list, 0, true);
        note(&mut record, &list, 1, false);
        assert_eq!(texts(&list, &Wanted::default(), &record), "x");
    }
}
