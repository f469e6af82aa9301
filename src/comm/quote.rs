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

/// `text` without any newline, as the format `%b` of printf turns it back: for data that must pass as one line.
pub fn one_line(text: &str) -> String {
    text.replace('\0', "").replace('\\', r"\\").replace('\n', r"\n")
}

/// An `export` of one variable.
pub fn export(name: &str, value: &str) -> Result<String, crate::Error> {
    if is_variable(name) { Ok(format!("export {name}={}", word(value))) } else { Err(crate::Error::Variable { name: name.to_owned() }) }
}

/// `template` with `command` in place of `%c`: as words where `%c` stands free, as one word where it stands in quotes.
pub fn fill(template: &str, command: &str) -> String {
    let quoted = word(command);
    let filled = template.replace("'%c'", &quoted).replace("\"%c\"", &quoted);
    if filled == template { template.replace("%c", command) } else { filled }
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
    fn one_line_is_one_line_and_unambiguous() {
        assert_eq!(one_line("a\nb\\n"), r"a\nb\\n");
    }

    #[test]
    fn a_command_fills_its_place() {
        assert_eq!(fill("sudo -E -H %c", "bash -c 'a b'"), "sudo -E -H bash -c 'a b'");
        assert_eq!(fill("su root -c \"%c\"", "sh -c 'a b'"), r"su root -c 'sh -c '\''a b'\'''");
    }

    #[test]
    fn odd_names_are_no_variables() {
        assert_eq!(export("A_1", "it's").unwrap(), r"export A_1='it'\''s'");
        assert!(export("A;reboot", "x").is_err());
        assert!(export("1A", "x").is_err());
    }

    #[test]
    fn only_a_leading_tilde_expands() {
        assert_eq!(guest_path("~/a b"), "~/'a b'");
        assert_eq!(guest_path("~root/x"), "'~root/x'");
    }
}
