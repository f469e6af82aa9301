//! The one place where data becomes part of a guest's shell text.

/// `text` as one word of a POSIX shell, whatever it holds. NUL can't be part of a word and is dropped.
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\0', "").replace('\'', r"'\''"))
}

/// Words joined to one command line.
pub fn words<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> String {
    words.into_iter().map(|w| word(w.as_ref())).collect::<Vec<_>>().join(" ")
}

/// A path of the guest as one word in which a leading `~` or `~/` still means the user's home.
pub fn guest_path(path: &str) -> String {
    match path.strip_prefix('~') {
        Some("") => "~".to_owned(),
        Some(rest) if rest.starts_with('/') => {
            format!("~/{}", if rest.len() > 1 { word(&rest[1..]) } else { String::new() })
        }
        _ => word(path),
    }
}

/// Whether `name` may name an environment variable.
pub fn is_variable(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_') && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_words_stay_one_word() {
        assert_eq!(word("a b"), "'a b'");
        assert_eq!(word("$(reboot)"), "'$(reboot)'");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(word(""), "''");
        assert_eq!(words(["mount", "-o", "a;b"]), "mount -o 'a;b'");
    }

    #[test]
    fn only_a_leading_tilde_expands() {
        assert_eq!(guest_path("~/a b"), "~/'a b'");
        assert_eq!(guest_path("~root/x"), "'~root/x'");
    }
}
