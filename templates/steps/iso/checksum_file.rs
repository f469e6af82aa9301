//! Files of checksums as they lie beside downloads: GNU's form (`HEX  NAME`), BSD's (`SHA256 (NAME) = HEX`), or a checksum alone.

use std::path::Path;

use kiste_boxes::download;
use kiste_core::Cancel;

use super::{Source, Sum, source};

/// A file of checksums beyond this is none.
const LARGEST: u64 = 4 << 20;

/// The checksum of the first of `sources` that the file at `place` (an address or a path) names.
pub fn find(place: &str, sources: &[Source]) -> Result<Sum, String> {
    let place = place.trim();
    let failed = |why: String| format!("Error downloading checksum file: {why} in \"file:{place}\"");
    let text = match source(place)? {
        Source::Local(path) => read(&path).map_err(|e| failed(format!("`{}`: {e}", path.display())))?,
        Source::Web(url) => download::small(&url, LARGEST, &Cancel::new()).map_err(|e| failed(e.to_string()))?,
    };
    let text = String::from_utf8_lossy(&text);
    let names: Vec<String> = sources.iter().map(Source::file_name).collect();
    let found = names.iter().find_map(|name| text.lines().find_map(|line| entry(line, name))).or_else(|| alone(&text));
    let looked = names.join("`, `");
    let digits = found.ok_or_else(|| format!("no checksum found in: {place} in \"file:{place}\" (looked for `{looked}`)"))?;
    Sum::read(&digits).map_err(|reason| format!("{reason} in \"file:{place}\""))
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The checksum on a line that speaks of the file `name`, with its type where the line says it.
fn entry(line: &str, name: &str) -> Option<String> {
    let line = line.trim();
    if let Some((head, digits)) = line.rsplit_once(") = ") {
        let (kind, file) = head.split_once(" (")?;
        let kind = kind.to_ascii_lowercase().replace('-', "");
        return (base(file) == name).then(|| format!("{kind}:{}", digits.trim()));
    }
    let (digits, file) = line.split_once(char::is_whitespace)?;
    // `*` says that it was read as binary.
    let file = file.trim_start().trim_start_matches('*');
    (base(file) == name && is_hex(digits)).then(|| digits.to_owned())
}

fn base(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// A file that holds one checksum and nothing else.
fn alone(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    words.next().filter(|w| words.next().is_none() && is_hex(w)).map(str::to_owned)
}

fn is_hex(text: &str) -> bool {
    text.len() >= 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

    fn found(text: &str, name: &str) -> Result<String, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("SUMS");
        std::fs::write(&path, text).unwrap();
        let place = path.display().to_string();
        find(&place, &[source(name).unwrap()]).map(|s| s.text).map_err(|e| e.replace(&place, "SUMS"))
    }

    #[test]
    fn every_form_of_a_line_is_read() {
        let other = "0".repeat(64);
        for text in [
            format!("{other}  y.iso\n{SUM}  x.iso\n"),
            format!("# a comment\n{SUM} *x.iso"),
            format!("{SUM}  ./images/x.iso\n"),
            format!("SHA256 (y.iso) = {other}\nSHA256 (x.iso) = {SUM}\n"),
            format!("SHA-256 (dir/x.iso) = {SUM}\r\n"),
            SUM.to_uppercase(),
        ] {
            for name in ["x.iso", "/a/b/x.iso", "http://h/p/x.iso?query=1"] {
                assert_eq!(found(&text, name), Ok(format!("sha256:{SUM}")), "{text}");
            }
        }
    }

    #[test]
    fn a_file_that_does_not_name_it_is_an_error() {
        assert_eq!(
            found(&format!("{SUM}  xx.iso\n"), "x.iso").unwrap_err(),
            "no checksum found in: SUMS in \"file:SUMS\" (looked for `x.iso`)"
        );
        assert!(found(&format!("MD5 (x.iso) = {SUM}\n"), "x.iso").unwrap_err().contains("a md5 has 32 hexadecimal digits"));
        let error = find("/no/such/file", &[source("x.iso").unwrap()]).unwrap_err();
        assert!(error.starts_with("Error downloading checksum file: `/no/such/file`: "), "{error}");
        let error = find("http://127.0.0.1:1/SUMS", &[source("x.iso").unwrap()]).unwrap_err();
        assert!(error.starts_with("Error downloading checksum file: `http://127.0.0.1:1/SUMS`: "), "{error}");
    }
}
