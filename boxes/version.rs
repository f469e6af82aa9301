//! Versions of boxes, by RubyGems' rules: numeric parts compare as numbers, a letter makes a prerelease, `1.0` is `1.0.0`.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::Error;

/// Version of a box that came as a file of its own and not from a catalog.
pub const DIRECT: &str = "0";

/// A version. Prints as it was written; compares by its parts.
#[derive(Clone, Debug)]
pub struct Version {
    text: String,
    parts: Vec<Part>,
}

/// Letters sort before every number, so that a prerelease comes before its release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Part {
    Word(String),
    /// Length first: without leading zeros the longer number is the bigger one, however long.
    Number(usize, String),
}

impl Part {
    fn zero() -> Self {
        Self::number("0")
    }

    fn number(digits: &str) -> Self {
        let digits = digits.trim_start_matches('0');
        Self::Number(digits.len(), digits.to_owned())
    }

    fn is_word(&self) -> bool {
        matches!(self, Self::Word(_))
    }
}

impl Version {
    /// Whether it has a letter: `1.0.beta2`, `1.0-rc1`.
    pub fn is_prerelease(&self) -> bool {
        self.parts.iter().any(Part::is_word)
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Without everything from its first letter on: `1.2.rc1` becomes `1.2`.
    pub fn release(&self) -> Self {
        if self.is_prerelease() { Self::of_parts(self.numbers()) } else { self.clone() }
    }

    /// The first version that `~>` this one shuts out: `1.2.3` gives `1.3`, `1` gives `2`.
    pub fn bump(&self) -> Self {
        let mut parts = self.numbers();
        if parts.len() > 1 {
            parts.pop();
        }
        if let Some(Part::Number(_, digits)) = parts.last_mut() {
            let next = successor(digits);
            parts.pop();
            parts.push(Part::number(&next));
        }
        Self::of_parts(parts)
    }

    fn numbers(&self) -> Vec<Part> {
        let mut parts = self.parts.clone();
        while parts.iter().any(Part::is_word) {
            parts.pop();
        }
        parts
    }

    fn of_parts(parts: Vec<Part>) -> Self {
        let words = parts.iter().map(|p| match p {
            Part::Word(word) => word.as_str(),
            Part::Number(0, _) => "0",
            Part::Number(_, digits) => digits,
        });
        Self { text: words.collect::<Vec<_>>().join("."), parts }
    }

    /// The parts without zeros that mean nothing: those at the end, and those before the first word.
    fn canonical(&self) -> Vec<&Part> {
        let first_word = self.parts.iter().position(Part::is_word).unwrap_or(self.parts.len());
        let (numbers, words) = self.parts.split_at(first_word);
        significant(numbers).iter().chain(significant(words)).collect()
    }
}

fn significant(parts: &[Part]) -> &[Part] {
    let end = parts.iter().rposition(|p| *p != Part::zero()).map_or(0, |last| last + 1);
    &parts[..end]
}

fn successor(digits: &str) -> String {
    let kept = digits.trim_end_matches('9');
    let nines = digits.len() - kept.len();
    let mut next = kept.as_bytes().to_vec();
    match next.last_mut() {
        Some(digit) => *digit += 1,
        None => next.push(b'1'),
    }
    next.resize(next.len() + nines, b'0');
    next.into_iter().map(char::from).collect()
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let text = if text.is_empty() { "0" } else { text };
        if !is_well_formed(text) {
            let reason = "it must be numbers with dots between, such as `1.2.3` or `1.2.0.beta1`".to_owned();
            return Err(Error::Version { text: text.escape_debug().to_string(), constraint: false, reason });
        }
        Ok(Self { text: text.to_owned(), parts: parts_of(&text.replace('-', ".pre.")) })
    }
}

fn is_well_formed(text: &str) -> bool {
    let (release, tail) = text.split_once('-').map_or((text, None), |(r, t)| (r, Some(t)));
    let alphanumeric = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let mut parts = release.split('.');
    let first = parts.next().is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    let in_tail = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    text.len() <= 128 && first && parts.all(alphanumeric) && tail.is_none_or(|t| t.split('.').all(in_tail))
}

fn parts_of(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let same_kind = |c: char| if first.is_ascii_digit() { c.is_ascii_digit() } else { c.is_ascii_alphabetic() };
        let end = rest.find(|c| !same_kind(c)).unwrap_or(rest.len());
        match first {
            _ if end == 0 => {}
            d if d.is_ascii_digit() => parts.push(Part::number(&rest[..end])),
            _ => parts.push(Part::Word(rest[..end].to_owned())),
        }
        rest = &rest[end.max(1)..];
    }
    parts
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (self.canonical(), other.canonical());
        let zero = Part::zero();
        let at = |parts: &[&Part], i: usize| parts.get(i).map_or(zero.clone(), |p| (*p).clone());
        let compared = (0..ours.len().max(theirs.len())).map(|i| at(&ours, i).cmp(&at(&theirs, i)));
        compared.into_iter().find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical().hash(state);
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn an_order_by_hand() {
        let rising =
            ["0.a", "0", "0.9", "1.0.a", "1.0.b1", "1.0.b2", "1.0.b10", "1.0-rc.1", "1.0", "1.0.1", "1.2", "1.10", "2", "20240101.1"];
        for pair in rising.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{} < {}", pair[0], pair[1]);
        }
        for (a, b) in
            [("1.0", "1.0.0"), ("1", "1.00"), ("1.0.a", "1.a"), ("01", "1"), ("1.0-a", "1.0.pre.a"), (" ", "0"), ("1.0rc1", "1.0.rc.1")]
        {
            assert_eq!(version(a), version(b), "{a} = {b}");
        }
    }

    #[test]
    fn bumps_and_releases() {
        for (text, bumped) in [("1", "2"), ("1.2", "2"), ("1.2.3", "1.3"), ("1.9.9", "1.10"), ("1.2.b3", "2"), ("9.9", "10"), ("0.0", "1")]
        {
            assert_eq!(version(text).bump().as_str(), bumped, "{text}");
        }
        assert_eq!(version("1.2.rc1").release().as_str(), "1.2");
    }

    #[test]
    fn what_is_no_version() {
        for text in ["v1", "1.", ".1", "1..2", "1.2 3", "1/2", "1.-", "1-", "../1", "a", "1.ä", "1\n.2"] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
        assert!("1".repeat(129).parse::<Version>().is_err());
    }

    proptest! {
        #[test]
        fn prints_as_written(text in "[0-9]{1,30}(\\.[0-9a-zA-Z]{1,4}){0,4}(-[0-9A-Za-z-]{1,4})?") {
            prop_assert_eq!(version(&text).to_string(), text);
        }

        #[test]
        fn is_a_total_order(
            a in "[0-3](\\.[0-1ab]{1,2}){0,3}(-[0a])?",
            b in "[0-3](\\.[0-1ab]{1,2}){0,3}(-[0a])?",
            c in "[0-3](\\.[0-1ab]{1,2}){0,3}(-[0a])?",
        ) {
            let (a, b, c) = (version(&a), version(&b), version(&c));
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
            if a == b {
                prop_assert_eq!(a.cmp(&c), b.cmp(&c));
                prop_assert_eq!(a.canonical(), b.canonical());
            }
        }

        #[test]
        fn numbers_compare_as_numbers(a in 0u128.., b in 0u128..) {
            prop_assert_eq!(version(&a.to_string()).cmp(&version(&b.to_string())), a.cmp(&b));
            prop_assert_eq!(successor(a.checked_sub(1).map_or(String::new(), |n| n.to_string()).trim_start_matches('0')), a.max(1).to_string());
        }
    }
}
