//! The disc or disk image a build starts from: where it is, by which checksum it is known, where it is kept.

mod checksum_file;
mod fetch;

use std::path::PathBuf;

use kiste_boxes::digest::Checksum;
use url::Url;

use crate::options::Options;

/// Packer's own variable; its caches are read and written as Packer does.
const CACHE_VARIABLE: &str = "PACKER_CACHE_DIR";

/// A checked `iso_url` with all that belongs to it.
#[derive(Clone, Debug, Default)]
pub struct Iso {
    /// Tried in this order.
    sources: Vec<Source>,
    /// None: `none`.
    checksum: Option<Sum>,
    /// Instead of the cache.
    target: Option<PathBuf>,
    /// Of the file in the cache.
    extension: String,
}

/// Where a file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// A file of the host, used in place.
    Local(PathBuf),
    /// A web server.
    Web(Url),
}

/// A checksum and the way it names itself in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sum {
    /// To compare with.
    checksum: Checksum,
    /// `sha256:HEX`.
    text: String,
}

impl Iso {
    /// Reads `iso_url`, `iso_urls`, `iso_checksum`, `iso_target_path` and `iso_target_extension`. A checksum file is fetched now, as Packer
    /// does: without it nobody can say whether the template is right.
    pub fn prepare(options: &mut Options<'_>) -> Self {
        let sources = sources(options);
        let checksum = checksum(options, &sources);
        let extension = options.text("iso_target_extension").unwrap_or_else(|| "iso".to_owned());
        Self { sources, checksum, target: options.text("iso_target_path").map(PathBuf::from), extension }
    }

    /// Its first address or path, for programs that read it there themselves.
    pub fn first(&self) -> Option<String> {
        self.sources.first().map(ToString::to_string)
    }

    /// Its checksum, `sha256:HEX`; none when nobody gave one.
    pub fn checksum(&self) -> Option<&str> {
        self.checksum.as_ref().map(|c| c.text.as_str())
    }
}

/// Where fetched files and locks of ports are kept: `PACKER_CACHE_DIR`, else `packer_cache` in the current folder.
pub fn cache() -> PathBuf {
    std::env::var_os(CACHE_VARIABLE).filter(|v| !v.is_empty()).map_or_else(|| PathBuf::from("packer_cache"), PathBuf::from)
}

fn sources(options: &mut Options<'_>) -> Vec<Source> {
    let (one_at, all_at) = (options.place("iso_url"), options.place("iso_urls"));
    let one = options.text("iso_url");
    let all = options.list("iso_urls").unwrap_or_default();
    if one.is_none() && all.is_empty() {
        options.problem(one_at.or(all_at), "One of iso_url or iso_urls must be specified");
    } else if one.is_some() && !all.is_empty() {
        options.problem(all_at, "Only one of iso_url or iso_urls must be specified");
    }
    let mut sources = Vec::new();
    for text in one.into_iter().chain(all) {
        match source(&text) {
            Ok(source) => sources.push(source),
            Err(reason) => options.problem(one_at.or(all_at), reason),
        }
    }
    sources
}

fn source(text: &str) -> Result<Source, String> {
    if let Some(path) = text.strip_prefix("file://") {
        let url = Url::parse(text).ok().and_then(|u| u.to_file_path().ok());
        return Ok(Source::Local(url.unwrap_or_else(|| PathBuf::from(path))));
    }
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Source::Web(url)),
        Ok(url) if text[url.scheme().len()..].starts_with("://") => {
            Err(format!("`{text}`: not built in: `{}` (http, https, file and paths are)", url.scheme()))
        }
        _ => Ok(Source::Local(PathBuf::from(text))),
    }
}

impl Source {
    /// The name its checksum goes by in a checksum file.
    fn file_name(&self) -> String {
        match self {
            Self::Local(path) => path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
            Self::Web(url) => url.path_segments().and_then(|mut s| s.next_back().map(str::to_owned)).unwrap_or_default(),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local(path) => write!(f, "{}", path.display()),
            Self::Web(url) => write!(f, "{url}"),
        }
    }
}

fn checksum(options: &mut Options<'_>, sources: &[Source]) -> Option<Sum> {
    let at = options.place("iso_checksum");
    let Some(text) = options.text("iso_checksum") else {
        options.problem(at, "A checksum must be specified");
        return None;
    };
    if text == "none" {
        options.warn(at, "A checksum of 'none' was specified. Since ISO files are so big,\na checksum is highly recommended.");
        return None;
    }
    let read = match text.strip_prefix("file:") {
        Some(place) => checksum_file::find(place, sources),
        None => Sum::read(&text),
    };
    read.map_err(|reason| options.problem(at, reason)).ok()
}

impl Sum {
    fn read(text: &str) -> Result<Self, String> {
        let checksum = Checksum::read(Some(text), None).map_err(|e| format!("invalid checksum: {e}"))?;
        let checksum = checksum.ok_or("A checksum must be specified")?;
        Ok(Self { text: checksum.to_string(), checksum })
    }
}

#[cfg(test)]
mod tests;
