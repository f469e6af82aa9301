//! A page: its template filled in, put into the layout, and sent with the headers that keep browsers safe.

use std::sync::OnceLock;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use handlebars::Handlebars;
use serde::Serialize;
use serde_json::{Value, json};

use super::Visitor;
use crate::auth::Role;
use crate::error::Error;

/// Every template, by its name.
const TEMPLATES: &[(&str, &str)] = &[
    ("layout", include_str!("layout.hbs")),
    ("guard", include_str!("guard.hbs")),
    ("chart", include_str!("chart.hbs")),
    ("providers", include_str!("providers.hbs")),
    ("box_list", include_str!("box_list.hbs")),
    ("front", include_str!("front.hbs")),
    ("account", include_str!("account.hbs")),
    ("box", include_str!("box.hbs")),
    ("box_new", include_str!("box_new.hbs")),
    ("box_edit", include_str!("box_edit.hbs")),
    ("version", include_str!("version.hbs")),
    ("version_new", include_str!("version_new.hbs")),
    ("upload", include_str!("upload.hbs")),
    ("sign_in", include_str!("sign_in.hbs")),
    ("users", include_str!("users.hbs")),
    ("audit", include_str!("audit.hbs")),
    ("prune", include_str!("prune.hbs")),
    ("settings", include_str!("settings.hbs")),
    ("tokens", include_str!("tokens.hbs")),
    ("organizations", include_str!("organizations.hbs")),
    ("organization", include_str!("organization.hbs")),
    ("problem", include_str!("problem.hbs")),
];

/// What a browser may do with our pages: show them, with our style, and send their forms to us. Nothing else, and in nobody's frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Headers of every page.
const HEADERS: &[(&str, &str)] = &[
    ("content-type", "text/html; charset=utf-8"),
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    // Not `no-referrer`: with it browsers hide where a form comes from.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    // Pages depend on who looks.
    ("cache-control", "no-store"),
];

/// What has just been done, by the word that the address carries. Nothing of the address itself is shown.
const NOTICES: &[(&str, &str)] = &[
    ("saved", "Saved."),
    ("created", "Created."),
    ("uploaded", "The file arrived whole and is checked."),
    ("released", "Released: everybody who may see the box can have this version now."),
    ("revoked", "Revoked: nobody gets this version any more."),
    ("restored", "It is back."),
    ("password", "Your password is changed. Sign in with it: every session has ended."),
    ("token-ended", "The token is ended: nobody gets in with it any more."),
    ("pruned", "The old versions are gone."),
    ("member", "The members are changed."),
];

/// A page that is to be.
#[derive(Debug)]
pub struct Page<'a> {
    visitor: &'a Visitor,
    template: &'static str,
    title: String,
    status: StatusCode,
    problems: Vec<String>,
}

impl<'a> Page<'a> {
    /// A page of a template.
    pub fn new(visitor: &'a Visitor, template: &'static str, title: impl Into<String>) -> Self {
        Self { visitor, template, title: title.into(), status: StatusCode::OK, problems: Vec::new() }
    }

    /// The page of a form that was refused, with why.
    pub fn refused(mut self, error: &Error) -> Self {
        self.status = error.status();
        self.problems = error.told();
        self
    }

    /// Fills it in. `data` is an object.
    pub fn answer(self, data: &impl Serialize) -> Result<Response<Body>, Error> {
        let visitor = self.visitor;
        let mut fields = serde_json::to_value(data).map_err(|e| Error::Damaged(format!("a page's data is no JSON: {e}")))?;
        fields["form_token"] = Value::String(visitor.form_token());
        let body = templates().render(self.template, &fields)?;
        let known = visitor.caller.known.as_ref();
        let layout = json!({
            "title": self.title,
            "body": body,
            "form_token": visitor.form_token(),
            "name": visitor.name(),
            "can_create": known.is_some_and(|known| known.scope() >= Role::Write),
            "can_manage": known.is_some_and(|known| known.scope() >= Role::Admin),
            "problems": self.problems,
            "notice": notice(&visitor.path),
            "style": super::assets::style(),
        });
        let text = templates().render("layout", &layout)?;
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in HEADERS {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        if visitor.base.starts_with("https:") {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
        if let Some(cookie) = visitor.seed_cookie() {
            headers.append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }
}

fn notice(path: &str) -> Option<&'static str> {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let done = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "done")?.1;
    NOTICES.iter().find(|(word, _)| *word == done).map(|(_, text)| *text)
}

/// On to another page of ours, by GET.
pub fn go(path: &str) -> Result<Response<Body>, Error> {
    let location = HeaderValue::from_str(path).map_err(|_| Error::Malformed("there is no such page".to_owned()))?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn templates() -> &'static Handlebars<'static> {
    static ALL: OnceLock<Handlebars<'static>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all = Handlebars::new();
        all.set_strict_mode(true);
        for (name, text) in TEMPLATES {
            all.register_template_string(name, text).expect("templates are tried by tests");
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_read_and_escapes_what_it_shows() {
        templates();
        for (name, text) in TEMPLATES {
            let raw = usize::from(["layout", "box", "version"].contains(name));
            assert_eq!(text.matches("{{{").count(), raw, "{name}: only pages and descriptions are HTML already");
            assert!(
                !text.contains("<script") && !text.contains("style=") && !text.contains("onclick"),
                "{name}: nothing that the policy forbids"
            );
        }
    }
}
