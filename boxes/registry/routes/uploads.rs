//! Uploads: where to send a content, the sending itself, and the publisher's call when it has been sent.

use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::At;
use crate::access;
use crate::address::Base;
use crate::app::Shared;
use crate::auth::{Caller, Role};
use crate::db::providers::ProviderRow;
use crate::db::uploads::Upload;
use crate::db::{objects, providers, uploads, versions};
use crate::error::Error;
use crate::router::{Operation, PREFIXES, operation};
use crate::uploads::{Asked, Start, publish};

/// Bytes that are there, in requests and answers.
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// Bytes of the whole.
const LENGTH: HeaderName = HeaderName::from_static("upload-length");

/// Operations of the API.
pub fn operations() -> Vec<Operation> {
    const PLAIN: &str = "/box/{owner}/{name}/version/{version}/provider/{provider}/upload";
    const PLAIN_DIRECT: &str = "/box/{owner}/{name}/version/{version}/provider/{provider}/upload/direct";
    const PLAIN_COMPLETE: &str = "/box/{owner}/{name}/version/{version}/provider/{provider}/upload/complete/{id}";
    const FULL: &str = "/box/{owner}/{name}/version/{version}/provider/{provider}/{architecture}/upload";
    const FULL_DIRECT: &str = "/box/{owner}/{name}/version/{version}/provider/{provider}/{architecture}/upload/direct";
    const FULL_COMPLETE: &str = "/box/{owner}/{name}/version/{version}/provider/{provider}/{architecture}/upload/complete/{id}";
    vec![
        operation(Method::GET, PLAIN, begin),
        operation(Method::GET, PLAIN_DIRECT, begin_direct),
        operation(Method::PUT, PLAIN_COMPLETE, complete),
        operation(Method::GET, FULL, begin),
        operation(Method::GET, FULL_DIRECT, begin_direct),
        operation(Method::PUT, FULL_COMPLETE, complete),
    ]
}

/// The address that contents are sent to.
pub fn router() -> Router<Shared> {
    Router::new().route("/upload/{secret}", get(offset).put(send).patch(go_on))
}

/// A provider as an address names it.
#[derive(Clone, Debug, Deserialize)]
pub struct Named {
    owner: String,
    name: String,
    version: String,
    provider: String,
    architecture: Option<String>,
    id: Option<String>,
}

impl Named {
    /// The provider, for callers that may publish.
    async fn find(&self, app: &Shared, caller: &Caller) -> Result<ProviderRow, Error> {
        let seen = access::see_as(app, caller, &self.owner, &self.name, Role::Write).await?;
        let mut reads = app.db.reads().acquire().await?;
        let version = versions::find(&mut reads, &seen.row.id, &self.version).await?;
        let version = version.ok_or_else(|| Error::NotFound(format!("`{}` has no version `{}`", seen.tag(), self.version)))?;
        let found = providers::find(&mut reads, &version.id, &self.provider, self.architecture.as_deref()).await?;
        found.ok_or_else(|| {
            let shown = providers::shown(&self.provider, self.architecture.as_deref().unwrap_or_default());
            Error::NotFound(format!("version `{}` of `{}` has no provider {shown}", self.version, seen.tag()))
        })
    }

    /// Below the prefix that the caller uses: Vagrant takes no other.
    fn complete_path(&self, asked: &Uri, id: &str) -> String {
        let Self { owner, name, version, provider, .. } = self;
        let architecture = self.architecture.as_ref().map(|a| format!("/{a}")).unwrap_or_default();
        let prefix = PREFIXES.into_iter().find(|prefix| asked.path().starts_with(prefix)).unwrap_or(PREFIXES[1]);
        format!("{prefix}/box/{owner}/{name}/version/{version}/provider/{provider}{architecture}/upload/complete/{id}")
    }
}

async fn begin(State(app): State<Shared>, caller: Caller, base: Base, At(named): At<Named>) -> Result<Json<Value>, Error> {
    let (_, path) = begun(&app, &caller, &base, &named, false).await?;
    Ok(Json(json!({ "upload_path": path })))
}

async fn begin_direct(
    State(app): State<Shared>,
    caller: Caller,
    base: Base,
    OriginalUri(asked): OriginalUri,
    At(named): At<Named>,
) -> Result<Json<Value>, Error> {
    let (id, path) = begun(&app, &caller, &base, &named, true).await?;
    Ok(Json(json!({ "upload_path": path, "callback": format!("{}{}", base.0, named.complete_path(&asked, &id)) })))
}

async fn begun(app: &Shared, caller: &Caller, base: &Base, named: &Named, direct: bool) -> Result<(String, String), Error> {
    let provider = named.find(app, caller).await?;
    let mut write = app.db.write().await?;
    publish::check(write.connection(), &provider.id).await?;
    let account = &caller.known()?.account.name;
    let (id, secret) = uploads::create(write.connection(), &provider.id, account, direct).await?;
    write.commit().await?;
    Ok((id, format!("{}/upload/{}", base.0, secret.text())))
}

/// The publisher has sent all: what arrived becomes the provider's content. Saying it twice does no harm.
async fn complete(State(app): State<Shared>, caller: Caller, At(named): At<Named>) -> Result<Json<Value>, Error> {
    let provider = named.find(&app, &caller).await?;
    let unknown = || Error::NotFound("this provider has no such upload".to_owned());
    let id = named.id.as_deref().ok_or_else(unknown)?;
    let mut write = app.db.write().await?;
    let upload = uploads::find(write.connection(), id).await?.filter(|u| u.provider == provider.id).ok_or_else(unknown)?;
    let digest =
        upload.object.as_ref().ok_or_else(|| Error::Conflict(format!("the upload is not whole: {} bytes came", upload.received)))?;
    let object = objects::find(write.connection(), digest).await?;
    let object = object.ok_or_else(|| Error::Damaged(format!("the content of the upload `{id}` is gone")))?;
    publish::publish(write.connection(), &app, &upload, &object, &caller.address.to_string()).await?;
    write.commit().await?;
    Ok(Json(json!({ "success": true, "size": object.size, "digest": format!("sha256:{}", object.digest) })))
}

async fn find(app: &Shared, secret: &str) -> Result<Upload, Error> {
    let upload = app.db.upload(secret).await?;
    let upload = upload.ok_or_else(|| Error::NotFound("there is no such upload, or it is over: ask for a new address".to_owned()))?;
    crate::uploads::as_stored(app, upload).await
}

async fn offset(State(app): State<Shared>, At(secret): At<String>) -> Result<Response, Error> {
    let upload = find(&app, &secret).await?;
    let body = Json(json!({ "offset": upload.received, "length": upload.length, "complete": upload.object.is_some() }));
    Ok((said(&upload), [(header::CACHE_CONTROL, "no-store")], body).into_response())
}

async fn send(State(app): State<Shared>, At(secret): At<String>, headers: HeaderMap, body: Body) -> Response {
    let length = match number(&headers, &header::CONTENT_LENGTH) {
        Ok(length) => length,
        Err(e) => return e.into_response(),
    };
    transfer(&app, &secret, Asked { start: Start::Anew, length, coming: length }, body).await
}

async fn go_on(State(app): State<Shared>, At(secret): At<String>, headers: HeaderMap, body: Body) -> Response {
    let asked = || -> Result<Asked, Error> {
        let offset = number(&headers, &OFFSET)?;
        let offset = offset.ok_or_else(|| Error::Malformed("`Upload-Offset` has to say after how many bytes this goes on".to_owned()))?;
        Ok(Asked { start: Start::After(offset), length: number(&headers, &LENGTH)?, coming: number(&headers, &header::CONTENT_LENGTH)? })
    };
    match asked() {
        Ok(asked) => transfer(&app, &secret, asked, body).await,
        Err(e) => e.into_response(),
    }
}

async fn transfer(app: &Shared, secret: &str, asked: Asked, body: Body) -> Response {
    let upload = match find(app, secret).await {
        Ok(upload) => upload,
        Err(e) => return e.into_response(),
    };
    let status = if asked.start == Start::Anew { StatusCode::OK } else { StatusCode::NO_CONTENT };
    match app.uploads.receive(app, upload, asked, body).await {
        Ok(upload) => (status, said(&upload)).into_response(),
        Err(e) => {
            // Whatever went wrong, the client is told from where it can go on.
            let said = find(app, secret).await.map(|upload| said(&upload)).unwrap_or_default();
            (said, e).into_response()
        }
    }
}

fn said(upload: &Upload) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(OFFSET, HeaderValue::from(upload.received));
    if let Some(length) = upload.length {
        headers.insert(LENGTH, HeaderValue::from(length));
    }
    headers
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Error> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok()).filter(|n| i64::try_from(*n).is_ok());
    number.map(Some).ok_or_else(|| Error::Malformed(format!("the header `{name}` is no number of bytes")))
}
