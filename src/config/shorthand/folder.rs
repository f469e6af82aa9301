//! `host:guest[:ro]`. A Windows drive letter (`C:\data`, `C:/data`) on either side is no separator.

/// A folder in short form.
#[derive(Debug, PartialEq, Eq)]
pub struct ShortFolder {
    /// Folder on the host, as written.
    pub host: String,
    /// Path in the guest.
    pub guest: String,
    /// It ended in `:ro`.
    pub read_only: bool,
}

/// Reads the short form. The error is a fragment for a mistake.
pub fn parse(text: &str) -> Result<ShortFolder, String> {
    let (paths, read_only) = match text.strip_suffix(":ro") {
        Some(rest) => (rest, true),
        None => (text.strip_suffix(":rw").unwrap_or(text), false),
    };
    let wrong = || format!("`{text}` is not a folder (write `host:guest[:ro]`, as in `.:/srv/app`)");
    let after_drive = if starts_with_drive(paths) && paths[2..].contains(':') { 2 } else { 0 };
    let colon = after_drive + paths[after_drive..].find(':').ok_or_else(wrong)?;
    let (host, guest) = (&paths[..colon], &paths[colon + 1..]);
    let rest = if starts_with_drive(guest) { &guest[2..] } else { guest };
    if host.is_empty() || guest.is_empty() || rest.contains(':') {
        return Err(wrong());
    }
    Ok(ShortFolder { host: host.to_owned(), guest: guest.to_owned(), read_only })
}

/// `C:\` or `C:/`.
pub fn starts_with_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(text: &str) -> String {
        match parse(text) {
            Ok(f) => format!("{} -> {}{}", f.host, f.guest, if f.read_only { " ro" } else { "" }),
            Err(e) => e,
        }
    }

    #[test]
    fn all_forms() {
        assert_eq!(short(".:/srv/app"), ". -> /srv/app");
        assert_eq!(short("./data:/data:ro"), "./data -> /data ro");
        assert_eq!(short("~/src:/src:rw"), "~/src -> /src");
        assert_eq!(short(r"C:\data:/data:ro"), r"C:\data -> /data ro");
        assert_eq!(short("c:/data"), "c -> /data");
        assert_eq!(short("D:/x:C:/y"), "D:/x -> C:/y");
        assert_eq!(short("./x:C:/y"), "./x -> C:/y");
    }

    #[test]
    fn what_is_wrong() {
        for text in ["", ":", "./data", ":/data", "a:", "./a:/b:/c", "./x:/y:rx"] {
            assert_eq!(short(text), format!("`{text}` is not a folder (write `host:guest[:ro]`, as in `.:/srv/app`)"));
        }
    }
}
