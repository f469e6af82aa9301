//! From what a user wrote to one .box file: asks the registry, reads catalog documents, decides version, provider and architecture.

use std::cell::OnceCell;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use kiste_core::dirs::Home;
use kiste_core::machine::Download;
use kiste_core::{Cancel, Reporter};
use reqwest::StatusCode;
use url::Url;

use super::request::AddRequest;
use super::withdrawn::explained;
use crate::catalog_document::{self, CatalogDocument};
use crate::client::{self, Access, Client, Get, Reply, address};
use crate::cloud::Tokens;
use crate::cloud::place::{REGISTRY, TOKEN};
use crate::digest::Checksum;
use crate::source::{Source, registry_addresses};
use crate::{Error, name, version};

/// Where a .box file lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    Path(PathBuf),
    Web(Url),
}

impl Location {
    pub fn shown(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Web(url) => address::shown(url),
        }
    }
}

/// What exactly is to be added.
#[derive(Clone, Debug)]
pub struct Plan {
    pub name: String,
    pub version: String,
    /// Known from a catalog; a single file tells when it is unpacked.
    pub provider: Option<String>,
    pub architecture: Option<String>,
    /// The same file at several places.
    pub locations: Vec<Location>,
    pub checksum: Option<Checksum>,
    pub metadata_url: Option<String>,
}

/// Who asks the network.
pub struct Asking<'a> {
    /// Made when it is needed first: a box from a file needs none.
    client: OnceCell<Client>,
    access: Access,
    transport: Download,
    pub reporter: &'a Reporter,
    pub cancel: &'a Cancel,
}

impl<'a> Asking<'a> {
    pub fn new(home: &Home, request: &AddRequest, reporter: &'a Reporter, cancel: &'a Cancel) -> Result<Self, Error> {
        let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
        let named = variable(REGISTRY);
        let tokens = Tokens::read(home).unwrap_or_else(|e| {
            reporter.warn(format!("Nobody is logged in anywhere: {e}"));
            Tokens::default()
        });
        let only = || tokens.only().map(|kept| kept.address.clone());
        let text = request.server_url.clone().filter(|v| !v.is_empty()).or_else(|| named.clone()).or_else(only);
        let server = text.map(|text| server(&text)).transpose()?;
        // A token of the environment is for the environment's registry, when it names one: a project's file must not lead it elsewhere.
        let origin = |url: &Url| url.origin();
        let named = named.and_then(|text| self::server(&text).ok());
        let belongs = named.is_none_or(|named| server.as_ref().map(origin) == Some(named.origin()));
        let token = request.token.clone().filter(|t| !t.is_empty()).or_else(|| variable(TOKEN).filter(|_| belongs));
        let access = Access { server, token, tokens, trusted: request.download.location_trusted };
        Ok(Self { client: OnceCell::new(), access, transport: request.download.clone(), reporter, cancel })
    }

    /// The client with the request's transport settings.
    pub fn client(&self) -> Result<&Client, Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::new(&self.transport, self.access.clone())?;
        Ok(self.client.get_or_init(|| client))
    }

    /// What is at `url`: a catalog document, or none when it is something else.
    fn document(&self, url: &Url, accept: &'static str) -> Result<Option<CatalogDocument>, Error> {
        let (client, asked) = (self.client()?.clone(), url.clone());
        client::interruptible(self.cancel, move || {
            let reply = client.get(&asked, &Get { accept: Some(accept), ..Get::default() })?;
            read_document(&asked, client::refuse_status(reply)?)
        })
    }

    /// Reads a catalog document again that a box came from.
    pub fn catalog(&self, metadata_url: &str) -> Result<CatalogDocument, Error> {
        match Source::read(metadata_url)? {
            Source::Path(path) => file_document(&path)?.ok_or(Error::NotABox {
                url: metadata_url.to_owned(),
                from: None,
                got: "another file".to_owned(),
                wanted: "a catalog document",
            }),
            Source::Web(url) => self.document(&url, "application/json")?.ok_or_else(|| no_document(&url)),
            Source::Registry(name) => self.registry(&name).map(|(document, _)| document),
        }
    }

    /// Every address of the registry; the first that has the document counts.
    pub fn registry(&self, name: &str) -> Result<(CatalogDocument, Url), Error> {
        let server = self.access.server.as_ref().ok_or_else(|| Error::NoRegistry { name: name.to_owned() })?;
        let mut failure = None;
        for url in registry_addresses(server, name) {
            self.reporter.detail(format!("Asking {}", address::shown(&url)));
            match self.document(&url, "application/json") {
                Ok(Some(document)) => return Ok((document, url)),
                Ok(None) => failure = failure.or_else(|| Some(no_document(&url))),
                Err(error @ Error::Status { .. }) if is_missing(&error) => {}
                Err(error @ (Error::Status { .. } | Error::NotABox { .. } | Error::Metadata { .. })) => failure = failure.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        let registry = address::shown(server).trim_end_matches('/').to_owned();
        Err(failure.unwrap_or_else(|| Error::NotThere { name: name.to_owned(), registry }))
    }
}

fn server(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| Error::Usage(format!("`{}` is not the address of a registry (write `https://HOST`)", text.escape_debug())))
}

fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Status { status, .. } if status.starts_with(StatusCode::NOT_FOUND.as_str()))
}

fn no_document(url: &Url) -> Error {
    Error::NotABox { url: address::shown(url), from: None, got: "another file".to_owned(), wanted: "a catalog document" }
}

/// A document when the kind says so or the text begins like one; a web page is an error of its own.
pub fn read_document(asked: &Url, mut reply: Reply) -> Result<Option<CatalogDocument>, Error> {
    let kind = reply.content_type();
    let mut text = Vec::new();
    let reading = |url: &Url, e: std::io::Error| client::network(url, &e.to_string());
    (&mut reply.response).take(512).read_to_end(&mut text).map_err(|e| reading(&reply.url, e))?;
    let begins = text.trim_ascii_start().first() == Some(&b'{');
    if kind == "text/html" || kind == "application/xhtml+xml" {
        let (url, came) = (address::shown(asked), address::shown(&reply.url));
        let wanted = "a box or its catalog document";
        return Err(Error::NotABox { from: (url != came).then_some(came), url, got: format!("a web page ({kind})"), wanted });
    }
    if !begins && !kind.ends_with("json") {
        return Ok(None);
    }
    (&mut reply.response).take(catalog_document::LARGEST + 1).read_to_end(&mut text).map_err(|e| reading(&reply.url, e))?;
    parse(&text, &address::shown(&reply.url)).map(Some)
}

fn parse(text: &[u8], source_name: &str) -> Result<CatalogDocument, Error> {
    if text.len() as u64 > catalog_document::LARGEST {
        let reason = format!("it has more than {} bytes", catalog_document::LARGEST);
        return Err(Error::Metadata { what: "the catalog document", source_name: source_name.to_owned(), reason });
    }
    CatalogDocument::parse(text, source_name)
}

/// The document in a file, when it begins like one.
fn file_document(path: &Path) -> Result<Option<CatalogDocument>, Error> {
    let mut file = match File::open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(Error::NotFound { what: format!("file `{}`", path.display()) }),
        opened => opened.map_err(Error::file(path))?,
    };
    let mut text = Vec::new();
    (&mut file).take(512).read_to_end(&mut text).map_err(Error::file(path))?;
    if text.trim_ascii_start().first() != Some(&b'{') {
        return Ok(None);
    }
    file.take(catalog_document::LARGEST).read_to_end(&mut text).map_err(Error::file(path))?;
    parse(&text, &path.display().to_string()).map(Some)
}

/// Finds out what `request` means.
pub fn resolve(request: &AddRequest, asking: &Asking<'_>) -> Result<Plan, Error> {
    if let Some(name) = &request.name {
        name::check(name)?;
    }
    let sources = std::iter::once(&request.source).chain(&request.mirrors).map(|s| Source::read(s)).collect::<Result<Vec<_>, _>>()?;
    let mut failure = None;
    for source in &sources {
        match document_of(source, asking) {
            Ok(None) => return direct(request, &sources),
            Ok(Some(_)) if sources.len() > 1 => {
                return Err(Error::Usage(format!("`{}` is a catalog document, which can't be one of several addresses", source.shown())));
            }
            Ok(Some((document, url))) => {
                return from_catalog(request, source, &document, url.clone()).map_err(|e| explained(e, &request.version, &url, asking));
            }
            Err(
                error @ (Error::Network { .. }
                | Error::Status { .. }
                | Error::NotABox { .. }
                | Error::NotFound { .. }
                | Error::NotThere { .. }),
            ) if sources.len() > 1 => {
                asking.reporter.warn(error.to_string());
                failure = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(failure.unwrap_or_else(|| Error::Usage("there is no source".to_owned())))
}

type Found = Option<(CatalogDocument, String)>;

fn document_of(source: &Source, asking: &Asking<'_>) -> Result<Found, Error> {
    match source {
        Source::Path(path) => Ok(file_document(path)?.map(|d| (d, format!("file://{}", path.display())))),
        Source::Web(url) => {
            let document = asking.document(url, "application/json, */*;q=0.5")?;
            Ok(document.map(|d| (d, address::kept(url))))
        }
        Source::Registry(name) => {
            asking.reporter.say(format!("Looking up box `{name}`"));
            asking.registry(name).map(|(document, url)| Some((document, address::kept(&url))))
        }
    }
}

fn direct(request: &AddRequest, sources: &[Source]) -> Result<Plan, Error> {
    let Some(name) = &request.name else {
        return Err(Error::Usage(format!("`{}` is a box file: a name for it is needed (`--name`)", request.source.escape_debug())));
    };
    if !request.version.trim().is_empty() {
        return Err(Error::Usage(format!("`{}` is a box file, which has no version to choose", request.source.escape_debug())));
    }
    let locations = sources.iter().filter_map(|source| match source {
        Source::Path(path) => Some(Location::Path(path.clone())),
        Source::Web(url) => Some(Location::Web(url.clone())),
        Source::Registry(_) => None,
    });
    Ok(Plan {
        name: name.clone(),
        version: version::DIRECT.to_owned(),
        provider: None,
        architecture: None,
        locations: locations.collect(),
        checksum: Checksum::read(request.download.checksum.as_deref(), request.download.checksum_type.as_deref())?,
        metadata_url: None,
    })
}

fn from_catalog(request: &AddRequest, source: &Source, document: &CatalogDocument, url: String) -> Result<Plan, Error> {
    let wanted = match source {
        Source::Registry(name) => Some(name),
        _ => None,
    };
    for wanted in wanted.iter().copied().chain(&request.name) {
        if *wanted != document.name {
            let (is, wanted) = (document.name.escape_debug().to_string(), wanted.clone());
            return Err(Error::Mismatch { source_name: source.shown(), what: "the catalog of box", is, wanted });
        }
    }
    name::check(&document.name)?;
    let choice = document.choose(&request.version, &request.providers, request.architecture.as_deref())?;
    if let Some(architecture) = &choice.architecture {
        name::check_word("architecture", architecture)?;
    }
    Ok(Plan {
        name: document.name.clone(),
        locations: vec![location(&choice.entry.url, source, &url)?],
        version: choice.version.trim().to_owned(),
        checksum: Checksum::read(
            blank(&choice.entry.checksum_type).and(choice.entry.checksum.as_deref()),
            choice.entry.checksum_type.as_deref().filter(|_| blank(&choice.entry.checksum).is_some()),
        )?,
        provider: Some(choice.entry.name),
        architecture: choice.architecture,
        metadata_url: Some(url),
    })
}

fn blank(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|t| !t.trim().is_empty())
}

/// The file's address, which may be relative to its document. A document from a server can't send us to files of this host.
fn location(text: &str, source: &Source, document: &str) -> Result<Location, Error> {
    let wrong = |reason: &str| Error::Metadata {
        what: "the catalog document",
        source_name: source.shown(),
        reason: format!("the address `{}` of a box {reason}", text.escape_debug()),
    };
    if text.is_empty() {
        return Err(wrong("is empty"));
    }
    let local = matches!(source, Source::Path(_));
    if let (Source::Path(path), false) = (source, text.contains("://")) {
        return Ok(Location::Path(path.parent().unwrap_or(Path::new("/")).join(text)));
    }
    let url = Url::parse(document).and_then(|base| base.join(text)).or_else(|_| Url::parse(text)).map_err(|_| wrong("is damaged"))?;
    match url.scheme() {
        "http" | "https" => Ok(Location::Web(url)),
        "file" if local => url.to_file_path().map(Location::Path).map_err(|()| wrong("is damaged")),
        "file" => Err(wrong("leads to a file of this host")),
        _ => Err(wrong("is none of http, https")),
    }
}
