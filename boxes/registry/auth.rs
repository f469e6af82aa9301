//! Who is asking, and what they may do.
//!
//! A caller shows a token (`Authorization: Bearer`, `X-Atlas-Token`, `?access_token=`), a name with a password or token (Basic), or a
//! browser's session cookie. What a caller may do with an account's boxes is the lesser of their role there and of the token's scope.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use base64::Engine;
use sqlx::AnyConnection;

use crate::app::Shared;
use crate::db::accounts::Account;
use crate::db::tokens::Token;
use crate::db::{audit, members};
use crate::error::Error;
use crate::observe::Who;

pub mod password;
pub mod secret;
pub mod session;

/// What somebody may do with an account's boxes; each holds what is before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// See private boxes.
    Read,
    /// Publish.
    Write,
    /// Delete, and manage members and tokens.
    Admin,
}

impl Role {
    /// From its name.
    pub fn parse(name: &str) -> Result<Self, Error> {
        match name {
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            "admin" => Ok(Self::Admin),
            other => Err(Error::invalid(format!("`{other}` is no role: `read`, `write` or `admin`"))),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// Who is asking.
#[derive(Clone, Debug)]
pub struct Caller {
    /// None: a stranger.
    pub known: Option<Known>,
    /// From where.
    pub address: IpAddr,
}

/// Somebody with an account.
#[derive(Clone, Debug)]
pub struct Known {
    /// Who.
    pub account: Account,
    /// What they showed; none for name and password.
    pub token: Option<Token>,
}

impl Caller {
    /// Whoever is asking has to have an account.
    pub fn known(&self) -> Result<&Known, Error> {
        self.known.as_ref().ok_or_else(|| Error::Unauthorized("log in first: a token is needed for this".to_owned()))
    }

    /// May do everything in the registry.
    pub fn require_site_admin(&self) -> Result<&Known, Error> {
        let known = self.known()?;
        if known.account.admin && known.scope() >= Role::Admin && known.token.as_ref().is_none_or(|t| t.organization.is_none()) {
            return Ok(known);
        }
        Err(Error::Forbidden("only an administrator of the registry may do this".to_owned()))
    }

    /// May act for their whole account: no token that is bound to a lesser scope or to one organisation.
    pub fn require_whole(&self) -> Result<&Known, Error> {
        let known = self.known()?;
        if known.scope() >= Role::Admin && known.token.as_ref().is_none_or(|t| t.organization.is_none()) {
            return Ok(known);
        }
        Err(Error::Forbidden("your token may not do this: it needs the scope `admin`, for no single organisation".to_owned()))
    }

    /// The most the caller may do with this account's boxes; none: see its public ones.
    pub async fn role(&self, app: &Shared, owner: &Account) -> Result<Option<Role>, Error> {
        if self.known.is_none() {
            return Ok(None);
        }
        self.role_by(&mut *app.db.reads().acquire().await?, owner).await
    }

    /// … by a connection that is at hand: who holds one must not wait for a second.
    pub async fn role_by(&self, connection: &mut AnyConnection, owner: &Account) -> Result<Option<Role>, Error> {
        let Some(known) = &self.known else { return Ok(None) };
        if known.token.as_ref().and_then(|t| t.organization.as_ref()).is_some_and(|only| *only != owner.id) {
            return Ok(None);
        }
        let role = if known.account.id == owner.id || known.account.admin {
            Some(Role::Admin)
        } else {
            members::role(connection, &owner.id, &known.account.id).await?
        };
        Ok(role.map(|role| role.min(known.scope())))
    }

    /// The caller needs a role at least; strangers are told to log in, others that they may not.
    pub async fn require(&self, app: &Shared, owner: &Account, least: Role) -> Result<&Known, Error> {
        let known = self.known()?;
        match self.role(app, owner).await? {
            Some(role) if role >= least => Ok(known),
            _ => Err(Error::Forbidden(format!(
                "you may not do this with the boxes of `{}`: it needs the role `{}`",
                owner.name,
                least.name()
            ))),
        }
    }
}

impl Caller {
    /// Writes into the audit log what the caller does.
    pub async fn log(
        &self,
        connection: &mut AnyConnection,
        owner: &Account,
        action: &str,
        subject: &str,
        detail: &str,
    ) -> Result<(), Error> {
        let account = self.known.as_ref().map_or("", |known| known.account.name.as_str());
        let address = self.address.to_string();
        audit::write(connection, &audit::Entry { account, owner: &owner.name, action, subject, detail, address: &address }).await
    }
}

impl Known {
    /// The most that what they showed is good for.
    pub fn scope(&self) -> Role {
        self.token.as_ref().map_or(Role::Admin, |t| t.scope)
    }
}

/// What a request shows.
enum Shown {
    Token(String),
    Password { name: String, password: String },
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Error> {
        // The pages ask the API themselves, for somebody whom they know already.
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        let address = address(parts, app.settings.behind_proxy);
        let known = match shown(&parts.headers, &parts.uri)? {
            None if session::suffices(&parts.method, &parts.uri) => session::known(app, &parts.headers).await?,
            None => None,
            Some(Shown::Token(token)) => Some(by_token(app, &token).await?),
            Some(Shown::Password { name, password }) => match app.db.bearer(&password).await? {
                Some((account, token)) if account.name.eq_ignore_ascii_case(&name) => Some(Known { account, token: Some(token) }),
                _ => Some(Known { account: password::login(app, address, &name, &password).await?, token: None }),
            },
        };
        if let (Some(known), Some(who)) = (&known, parts.extensions.get::<Who>()) {
            who.is(&known.account.name);
        }
        Ok(Self { known, address })
    }
}

async fn by_token(app: &Shared, shown: &str) -> Result<Known, Error> {
    match app.db.bearer(shown).await? {
        Some((account, token)) => Ok(Known { account, token: Some(token) }),
        None => Err(Error::Unauthorized("the token is not known here, or over: log in again".to_owned())),
    }
}

fn shown(headers: &HeaderMap, uri: &Uri) -> Result<Option<Shown>, Error> {
    let not_text = |_| Error::Malformed("a header about who you are is not text".to_owned());
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let value = value.to_str().map_err(not_text)?;
        let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
        return match scheme.to_ascii_lowercase().as_str() {
            "bearer" => Ok(Some(Shown::Token(rest.trim().to_owned()))),
            "basic" => basic(rest.trim()).map(Some),
            _ => Err(Error::Unauthorized("`Authorization` is understood as `Bearer TOKEN` or `Basic …`".to_owned())),
        };
    }
    if let Some(value) = headers.get("x-atlas-token") {
        return Ok(Some(Shown::Token(value.to_str().map_err(not_text)?.to_owned())));
    }
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let token = query.into_iter().find(|(name, value)| name == "access_token" && !value.is_empty());
    Ok(token.map(|(_, value)| Shown::Token(value.into_owned())))
}

fn basic(encoded: &str) -> Result<Shown, Error> {
    let wrong = || Error::Unauthorized("`Authorization: Basic` is followed by NAME:PASSWORD in base64".to_owned());
    let text = base64::engine::general_purpose::STANDARD.decode(encoded).map_err(|_| wrong())?;
    let text = String::from_utf8(text).map_err(|_| wrong())?;
    let (name, password) = text.split_once(':').ok_or_else(wrong)?;
    Ok(Shown::Password { name: name.to_owned(), password: password.to_owned() })
}

/// Where a request comes from; a balancer's word is taken only where one stands in front.
pub fn address(parts: &Parts, behind_proxy: bool) -> IpAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
    // The last entry is the one that our own balancer wrote; those before it are anybody's word.
    let said = parts.headers.get_all("x-forwarded-for").iter().next_back().and_then(|v| v.to_str().ok());
    let last = said.and_then(|text| text.rsplit(',').next()).and_then(|text| text.trim().parse().ok());
    if behind_proxy { last.unwrap_or(peer) } else { peer }
}
