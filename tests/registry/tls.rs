//! The registry speaks TLS: curl trusts its certificate and nothing else, publishes, downloads, goes on.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::part::{Part, own_address, program};

/// A server with a certificate of its own.
struct Secure {
    url: String,
    token: String,
    folder: tempfile::TempDir,
    _part: Part,
}

impl Secure {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("kiste-tls-").tempdir().expect("a folder");
        let (address, place) = (own_address(), |name: &str| folder.path().join(name));
        let name = format!("subjectAltName=IP:{}", address.ip());
        let made = Command::new(program("openssl"))
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=boxes", "-addext", &name])
            .arg("-out")
            .arg(place("certificate"))
            .arg("-keyout")
            .arg(place("key"))
            .output()
            .expect("openssl");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut part = Part::start("kiste registry serve", &place("log"), Path::new(env!("CARGO_BIN_EXE_kiste")), |command| {
            command.args(["registry", "serve", "--listen", &address.to_string(), "--data"]).arg(place("data")).arg("--tls-cert");
            command.arg(place("certificate")).arg("--tls-key").arg(place("key")).env("KISTE_HOME", place("home")).env("NO_COLOR", "1")
        });
        let token = part.wait(|part| {
            let said = part.said();
            let line = said.lines().skip_while(|line| !line.contains("token is shown")).nth(1)?;
            line.split_whitespace().last().filter(|token| token.len() == 64).map(str::to_owned)
        });
        let said = part.said();
        let url = format!("https://{address}");
        assert!(said.contains(&format!("The registry listens at {url}")), "{said}");
        Self { url, token, folder, _part: part }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn curl(&self, args: &[&str]) -> Output {
        Command::new(program("curl")).args(["-sS", "--noproxy", "*", "--max-time", "120"]).args(args).output().expect("curl")
    }

    /// Trusts the server's certificate; gives the body.
    fn trusting(&self, args: &[&str]) -> Vec<u8> {
        let certificate = self.place("certificate");
        let output = self.curl(&[&["--fail", "--cacert", certificate.to_str().expect("text")], args].concat());
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let (url, bearer) = (format!("{}/api/v2{path}", self.url), format!("Authorization: Bearer {}", self.token));
        let answer = self.trusting(&["-X", method, "-H", &bearer, "-H", "Content-Type: application/json", "-d", &body.to_string(), &url]);
        serde_json::from_slice(&answer).expect("JSON")
    }
}

#[test]
fn boxes_go_in_and_out_by_tls() {
    let secure = Secure::new();
    let untrusted = secure.curl(&[&format!("{}/healthz", secure.url)]);
    assert_eq!(untrusted.status.code(), Some(60), "{}", String::from_utf8_lossy(&untrusted.stderr));
    let plain = secure.curl(&["--max-time", "60", &format!("{}/healthz", secure.url.replace("https", "http"))]);
    assert!(!plain.status.success(), "without TLS nothing is said");
    for version in [["--tlsv1.2", "--tls-max", "1.2"], ["--tlsv1.3", "--tls-max", "1.3"]] {
        assert_eq!(secure.trusting(&[&version[..], &[&format!("{}/healthz", secure.url)]].concat()), b"{\"status\":\"ok\"}");
    }

    let content: Vec<u8> = (0..20_000_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let file = secure.place("box");
    std::fs::write(&file, &content).expect("a file");
    secure.call("POST", "/boxes", &json!({"box": {"username": "admin", "name": "tiny"}}));
    secure.call("POST", "/box/admin/tiny/versions", &json!({"version": {"version": "1.0.0"}}));
    secure.call("POST", "/box/admin/tiny/version/1.0.0/providers", &json!({"provider": {"name": "libvirt"}}));
    let place = secure.call("GET", "/box/admin/tiny/version/1.0.0/provider/libvirt/upload", &Value::Null);
    let place = place["upload_path"].as_str().expect("an upload_path").to_owned();
    assert!(place.starts_with(&secure.url), "{place}");
    secure.trusting(&["--upload-file", file.to_str().expect("text"), &place]);
    secure.call("PUT", "/box/admin/tiny/version/1.0.0/release", &Value::Null);

    let catalog: Value = serde_json::from_slice(&secure.trusting(&[&format!("{}/admin/tiny", secure.url)])).expect("JSON");
    let url = catalog["versions"][0]["providers"][0]["url"].as_str().expect("an address");
    assert!(url.starts_with(&secure.url), "{url}");
    assert!(secure.trusting(&["--location", url]) == content, "the content differs");
    // A download that was cut goes on.
    std::fs::write(&file, &content[..7_654_321]).expect("a file");
    secure.trusting(&["--location", "--continue-at", "-", "-o", file.to_str().expect("text"), url]);
    assert!(std::fs::read(&file).expect("a file") == content, "the content differs");
}
