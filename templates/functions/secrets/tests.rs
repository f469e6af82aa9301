//! Against a server that answers what it is told to.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::*;

/// Answers one request; its head comes back.
fn served(status: &str, body: &str, ask: impl FnOnce(&str) -> Result<String, String>) -> (Result<String, String>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut buffer = [0; 4096];
        while !head.windows(4).any(|w| w == b"\r\n\r\n") {
            let n = stream.read(&mut buffer).unwrap();
            head.extend(&buffer[..n]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(head).unwrap().to_ascii_lowercase()
    });
    let result = ask(&address);
    (result, server.join().unwrap())
}

#[test]
fn keys_of_consul() {
    let ask = |status: &str, body: &str| {
        served(status, body, |address| {
            consul("a b/c", &|name| match name {
                "CONSUL_HTTP_ADDR" => Some(address.to_owned()),
                "CONSUL_HTTP_TOKEN" => Some("tok".to_owned()),
                "CONSUL_NAMESPACE" => Some("n s".to_owned()),
                _ => None,
            })
        })
    };
    let (value, head) = ask("200 OK", r#"[{"Key": "a b/c", "Value": "dmFsdWU="}]"#);
    assert_eq!(value.as_deref(), Ok("value"));
    assert!(head.starts_with("get /v1/kv/a%20b/c?ns=n+s http/1.1"), "{head}");
    assert!(head.contains("x-consul-token: tok"), "{head}");
    for (status, body, error) in [
        ("404 Not Found", "", "key does not exist at the given path: a b/c"),
        ("200 OK", r#"[{"Value": null}]"#, "value is empty at path a b/c"),
        ("200 OK", "<html>", "error reading consul key: the answer is not Consul's"),
        ("403 Forbidden", "no\n", "error reading consul key: Unexpected response code: 403 (no)"),
    ] {
        assert_eq!(ask(status, body).0.unwrap_err(), error);
    }
    let nobody = consul("x", &|name| (name == "CONSUL_HTTP_ADDR").then(|| "127.0.0.1:1".to_owned())).unwrap_err();
    assert!(nobody.starts_with("error reading consul key: "), "{nobody}");
}

#[test]
fn secrets_of_vault() {
    let ask = |status: &str, body: &str| {
        served(status, body, |address| {
            vault("/secret/data/x", "k", &|name| match name {
                "VAULT_ADDR" => Some(format!("http://{address}")),
                "VAULT_TOKEN" => Some("tok".to_owned()),
                "VAULT_NAMESPACE" => Some("team".to_owned()),
                _ => None,
            })
        })
    };
    let (value, head) = ask("200 OK", r#"{"data": {"data": {"k": "second"}, "metadata": {}}}"#);
    assert_eq!(value.as_deref(), Ok("second"));
    assert!(head.starts_with("get /v1/secret/data/x http/1.1"), "{head}");
    assert!(head.contains("x-vault-token: tok") && head.contains("x-vault-namespace: team"), "{head}");
    assert_eq!(ask("200 OK", r#"{"data": {"k": "first"}}"#).0.as_deref(), Ok("first"));
    for (status, body, error) in [
        ("404 Not Found", "{}", "Vault Secret does not exist at the given path"),
        ("200 OK", r#"{"data": {"data": {}}}"#, "Vault path does not contain the requested key"),
        ("200 OK", r#"{"data": {}, "warnings": ["w", "v"]}"#, "Vault data was empty at the given path. Warnings: w; v"),
        ("200 OK", r#"{"data": {"k": 1}}"#, "the value of `k` is not a string"),
    ] {
        assert_eq!(ask(status, body).0.unwrap_err(), error);
    }
    let refused = ask("403 Forbidden", r#"{"errors": ["permission denied"]}"#).0.unwrap_err();
    assert!(refused.contains("Code: 403. Errors:\n\n* permission denied"), "{refused}");
    let error = vault("a", "b", &|_| None).unwrap_err();
    assert_eq!(error, "Must set VAULT_TOKEN env var in order to use vault template function");
}
