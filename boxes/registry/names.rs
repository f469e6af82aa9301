//! Names that come from outside: accounts, boxes, versions, providers, architectures. What is no plain name is refused before it gets anywhere.

use crate::error::Error;

/// Longest name.
const LONGEST: usize = 128;
/// Names that are paths of ours.
const RESERVED: &[&str] = &[
    "api",
    "assets",
    "audit",
    "boxes",
    "healthz",
    "login",
    "logout",
    "metrics",
    "new",
    "openapi.json",
    "organizations",
    "readyz",
    "robots.txt",
    "search",
    "settings",
    "sign-in",
    "sign-out",
    "sign-up",
    "static",
    "tokens",
    "upload",
    "uploads",
    "user",
    "users",
    "favicon.ico",
];

/// A user's or an organisation's name.
pub fn account(name: &str) -> Result<(), Error> {
    word("an account", name, "")?;
    if RESERVED.contains(&name.to_lowercase().as_str()) {
        return Err(Error::invalid(format!("`{name}` can't be the name of an account: the registry uses it itself")));
    }
    Ok(())
}

/// A box's name, the part after the slash.
pub fn box_name(name: &str) -> Result<(), Error> {
    word("a box", name, "")?;
    // `ORG/boxes/BOX` is a path of ours, `ORG/BOX.json` the catalog of `ORG/BOX`.
    if name.eq_ignore_ascii_case("boxes") || name.to_lowercase().ends_with(".json") {
        return Err(Error::invalid(format!("`{name}` can't be the name of a box: the registry uses it itself")));
    }
    Ok(())
}

/// A provider's name.
pub fn provider(name: &str) -> Result<(), Error> {
    word("a provider", name, "")
}

/// An architecture; empty where there is none.
pub fn architecture(name: &str) -> Result<(), Error> {
    if name.is_empty() { Ok(()) } else { word("an architecture", name, "") }
}

/// A version: what every client can compare (RubyGems' rules).
pub fn version(text: &str) -> Result<(), Error> {
    word("a version", text, "+")?;
    text.parse::<kiste_boxes::Version>()
        .map(drop)
        .map_err(|_| Error::invalid(format!("`{text}` is not a version: numbers with dots, as `1.2.0`")))
}

/// Letters, digits, `-`, `_`, `.` and `more`; begins with a letter or digit.
fn word(what: &str, name: &str, more: &str) -> Result<(), Error> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c) || more.contains(c);
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if first && name.len() <= LONGEST && name.chars().all(good) && !name.contains("..") {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "`{}` can't be the name of {what}: letters, digits, `-`, `_` and `.`, at most {LONGEST}, the first a letter or digit",
        name.chars().filter(|c| !c.is_control()).take(LONGEST).collect::<String>()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_pass() {
        for name in ["acme", "Acme-2", "debian_12", "0ad", "a.b"] {
            account(name).unwrap();
            box_name(name).unwrap();
        }
        for text in ["1.0.0", "0", "2026.11.23", "1.0.0.pre1", "202611.23.0"] {
            version(text).unwrap();
        }
    }

    #[test]
    fn names_that_lead_elsewhere_do_not() {
        for name in
            ["", ".", "..", "../x", "a/b", "a\\b", "-x", ".hidden", "a..b", "a b", "ä", "a\0", "%2e%2e", &"a".repeat(129), "api", "Users"]
        {
            assert!(account(name).is_err(), "{name:?}");
        }
        for name in ["boxes", "tiny.json"] {
            assert!(box_name(name).is_err(), "{name:?}");
        }
        for text in ["", "latest", "1.0/2", "v 1"] {
            assert!(version(text).is_err(), "{text:?}");
        }
    }
}
