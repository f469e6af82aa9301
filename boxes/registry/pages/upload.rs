//! A box file sent by form. The file goes straight on to where clients send theirs; it is never in memory as a whole.

use axum::body::{Body, Bytes};
use axum::extract::multipart::Field;
use axum::extract::{DefaultBodyLimit, Multipart, Path};
use axum::http::{HeaderMap, Method, Response};
use axum::routing::{MethodRouter, get};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::page::{Page, go};
use super::posted::{self, filled};
use super::versions::{self, Names3};
use super::view::Card;
use super::{Visitor, boxes};
use crate::app::Shared;
use crate::error::Error;
use crate::names;
use crate::observe::finished;

/// Longest field besides the file, in bytes.
const LONGEST: usize = 4096;

/// Shows the form and takes it. How large a file may be is for those to say who store it.
pub fn route() -> MethodRouter<Shared> {
    get(show).post(take).layer(DefaultBodyLimit::disable())
}

#[derive(Debug, Default, Serialize)]
struct Fields {
    provider: String,
    architecture: String,
    checksum: String,
}

#[derive(Serialize)]
struct UploadPage<'a> {
    tag: String,
    version: &'a str,
    fields: &'a Fields,
}

/// `/ORG/BOX/versions/VERSION/upload`.
async fn show(visitor: Visitor, Path((owner, name, version)): Names3) -> Result<Response<Body>, Error> {
    visitor.get(&versions::address(&owner, &name, &version)?).await?;
    visitor.signed_in()?;
    page(&visitor, &owner, &name, &version, &Fields::default(), None).await
}

async fn page(
    visitor: &Visitor,
    owner: &str,
    name: &str,
    version: &str,
    fields: &Fields,
    refused: Option<&Error>,
) -> Result<Response<Body>, Error> {
    let card = Card::of(&visitor.get(&boxes::address(owner, name)?).await?);
    let mut page = Page::new(visitor, "upload", format!("Upload to {} {version}", card.tag));
    if let Some(error) = refused {
        page = page.refused(error);
    }
    page.answer(&UploadPage { tag: card.tag, version, fields })
}

async fn take(
    Path((owner, name, version)): Names3,
    visitor: Visitor,
    headers: HeaderMap,
    mut form: Multipart,
) -> Result<Response<Body>, Error> {
    posted::own_page(&headers, &visitor)?;
    visitor.signed_in()?;
    let address = versions::address(&owner, &name, &version)?;
    let mut fields = Fields::default();
    let mut owned = false;
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let what = field.name().unwrap_or_default().to_owned();
        if what == "file" {
            // The form's token stands before the file, so that nothing is taken without it.
            posted::check(&visitor, owned.then(|| visitor.form_token()).as_deref())?;
            return match store(&visitor, &address, &fields, field).await {
                Ok(()) => go(&format!("/{owner}/{name}/versions/{version}?done=uploaded")).map(finished),
                Err(e) if e.status().is_client_error() => page(&visitor, &owner, &name, &version, &fields, Some(&e)).await,
                Err(e) => Err(e),
            };
        }
        let value = short(field).await?;
        match what.as_str() {
            posted::TOKEN => owned = visitor.owns(&value),
            "provider" => fields.provider = value,
            "architecture" => fields.architecture = value,
            "checksum" => fields.checksum = value,
            _ => {}
        }
    }
    Err(Error::invalid("choose a file first"))
}

/// Puts the file where it belongs, making the provider first where it is new.
async fn store(visitor: &Visitor, version: &str, fields: &Fields, file: Field<'_>) -> Result<(), Error> {
    if file.file_name().is_none_or(str::is_empty) {
        return Err(Error::invalid("choose a file first"));
    }
    let provider = fields.provider.trim();
    names::provider(provider)?;
    let architecture = filled(&fields.architecture).unwrap_or("unknown");
    names::architecture(architecture)?;
    let place = format!("{version}/provider/{provider}/{architecture}");
    let made = match visitor.get(&place).await {
        Ok(known) if known["hosted"] == true && known["size"].is_u64() => {
            return Err(Error::Conflict(format!("there is a file for `{provider}` ({architecture}) already; what is there never changes")));
        }
        Ok(_) => false,
        Err(Error::NotFound(_)) => {
            visitor.call(Method::POST, &format!("{version}/providers"), json!({ "provider": described(fields, architecture) })).await?;
            true
        }
        Err(e) => return Err(e),
    };
    let sent = send(visitor, &place, file).await;
    if sent.is_err() && made {
        // The page goes back to where it was; the reason is what counts.
        if let Err(e) = visitor.call(Method::DELETE, &place, Value::Null).await {
            tracing::warn!(error = %e, "the provider of a failed upload stays, without a file");
        }
    }
    sent
}

fn described(fields: &Fields, architecture: &str) -> Value {
    let mut provider = json!({ "name": fields.provider.trim(), "architecture": architecture });
    if let Some(checksum) = filled(&fields.checksum) {
        provider["checksum"] = json!(checksum.to_lowercase());
        provider["checksum_type"] = json!("sha256");
    }
    provider
}

async fn send(visitor: &Visitor, place: &str, file: Field<'_>) -> Result<(), Error> {
    let answer = visitor.get(&format!("{place}/upload")).await?;
    let to = answer["upload_path"].as_str().and_then(|address| url::Url::parse(address).ok());
    let to = to.ok_or_else(|| Error::Damaged("an upload without an address".to_owned()))?;
    let (pieces, mut arriving) = mpsc::channel::<Result<Bytes, std::io::Error>>(4);
    let body = Body::from_stream(futures_util::stream::poll_fn(move |context| arriving.poll_recv(context)));
    let (stored, read) = tokio::join!(visitor.send(Method::PUT, to.path(), body), pass_on(file, pieces));
    read?;
    stored.map(drop)
}

/// Reads the file piece by piece. A line that breaks ends the body as broken, never as if it were whole.
async fn pass_on(mut file: Field<'_>, pieces: mpsc::Sender<Result<Bytes, std::io::Error>>) -> Result<(), Error> {
    loop {
        match file.chunk().await {
            Ok(None) => return Ok(()),
            Ok(Some(piece)) => {
                if pieces.send(Ok(piece)).await.is_err() {
                    // Nobody takes more of it: the other side has its answer.
                    return Ok(());
                }
            }
            Err(e) => {
                let cut = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the form broke off");
                if pieces.send(Err(cut)).await.is_err() {
                    tracing::debug!("the upload had ended before");
                }
                return Err(broken(e));
            }
        }
    }
}

async fn short(mut field: Field<'_>) -> Result<String, Error> {
    let mut text = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(broken)? {
        text.extend_from_slice(&piece);
        if text.len() > LONGEST {
            return Err(Error::TooLarge("a field of the form is too long".to_owned()));
        }
    }
    String::from_utf8(text).map_err(|_| Error::Malformed("a field of the form is not text".to_owned()))
}

fn broken(error: axum::extract::multipart::MultipartError) -> Error {
    match error.status().as_u16() {
        413 => Error::TooLarge("the form is larger than it may be".to_owned()),
        _ => Error::Malformed("the form did not arrive whole".to_owned()),
    }
}
