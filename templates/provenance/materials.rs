//! Finds what a build is made from in the options of its builder and provisioners: files of this host, images and their checksums.

use std::path::Path;

use kiste_core::Cancel;
use serde_json::Value;

use super::sha256;
use crate::error::Error;
use crate::inputs::Inputs;

/// Options that name what a build makes, or where in the guest something goes.
const RESULTS: [&str; 8] = ["output", "output_directory", "target", "destination", "export_path", "path", "remote_path", "iso_target_path"];
/// Options that name an image, and the one with its checksum.
const IMAGES: [&str; 2] = ["iso_url", "iso_urls"];
const IMAGE_SUM: &str = "iso_checksum";

/// Notes the template and all that its options name, with digests as they are now: before anything is built.
pub fn note(inputs: &Inputs, cancel: &Cancel) -> Result<(), Error> {
    note_file(inputs, &inputs.template, cancel)?;
    for options in std::iter::once(&inputs.builder).chain(&inputs.provisioners) {
        let image_sum = options[IMAGE_SUM].as_str().and_then(sha256_of);
        walk(inputs, "", options, image_sum, cancel)?;
    }
    Ok(())
}

fn walk(inputs: &Inputs, key: &str, value: &Value, image_sum: Option<&str>, cancel: &Cancel) -> Result<(), Error> {
    match value {
        Value::String(text) if IMAGES.contains(&key) => {
            let local = Path::new(text.strip_prefix("file://").unwrap_or(text));
            if image_sum.is_none() && local.is_file() {
                inputs.used(text, Some(&sha256(local, cancel)?));
            } else {
                inputs.used(text, image_sum);
            }
            Ok(())
        }
        Value::String(text) if !RESULTS.contains(&key) => note_file(inputs, Path::new(text), cancel),
        Value::Array(items) => items.iter().try_for_each(|item| walk(inputs, key, item, image_sum, cancel)),
        Value::Object(entries) => entries.iter().try_for_each(|(key, value)| walk(inputs, key, value, image_sum, cancel)),
        _ => Ok(()),
    }
}

/// `sha256:DIGITS` or its digits alone.
fn sha256_of(checksum: &str) -> Option<&str> {
    let digits = checksum.strip_prefix("sha256:").unwrap_or(checksum);
    (digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then_some(digits)
}

/// Most texts are no names of files; those with a line's end can't be meant as one.
fn note_file(inputs: &Inputs, path: &Path, cancel: &Cancel) -> Result<(), Error> {
    if path.as_os_str().is_empty() || path.to_string_lossy().contains('\n') || !path.is_file() {
        return Ok(());
    }
    inputs.used(&path.to_string_lossy(), Some(&sha256(path, cancel)?));
    Ok(())
}
