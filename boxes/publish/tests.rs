//! Whole conversations with a registry. Those of the first generation were recorded from Packer 1.6.6 (`tests/peers/post_processors`).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use kiste_core::event::Event;
use kiste_core::{Explain, Kind, Scope, Ui};
use serde_json::{Value, json};

use super::*;
use crate::test_server::{Answer, Asked, TestServer};

const TOKEN: &str = "hunter2";

/// Answers that differ from a registry in good health: by method and path, so often.
type Faults = BTreeMap<&'static str, (Answer, usize)>;

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);
impl Ui for Heard {
    fn emit(&self, _: &Scope, event: Event) {
        if let Event::Say { text } | Event::Detail { text } | Event::Warn { text } = event {
            self.0.lock().unwrap().push(text);
        }
    }
    fn confirm(&self, _: &Scope, _: &str) -> Option<bool> {
        None
    }
    fn ask(&self, _: &Scope, _: &str, _: bool) -> Option<String> {
        None
    }
}

struct Case {
    _dir: tempfile::TempDir,
    web: TestServer,
    heard: Arc<Heard>,
    server: Server,
    publication: Publication,
}

/// A registry in good health: of the first generation at `/api/v1`, of the second at `/api/v2`.
fn healthy(asked: &Asked, exists: bool) -> Answer {
    let json = |value: Value| Answer::new(200, "application/json", value.to_string());
    let host = asked.headers["host"].clone();
    let path = asked.path.trim_start_matches("/api/v1").trim_start_matches("/api/v2");
    let first = asked.path.starts_with("/api/v1");
    match (asked.method.as_str(), path) {
        ("GET", "/box/acme/tiny") if first || exists => json(json!({ "tag": "acme/tiny", "versions": [{ "version": "0.9" }] })),
        ("GET", p) if p.ends_with("/upload") => json(json!({ "upload_path": format!("http://{host}/store") })),
        ("GET", p) if p.ends_with("/upload/direct") => {
            json(json!({ "upload_path": format!("http://{host}/store?sig=x"), "callback": format!("http://{host}/api/done/1") }))
        }
        ("GET", "/box/acme/tiny/version/1.0") if exists => json(json!({ "version": "1.0", "status": "active" })),
        ("GET", "/box/acme/tiny/version/1.0/provider/libvirt/amd64") if exists => json(json!({ "name": "libvirt" })),
        ("HEAD", _) => Answer::new(200, "text/plain", ""),
        ("GET", "/authenticate") => json(json!({})),
        ("GET", _) => Answer::new(404, "application/json", r#"{"errors":["Resource not found!"],"success":false}"#),
        _ => json(json!({})),
    }
}

impl Case {
    fn new(generation: u32, exists: bool, faults: Faults) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.box");
        std::fs::write(&path, "a box").unwrap();
        let faults = Mutex::new(faults);
        let web = TestServer::new(move |asked, _| {
            let key = format!("{} {}", asked.method, asked.path);
            let mut faults = faults.lock().unwrap();
            match faults.iter_mut().find(|(part, (_, left))| key.ends_with(**part) && *left > 0) {
                Some((_, (answer, left))) => {
                    *left -= 1;
                    answer.clone()
                }
                None => healthy(asked, exists),
            }
        });
        let server = Server {
            address: web.url(&format!("/api/v{generation}")).to_string(),
            token: Some(TOKEN.to_owned()),
            insecure: false,
            retry_pause: Duration::ZERO,
        };
        let publication = Publication {
            tag: "acme/tiny".to_owned(),
            version: "1.0".to_owned(),
            provider: "libvirt".to_owned(),
            version_description: Some("new".to_owned()),
            content: Content::File { path, direct: true },
            details: Details { architecture: "amd64".to_owned(), ..Details::default() },
            ..Publication::default()
        };
        Self { _dir: dir, web, heard: Arc::default(), server, publication }
    }

    /// How it ended, and every request: method, path, body; `+` when the token came along.
    fn run(&self) -> (Result<(), Error>, Vec<String>) {
        let reporter = Reporter::new(Arc::clone(&self.heard) as Arc<dyn Ui>, Scope::Box);
        let cancel = Cancel::new();
        let listener = Listener { reporter: &reporter, cancel: &cancel };
        let done = if self.server.address.ends_with('1') {
            self.server.publish_v1(&self.publication, listener)
        } else {
            self.server.publish_v2(&self.publication, listener)
        };
        (done, self.web.log().iter().map(line).collect())
    }

    fn file(&self) -> &Path {
        let Content::File { path, .. } = &self.publication.content else { panic!("no file") };
        path
    }
}

fn line(asked: &Asked) -> String {
    let token = asked.headers.get("authorization").map_or("", |a| if a == "Bearer hunter2" { "+ " } else { "? " });
    let body = String::from_utf8_lossy(&asked.body[..asked.body.len().min(300)]).into_owned();
    format!("{token}{} {} {body}", asked.method, asked.path).trim_end().to_owned()
}

fn refusing(status: u16, said: &str) -> Answer {
    Answer::new(status, "application/json", json!({ "errors": [said], "success": false }).to_string())
}

#[test]
fn the_first_generation_is_spoken_as_packer_does() {
    let (done, asked) = Case::new(1, false, Faults::new()).run();
    done.unwrap();
    let expected = [
        "+ GET /api/v1/box/acme/tiny",
        r#"+ POST /api/v1/box/acme/tiny/versions {"version":{"version":"1.0","description":"new"}}"#,
        r#"+ POST /api/v1/box/acme/tiny/version/1.0/providers {"provider":{"name":"libvirt"}}"#,
        "+ GET /api/v1/box/acme/tiny/version/1.0/provider/libvirt/upload/direct",
        "HEAD /store?sig=x",
        "PUT /store?sig=x a box",
        "+ PUT /api/done/1",
        "+ PUT /api/v1/box/acme/tiny/version/1.0/release",
    ];
    assert_eq!(asked, expected);
}

#[test]
fn plain_uploads_addresses_and_versions_that_exist() {
    let mut case = Case::new(1, false, Faults::new());
    case.publication.version = "0.9".to_owned();
    case.publication.no_release = true;
    case.publication.content = Content::File { path: case.file().to_owned(), direct: false };
    let (done, asked) = case.run();
    done.unwrap();
    let expected = [
        "+ GET /api/v1/box/acme/tiny",
        r#"+ POST /api/v1/box/acme/tiny/version/0.9/providers {"provider":{"name":"libvirt"}}"#,
        "+ GET /api/v1/box/acme/tiny/version/0.9/provider/libvirt/upload",
        "HEAD /store",
        "PUT /store a box",
    ];
    assert_eq!(asked, expected);
    let mut case = Case::new(1, false, Faults::new());
    case.publication.content = Content::Address("https://h/x.box".to_owned());
    let (done, asked) = case.run();
    done.unwrap();
    assert_eq!(asked[2], r#"+ POST /api/v1/box/acme/tiny/version/1.0/providers {"provider":{"name":"libvirt","url":"https://h/x.box"}}"#);
    assert_eq!(asked.len(), 4);
}

#[test]
fn the_second_generation_makes_what_is_missing() {
    let mut case = Case::new(2, false, Faults::new());
    case.publication.details.box_description = Some("small".to_owned());
    case.publication.details.private = true;
    case.publication.details.default_architecture = Some(true);
    case.publication.details.checksum = Some(("sha256".to_owned(), "ab".to_owned()));
    let (done, asked) = case.run();
    done.unwrap();
    let expected = [
        "+ GET /api/v2/box/acme/tiny",
        r#"+ POST /api/v2/boxes {"box":{"username":"acme","name":"tiny","is_private":true,"description":"small"}}"#,
        "+ GET /api/v2/box/acme/tiny/version/1.0",
        r#"+ POST /api/v2/box/acme/tiny/versions {"version":{"version":"1.0","description":"new"}}"#,
        "+ GET /api/v2/box/acme/tiny/version/1.0/provider/libvirt/amd64",
        "+ POST /api/v2/box/acme/tiny/version/1.0/providers {\"provider\":{\"name\":\"libvirt\",\"architecture\":\"amd64\",\
         \"checksum_type\":\"sha256\",\"checksum\":\"ab\",\"default_architecture\":true}}",
        "+ GET /api/v2/box/acme/tiny/version/1.0/provider/libvirt/amd64/upload/direct",
        "HEAD /store?sig=x",
        "PUT /store?sig=x a box",
        "+ PUT /api/done/1",
        "+ PUT /api/v2/box/acme/tiny/version/1.0/release",
    ];
    assert_eq!(asked, expected);
}

#[test]
fn the_second_generation_replaces_what_is_there() {
    let (done, asked) = Case::new(2, true, Faults::new()).run();
    done.unwrap();
    let methods: Vec<&str> = asked.iter().map(|line| line.trim_start_matches("+ ").split(' ').next().unwrap()).collect();
    assert_eq!(methods, ["GET", "GET", "GET", "PUT", "GET", "HEAD", "PUT", "PUT"], "{asked:?}");
    assert!(asked[3].starts_with("+ PUT /api/v2/box/acme/tiny/version/1.0/provider/libvirt/amd64 {"));
}

/// What goes wrong, the end of the error, and the last request.
type Fault = (&'static str, Answer, usize, &'static str, &'static str);

#[test]
fn faults_take_back_the_provider() {
    let delete = "+ DELETE /api/v1/box/acme/tiny/version/1.0/provider/libvirt";
    let cases: Vec<Fault> = vec![
        ("GET /api/v1/box/acme/tiny", refusing(404, "no such box"), 9, "answers 404 Not Found)", "+ GET /api/v1/box/acme/tiny"),
        ("GET /api/v1/box/acme/tiny", refusing(401, "bad hunter2"), 9, "answers 401 Unauthorized)", "+ GET /api/v1/box/acme/tiny"),
        ("POST /api/v1/box/acme/tiny/versions", refusing(500, "oops"), 9, "answers 500 Internal Server Error)", "versions {"),
        ("/providers", refusing(409, "exists"), 9, "answers 409 Conflict)", "providers {"),
        ("/upload/direct", refusing(500, "oops"), 9, "answers 500 Internal Server Error)", delete),
        ("/upload/direct", Answer::new(200, "application/json", "{}"), 9, "the registry's answer holds no `upload_path`", delete),
        ("PUT /store?sig=x", refusing(500, ""), 9, "answers 500 Internal Server Error", delete),
        ("PUT /store?sig=x", Answer::hang_up(), 9, "", delete),
        ("/api/done/1", refusing(503, "later"), 9, "answers 503 Service Unavailable)", delete),
        ("/release", refusing(500, "oops"), 9, "answers 500 Internal Server Error)", delete),
    ];
    for (part, answer, times, ends, last) in cases {
        let case = Case::new(1, false, Faults::from([(part, (answer, times))]));
        let (done, asked) = case.run();
        let error = done.unwrap_err();
        assert!(error.to_string().ends_with(ends), "{part}: {error}");
        assert!(asked.last().unwrap().contains(last), "{part}: {asked:?}");
        assert_eq!(asked.iter().filter(|a| a.contains("DELETE")).count(), usize::from(last == delete), "{part}");
        let uploads = asked.iter().filter(|a| a.contains("/store")).count();
        assert!(if part.contains("/store") { uploads == 7 } else { uploads <= 2 }, "{part}: {asked:?}");
        let heard = case.heard.0.lock().unwrap().join("\n");
        assert!(!heard.contains(TOKEN) && !error.to_string().contains(TOKEN) && !error.hints().concat().contains(TOKEN), "{heard}");
        assert!(!heard.contains("sig=x") && !error.to_string().contains("sig=x"), "{error}");
    }
}

#[test]
fn what_passes_is_tried_again() {
    for answer in [refusing(502, ""), Answer::hang_up()] {
        let case = Case::new(1, false, Faults::from([("PUT /store?sig=x", (answer, 2))]));
        let (done, asked) = case.run();
        done.unwrap();
        assert_eq!(asked.iter().filter(|a| a.contains("PUT /store")).count(), 3);
        let heard = case.heard.0.lock().unwrap().clone();
        assert_eq!(heard.iter().filter(|h| h.starts_with("The upload broke off")).count(), 2);
    }
    let faults = Faults::from([("GET /api/v2/box/acme/tiny", (refusing(503, ""), 2))]);
    let (done, asked) = Case::new(2, true, faults).run();
    done.unwrap();
    assert_eq!(asked.iter().filter(|a| a.ends_with("box/acme/tiny")).count(), 3);
    let faults = Faults::from([("/release", (refusing(422, "Version has already been released"), 9))]);
    Case::new(1, false, faults).run().0.unwrap();
}

#[test]
fn a_large_upload_that_is_cut_in_its_middle() {
    let case = Case::new(2, false, Faults::from([("PUT /store?sig=x", (Answer::hang_up(), 1))]));
    std::fs::write(case.file(), vec![7; 8 << 20]).unwrap();
    // What is left of a large body is taken for a next request, which ends the second connection too; the third is refused for good.
    let (done, asked) = case.run();
    assert!(asked.iter().filter(|a| a.contains("/store")).count() >= 2, "{asked:?}");
    if done.is_err() {
        assert!(asked.last().unwrap().contains("DELETE"));
    }
}

#[test]
fn a_callback_elsewhere_gets_no_token() {
    let elsewhere = TestServer::new(|_, _| Answer::new(200, "application/json", "{}"));
    let body = json!({ "upload_path": elsewhere.url("/up").as_str(), "callback": elsewhere.url("/done").as_str() }).to_string();
    let faults = || Faults::from([("/upload/direct", (Answer::new(200, "application/json", body.clone()), 9))]);
    Case::new(1, false, faults()).run().0.unwrap();
    assert!(elsewhere.log().iter().all(|a| !a.headers.contains_key("authorization")));
    // In the second generation it is asked of the registry itself.
    let (done, asked) = Case::new(2, false, faults()).run();
    done.unwrap();
    assert!(asked.contains(&"+ PUT /done".to_owned()), "{asked:?}");
}

#[test]
fn a_token_for_an_id_and_a_secret() {
    let web = TestServer::new(|asked, count| {
        assert_eq!(asked.body, b"grant_type=client_credentials&client_id=i%26d&client_secret=s");
        if count == 0 { Answer::new(200, "application/json", r#"{"access_token":"t"}"#) } else { refusing(401, "bad s") }
    });
    let address = web.url("/oauth2/token").to_string();
    let ask = || Server::token_for(&address, "i&d", "s", false, &Cancel::new());
    assert_eq!(ask().unwrap(), "t");
    let error = ask().unwrap_err();
    assert_eq!(error.kind(), Kind::Network);
}

#[test]
fn an_interrupted_upload_takes_the_provider_back() {
    let case = Case::new(1, false, Faults::from([("PUT /store?sig=x", (refusing(500, ""), 9))]));
    let mut server = case.server.clone();
    server.retry_pause = Duration::from_secs(600);
    let (cancel, heard) = (Cancel::new(), Arc::clone(&case.heard));
    let reporter = Reporter::new(heard as Arc<dyn Ui>, Scope::Box);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| server.publish_v1(&case.publication, Listener { reporter: &reporter, cancel: &cancel }));
        while !case.heard.0.lock().unwrap().iter().any(|h| h.starts_with("The upload broke off")) {
            std::thread::yield_now();
        }
        cancel.cancel();
        assert_eq!(running.join().unwrap().unwrap_err().kind(), Kind::Interrupted);
    });
    assert_eq!(case.web.log().last().unwrap().method, "DELETE");
}

#[test]
fn a_box_tells_its_provider() {
    let dir = tempfile::tempdir().unwrap();
    let entry = |name: &str, text: &str| crate::PackEntry { name: name.into(), source: crate::PackSource::Bytes(text.into()) };
    let path = dir.path().join("x.box");
    let pack = |entries: &[crate::PackEntry]| {
        crate::pack::pack(entries, &path, crate::Compression::Gzip(6), &Reporter::silent(), &Cancel::new()).unwrap();
    };
    pack(&[entry("box.img", "x"), entry("metadata.json", r#"{"provider":"libvirt","architecture":"arm64"}"#)]);
    let found = metadata(&path, &Cancel::new()).unwrap();
    assert_eq!((found.provider.as_str(), found.architecture.as_deref()), ("libvirt", Some("arm64")));
    for bad in [vec![entry("a", "x")], vec![entry("metadata.json", r#"{"provider":"../x"}"#)]] {
        pack(&bad);
        assert!(metadata(&path, &Cancel::new()).is_err());
    }
    std::fs::write(&path, "PK\u{3}\u{4}").unwrap();
    assert!(metadata(&path, &Cancel::new()).is_err());
}
