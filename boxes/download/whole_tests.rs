//! Files from servers that do everything wrong: in the end there is the right file, or a clear error and no file.

use std::sync::Arc;
use std::time::Duration;

use kiste_core::Explain;
use kiste_core::Kind;
use sha2::{Digest, Sha256};

use super::*;
use crate::test_server::{Answer, TestServer, ranged};

struct Place {
    dir: tempfile::TempDir,
    cancel: Cancel,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), cancel: Cancel::new() }
    }

    fn to(&self) -> PathBuf {
        self.dir.path().join("a.iso")
    }

    fn fetch(&self, url: &Url, checksum: Option<&Checksum>) -> Result<(), Error> {
        let settings = Settings { split_over: 1 << 30, connections: 1, tries: 3, pause: Duration::from_millis(1), largest: None };
        let (to, reporter) = (self.to(), Reporter::silent());
        Whole { url, checksum, to: &to, wanted: "a disc", reporter: &reporter, cancel: &self.cancel }.fetch_with(&settings)
    }

    fn left(&self) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(self.dir.path()).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn body(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 7 + i / 251) as u8).collect()
}

fn sum(body: &[u8]) -> Checksum {
    Checksum::read(Some(&hex::encode(Sha256::digest(body))), None).unwrap().unwrap()
}

#[test]
fn a_wrong_file_is_not_kept() {
    let server = TestServer::of_file(body(1000));
    for (checksum, wanted) in [(Some(sum(b"other")), Err(())), (Some(sum(&body(1000))), Ok(())), (None, Ok(()))] {
        let place = Place::new();
        let result = place.fetch(&server.url("/a.iso"), checksum.as_ref());
        assert_eq!(result.as_ref().map_err(|e| assert_eq!(e.kind(), Kind::Verify)).copied(), wanted);
        assert_eq!(place.left().len(), usize::from(wanted.is_ok()), "{:?}", place.left());
    }
}

#[test]
fn wherever_the_line_is_cut_the_file_is_right_in_the_end() {
    let whole = Arc::new(body(97));
    for cut in 0..=whole.len() {
        for knows_ranges in [true, false] {
            let served = Arc::clone(&whole);
            let server = TestServer::new(move |asked, before| {
                let answer =
                    if knows_ranges { ranged(asked, &served, "\"v1\"") } else { Answer::new(200, "application/x-iso", served.to_vec()) };
                Answer { breaks_after: (before == 0).then_some(cut), ..answer }
            });
            for checksum in [Some(sum(&whole)), None] {
                let place = Place::new();
                place.fetch(&server.url("/a.iso"), checksum.as_ref()).unwrap();
                assert!(std::fs::read(place.to()).unwrap() == *whole, "cut at {cut}");
                assert_eq!(place.left(), ["a.iso"]);
            }
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
    #[test]
    fn any_sequence_of_cuts_ends_in_the_right_file_or_in_a_clear_error(
        cuts in proptest::collection::vec((0usize..120, 0u8..8), 0..12), length in 0usize..100, known in proptest::bool::ANY
    ) {
        let whole = Arc::new(body(length));
        let served = Arc::clone(&whole);
        let plan = cuts.clone();
        let server = TestServer::new(move |asked, before| {
            let Some((cut, how)) = plan.get(before).copied() else { return ranged(asked, &served, "\"v1\"") };
            match how {
                0 => Answer::new(503, "text/plain", "busy").header("Retry-After", "0"),
                1 => Answer { breaks_after: Some(cut), ..Answer::new(200, "application/x-iso", served.to_vec()) },
                2 => Answer { breaks_after: Some(cut), ..ranged(asked, &served, "\"other\"") },
                _ => Answer { breaks_after: Some(cut), ..ranged(asked, &served, "\"v1\"") },
            }
        });
        let place = Place::new();
        let checksum = known.then(|| sum(&whole));
        match place.fetch(&server.url("/a.iso"), checksum.as_ref()) {
            Ok(()) => {
                proptest::prop_assert!(std::fs::read(place.to()).unwrap() == *whole);
                proptest::prop_assert_eq!(place.left(), ["a.iso"]);
            }
            Err(error) => {
                proptest::prop_assert!(matches!(error.kind(), Kind::Network), "{}", error);
                proptest::prop_assert!(!place.to().exists());
                // and a later try goes on
                place.fetch(&server.url("/a.iso"), checksum.as_ref()).ok();
            }
        }
        if place.to().exists() {
            proptest::prop_assert!(std::fs::read(place.to()).unwrap() == *whole);
        }
    }
}

#[test]
fn servers_that_say_no() {
    for (status, kind) in [(404, Kind::NotFound), (403, Kind::Network), (500, Kind::Network), (503, Kind::Network)] {
        let server = TestServer::new(move |_, _| Answer::new(status, "text/plain", "no").header("Retry-After", "0"));
        let place = Place::new();
        let error = place.fetch(&server.url("/a.iso"), Some(&sum(b"x"))).unwrap_err();
        assert_eq!((error.kind(), error.to_string().contains(&status.to_string())), (kind, true), "{error}");
        assert_eq!(place.left(), Vec::<String>::new());
    }
}

#[test]
fn a_page_is_a_disc_only_when_its_checksum_says_so() {
    let server = TestServer::new(|_, _| Answer::new(200, "text/html", "<h1>log in</h1>"));
    let place = Place::new();
    let error = place.fetch(&server.url("/a.iso"), None).unwrap_err().to_string();
    assert!(error.contains("a web page (text/html), not a disc"), "{error}");
    place.fetch(&server.url("/a.iso"), Some(&sum(b"<h1>log in</h1>"))).unwrap();
}

#[test]
fn redirects_are_followed() {
    let file = TestServer::of_file(body(50));
    let target = file.url("/b.iso").to_string();
    let server = TestServer::new(move |_, _| Answer::redirect(&target));
    let place = Place::new();
    place.fetch(&server.url("/a.iso"), None).unwrap();
    assert!(std::fs::read(place.to()).unwrap() == body(50));
}

#[test]
fn an_interrupted_download_goes_on_where_it_stopped() {
    let whole = Arc::new(body(400_000));
    let served = Arc::clone(&whole);
    let place = Arc::new(Place::new());
    let stop = place.cancel.clone();
    let server = TestServer::new(move |asked, before| {
        if before == 1 {
            // the first answer broke off; the next request comes while the user presses Ctrl-C
            stop.cancel();
        }
        Answer { breaks_after: (before == 0).then_some(150_000), ..ranged(asked, &served, "\"v1\"") }
    });
    let error = place.fetch(&server.url("/a.iso"), None).unwrap_err();
    assert_eq!(error.kind(), Kind::Interrupted);
    assert!(!place.to().exists());
    let again = Place { cancel: Cancel::new(), dir: Arc::try_unwrap(place).ok().unwrap().dir };
    again.fetch(&server.url("/a.iso"), None).unwrap();
    assert!(std::fs::read(again.to()).unwrap() == *whole);
    let resumed = server.log().last().unwrap().headers["range"].clone();
    assert_ne!(resumed, "bytes=0-");
}

#[test]
fn small_files_and_lengths() {
    let server = TestServer::of_file(body(500));
    let cancel = Cancel::new();
    assert!(small(&server.url("/s"), 500, &cancel).unwrap() == body(500));
    assert!(small(&server.url("/s"), 499, &cancel).unwrap_err().to_string().contains("more than 499 bytes"));
    assert_eq!(length(&server.url("/s"), &cancel).unwrap(), Some(500));
    let plain = TestServer::new(|_, _| Answer::new(200, "text/plain", "12345"));
    assert_eq!(length(&plain.url("/s"), &cancel).unwrap(), Some(5));
    assert_eq!(length(&server_of(404), &cancel).unwrap_err().kind(), Kind::NotFound);
}

fn server_of(status: u16) -> Url {
    TestServer::new(move |_, _| Answer::new(status, "text/plain", "no")).url("/")
}
