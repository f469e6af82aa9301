//! `…/version/V/provider/P[/ARCH]`: the files of a version, one per provider and architecture. Their content comes by uploads.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use serde::Deserialize;
use serde_json::Value;
use sqlx::AnyConnection;

use super::asked::{At, Mistakes};
use super::body::Body;
use super::shapes::Shapes;
use super::versions::{Named as NamedVersion, subject};
use crate::access::Seen;
use crate::address::Base;
use crate::app::Shared;
use crate::auth::{Caller, Role};
use crate::db::boxes;
use crate::db::providers::{self, NewProvider, ProviderRow, shown};
use crate::db::versions::VersionRow;
use crate::error::Error;
use crate::names;
use crate::router::{Operation, operation};

/// Kinds of checksums, with their length in hexadecimal digits.
const CHECKSUMS: &[(&str, usize)] = &[("md5", 32), ("sha1", 40), ("sha256", 64), ("sha384", 96), ("sha512", 128)];
/// Longest address, in bytes.
const ADDRESS: usize = 4096;

/// Its operations. Old clients leave the architecture out.
pub fn operations() -> Vec<Operation> {
    const PLAIN: &str = "/box/{owner}/{name}/version/{version}/provider/{provider}";
    const FULL: &str = "/box/{owner}/{name}/version/{version}/provider/{provider}/{architecture}";
    let mut all = vec![operation(Method::POST, "/box/{owner}/{name}/version/{version}/providers", create)];
    for path in [PLAIN, FULL] {
        all.push(operation(Method::GET, path, show));
        all.push(operation(Method::PUT, path, update));
        all.push(operation(Method::DELETE, path, delete));
    }
    all
}

#[derive(Debug, Deserialize)]
struct Named {
    owner: String,
    name: String,
    version: String,
    provider: String,
    architecture: Option<String>,
}

impl Named {
    fn split(self) -> (NamedVersion, Wanted) {
        let Self { owner, name, version, provider, architecture } = self;
        (NamedVersion { owner, name, version }, Wanted { provider, architecture })
    }
}

/// A provider of a version, as addresses name it.
#[derive(Debug)]
struct Wanted {
    provider: String,
    architecture: Option<String>,
}

impl Wanted {
    async fn find(&self, connection: &mut AnyConnection, version: &VersionRow) -> Result<ProviderRow, Error> {
        let found = providers::find(connection, &version.id, &self.provider, self.architecture.as_deref()).await?;
        let named = shown(&self.provider, self.architecture.as_deref().unwrap_or_default());
        found.ok_or_else(|| Error::NotFound(format!("version `{}` has no provider {named}", version.version)))
    }
}

#[derive(Debug, Deserialize)]
struct Asked {
    provider: AskedProvider,
}

#[derive(Debug, Deserialize)]
struct AskedProvider {
    name: Option<String>,
    url: Option<String>,
    checksum: Option<String>,
    checksum_type: Option<String>,
    architecture: Option<String>,
    default_architecture: Option<bool>,
}

impl AskedProvider {
    /// Checks everything, and brings it into the form it is kept in.
    fn normal(mut self) -> Result<Self, Error> {
        let mut mistakes = Mistakes::default();
        for text in [&mut self.url, &mut self.checksum, &mut self.checksum_type] {
            *text = text.take().map(|t| t.trim().to_owned());
        }
        if let Some(name) = &self.name {
            mistakes.check(names::provider(name));
        }
        if let Some(architecture) = &self.architecture {
            mistakes.check(names::architecture(architecture));
            mistakes.unless(!architecture.eq_ignore_ascii_case("upload"), || "`upload` is no architecture".to_owned());
        }
        if let Some(url) = self.url.as_ref().filter(|u| !u.is_empty()) {
            mistakes.unless(is_address(url), || "`url` has to be an address of http or https".to_owned());
        }
        self.checksum = self.checksum.map(|c| c.to_lowercase());
        self.checksum_type = self.checksum_type.map(|k| k.to_lowercase().replace('-', ""));
        mistakes.check(checksum(self.checksum_type.as_deref().unwrap_or_default(), self.checksum.as_deref().unwrap_or_default()));
        mistakes.none()?;
        Ok(self)
    }

    fn declared(&self) -> Option<(String, String)> {
        let checksum = self.checksum.clone()?;
        let kind = if checksum.is_empty() { String::new() } else { self.checksum_type.clone().unwrap_or_default() };
        Some((kind, checksum))
    }
}

fn is_address(text: &str) -> bool {
    let parsed = url::Url::parse(text);
    text.len() <= ADDRESS && parsed.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn checksum(kind: &str, checksum: &str) -> Result<(), Error> {
    if checksum.is_empty() {
        return Ok(());
    }
    let kinds = || CHECKSUMS.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let Some((_, digits)) = CHECKSUMS.iter().find(|(name, _)| *name == kind) else {
        return Err(Error::invalid(format!("`checksum_type` has to be one of {}", kinds())));
    };
    if checksum.len() != *digits || !checksum.bytes().all(|c| c.is_ascii_hexdigit()) {
        return Err(Error::invalid(format!("`checksum` is no {kind}: that has {digits} hexadecimal digits")));
    }
    Ok(())
}

fn answer(base: &Base, seen: &Seen, version: &VersionRow, row: &ProviderRow) -> Json<Value> {
    Json(Shapes { base: &base.0, owner: &seen.owner, row: &seen.row }.provider(version, row))
}

fn subject_of(seen: &Seen, version: &VersionRow, row: &ProviderRow) -> String {
    let architecture = if row.architecture.is_empty() { String::new() } else { format!("/{}", row.architecture) };
    format!("{}/{}{architecture}", subject(seen, version), row.name)
}

/// What was released never changes.
fn fixed(version: &VersionRow, row: &ProviderRow) -> Error {
    Error::Conflict(format!(
        "version `{}` was released: its provider {} never changes; make a new version",
        version.version,
        shown(&row.name, &row.architecture)
    ))
}

async fn create(
    State(app): State<Shared>,
    caller: Caller,
    base: Base,
    At(named): At<NamedVersion>,
    Body(Asked { provider: asked }): Body<Asked>,
) -> Result<Json<Value>, Error> {
    let mut seen = named.see_as(&app, &caller, Role::Write).await?;
    if asked.name.is_none() {
        return Err(Error::invalid("`name` is missing"));
    }
    let asked = asked.normal()?;
    let (checksum_type, checksum) = asked.declared().unwrap_or_default();
    let new = NewProvider {
        name: asked.name.unwrap_or_default(),
        architecture: asked.architecture.unwrap_or_default(),
        default_architecture: asked.default_architecture,
        url: asked.url.filter(|u| !u.is_empty()),
        checksum_type,
        checksum,
    };
    let mut write = seen.write(&app).await?;
    let version = named.find(write.connection(), &seen).await?;
    if version.is_fixed() && new.default_architecture == Some(true) {
        let others = providers::of_version(write.connection(), &version.id).await?;
        if let Some(default) = others.iter().find(|p| p.name == new.name && p.default_architecture && p.is_whole()) {
            return Err(fixed(&version, default));
        }
    }
    let row = providers::create(write.connection(), &version.id, &new).await?;
    boxes::touch(write.connection(), &seen.row.id).await?;
    caller.log(write.connection(), &seen.owner, "provider.create", &subject_of(&seen, &version, &row), "").await?;
    write.commit().await?;
    Ok(answer(&base, &seen, &version, &row))
}

async fn show(State(app): State<Shared>, caller: Caller, base: Base, At(named): At<Named>) -> Result<Json<Value>, Error> {
    let (named, wanted) = named.split();
    let (seen, version) = named.see(&app, &caller).await?;
    let row = wanted.find(&mut *app.db.reads().acquire().await?, &version).await?;
    Ok(answer(&base, &seen, &version, &row))
}

async fn update(
    State(app): State<Shared>,
    caller: Caller,
    base: Base,
    At(named): At<Named>,
    Body(Asked { provider: asked }): Body<Asked>,
) -> Result<Json<Value>, Error> {
    let (named, wanted) = named.split();
    let mut seen = named.see_as(&app, &caller, Role::Write).await?;
    let asked = asked.normal()?;
    let mut write = seen.write(&app).await?;
    let version = named.find(write.connection(), &seen).await?;
    let before = wanted.find(write.connection(), &version).await?;
    let row = changed(&before, asked);
    if row == before {
        return Ok(answer(&base, &seen, &version, &row));
    }
    allowed(write.connection(), &version, &before, &row).await?;
    if row.default_architecture {
        providers::no_default(write.connection(), &version.id, &row.name).await?;
    }
    let row = providers::update(write.connection(), &row).await?;
    boxes::touch(write.connection(), &seen.row.id).await?;
    caller.log(write.connection(), &seen.owner, "provider.update", &subject_of(&seen, &version, &row), "").await?;
    write.commit().await?;
    Ok(answer(&base, &seen, &version, &row))
}

/// The row as it would be.
fn changed(before: &ProviderRow, asked: AskedProvider) -> ProviderRow {
    let mut row = before.clone();
    // What lies here has its checksum already; saying the same again changes nothing.
    if let Some((kind, checksum)) = asked.declared()
        && before.checked() != Some((&kind, &checksum))
    {
        // Another one announces another file, as publishing a draft again does: what lies here is not it.
        if !checksum.is_empty() && row.object.as_ref() != Some(&checksum) {
            (row.object, row.size) = (None, None);
        }
        (row.checksum_type, row.checksum) = (kind, checksum);
    }
    row.name = asked.name.unwrap_or(row.name);
    row.architecture = asked.architecture.unwrap_or(row.architecture);
    row.default_architecture = asked.default_architecture.unwrap_or(row.default_architecture);
    match asked.url {
        Some(url) if url.is_empty() => row.url = None,
        Some(url) => {
            row.url = Some(url);
            (row.object, row.size) = (None, None);
        }
        None => {}
    }
    row
}

/// Fails where a provider may not become what it would be.
async fn allowed(connection: &mut AnyConnection, version: &VersionRow, before: &ProviderRow, row: &ProviderRow) -> Result<(), Error> {
    let others = providers::of_version(connection, &version.id).await?;
    let mut others = others.iter().filter(|p| p.id != row.id && p.name == row.name);
    if version.is_fixed() {
        if before.is_whole() {
            return Err(fixed(version, before));
        }
        if let Some(default) = others.clone().find(|p| row.default_architecture && p.default_architecture && p.is_whole()) {
            return Err(fixed(version, default));
        }
    }
    if others.any(|p| p.architecture == row.architecture) {
        return Err(Error::invalid(format!("the provider {} is there already", shown(&row.name, &row.architecture))));
    }
    Ok(())
}

async fn delete(State(app): State<Shared>, caller: Caller, base: Base, At(named): At<Named>) -> Result<Json<Value>, Error> {
    let (named, wanted) = named.split();
    let mut seen = named.see_as(&app, &caller, Role::Write).await?;
    let mut write = seen.write(&app).await?;
    let version = named.find(write.connection(), &seen).await?;
    let row = wanted.find(write.connection(), &version).await?;
    if version.is_fixed() && row.is_whole() {
        return Err(fixed(&version, &row));
    }
    providers::mark_deleted(write.connection(), &row).await?;
    boxes::touch(write.connection(), &seen.row.id).await?;
    caller.log(write.connection(), &seen.owner, "provider.delete", &subject_of(&seen, &version, &row), "").await?;
    write.commit().await?;
    Ok(answer(&base, &seen, &version, &row))
}

#[cfg(test)]
#[path = "providers_tests.rs"]
mod tests;
