//! For tests: a client of the container engine that is a script.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Writes it into a folder; where it is.
pub fn client(dir: &Path, script: &str) -> String {
    let path = dir.join("client");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

/// What it wrote down of its calls, a line each.
pub fn calls(dir: &Path) -> Vec<String> {
    std::fs::read_to_string(dir.join("calls")).unwrap_or_default().lines().map(str::to_owned).collect()
}
