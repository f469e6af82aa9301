//! The keys of a keyboard: the names boot commands have for them, and what has to be pressed for a character on a US layout.

/// Names of keys in `<…>`, in small letters, and QEMU's names for them.
const NAMED: &[(&str, &str)] = &[
    ("bs", "backspace"),
    ("del", "delete"),
    ("end", "end"),
    ("enter", "ret"),
    ("return", "ret"),
    ("esc", "esc"),
    ("tab", "tab"),
    ("f1", "f1"),
    ("f2", "f2"),
    ("f3", "f3"),
    ("f4", "f4"),
    ("f5", "f5"),
    ("f6", "f6"),
    ("f7", "f7"),
    ("f8", "f8"),
    ("f9", "f9"),
    ("f10", "f10"),
    ("f11", "f11"),
    ("f12", "f12"),
    ("up", "up"),
    ("down", "down"),
    ("left", "left"),
    ("right", "right"),
    ("home", "home"),
    ("insert", "insert"),
    ("pageup", "pgup"),
    ("pagedown", "pgdn"),
    ("spacebar", "spc"),
    ("menu", "compose"),
    ("leftalt", "alt"),
    ("rightalt", "alt_r"),
    ("leftctrl", "ctrl"),
    ("rightctrl", "ctrl_r"),
    ("leftshift", "shift"),
    ("rightshift", "shift_r"),
    ("leftsuper", "meta_l"),
    ("rightsuper", "meta_r"),
    ("leftcommand", "meta_l"),
    ("rightcommand", "meta_r"),
    ("leftoption", "alt"),
    ("rightoption", "alt_r"),
];

/// Keys that give a sign without shift, that sign with shift, and QEMU's name for the key.
const SIGNS: &[(char, char, &str)] = &[
    ('`', '~', "grave_accent"),
    ('1', '!', "1"),
    ('2', '@', "2"),
    ('3', '#', "3"),
    ('4', '$', "4"),
    ('5', '%', "5"),
    ('6', '^', "6"),
    ('7', '&', "7"),
    ('8', '*', "8"),
    ('9', '(', "9"),
    ('0', ')', "0"),
    ('-', '_', "minus"),
    ('=', '+', "equal"),
    ('[', '{', "bracket_left"),
    (']', '}', "bracket_right"),
    ('\\', '|', "backslash"),
    (';', ':', "semicolon"),
    ('\'', '"', "apostrophe"),
    (',', '<', "comma"),
    ('.', '>', "dot"),
    ('/', '?', "slash"),
];

const LETTERS: [&str; 26] =
    ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z"];

/// The key that shift is.
pub const SHIFT: &str = "shift";

/// A key by QEMU's name, and whether shift is held for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// QEMU's name.
    pub code: &'static str,
    /// Held with it.
    pub shift: bool,
}

/// The key with this name (any case).
pub fn named(name: &str) -> Option<Key> {
    let name = name.to_ascii_lowercase();
    NAMED.iter().find(|(n, _)| *n == name).map(|(_, code)| Key { code, shift: false })
}

/// The key that gives this character; none when a US keyboard has no such key.
pub fn of(c: char) -> Option<Key> {
    if c == ' ' {
        return Some(Key { code: "spc", shift: false });
    }
    if c.is_ascii_alphabetic() {
        let code = LETTERS[usize::from(c.to_ascii_lowercase() as u8 - b'a')];
        return Some(Key { code, shift: c.is_ascii_uppercase() });
    }
    SIGNS.iter().find(|(plain, shifted, _)| c == *plain || c == *shifted).map(|(plain, _, code)| Key { code, shift: c != *plain })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_printable_character_has_a_key_of_its_own() {
        let mut seen = std::collections::BTreeSet::new();
        for c in ' '..='~' {
            let key = of(c).unwrap_or_else(|| panic!("{c:?}"));
            assert!(seen.insert((key.code, key.shift)), "{c:?}");
        }
        for c in ['é', '\n', '\t', '\u{7f}', '€'] {
            assert_eq!(of(c), None, "{c:?}");
        }
        assert_eq!(of('A'), Some(Key { code: "a", shift: true }));
        assert_eq!(named("PageUp"), Some(Key { code: "pgup", shift: false }));
        assert_eq!(named("f13"), None);
    }
}
