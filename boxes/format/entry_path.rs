//! Names of archive entries: where in the box they lie, or why they may not be.

use super::Fault;

const LONGEST: usize = 1024;
const LONGEST_PART: usize = 255;
const DEEPEST: usize = 32;

/// The parts of an entry's name below the box's root; empty for the root itself. `./` in front and backslashes between are fine.
pub fn parts(name: &[u8]) -> Result<Vec<String>, Fault> {
    let shown = shown(name);
    let hostile = |reason: &str| Err(Fault::Hostile(format!("entry `{shown}` {reason}")));
    let Ok(text) = std::str::from_utf8(name) else { return hostile("has a name that is not UTF-8") };
    let text = text.replace('\\', "/");
    if text.len() > LONGEST {
        return hostile("has too long a name");
    }
    if text.starts_with('/') {
        return hostile("has an absolute path");
    }
    if text.chars().any(char::is_control) {
        return hostile("has a control character in its name");
    }
    let parts: Vec<String> = text.split('/').filter(|p| !p.is_empty() && *p != ".").map(str::to_owned).collect();
    if parts.iter().any(|p| p == "..") {
        return hostile("leads out of the box (`..`)");
    }
    if parts.first().is_some_and(|p| is_drive(p)) {
        return hostile("has an absolute path");
    }
    if parts.len() > DEEPEST || parts.iter().any(|p| p.len() > LONGEST_PART) {
        return hostile("has too long or too deep a name");
    }
    Ok(parts)
}

fn is_drive(part: &str) -> bool {
    matches!(part.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// Checks the target of a symbolic link at `parts`: relative, and by its text within the box.
pub fn link_target(parts: &[String], target: &[u8]) -> Result<String, Fault> {
    let hostile = |reason: &str| Err(Fault::Hostile(format!("link `{}` to `{}` {reason}", parts.join("/"), shown(target))));
    let Ok(text) = std::str::from_utf8(target) else { return hostile("has a name that is not UTF-8") };
    let text = text.replace('\\', "/");
    if text.is_empty() || text.starts_with('/') || text.split('/').next().is_some_and(is_drive) || text.chars().any(char::is_control) {
        return hostile("leads out of the box");
    }
    let mut depth = parts.len().saturating_sub(1);
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return hostile("leads out of the box"),
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    Ok(text)
}

/// A name out of an archive, fit for a message.
pub fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).escape_debug().take(200).collect()
}
