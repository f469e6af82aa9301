//! Who asks: password → token, is the token good, whose is it, throw it away.

use kiste_core::Cancel;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::tokens::{Kept, Tokens};
use super::{Place, Registry};
use crate::Error;

/// A name and a password.
pub struct Credentials {
    /// Name or e-mail address.
    pub login: String,
    /// Password.
    pub password: String,
    /// What the token is for.
    pub description: String,
}

/// A token, just made.
#[derive(Deserialize)]
pub struct Granted {
    /// The token; shown once.
    pub token: String,
}

#[derive(Deserialize)]
struct Whoami {
    #[serde(default)]
    user: Option<WhoamiUser>,
}

#[derive(Deserialize)]
struct WhoamiUser {
    #[serde(default)]
    username: String,
}

impl Registry {
    /// A token for a name and a password.
    pub fn authenticate(&self, credentials: &Credentials) -> Result<Granted, Error> {
        let Credentials { login, password, description } = credentials;
        let body = json!({ "user": { "login": login, "password": password }, "token": { "description": description } });
        self.send(Method::POST, "/authenticate", Some(&body))
    }

    /// Whose the token is; none when it is good for nothing, or there is none.
    pub fn whoami(&self) -> Result<Option<String>, Error> {
        if self.place.token().is_none() {
            return Ok(None);
        }
        let answer: Whoami = match self.get("/authenticate", &[]) {
            Err(Error::Status { status, .. }) if status.starts_with("401") => return Ok(None),
            other => other?,
        };
        Ok(Some(answer.user.unwrap_or(WhoamiUser { username: String::new() }).username))
    }

    /// Keeps `token` for the commands that come.
    pub fn remember(&self, token: &str, username: Option<String>) -> Result<(), Error> {
        let kept = Kept { address: self.shown(), username, token: token.to_owned() };
        Tokens::keep(&self.home, self.place.address(), kept, &self.cancel)
    }

    /// Makes the kept token useless at the registry and forgets it. False when none was kept.
    pub fn logout(&self) -> Result<bool, Error> {
        let Some(kept) = Tokens::forget(&self.home, self.place.address(), &self.cancel)? else { return Ok(false) };
        let place = Place::at(&kept.address, Some(kept.token))?;
        let api = crate::api::Api::new(place.api().as_str(), place.token().map(str::to_owned), &self.transport, false, super::PAUSE)?;
        // It is forgotten here whatever the registry says; one that can't be reached must not keep anybody logged in.
        match api.ask(Method::DELETE, "/authenticate", None, &Cancel::new()) {
            Ok(Ok(_)) => {}
            Ok(Err(refusal)) if refusal.status == 401 => {}
            Ok(Err(refusal)) => self.warn_of_logout(&refusal.said),
            Err(error) => self.warn_of_logout(&error.to_string()),
        }
        Ok(true)
    }

    fn warn_of_logout(&self, reason: &str) {
        self.reporter.warn(format!("The token is forgotten here, but the registry did not throw it away: {reason}"));
    }
}
