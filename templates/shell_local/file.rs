//! The temporary file that inline lines become.

use std::path::PathBuf;

use kiste_core::Cancel;
use kiste_core::host::{HostError, Program};
use tempfile::TempPath;

use crate::error::Error;

/// Folder for temporary scripts.
fn folder() -> PathBuf {
    std::env::var_os("PACKER_TMP_DIR").filter(|d| !d.is_empty()).map_or_else(std::env::temp_dir, PathBuf::from)
}

/// Writes a program that only the user may read; it goes with the value.
///
/// Another process writes it: a file that this one has open for writing can't be run while any thread of it forks ("text file busy").
#[cfg(unix)]
pub fn write(text: &str, extension: &str, cancel: &Cancel) -> Result<TempPath, Error> {
    // `-C`: `>` makes the file or fails.
    const TAKE: &str = r#"set -C; umask 077; cat > "$1" && chmod 700 "$1""#;
    let id = uuid::Uuid::new_v4().as_u128() % 10_u128.pow(10);
    let path = folder().join(format!("packer-shell{id:010}{extension}"));
    let written = Program::new("/bin/sh").args(["-c", TAKE, "sh"]).arg(&path).input(text).output(cancel);
    match written {
        Err(error @ HostError::Failed { .. }) => Err(error.into()),
        written => {
            let made = TempPath::try_from_path(&path).map_err(Error::file(&path))?;
            written?;
            Ok(made)
        }
    }
}

#[cfg(not(unix))]
pub fn write(text: &str, extension: &str, _: &Cancel) -> Result<TempPath, Error> {
    use std::io::Write;
    let folder = folder();
    let mut builder = tempfile::Builder::new();
    let mut file = builder.prefix("packer-shell").suffix(extension).tempfile_in(&folder).map_err(Error::file(&folder))?;
    file.write_all(text.as_bytes()).map_err(Error::file(file.path()))?;
    Ok(file.into_temp_path())
}
