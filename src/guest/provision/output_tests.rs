//! Output in whatever pieces it comes.

use std::sync::{Arc, Mutex};

use kiste_core::event::{Event, Scope};
use kiste_core::ui::Ui;
use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Ui for Lines {
    fn emit(&self, _: &Scope, event: Event) {
        if let Event::Output { line, .. } = event {
            self.0.lock().unwrap().push(line);
        }
    }
    fn confirm(&self, _: &Scope, _: &str) -> Option<bool> {
        None
    }
    fn ask(&self, _: &Scope, _: &str, _: bool) -> Option<String> {
        None
    }
}

fn shown(chunks: &[&[u8]], secrets: &[&str]) -> (Vec<String>, String) {
    let lines = Arc::new(Lines::default());
    let reporter = Reporter::new(Arc::clone(&lines) as Arc<dyn Ui>, Scope::Project);
    let mut sink = Sink::new(&reporter, false, Scrubber::new(secrets.iter().copied()));
    for chunk in chunks {
        sink.push(Stream::Stdout, chunk);
    }
    let said = sink.finish();
    let lines = std::mem::take(&mut *lines.0.lock().unwrap());
    (lines, said)
}

#[test]
fn lines_are_whole_whatever_the_chunks() {
    let (lines, said) = shown(&[b"a\r", b"\nb\nc\xc3", b"\xa4\r\n", b"\n", b"last \xff"], &[]);
    assert_eq!(lines, ["a", "b", "cä", "", "last \u{fffd}"]);
    assert_eq!(said, "a\nb\ncä\nlast \u{fffd}");
}

#[test]
fn a_progress_shows_its_first_and_last_state() {
    let (lines, _) = shown(&[b"1%\r2%\r", b"3%\r100%\n", b"done\n"], &[]);
    assert_eq!(lines, ["1%", "100%", "done"]);
    assert_eq!(shown(&[b"1%\r2%\r3%\r"], &[]).0, ["1%", "3%"], "ends without a line feed");
    assert_eq!(shown(&[b"1%\r2%\r\r\n"], &[]).0, ["1%", "2%"], "the last line is only its end");
}

#[test]
fn secrets_go_even_in_parts_of_lines_and_long_lines() {
    let (lines, said) = shown(&[b"x=hun", b"ter2;hunter\n"], &["hunter2", "", "hunter"]);
    assert_eq!((lines, said), (vec!["x=*****;*****".to_owned()], "x=*****;*****".to_owned()));
    let long = [b"y".repeat(LONGEST - 2), b"hunter2".to_vec(), b"\n".to_vec()].concat();
    assert!(shown(&[&long], &["hunter2"]).0.iter().all(|l| !l.contains("hun") && !l.contains("ter2\n")));
}

#[test]
fn the_tail_is_standard_errors_and_short() {
    let reporter = Reporter::silent();
    let mut sink = Sink::new(&reporter, false, Scrubber::default());
    sink.push(Stream::Stdout, b"fine\n");
    for n in 0..100 {
        sink.push(Stream::Stderr, format!("e{n}\n\n").as_bytes());
    }
    let said = sink.finish();
    assert_eq!((said.lines().count(), said.lines().last()), (TAIL, Some("e99")));
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let one = prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'a'), Just(0xc3), Just(0xa4), any::<u8>()];
    prop::collection::vec(one, 0..200)
}

proptest! {
    #[test]
    fn all_bytes_come_back(chunks in prop::collection::vec(bytes(), 0..8), long in any::<bool>()) {
        let mut chunks = chunks;
        if long {
            chunks.push("ä".repeat(LONGEST).into_bytes());
        }
        let mut splitter = Splitter::default();
        let mut pieces: Vec<Piece> = chunks.iter().flat_map(|c| splitter.push(c)).collect();
        pieces.extend(splitter.finish());
        let back: Vec<u8> = pieces.iter().flat_map(|p| [p.bytes.as_slice(), p.end.bytes()].concat()).collect();
        prop_assert_eq!(back, chunks.concat());
        for piece in &pieces {
            prop_assert!(piece.bytes.len() <= LONGEST && !piece.bytes.contains(&b'\n'));
            prop_assert!(piece.end != End::Line("\n") || piece.bytes.last() != Some(&b'\r'));
        }
    }

    #[test]
    fn lines_do_not_depend_on_the_chunks(text in bytes(), at in 0usize..200) {
        let split = |chunks: &[&[u8]]| {
            let mut splitter = Splitter::default();
            let mut pieces: Vec<Piece> = chunks.iter().flat_map(|c| splitter.push(c)).collect();
            pieces.extend(splitter.finish());
            pieces
        };
        let at = at.min(text.len());
        prop_assert_eq!(split(&[&text]), split(&[&text[..at], &text[at..]]));
    }
}
