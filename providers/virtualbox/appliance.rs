//! An OVF description looked at before VirtualBox opens it: it may name only images that lie beside it, and those nothing else.

use std::path::{Path, PathBuf};

use crate::error::Error;

/// Largest description read.
const LARGEST: u64 = 8 << 20;

/// Checks a description and its images. An OVA is one archive: nothing outside of it can be meant.
pub fn check(path: &Path) -> Result<(), Error> {
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("ova")) {
        return Ok(());
    }
    let file = |source| Error::File { path: path.to_owned(), source };
    if path.metadata().map_err(file)?.len() > LARGEST {
        return Err(refuse(path, "a description of a machine is no such large file"));
    }
    let text = std::fs::read_to_string(path).map_err(file)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    for name in references(&text) {
        let image = inside(folder, &name).ok_or_else(|| refuse(path, &format!("it names `{name}`, which is no file beside it")))?;
        if kiste_boxes::image::has_extension(&image) {
            kiste_boxes::image::refuse_hostile(&image, kiste_boxes::image::detect(&image)?)?;
        }
    }
    Ok(())
}

fn refuse(path: &Path, reason: &str) -> Error {
    Error::HostileDisk { path: path.to_owned(), reason: reason.to_owned() }
}

/// Values of `href` in `<File …>` elements, as XML writes them.
fn references(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for element in text.split('<').filter(|e| e.split(|c: char| c.is_whitespace() || c == '/').next().is_some_and(is_file)) {
        let tag = element.split('>').next().unwrap_or_default();
        found.extend(attribute(tag, "href").map(|v| unescaped(&v)));
    }
    found
}

fn is_file(name: &str) -> bool {
    name.rsplit(':').next() == Some("File")
}

/// The value of an attribute, with any prefix and either kind of quotes.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quote = after.chars().next().filter(|q| matches!(q, '"' | '\''))?;
        let (value, next) = after[1..].split_once(quote)?;
        let key = before.trim().rsplit(|c: char| c.is_whitespace() || c == ':').next().unwrap_or_default();
        if key == name {
            return Some(value.to_owned());
        }
        rest = next;
    }
    None
}

fn unescaped(text: &str) -> String {
    let mut out = text.to_owned();
    for (from, to) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#x2f;", "/"), ("&#x2F;", "/"), ("&#47;", "/")] {
        out = out.replace(from, to);
    }
    out.replace("&amp;", "&")
}

/// The file of that plain name in the folder, wherever links lead.
fn inside(folder: &Path, name: &str) -> Option<PathBuf> {
    let plain = !name.is_empty() && !name.contains(['/', '\\', ':', '&']) && !matches!(name, "." | "..");
    let path = folder.join(name).canonicalize().ok().filter(|_| plain)?;
    (path.is_file() && path.starts_with(folder.canonicalize().ok()?)).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(references: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("box")).unwrap();
        std::fs::write(dir.path().join("secret.txt"), "x").unwrap();
        std::fs::write(dir.path().join("box/notes.txt"), "x").unwrap();
        std::fs::write(dir.path().join("box/box.ovf"), format!("<Envelope><References>{references}</References></Envelope>")).unwrap();
        dir
    }

    #[test]
    fn only_files_beside_it_may_be_named() {
        let verdict = |references: &str| check(&described(references).path().join("box/box.ovf"));
        verdict(r#"<File ovf:id="f" ovf:href="notes.txt"/>"#).unwrap();
        verdict(r#"<File ovf:id='f' ovf:href='notes.txt'></File>"#).unwrap();
        for bad in ["../secret.txt", "/etc/passwd", "missing.vmdk", "", "file:///etc/passwd", "http://x/y.vmdk", "..&#x2f;secret.txt"] {
            for element in [format!("<File ovf:href=\"{bad}\"/>"), format!("<ovf:File\n id='a'\thref = '{bad}' />")] {
                assert!(matches!(verdict(&element), Err(Error::HostileDisk { .. })), "{element}");
            }
        }
    }

    #[test]
    fn an_image_that_names_other_files_is_refused() {
        let dir = described(r#"<File ovf:href="d.vmdk"/>"#);
        let text = "# Disk DescriptorFile\nversion=1\nRW 100 FLAT \"/etc/passwd\" 0\n";
        std::fs::write(dir.path().join("box/d.vmdk"), text).unwrap();
        assert!(check(&dir.path().join("box/box.ovf")).is_err());
    }
}
