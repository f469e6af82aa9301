//! `consul_key` and `vault`: values from HashiCorp's stores, reached as their own clients are told to, by the environment.

use std::time::Duration;

use base64::Engine;
use reqwest::blocking::{Client, ClientBuilder, RequestBuilder};
use serde_json::Value as Json;

/// Longest time for one answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest answer.
const LONGEST: u64 = 4 << 20;

/// Gives variables of the environment that are set and not empty.
type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// This process's environment.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

fn is_true(set: Environment<'_>, name: &str) -> Option<bool> {
    match set(name)?.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" => Some(true),
        "0" | "f" | "false" => Some(false),
        _ => None,
    }
}

fn client(insecure: bool, authority: Option<String>) -> Result<Client, String> {
    let mut builder: ClientBuilder = Client::builder().timeout(PATIENCE).danger_accept_invalid_certs(insecure);
    if let Some(path) = authority {
        let pem = std::fs::read(&path).map_err(|e| format!("{path}: {e}"))?;
        builder = builder.add_root_certificate(reqwest::Certificate::from_pem(&pem).map_err(|e| format!("{path}: {e}"))?);
    }
    builder.build().map_err(|e| e.to_string())
}

/// Status and body.
fn answer(request: RequestBuilder) -> Result<(u16, Vec<u8>), String> {
    use std::io::Read;
    let response = request.send().map_err(|e| chain(&e))?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    response.take(LONGEST).read_to_end(&mut body).map_err(|e| e.to_string())?;
    Ok((status, body))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}

/// A path in a URL: its parts encoded, the slashes kept.
fn path_in(base: &str, prefix: &str, path: &str) -> Result<reqwest::Url, String> {
    let mut url = reqwest::Url::parse(base).map_err(|e| format!("{base}: {e}"))?;
    let parts = prefix.split('/').chain(path.split('/')).filter(|p| !p.is_empty());
    url.path_segments_mut().map_err(|()| format!("{base}: no address of a server"))?.pop_if_empty().extend(parts);
    Ok(url)
}

/// A key of Consul's store.
pub fn consul(key: &str, set: Environment<'_>) -> Result<String, String> {
    let failed = |reason: String| format!("error reading consul key: {reason}");
    let address = set("CONSUL_HTTP_ADDR").unwrap_or_else(|| "127.0.0.1:8500".to_owned());
    let scheme = if is_true(set, "CONSUL_HTTP_SSL") == Some(true) { "https" } else { "http" };
    let base = if address.contains("://") { address } else { format!("{scheme}://{address}") };
    let client = client(is_true(set, "CONSUL_HTTP_SSL_VERIFY") == Some(false), set("CONSUL_CACERT"))
        .map_err(|e| format!("error getting consul client: {e}"))?;
    let mut url = path_in(&base, "v1/kv", key).map_err(failed)?;
    if let Some(namespace) = set("CONSUL_NAMESPACE") {
        url.query_pairs_mut().append_pair("ns", &namespace);
    }
    let mut request = client.get(url);
    let from_file = || set("CONSUL_HTTP_TOKEN_FILE").and_then(|path| std::fs::read_to_string(path).ok());
    if let Some(token) = set("CONSUL_HTTP_TOKEN").or_else(from_file) {
        request = request.header("X-Consul-Token", token.trim());
    }
    if let Some(auth) = set("CONSUL_HTTP_AUTH") {
        let (user, password) = auth.split_once(':').unwrap_or((&auth, ""));
        request = request.basic_auth(user, Some(password));
    }
    match answer(request).map_err(failed)? {
        (404, _) => Err(format!("key does not exist at the given path: {key}")),
        (200, body) => {
            let value = value_of(&body).ok_or_else(|| failed("the answer is not Consul's".to_owned()))?;
            if value.is_empty() { Err(format!("value is empty at path {key}")) } else { Ok(value) }
        }
        (status, body) => Err(failed(format!("Unexpected response code: {status} ({})", String::from_utf8_lossy(&body).trim()))),
    }
}

fn value_of(body: &[u8]) -> Option<String> {
    let json: Json = serde_json::from_slice(body).ok()?;
    let value = &json.as_array()?.first()?["Value"];
    let bytes = base64::engine::general_purpose::STANDARD.decode(value.as_str().unwrap_or_default()).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A key of a secret in Vault, in either version of its store.
pub fn vault(path: &str, key: &str, set: Environment<'_>) -> Result<String, String> {
    let failed = |reason: String| format!("Error reading vault secret: {reason}");
    let token = set("VAULT_TOKEN").ok_or("Must set VAULT_TOKEN env var in order to use vault template function")?;
    let base = set("VAULT_ADDR").unwrap_or_else(|| "https://127.0.0.1:8200".to_owned());
    let client = client(is_true(set, "VAULT_SKIP_VERIFY") == Some(true), set("VAULT_CACERT"))
        .map_err(|e| format!("Error getting Vault client: {e}"))?;
    let url = path_in(&base, "v1", path).map_err(failed)?;
    let mut request = client.get(url.clone()).header("X-Vault-Token", token).header("X-Vault-Request", "true");
    if let Some(namespace) = set("VAULT_NAMESPACE") {
        request = request.header("X-Vault-Namespace", namespace);
    }
    let (status, body) = answer(request).map_err(failed)?;
    let json: Json = serde_json::from_slice(&body).unwrap_or_default();
    match status {
        200 => secret(&json, key),
        404 => Err("Vault Secret does not exist at the given path".to_owned()),
        _ => {
            let errors = json["errors"].as_array().into_iter().flatten().filter_map(Json::as_str);
            let errors: String = errors.map(|e| format!("\n* {e}")).collect();
            Err(failed(format!("Error making API request.\n\nURL: GET {url}\nCode: {status}. Errors:\n{errors}")))
        }
    }
}

fn secret(json: &Json, key: &str) -> Result<String, String> {
    let data = &json["data"];
    let text = |value: &Json| value.as_str().map(str::to_owned).ok_or_else(|| format!("the value of `{key}` is not a string"));
    // The second version wraps the secret once more.
    if let Some(inner) = data.get("data") {
        return inner.get(key).map_or(Err("Vault path does not contain the requested key".to_owned()), text);
    }
    let warnings = json["warnings"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let missing = format!("Vault data was empty at the given path. Warnings: {}", warnings.collect::<Vec<_>>().join("; "));
    data.get(key).map_or(Err(missing), text)
}

#[cfg(test)]
mod tests;
