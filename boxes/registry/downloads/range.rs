//! Which part of a content a client asks for.

use std::ops::Range;

use axum::http::{HeaderMap, header};

use crate::error::Error;

/// What a request's headers make of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The client has it already. 304.
    Nothing,
    /// 200.
    Whole,
    /// 206.
    Part(Range<u64>),
}

/// Reads `Range`, `If-Range` and `If-None-Match`. What is malformed, or asks for several parts, is answered by the whole, as RFC 9110 allows.
pub fn wanted(headers: &HeaderMap, etag: &str, size: u64) -> Result<Wanted, Error> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if text(header::IF_NONE_MATCH).is_some_and(|tags| tags == "*" || tags.split(',').any(|t| t.trim().trim_start_matches("W/") == etag)) {
        return Ok(Wanted::Nothing);
    }
    // A date in If-Range never fits: contents are known by their digests here.
    if text(header::IF_RANGE).is_some_and(|tag| tag != etag) {
        return Ok(Wanted::Whole);
    }
    match text(header::RANGE).and_then(|range| parse(range, size)) {
        None => Ok(Wanted::Whole),
        Some(range) if range.is_empty() => Err(Error::Range(size)),
        Some(range) => Ok(Wanted::Part(range)),
    }
}

/// One range; empty when it lies outside.
fn parse(text: &str, size: u64) -> Option<Range<u64>> {
    let (unit, range) = text.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok())?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    match (first.trim(), last.trim()) {
        ("", last) => Some(size - number(last)?.min(size)..size),
        (first, "") => Some(number(first)?.min(size)..size),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then(|| first.min(size)..last.saturating_add(1).min(size))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(pairs: &[(header::HeaderName, &str)]) -> Result<Wanted, Error> {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        wanted(&headers, "\"abc\"", 100)
    }

    #[test]
    fn parts() {
        for (range, part) in [
            ("bytes=0-9", 0..10),
            ("bytes=90-", 90..100),
            ("bytes=-5", 95..100),
            ("bytes=-500", 0..100),
            ("bytes=50-5000", 50..100),
            ("Bytes = 1-1", 1..2),
        ] {
            assert_eq!(ask(&[(header::RANGE, range)]).unwrap(), Wanted::Part(part), "{range}");
        }
    }

    #[test]
    fn what_is_no_part_is_the_whole() {
        for range in ["bytes=5-2", "bytes=a-", "lines=1-2", "bytes=0-1,5-6", "bytes=-", "5-6", "bytes=99999999999999999999-"] {
            assert_eq!(ask(&[(header::RANGE, range)]).unwrap(), Wanted::Whole, "{range}");
        }
    }

    #[test]
    fn outside_is_told() {
        for range in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert!(matches!(ask(&[(header::RANGE, range)]), Err(Error::Range(100))), "{range}");
        }
    }

    #[test]
    fn conditions_come_first() {
        let range = (header::RANGE, "bytes=5-");
        assert_eq!(ask(&[(header::IF_RANGE, "\"abc\""), range.clone()]).unwrap(), Wanted::Part(5..100));
        assert_eq!(ask(&[(header::IF_RANGE, "\"old\""), range.clone()]).unwrap(), Wanted::Whole);
        assert_eq!(ask(&[(header::IF_NONE_MATCH, "\"x\", W/\"abc\""), range]).unwrap(), Wanted::Nothing);
        assert_eq!(ask(&[(header::IF_NONE_MATCH, "*")]).unwrap(), Wanted::Nothing);
    }
}
