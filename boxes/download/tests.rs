//! Downloads from servers good and bad.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kiste_core::machine::Download as Transport;

use super::*;
use crate::client::Access;
use crate::test_server::{Answer, TestServer, ranged};

struct Place {
    _dir: tempfile::TempDir,
    home: Home,
    settings: Settings,
    cancel: Cancel,
    verified: bool,
    access: Access,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { split_over: 100_000, connections: 4, tries: 3, pause: Duration::from_millis(1), largest: None };
        Self { home: Home::at(dir.path()), _dir: dir, settings, cancel: Cancel::new(), verified: false, access: Access::default() }
    }

    fn fetch(&self, url: &Url) -> Result<Vec<u8>, Error> {
        let client = Client::new(&Transport::default(), self.access.clone()).unwrap();
        let reporter = Reporter::silent();
        let (settings, cancel) = (&self.settings, &self.cancel);
        let (unfinished, wanted) = (Unfinished::of(&self.home, url), Some("a box"));
        let download =
            Download { unfinished, wanted, client: &client, url, verified: self.verified, settings, reporter: &reporter, cancel };
        let fetched = download.fetch(false)?;
        let bytes = std::fs::read(fetched.path()).unwrap();
        fetched.remove();
        assert_eq!(self.left(), 0);
        Ok(bytes)
    }

    fn left(&self) -> usize {
        std::fs::read_dir(self.home.tmp()).map_or(0, Iterator::count)
    }

    /// As if a download had stopped after the first `done` bytes.
    fn stopped(&self, url: &Url, body: &[u8], done: usize, validator: Option<&str>) {
        let key = key(url);
        std::fs::create_dir_all(self.home.tmp()).unwrap();
        std::fs::write(self.home.download(&key), &body[..done]).unwrap();
        let mut journal = Journal::single(validator.map(str::to_owned), Some(body.len() as u64));
        journal.parts[0].done = done as u64;
        kiste_core::state_file::write_json(&self.home.download_journal(&key), &journal).unwrap();
    }
}

fn body(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 7 + i / 251) as u8).collect()
}

#[test]
fn a_large_file_comes_in_parts() {
    let body = body(1_000_003);
    let server = TestServer::of_file(body.clone());
    assert!(Place::new().fetch(&server.url("/a.box")).unwrap() == body);
    let mut ranges: Vec<String> = server.log().iter().map(|a| a.headers["range"].clone()).collect();
    ranges.sort();
    assert_eq!(ranges, ["bytes=0-", "bytes=250001-500001", "bytes=500002-750002", "bytes=750003-1000002"]);
    let rest = server.log().into_iter().filter(|a| a.headers["range"] != "bytes=0-");
    assert!(rest.into_iter().all(|a| a.headers["if-range"] == "\"v1\""));
}

#[test]
fn a_small_file_comes_at_once() {
    for length in [0, 1, 99_999] {
        let server = TestServer::of_file(body(length));
        assert!(Place::new().fetch(&server.url("/a.box")).unwrap() == body(length));
    }
}

#[test]
fn a_server_without_ranges_gives_the_whole() {
    let body = body(300_000);
    let sent = body.clone();
    let server = TestServer::new(move |_, _| Answer::new(200, "application/octet-stream", sent.clone()));
    assert!(Place::new().fetch(&server.url("/a.box")).unwrap() == body);
    let place = Place::new();
    let url = server.url("/b.box");
    place.stopped(&url, &[9; 300_000], 200_000, Some("\"v1\""));
    assert!(place.fetch(&url).unwrap() == body, "nothing of the old bytes is left");
}

#[test]
fn a_connection_that_breaks_is_continued() {
    let body = Arc::new(body(400_000));
    for split in [u64::MAX, 100_000] {
        let sent = Arc::clone(&body);
        let server = TestServer::new(move |asked, before| {
            let answer = ranged(asked, &sent, "\"v1\"");
            Answer { breaks_after: (before < 6).then_some(30_000), ..answer }
        });
        let mut place = Place::new();
        place.settings.split_over = split;
        assert!(place.fetch(&server.url("/a.box")).unwrap() == *body);
        assert!(server.log().iter().any(|a| a.headers["range"] == "bytes=30000-" || a.headers["range"].starts_with("bytes=130000-")));
    }
}

#[test]
fn without_ranges_a_broken_connection_begins_again() {
    let body = body(400_000);
    let sent = body.clone();
    let server = TestServer::new(move |_, before| {
        let answer = Answer::new(200, "application/octet-stream", sent.clone());
        Answer { breaks_after: (before < 2).then_some(30_000), ..answer }
    });
    assert!(Place::new().fetch(&server.url("/a.box")).unwrap() == body);
}

#[test]
fn what_an_earlier_command_left_is_continued() {
    let body = body(90_000);
    let server = TestServer::of_file(body.clone());
    let place = Place::new();
    let url = server.url("/a.box");
    place.stopped(&url, &body, 50_000, Some("\"v1\""));
    assert!(place.fetch(&url).unwrap() == body);
    assert_eq!(server.log()[0].headers["range"], "bytes=50000-");
    place.stopped(&url, &body, 90_000, Some("\"v1\""));
    assert!(place.fetch(&url).unwrap() == body, "all was there already");
}

#[test]
fn another_file_at_the_same_address_is_not_mixed_in() {
    let body = body(90_000);
    let server = TestServer::of_file(body.clone());
    let url = server.url("/a.box");
    for (verified, validator) in [(false, Some("\"old\"")), (false, None)] {
        let place = Place { verified, ..Place::new() };
        place.stopped(&url, &[9; 90_000], 50_000, validator);
        assert!(place.fetch(&url).unwrap() == body, "{validator:?}");
    }
    let place = Place { verified: true, ..Place::new() };
    place.stopped(&url, &body, 50_000, None);
    assert!(place.fetch(&url).unwrap() == body);
    assert_eq!(server.log().last().unwrap().headers["range"], "bytes=50000-");
}

#[test]
fn a_file_that_changes_between_two_parts_is_fetched_again() {
    let (old, new) = (Arc::new(body(400_000)), Arc::new(vec![3; 400_000]));
    let wanted = Arc::clone(&new);
    let server =
        TestServer::new(move |asked, before| if before == 0 { ranged(asked, &old, "\"v1\"") } else { ranged(asked, &new, "\"v2\"") });
    assert!(Place::new().fetch(&server.url("/a.box")).unwrap() == *wanted);
}

#[test]
fn errors_that_pass_are_waited_for_and_others_not() {
    let body = body(1000);
    let sent = body.clone();
    let server = TestServer::new(move |_, before| match before {
        0 => Answer::new(503, "text/plain", "").header("Retry-After", "0"),
        1 => Answer::new(429, "text/plain", ""),
        _ => Answer::new(200, "application/octet-stream", sent.clone()),
    });
    assert!(Place::new().fetch(&server.url("/a")).unwrap() == body);
    for (status, tries) in [(404, 1), (403, 1), (500, 3)] {
        let server = TestServer::new(move |_, _| Answer::new(status, "text/plain", "no"));
        let place = Place::new();
        let error = place.fetch(&server.url("/a?secret=1")).unwrap_err();
        assert!(
            matches!(&error, Error::Status { status: s, url, .. } if s.starts_with(&status.to_string()) && !url.contains("secret")),
            "{error}"
        );
        assert_eq!(server.log().len(), tries);
        assert_eq!(place.left(), 0);
    }
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = Place::new().fetch(&Url::parse(&format!("http://u:secret@127.0.0.1:{port}/a.box")).unwrap()).unwrap_err();
    assert!(matches!(error, Error::Network { .. }));
    assert!(!error.to_string().contains("secret"), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[test]
fn a_web_page_is_no_box() {
    let server = TestServer::new(|asked, _| match asked.path.as_str() {
        "/login" => Answer::new(200, "text/html; charset=utf-8", "<html>"),
        _ => Answer::redirect("/login"),
    });
    let error = Place::new().fetch(&server.url("/a.box")).unwrap_err().to_string();
    assert!(error.contains("/a.box") && error.contains("/login") && error.contains("text/html"), "{error}");
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let server = TestServer::new(|asked, _| match asked.path.strip_prefix('/').and_then(|n| n.parse::<u32>().ok()) {
        Some(0) => Answer::new(200, "application/octet-stream", "end"),
        Some(n) => Answer::redirect(&(n - 1).to_string()),
        None => Answer::redirect("file:///etc/passwd"),
    });
    assert_eq!(Place::new().fetch(&server.url("/10")).unwrap(), b"end");
    assert!(Place::new().fetch(&server.url("/11")).unwrap_err().to_string().contains("10 redirects"));
    assert!(Place::new().fetch(&server.url("/x")).unwrap_err().to_string().contains("nowhere"));
}

/// What the second of two hosts is told after a redirect from the first.
fn credentials(trusted: bool, user: &str) -> (Option<String>, Option<String>) {
    let second = TestServer::of_file(b"x".to_vec());
    let target = format!("http://localhost:{}/x", second.port);
    let first = TestServer::new(move |_, _| Answer::redirect(&target));
    let mut place = Place::new();
    place.access = Access { server: Some(first.url("/")), token: Some("secret".to_owned()), trusted, ..Access::default() };
    let mut url = first.url("/a.box");
    url.set_username(user).unwrap();
    url.set_password((!user.is_empty()).then_some("p%40ss")).unwrap();
    place.fetch(&url).unwrap();
    let told = |server: &TestServer| server.log()[0].headers.get("authorization").cloned();
    (told(&first), told(&second))
}

#[test]
fn credentials_stay_on_their_host_unless_trusted() {
    let token = Some("Bearer secret".to_owned());
    assert_eq!(credentials(false, ""), (token.clone(), None));
    assert_eq!(credentials(true, ""), (token.clone(), token));
    let basic = Some("Basic dTpwQHNz".to_owned());
    assert_eq!(credentials(false, "u"), (basic.clone(), None));
    assert_eq!(credentials(true, "u"), (basic.clone(), basic));
}

#[test]
fn an_interruption_is_quick_and_keeps_what_came() {
    let body = Arc::new(body(90_000));
    let (sent, waiting) = (Arc::clone(&body), Arc::new(AtomicBool::new(false)));
    let reached = Arc::clone(&waiting);
    let server = TestServer::new(move |asked, before| {
        if before > 0 && !asked.path.contains("again") {
            reached.store(true, Ordering::SeqCst);
            // longer than any test waits
            std::thread::sleep(Duration::from_secs(3600));
        }
        Answer { breaks_after: (before == 0).then_some(40_000), ..ranged(asked, &sent, "\"v1\"") }
    });
    let place = Place::new();
    let url = server.url("/a.box");
    let cancel = place.cancel.clone();
    let watcher = std::thread::spawn(move || {
        while !waiting.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        cancel.cancel();
    });
    assert!(matches!(place.fetch(&url), Err(Error::Cancelled(_))));
    watcher.join().unwrap();
    assert_eq!(Journal::read(&place.home.download_journal(&key(&url))).unwrap().done(), 40_000);
    assert_eq!(std::fs::read(place.home.download(&key(&url))).unwrap(), body[..40_000]);
}
