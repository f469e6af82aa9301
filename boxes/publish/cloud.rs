//! The first generation: requests, their order and the words are those of Packer's `vagrant-cloud`.

use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use super::{Content, Listener, Publication};
use crate::Error;
use crate::api::{Api, refused};
use crate::upload::Sending;

/// Publishes.
pub fn publish(api: &Api, publication: &Publication, listener: Listener<'_>) -> Result<(), Error> {
    let Listener { reporter, cancel } = listener;
    let root = format!("/box/{}", publication.tag);
    reporter.say(format!("Verifying box is accessible: {}", publication.tag));
    let found = api.get(&root, cancel)?;
    if found["tag"].as_str() != Some(&publication.tag) {
        return Err(Error::Usage(format!("Could not verify box: {}", publication.tag)));
    }
    reporter.detail("Box accessible and matches tag");
    reporter.say(format!("Creating version: {}", publication.version));
    let known = found["versions"].as_array().is_some_and(|all| all.iter().any(|v| v["version"].as_str() == Some(&publication.version)));
    if known {
        reporter.detail("Version exists, skipping creation");
    } else {
        let description = publication.version_description.clone().unwrap_or_default();
        let body = json!({ "version": { "version": publication.version, "description": description } });
        api.send(Method::POST, &format!("{root}/versions"), Some(&body), cancel)?;
    }
    let version = format!("{root}/version/{}", publication.version);
    let mut made = None;
    let result = provider(api, publication, listener, &version, &mut made).and_then(|()| release(api, publication, listener, &version));
    if result.is_err() {
        clean_up(api, listener, &version, made.as_deref());
    }
    result
}

fn provider(api: &Api, publication: &Publication, listener: Listener<'_>, version: &str, made: &mut Option<String>) -> Result<(), Error> {
    let Listener { reporter, cancel } = listener;
    reporter.say(format!("Creating provider: {}", publication.provider));
    let mut body = json!({ "provider": { "name": publication.provider } });
    if let Content::Address(address) = &publication.content {
        body["provider"]["url"] = json!(address);
    }
    let answer = api.send(Method::POST, &format!("{version}/providers"), Some(&body), cancel)?;
    let name = answer["name"].as_str().unwrap_or(&publication.provider).to_owned();
    *made = Some(name.clone());
    let Content::File { path, direct } = &publication.content else { return Ok(()) };
    reporter.say(format!("Preparing upload of box: {}", path.display()));
    let way = if *direct { "upload/direct" } else { "upload" };
    let answer = api.get(&format!("{version}/provider/{name}/{way}"), cancel)?;
    let to = address(&answer, "upload_path")?;
    reporter.say(format!("Uploading box: {}", path.display()));
    Sending { api, url: &to, file: path, reporter, cancel }.send()?;
    if *direct {
        reporter.say("Confirming direct box upload completion");
        let callback = address(&answer, "callback")?;
        if let Err(refusal) = api.ask_at(Method::PUT, &callback, None, cancel)? {
            return Err(refused(&callback, &refusal));
        }
    }
    Ok(())
}

/// An address in an answer.
pub fn address(answer: &Value, key: &str) -> Result<Url, Error> {
    let url = answer[key].as_str().and_then(|text| Url::parse(text).ok()).filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| Error::Network { url: key.to_owned(), reason: format!("the registry's answer holds no `{key}`") })
}

fn release(api: &Api, publication: &Publication, listener: Listener<'_>, version: &str) -> Result<(), Error> {
    let reporter = listener.reporter;
    reporter.say(format!("Releasing version: {}", publication.version));
    if publication.no_release {
        reporter.detail("Not releasing version due to configuration");
        return Ok(());
    }
    let path = format!("{version}/release");
    match api.ask(Method::PUT, &path, None, listener.cancel)? {
        Ok(_) => reporter.detail("Version successfully released and available"),
        Err(refusal) if refusal.said.contains("already been released") => reporter.detail("Not releasing version, already released"),
        Err(refusal) => return Err(refused(&api.url(&path), &refusal)),
    }
    Ok(())
}

/// Takes back a provider without a box. Goes on after an interrupt.
pub fn clean_up(api: &Api, listener: Listener<'_>, version: &str, made: Option<&str>) {
    let reporter = listener.reporter;
    reporter.say("Cleaning up provider");
    let Some(name) = made else {
        reporter.detail("Provider was not created, not deleting");
        return;
    };
    reporter.detail(format!("Deleting provider: {name}"));
    let path = format!("{version}/provider/{name}");
    let never = kiste_core::Cancel::new();
    if let Err(error) = api.send(Method::DELETE, &path, None, &never) {
        reporter.warn(format!("Error deleting provider: {error}"));
    }
}
