//! Which registry is meant, and with whose token it is asked: from what was typed, the environment, and what `login` kept.

use std::fmt;

use kiste_core::dirs::Home;
use url::Url;

use super::tokens::Tokens;
use crate::Error;
use crate::client::address;

/// Names the registry.
pub(crate) const REGISTRY: &str = "KISTE_REGISTRY";
/// Its token.
pub(crate) const TOKEN: &str = "KISTE_TOKEN";

/// Whose variables count besides ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Ours only.
    #[default]
    Kiste,
    /// Vagrant's too.
    Vagrant,
}

impl Dialect {
    fn registry(self) -> &'static [&'static str] {
        match self {
            Self::Kiste => &[REGISTRY],
            Self::Vagrant => &[REGISTRY, "VAGRANT_SERVER_URL"],
        }
    }

    fn token(self) -> &'static [&'static str] {
        match self {
            Self::Kiste => &[TOKEN],
            Self::Vagrant => &[TOKEN, "VAGRANT_CLOUD_TOKEN", "ATLAS_TOKEN"],
        }
    }
}

/// A registry and the token for it.
#[derive(Clone)]
pub struct Place {
    address: Url,
    token: Option<String>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("address", &address::shown(&self.address)).finish_non_exhaustive()
    }
}

impl Place {
    /// The registry `wanted`, else the environment's, else the only one there is a login for.
    pub fn find(home: &Home, wanted: Option<&str>, dialect: Dialect) -> Result<Self, Error> {
        let nowhere =
            "no registry is named: say which with `--registry URL` or KISTE_REGISTRY; `kiste login --registry URL` keeps it for later";
        Self::known(home, wanted, dialect)?.ok_or_else(|| Error::Usage(nowhere.to_owned()))
    }

    /// [`Place::find`]; none where no registry is named and nobody is logged in anywhere.
    pub fn known(home: &Home, wanted: Option<&str>, dialect: Dialect) -> Result<Option<Self>, Error> {
        let named = set(dialect.registry());
        let text = wanted.map(str::to_owned).or_else(|| named.clone());
        let tokens = Tokens::read(home)?;
        let text = match (text, tokens.only()) {
            (Some(text), _) => text,
            (None, Some(only)) => only.address.clone(),
            (None, None) if tokens.addresses().is_empty() => return Ok(None),
            (None, None) => {
                let known = tokens.addresses().join(", ");
                return Err(Error::Usage(format!("you are logged in at {known}: say which with `--registry URL` or KISTE_REGISTRY")));
            }
        };
        let address = read(&text)?;
        // A token of the environment belongs to the environment's registry, when it names one.
        let belongs = named.as_deref().and_then(|n| read(n).ok()).is_none_or(|n| n.origin() == address.origin());
        let token = set(dialect.token()).filter(|_| belongs).or_else(|| tokens.of(&address).map(|kept| kept.token.clone()));
        Ok(Some(Self { address, token }))
    }

    /// A registry by its address, with or without a token.
    pub fn at(text: &str, token: Option<String>) -> Result<Self, Error> {
        Ok(Self { address: read(text)?, token })
    }

    /// The same for another token.
    pub fn with_token(self, token: Option<String>) -> Self {
        Self { token, ..self }
    }

    /// Its address, without the API's path.
    pub fn address(&self) -> &Url {
        &self.address
    }

    /// The token.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref().filter(|t| !t.is_empty())
    }

    /// Where its API lies.
    pub(crate) fn api(&self) -> Url {
        let mut url = self.address.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v2"]);
        }
        url
    }
}

/// The first of these variables that is not empty.
fn set(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.trim().is_empty()))
}

/// An address as people write it: `boxes.example.org`, `http://127.0.0.1:8080/`, `https://host/prefix/api/v2`.
pub(crate) fn read(text: &str) -> Result<Url, Error> {
    let wrong = || Error::Usage(format!("`{}` is not the address of a registry (write `https://HOST`)", text.escape_debug()));
    let mut address = text.trim().trim_end_matches('/');
    for end in ["/api/v1", "/api/v2"] {
        address = address.strip_suffix(end).unwrap_or(address);
    }
    let whole = if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
    let mut url = Url::parse(&whole)
        .ok()
        .filter(|_| !address.ends_with(':') && !address.starts_with('/'))
        .filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host())
        .ok_or_else(wrong)?;
    url.set_query(None);
    url.set_fragment(None);
    // fails only for addresses that can have no user
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        for (text, address, api) in [
            ("boxes.example.org", "https://boxes.example.org/", "https://boxes.example.org/api/v2"),
            ("http://127.0.0.1:8080/api/v1/", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/api/v2"),
            ("https://h/sub/", "https://h/sub", "https://h/sub/api/v2"),
        ] {
            let place = Place::at(text, None).unwrap();
            assert_eq!((place.address().as_str(), place.api().as_str()), (address, api));
        }
        for text in ["", "ftp://h", "https://", "ht tp", "/srv/boxes"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_does_not_show() {
        let place = Place::at("https://u:secret@h", Some("secret".to_owned())).unwrap();
        assert!(!format!("{place:?} {}", place.address()).contains("secret"));
    }
}
