//! What a user may write for a box: `org/box`, an address, a path.

use std::path::{Path, PathBuf};

use url::Url;

use crate::Error;

/// A place a box or its catalog document comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file of this host, read in place.
    Path(PathBuf),
    /// On a server.
    Web(Url),
    /// A box of the registry.
    Registry(String),
}

impl Source {
    /// Tells what `text` is. A file that exists goes before a box of that name.
    pub fn read(text: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Usage(format!("`{}` is no source of a box: {reason}", text.escape_debug()));
        match text.split_once(':').map(|(scheme, _)| scheme.to_lowercase()).as_deref() {
            Some("http" | "https") => match Url::parse(text) {
                Ok(url) if url.has_host() => return Ok(Self::Web(url)),
                _ => return Err(wrong("the address is damaged")),
            },
            Some("file") => {
                let path = Url::parse(text).ok().and_then(|url| url.to_file_path().ok());
                return path.map(Self::Path).ok_or_else(|| wrong("write `file:///PATH`"));
            }
            Some(scheme) if text.contains("://") => {
                return Err(wrong(&format!("`{}` is not supported, only http, https and file", scheme.escape_debug())));
            }
            _ => {}
        }
        if Path::new(text).is_file() {
            return std::path::absolute(text).map(Self::Path).map_err(Error::file(text));
        }
        if is_registry_name(text) {
            return Ok(Self::Registry(text.to_owned()));
        }
        let kind = if Path::new(text).is_dir() { " (it is a folder)" } else { "" };
        let what = format!("`{}` is neither a box of the store nor `ORG/NAME`, and a file of that name", text.escape_debug());
        Err(Error::NotFound { what: format!("{what}{kind}") })
    }

    /// For messages.
    pub fn shown(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Web(url) => crate::client::address::shown(url),
            Self::Registry(name) => name.clone(),
        }
    }
}

/// `org/box`, and nothing that looks like a path.
fn is_registry_name(text: &str) -> bool {
    let part =
        |part: &str| !part.is_empty() && !part.starts_with(['.', '~']) && part.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
    let ends_like_file = [".box", ".json"].iter().any(|end| text.to_lowercase().ends_with(end));
    matches!(text.split('/').collect::<Vec<_>>().as_slice(), [org, name] if part(org) && part(name)) && !ends_like_file
}

/// The registry's addresses of a box's catalog document, best first; the last is that of a folder of files.
pub fn registry_addresses(server: &Url, name: &str) -> Vec<Url> {
    let below = |parts: &[&str]| {
        let mut url = server.clone();
        url.set_query(None);
        url.set_fragment(None);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts.iter().copied()).extend(name.split('/'));
        }
        url
    };
    let mut file = below(&[]);
    file.set_path(&format!("{}.json", file.path()));
    vec![below(&["api", "v2", "vagrant"]), below(&[]), file]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_what() {
        assert_eq!(Source::read("debian/12").unwrap(), Source::Registry("debian/12".to_owned()));
        assert!(matches!(Source::read("HTTPS://h/a.box").unwrap(), Source::Web(_)));
        assert_eq!(Source::read("file:///x%20y.box").unwrap(), Source::Path("/x y.box".into()));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.box");
        std::fs::write(&path, "").unwrap();
        assert_eq!(Source::read(path.to_str().unwrap()).unwrap(), Source::Path(path));
        for text in ["base", "./a/b", "../b", "a/b/c", "a/b.box", "no.box", "~/x", "", "a/", "s3://a/b", "http://"] {
            assert!(Source::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn all_addresses_of_a_registry() {
        for (server, first, second, third) in [
            ("https://r", "https://r/api/v2/vagrant/o/b", "https://r/o/b", "https://r/o/b.json"),
            ("http://r:8/sub/", "http://r:8/sub/api/v2/vagrant/o/b", "http://r:8/sub/o/b", "http://r:8/sub/o/b.json"),
        ] {
            let urls = registry_addresses(&Url::parse(server).unwrap(), "o/b");
            assert_eq!(urls.iter().map(Url::as_str).collect::<Vec<_>>(), [first, second, third]);
        }
    }
}
