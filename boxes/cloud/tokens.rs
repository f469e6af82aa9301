//! Which token is whose: one per registry, in a file that only its user can read.

use std::collections::BTreeMap;
use std::fmt;

use kiste_core::Cancel;
use kiste_core::dirs::Home;
use kiste_core::state_file::{self, Lock};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::Error;

/// Nobody but the user reads it.
const MODE: u32 = 0o600;

/// All tokens of a user, by origin (`https://HOST:PORT`).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tokens(BTreeMap<String, Kept>);

/// One token.
#[derive(Clone, Serialize, Deserialize)]
pub struct Kept {
    /// Address of the registry.
    pub address: String,
    /// Who it belongs to, as far as known.
    #[serde(default)]
    pub username: Option<String>,
    /// The token.
    pub token: String,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("address", &self.address).field("username", &self.username).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Reads them; none when there are none yet.
    pub fn read(home: &Home) -> Result<Self, Error> {
        let path = home.tokens();
        Ok(state_file::read_json(&path).map_err(Error::file(&path))?.unwrap_or_default())
    }

    /// The token of `url`'s origin.
    pub fn of(&self, url: &Url) -> Option<&Kept> {
        self.0.get(&origin(url))
    }

    /// The only registry there is a token of.
    pub fn only(&self) -> Option<&Kept> {
        self.0.values().next().filter(|_| self.0.len() == 1)
    }

    /// Addresses of all.
    pub fn addresses(&self) -> Vec<&str> {
        self.0.values().map(|kept| kept.address.as_str()).collect()
    }

    /// Keeps one in the place of the one before.
    pub fn keep(home: &Home, url: &Url, kept: Kept, cancel: &Cancel) -> Result<(), Error> {
        change(home, cancel, |tokens| tokens.0.insert(origin(url), kept)).map(drop)
    }

    /// Forgets one; the one there was.
    pub fn forget(home: &Home, url: &Url, cancel: &Cancel) -> Result<Option<Kept>, Error> {
        change(home, cancel, |tokens| tokens.0.remove(&origin(url)))
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn change<T>(home: &Home, cancel: &Cancel, change: impl FnOnce(&mut Tokens) -> T) -> Result<T, Error> {
    let lock = home.lock("tokens");
    let _lock = Lock::take(&lock, cancel, |_| {}).map_err(Error::file(&lock))?;
    let mut tokens = Tokens::read(home)?;
    let changed = change(&mut tokens);
    let path = home.tokens();
    let mut text = serde_json::to_vec_pretty(&tokens).unwrap_or_default();
    text.push(b'\n');
    state_file::write(&path, &text, MODE).map_err(Error::file(&path))?;
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_per_origin_and_for_nobody_elses_eyes() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (home, cancel) = (Home::at(dir.path()), Cancel::new());
        let url = |text: &str| Url::parse(text).unwrap();
        let kept = |token: &str| Kept { address: "https://r".to_owned(), username: None, token: token.to_owned() };
        Tokens::keep(&home, &url("https://r/sub"), kept("one"), &cancel).unwrap();
        Tokens::keep(&home, &url("https://r:8443"), kept("two"), &cancel).unwrap();
        let tokens = Tokens::read(&home).unwrap();
        assert_eq!(tokens.of(&url("https://r:443/x")).unwrap().token, "one");
        assert_eq!(tokens.of(&url("https://r:8443")).unwrap().token, "two");
        assert!(tokens.of(&url("http://r")).is_none() && tokens.only().is_none());
        assert!(!format!("{tokens:?}").contains("two"));
        let mode = std::fs::metadata(home.tokens()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(Tokens::forget(&home, &url("https://r"), &cancel).unwrap().is_some());
        assert_eq!(Tokens::read(&home).unwrap().only().unwrap().token, "two");
    }
}
