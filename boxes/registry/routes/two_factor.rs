//! `two-factor/request-code`: clients of the public registry ask for a code. There are none here, and they are told so.

use axum::extract::State;
use axum::http::Method;

use super::body::Body;
use crate::app::Shared;
use crate::error::Error;
use crate::router::{Operation, operation};

/// Its operation.
pub fn operations() -> Vec<Operation> {
    vec![operation(Method::POST, "/two-factor/request-code", refuse)]
}

async fn refuse(State(_): State<Shared>, Body(_): Body<serde_json::Value>) -> Error {
    Error::invalid("this registry has no two-factor codes: log in with name and password, or use a token")
}
