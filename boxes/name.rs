//! Names of boxes, and how they look as the name of a folder.

use crate::Error;

/// Starts every escape in a folder's name.
const ESCAPE: &str = "-KISTE";
const SLASH: &str = "-KISTESLASH-";
/// Longest name of a file that every common file system takes.
const LONGEST: usize = 240;

/// Checks a box's name: `debian/12`, `my box`, any text a person may type, but nothing that could be mistaken for a path
/// above the store.
pub fn check(name: &str) -> Result<(), Error> {
    match fault(name) {
        Some(reason) => Err(Error::Name { what: "box", name: name.escape_debug().to_string(), reason }),
        None => Ok(()),
    }
}

fn fault(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        return Some("it is empty".to_owned());
    }
    if name.trim() != name {
        return Some("it begins or ends with a space".to_owned());
    }
    if name.chars().any(char::is_control) {
        return Some("it has a control character".to_owned());
    }
    if name.contains(ESCAPE) {
        return Some(format!("`{ESCAPE}` is reserved"));
    }
    if name.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Some("every part between `/` needs letters or digits".to_owned());
    }
    (encode(name).len() > LONGEST).then(|| "it is too long".to_owned())
}

/// The name as the name of one folder. Every name has its own: letters, digits and `._+@ -` stay, all else is escaped.
pub fn encode(name: &str) -> String {
    let mut folder = String::new();
    for (at, character) in name.char_indices() {
        match character {
            '/' => folder.push_str(SLASH),
            '.' if at == 0 => escape(&mut folder, character),
            c if c.is_ascii_alphanumeric() || "._+@ -".contains(c) => folder.push(c),
            c => escape(&mut folder, c),
        }
    }
    folder
}

fn escape(folder: &mut String, character: char) {
    folder.push_str(&format!("{ESCAPE}x{:X}-", u32::from(character)));
}

/// The name of a box whose folder is called `folder`; `None` when no box's folder is called so.
pub fn decode(folder: &str) -> Option<String> {
    let mut name = String::new();
    let mut rest = folder;
    while let Some((before, after)) = rest.split_once(ESCAPE) {
        name.push_str(before);
        let (code, behind) = after.split_once('-')?;
        name.push(match code {
            "SLASH" => '/',
            _ => char::from_u32(u32::from_str_radix(code.strip_prefix('x')?, 16).ok()?)?,
        });
        rest = behind;
    }
    name.push_str(rest);
    (encode(&name) == folder && check(&name).is_ok()).then_some(name)
}

/// Checks the name of a provider or an architecture, which becomes the name of a folder as it is.
pub fn check_word(what: &'static str, word: &str) -> Result<(), Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if word.len() <= 64 && word.starts_with(|c: char| c.is_ascii_alphanumeric()) && word.chars().all(fits) {
        return Ok(());
    }
    let reason = "it must be letters, digits, `.`, `_` and `-`".to_owned();
    Err(Error::Name { what, name: word.escape_debug().to_string(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_stay_readable() {
        assert_eq!(encode("debian/12"), "debian-KISTESLASH-12");
        assert_eq!(encode("my box-1.0_x"), "my box-1.0_x");
    }

    #[test]
    fn names_that_could_leave_the_store_are_refused() {
        for name in ["", " ", "a/../b", "..", ".", "a//b", "/a", "a/", "a\nb", "a\0", " a", "a-KISTESLASH-b"] {
            assert!(check(name).is_err(), "{name:?}");
        }
        assert!(check(&"x".repeat(241)).is_err());
        assert!(check(&"ü".repeat(80)).is_err());
    }

    #[test]
    fn folders_that_are_no_box_have_no_name() {
        for folder in [".tmp-x", "a-KISTESLASH", "a-KISTExZZ-", "a-KISTEx61-", "-KISTESLASH-", "a:b", ".."] {
            assert_eq!(decode(folder), None, "{folder}");
        }
    }

    #[test]
    fn providers_and_architectures_are_plain_words() {
        assert!(check_word("provider", "vmware_desktop").is_ok());
        for word in ["", "..", ".x", "a/b", "a b", "a\n"] {
            assert!(check_word("provider", word).is_err(), "{word:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_good_name_comes_back(name in "[ -~äß:☃/\\\\]{1,40}") {
            if check(&name).is_ok() {
                let folder = encode(&name);
                proptest::prop_assert!(!folder.contains(['/', '\\', ':']) && !folder.starts_with('.'));
                proptest::prop_assert_eq!(decode(&folder), Some(name));
            }
        }
    }
}
