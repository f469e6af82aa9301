//! People, organisations, tokens, and who did what.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::shape::or_default;
use super::{Member, Organization, Registry, TokenInfo, User};
use crate::Error;

/// What is to become of a user; none: it stays as it is.
#[derive(Clone, Default, Serialize)]
pub struct UserChange {
    /// Password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Admin of the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<bool>,
    /// May do nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Most bytes; none inside: as many as there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<Option<u64>>,
}

/// What a token is for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Grant {
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `read`, `write`, `admin`.
    pub scope: String,
    /// Only for this organisation's boxes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
}

/// A line of the audit log.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// RFC 3339.
    pub at: String,
    /// Who.
    #[serde(deserialize_with = "or_default")]
    pub account: String,
    /// Did what …
    #[serde(deserialize_with = "or_default")]
    pub action: String,
    /// … to what.
    #[serde(deserialize_with = "or_default")]
    pub subject: String,
    /// More about it.
    pub detail: Value,
    /// From where.
    #[serde(deserialize_with = "or_default")]
    pub address: String,
}

#[derive(Deserialize)]
struct Users {
    users: Vec<User>,
}

#[derive(Deserialize)]
struct Organizations {
    organizations: Vec<Organization>,
}

#[derive(Deserialize)]
struct Members {
    members: Vec<Member>,
}

#[derive(Deserialize)]
struct TokenList {
    tokens: Vec<TokenInfo>,
}

#[derive(Deserialize)]
struct Entries {
    entries: Vec<Entry>,
}

/// So many at a time.
const PAGE: usize = 100;

impl Registry {
    /// Everybody.
    pub fn users(&self) -> Result<Vec<User>, Error> {
        let mut all: Vec<User> = Vec::new();
        for page in 1.. {
            let query = [("page", format!("{page}")), ("limit", PAGE.to_string())];
            let Users { users } = self.get("/users", &query)?;
            let last = users.len() < PAGE;
            all.extend(users);
            if last {
                break;
            }
        }
        Ok(all)
    }

    /// Somebody, or an organisation, with the boxes one may see.
    pub fn user(&self, name: &str) -> Result<User, Error> {
        self.get(&format!("/user/{name}"), &[])
    }

    /// Makes one.
    pub fn create_user(&self, name: &str, change: &UserChange) -> Result<User, Error> {
        let mut user = serde_json::to_value(change).unwrap_or_default();
        user["username"] = json!(name);
        self.send(Method::POST, "/users", Some(&json!({ "user": user })))
    }

    /// Changes one.
    pub fn update_user(&self, name: &str, change: &UserChange) -> Result<User, Error> {
        self.send(Method::PUT, &format!("/user/{name}"), Some(&json!({ "user": change })))
    }

    /// Removes one.
    pub fn delete_user(&self, name: &str) -> Result<(), Error> {
        self.tell(Method::DELETE, &format!("/user/{name}"), None)
    }

    /// All that one may see.
    pub fn organizations(&self) -> Result<Vec<Organization>, Error> {
        self.get::<Organizations>("/organizations", &[]).map(|answer| answer.organizations)
    }

    /// One.
    pub fn organization(&self, name: &str) -> Result<Organization, Error> {
        self.get(&format!("/organization/{name}"), &[])
    }

    /// Makes one.
    pub fn create_organization(&self, name: &str, description: Option<&str>) -> Result<Organization, Error> {
        let mut body = json!({ "organization": { "name": name } });
        if let Some(text) = description {
            body["organization"]["description"] = json!(text);
        }
        self.send(Method::POST, "/organizations", Some(&body))
    }

    /// Changes one; a quota is the registry admins' business.
    pub fn update_organization(&self, name: &str, description: Option<&str>, quota: Option<Option<u64>>) -> Result<Organization, Error> {
        let mut fields = serde_json::Map::new();
        fields.extend(description.map(|d| ("description".to_owned(), json!(d))));
        fields.extend(quota.map(|q| ("quota".to_owned(), json!(q))));
        self.send(Method::PUT, &format!("/organization/{name}"), Some(&json!({ "organization": fields })))
    }

    /// Removes one.
    pub fn delete_organization(&self, name: &str) -> Result<(), Error> {
        self.tell(Method::DELETE, &format!("/organization/{name}"), None)
    }

    /// Who is in it.
    pub fn members(&self, organization: &str) -> Result<Vec<Member>, Error> {
        self.get::<Members>(&format!("/organization/{organization}/members"), &[]).map(|answer| answer.members)
    }

    /// Takes somebody in, or gives them another role: `read`, `write`, `admin`.
    pub fn set_member(&self, organization: &str, user: &str, role: &str) -> Result<(), Error> {
        let body = json!({ "member": { "role": role } });
        self.tell(Method::PUT, &format!("/organization/{organization}/member/{user}"), Some(&body))
    }

    /// Takes somebody out.
    pub fn remove_member(&self, organization: &str, user: &str) -> Result<(), Error> {
        self.tell(Method::DELETE, &format!("/organization/{organization}/member/{user}"), None)
    }

    /// One's own tokens.
    pub fn tokens(&self) -> Result<Vec<TokenInfo>, Error> {
        self.get::<TokenList>("/tokens", &[]).map(|answer| answer.tokens)
    }

    /// A new token, and what is known of it.
    pub fn create_token(&self, grant: &Grant) -> Result<(String, TokenInfo), Error> {
        let answer: Value = self.send(Method::POST, "/tokens", Some(&json!({ "token": grant })))?;
        let token = answer["token"].as_str().unwrap_or_default().to_owned();
        let info = serde_json::from_value(answer).unwrap_or_default();
        if token.is_empty() {
            return Err(crate::client::network(&self.api.url("/tokens"), "its answer holds no token"));
        }
        Ok((token, info))
    }

    /// Makes a token useless.
    pub fn delete_token(&self, id: &str) -> Result<(), Error> {
        self.tell(Method::DELETE, &format!("/token/{id}"), None)
    }

    /// Who did what, newest first; `account` and `action` narrow it.
    pub fn audit(&self, account: Option<&str>, action: Option<&str>, page: u32, limit: u32) -> Result<Vec<Entry>, Error> {
        let mut query = vec![("page", page.to_string()), ("limit", limit.to_string())];
        query.extend(account.map(|a| ("account", a.to_owned())));
        query.extend(action.map(|a| ("action", a.to_owned())));
        self.get::<Entries>("/audit", &query).map(|answer| answer.entries)
    }
}
