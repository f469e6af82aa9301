//! Forms as they come in. A form counts only when its own page sent it: the browser says so (`Sec-Fetch-Site`, `Origin`), and it carries the
//! token that the page was given.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Visitor;
use crate::app::Shared;
use crate::error::Error;

/// Name of the field with the form's token.
pub const TOKEN: &str = "form_token";

/// A form, and who sent it. Its fields are texts.
#[derive(Debug)]
pub struct Posted<T> {
    /// Who.
    pub visitor: Visitor,
    /// What.
    pub fields: T,
}

impl<T: DeserializeOwned> FromRequest<Shared> for Posted<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Error> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, app).await?;
        own_page(&parts.headers, &visitor)?;
        let urlencoded =
            parts.headers.get(header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
        if !urlencoded {
            return Err(Error::UnsupportedType("this address takes a form".to_owned()));
        }
        let bytes = axum::body::Bytes::from_request(Request::from_parts(parts, body), app).await;
        let bytes = bytes.map_err(|e| match e.status().as_u16() {
            413 => Error::TooLarge("the form is larger than a form may be".to_owned()),
            _ => Error::Malformed("the form did not arrive whole".to_owned()),
        })?;
        let mut fields: BTreeMap<String, String> = url::form_urlencoded::parse(&bytes).into_owned().collect();
        check(&visitor, fields.remove(TOKEN).as_deref())?;
        let fields: Map<String, Value> = fields.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        let fields =
            serde_json::from_value(Value::Object(fields)).map_err(|e| Error::Malformed(format!("the form is not as it has to be: {e}")))?;
        Ok(Self { visitor, fields })
    }
}

/// The form's token has to be the visitor's own.
pub fn check(visitor: &Visitor, token: Option<&str>) -> Result<(), Error> {
    if token.is_some_and(|token| visitor.owns(token)) {
        return Ok(());
    }
    Err(Error::Forbidden("this form is too old, or came from elsewhere: open its page again, then send it".to_owned()))
}

/// Where the browser tells which page a form was sent from, it has to be one of ours.
pub fn own_page(headers: &HeaderMap, visitor: &Visitor) -> Result<(), Error> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let foreign = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) if site != "same-origin" && site != "none" => true,
        (_, Some(origin)) => {
            let origin = authority(origin).unwrap_or_default();
            // A registry that is known by several names is also asked by the one that the browser used.
            Some(origin) != authority(&visitor.base) && Some(origin) != text("host")
        }
        _ => false,
    };
    if foreign {
        return Err(Error::Forbidden("this form was sent by a page of another site: open it here, then send it".to_owned()));
    }
    Ok(())
}

/// Host and port of an address.
fn authority(address: &str) -> Option<&str> {
    address.split_once("://").and_then(|(_, rest)| rest.split('/').next())
}

/// An empty field is one that was not filled in.
pub fn filled(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}
