//! Where boxes are copied from: a registry with the API, a server with nothing but catalog documents, or a folder of them.

use std::path::{Path, PathBuf};

use kiste_core::dirs::Home;
use kiste_core::machine;
use kiste_core::{Cancel, Reporter};
use url::Url;

use super::super::{Place, Registry, RegistryBox, RegistryProvider, RegistryVersion, Tag, Tokens};
use crate::Error;
use crate::catalog_document::CatalogDocument;
use crate::store::{AddRequest, Asking};

/// Where boxes are copied from.
pub enum Origin {
    /// A server.
    Registry {
        /// How it is asked.
        registry: Box<Registry>,
        /// Tokens of other registries, for files that lie there.
        tokens: Tokens,
    },
    /// A folder as `box push --static` writes it.
    Folder(PathBuf),
}

/// Where one file lies.
pub enum Location {
    /// On this host.
    Path(PathBuf),
    /// On a server.
    Web(Url),
}

impl Origin {
    /// The origin at an address, or in a folder. `token` is for the address; none: the one that `login` kept.
    pub fn open(
        text: &str,
        token: Option<String>,
        transport: &machine::Download,
        home: &Home,
        reporter: &Reporter,
        cancel: &Cancel,
    ) -> Result<Self, Error> {
        if Path::new(text).is_dir() {
            return Ok(Self::Folder(std::path::absolute(text).map_err(Error::file(text))?));
        }
        let tokens = Tokens::read(home)?;
        let place = Place::at(text, token)?;
        let kept = tokens.of(place.address()).map(|kept| kept.token.clone());
        let token = place.token().map(str::to_owned).or(kept);
        let registry = Box::new(Registry::new(place.with_token(token), transport, home, reporter, cancel)?);
        Ok(Self::Registry { registry, tokens })
    }

    /// All boxes of an owner, or one, with all versions that may be seen.
    pub(super) fn boxes(&self, owner: &str, name: Option<&str>) -> Result<Vec<RegistryBox>, Error> {
        match (self, name) {
            (Self::Folder(folder), Some(name)) => Ok(vec![shelved(&folder.join(owner).join(format!("{name}.json")))?]),
            (Self::Folder(folder), None) => shelf(&folder.join(owner)),
            (Self::Registry { registry, .. }, Some(name)) => {
                let tag: Tag = format!("{owner}/{name}").parse()?;
                match registry.find_box(&tag) {
                    Ok(Some(found)) => Ok(vec![found]),
                    // No such box, or no API: perhaps there is a catalog document.
                    Ok(None) | Err(Error::Status { .. } | Error::Network { .. }) => Ok(vec![catalog(registry, &tag)?]),
                    Err(error) => Err(error),
                }
            }
            (Self::Registry { registry, .. }, None) => {
                let mut all = Vec::new();
                for listed in registry.user(owner).map_err(|error| unlisted(error, owner))?.boxes {
                    let tag: Tag = listed.tag.parse()?;
                    all.extend(registry.find_box(&tag)?);
                }
                Ok(all)
            }
        }
    }

    /// Where a file lies.
    pub(super) fn place_of(&self, file: &RegistryProvider) -> Result<Location, Error> {
        let filled = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
        let text = filled(&file.download_url).or_else(|| filled(&file.original_url)).unwrap_or_default();
        let url = Url::parse(&text);
        match (self, url) {
            (_, Ok(url)) if matches!(url.scheme(), "http" | "https") => Ok(Location::Web(url)),
            (Self::Folder(_), _) if !text.is_empty() => Ok(Location::Path(PathBuf::from(text))),
            _ => Err(Error::NotFound { what: format!("an address of the file for {}", file.shown()) }),
        }
    }
}

/// A registry says who is unknown to it; a server of files says nothing.
fn unlisted(error: Error, owner: &str) -> Error {
    match error {
        Error::Status { url, status, said } if status.starts_with("404") && said.is_empty() => {
            Error::NotFound { what: format!("a list of boxes at `{url}` (a server of files has none: name one box, `{owner}/BOX`)") }
        }
        other => other,
    }
}

/// A box of a server that has only its catalog document.
fn catalog(registry: &Registry, tag: &Tag) -> Result<RegistryBox, Error> {
    let request = AddRequest {
        server_url: Some(registry.shown()),
        token: registry.place.token().map(str::to_owned),
        download: registry.transport.clone(),
        ..AddRequest::default()
    };
    let asking = Asking::new(&registry.home, &request, &registry.reporter, &registry.cancel)?;
    let (document, url) = asking.registry(&tag.to_string())?;
    Ok(listed(&document, |text| url.join(text).map(|url| url.to_string()).unwrap_or_default()))
}

fn shelf(folder: &Path) -> Result<Vec<RegistryBox>, Error> {
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::NotFound { what: format!("folder `{}`", folder.display()) });
        }
        entries => entries.map_err(Error::file(folder))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::file(folder))?.path();
        paths.extend(Some(path).filter(|p| p.extension().is_some_and(|e| e == "json")));
    }
    paths.sort();
    paths.iter().map(|path| shelved(path)).collect()
}

fn shelved(path: &Path) -> Result<RegistryBox, Error> {
    let text = match std::fs::read(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::NotFound { what: format!("catalog `{}`", path.display()) });
        }
        text => text.map_err(Error::file(path))?,
    };
    let document = CatalogDocument::parse(&text, &path.display().to_string())?;
    let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
    Ok(listed(&document, |text| if text.contains("://") { text.to_owned() } else { folder.join(text).display().to_string() }))
}

/// A catalog's box as a registry would tell of it: every version is released.
fn listed(document: &CatalogDocument, address: impl Fn(&str) -> String) -> RegistryBox {
    let file = |p: &crate::catalog_document::CatalogProvider| RegistryProvider {
        name: p.name.clone(),
        architecture: p.architecture.clone(),
        default_architecture: p.default_architecture.unwrap_or(p.architecture.is_none()),
        hosted: true,
        download_url: Some(address(&p.url)),
        checksum: p.checksum.clone().unwrap_or_default(),
        checksum_type: p.checksum_type.clone().unwrap_or_default(),
        ..RegistryProvider::default()
    };
    let version = |v: &crate::catalog_document::CatalogVersion| RegistryVersion {
        version: v.version.clone(),
        status: "active".to_owned(),
        providers: v.providers.iter().map(file).collect(),
        ..RegistryVersion::default()
    };
    RegistryBox {
        tag: document.name.clone(),
        short_description: document.description.clone().unwrap_or_default(),
        versions: document.versions.iter().map(version).collect(),
        ..RegistryBox::default()
    }
}
