//! The second generation: boxes and versions are made when they are missing, and a box of an architecture is made or replaced.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::cloud::address;
use super::{Content, Details, Listener, Publication};
use crate::Error;
use crate::api::{Api, refused};
use crate::upload::Sending;

/// Storage takes no more in one direct upload.
const LARGEST_DIRECT: u64 = 5 << 30;

/// Publishes.
pub fn publish(api: &Api, publication: &Publication, listener: Listener<'_>) -> Result<(), Error> {
    let root = format!("/box/{}", publication.tag);
    make_box(api, publication, listener, &root)?;
    let version = format!("{root}/version/{}", publication.version);
    let released = make_version(api, publication, listener, &root, &version)?;
    let architecture = &publication.details.architecture;
    let provider = format!("{version}/provider/{}/{architecture}", publication.provider);
    let mut is_new = false;
    let result = make_provider(api, publication, listener, &version, &provider, &mut is_new)
        .and_then(|()| send(api, publication, listener, &provider))
        .and_then(|()| release(api, publication, listener, &version, released));
    if result.is_err() && is_new {
        clean_up(api, listener, &provider);
    }
    result
}

fn make_box(api: &Api, publication: &Publication, listener: Listener<'_>, root: &str) -> Result<(), Error> {
    let Listener { reporter, cancel } = listener;
    reporter.say(format!("Verifying box is accessible: {}", publication.tag));
    if let Some(found) = api.find(root, cancel)? {
        if found["tag"].as_str().is_some_and(|tag| tag != publication.tag) {
            return Err(Error::Usage(format!("Could not verify box: {}", publication.tag)));
        }
        reporter.detail("Box accessible and matches tag");
        return Ok(());
    }
    reporter.say(format!("Creating box: {}", publication.tag));
    let (user, name) = publication.tag.split_once('/').unwrap_or((publication.tag.as_str(), ""));
    let Details { box_description, private, .. } = &publication.details;
    let mut body = json!({ "box": { "username": user, "name": name, "is_private": private } });
    if let Some(text) = box_description {
        body["box"]["description"] = json!(text);
    }
    tolerating(409, api.ask(Method::POST, "/boxes", Some(&body), cancel)?, api, "/boxes")
}

/// What somebody else made meanwhile is as good as what we make.
fn tolerating(status: u16, answer: Result<Value, crate::api::Refusal>, api: &Api, path: &str) -> Result<(), Error> {
    match answer {
        Err(refusal) if refusal.status != status => Err(refused(&api.url(path), &refusal)),
        _ => Ok(()),
    }
}

/// Whether the version is released already.
fn make_version(api: &Api, publication: &Publication, listener: Listener<'_>, root: &str, version: &str) -> Result<bool, Error> {
    let Listener { reporter, cancel } = listener;
    reporter.say(format!("Creating version: {}", publication.version));
    if let Some(found) = api.find(version, cancel)? {
        reporter.detail("Version exists, skipping creation");
        return Ok(found["status"].as_str() == Some("active"));
    }
    let mut body = json!({ "version": { "version": publication.version } });
    if let Some(text) = &publication.version_description {
        body["version"]["description"] = json!(text);
    }
    let path = format!("{root}/versions");
    tolerating(409, api.ask(Method::POST, &path, Some(&body), cancel)?, api, &path).map(|()| false)
}

fn make_provider(
    api: &Api,
    publication: &Publication,
    listener: Listener<'_>,
    version: &str,
    provider: &str,
    is_new: &mut bool,
) -> Result<(), Error> {
    let Listener { reporter, cancel } = listener;
    let details = &publication.details;
    let mut fields =
        Map::from_iter([("name".to_owned(), json!(publication.provider)), ("architecture".to_owned(), json!(details.architecture))]);
    if let Content::Address(address) = &publication.content {
        fields.insert("url".to_owned(), json!(address));
    }
    if let Some((kind, digits)) = &details.checksum {
        fields.insert("checksum_type".to_owned(), json!(kind));
        fields.insert("checksum".to_owned(), json!(digits));
    }
    if let Some(is_default) = details.default_architecture {
        fields.insert("default_architecture".to_owned(), json!(is_default));
    }
    let body = json!({ "provider": fields });
    if api.find(provider, cancel)?.is_some() {
        reporter.say(format!("Updating provider: {} ({})", publication.provider, details.architecture));
        return api.send(Method::PUT, provider, Some(&body), cancel).map(drop);
    }
    reporter.say(format!("Creating provider: {} ({})", publication.provider, details.architecture));
    api.send(Method::POST, &format!("{version}/providers"), Some(&body), cancel)?;
    *is_new = true;
    Ok(())
}

fn send(api: &Api, publication: &Publication, listener: Listener<'_>, provider: &str) -> Result<(), Error> {
    let Listener { reporter, cancel } = listener;
    let Content::File { path, direct } = &publication.content else { return Ok(()) };
    let size = path.metadata().map_err(Error::file(path))?.len();
    let direct = *direct && size <= LARGEST_DIRECT;
    reporter.say(format!("Preparing upload of box: {}", path.display()));
    let way = if direct { "upload/direct" } else { "upload" };
    let answer = api.get(&format!("{provider}/{way}"), cancel)?;
    let to = address(&answer, "upload_path")?;
    reporter.say(format!("Uploading box: {}", path.display()));
    Sending { api, url: &to, file: path, reporter, cancel }.send()?;
    if !direct {
        return Ok(());
    }
    reporter.say("Confirming direct box upload completion");
    // Only its path counts: what confirms an upload is the registry itself.
    let told = address(&answer, "callback")?;
    let mut callback = api.url("");
    callback.set_path(told.path());
    callback.set_query(told.query());
    match api.ask_at(Method::PUT, &callback, None, cancel)? {
        Err(refusal) => Err(refused(&callback, &refusal)),
        Ok(_) => Ok(()),
    }
}

fn release(api: &Api, publication: &Publication, listener: Listener<'_>, version: &str, released: bool) -> Result<(), Error> {
    let reporter = listener.reporter;
    reporter.say(format!("Releasing version: {}", publication.version));
    if publication.no_release {
        reporter.detail("Not releasing version due to configuration");
        return Ok(());
    }
    if released {
        reporter.detail("Not releasing version, already released");
        return Ok(());
    }
    let path = format!("{version}/release");
    match api.ask(Method::PUT, &path, None, listener.cancel)? {
        Err(refusal) if refusal.said.contains("already been released") => reporter.detail("Not releasing version, already released"),
        Err(refusal) => return Err(refused(&api.url(&path), &refusal)),
        Ok(_) => reporter.detail("Version successfully released and available"),
    }
    Ok(())
}

/// Takes back what was made and not completed. Goes on after an interrupt.
fn clean_up(api: &Api, listener: Listener<'_>, provider: &str) {
    listener.reporter.say("Cleaning up provider");
    if let Err(error) = api.send(Method::DELETE, provider, None, &kiste_core::Cancel::new()) {
        listener.reporter.warn(format!("Error deleting provider: {error}"));
    }
}
