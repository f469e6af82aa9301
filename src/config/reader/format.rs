//! Formats of texts: sizes, times, addresses, paths.

use std::net::IpAddr;
use std::path::Path;

use kiste_core::{Size, Span};

use crate::shorthand::folder::starts_with_drive;

/// What paths are relative to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Paths<'a> {
    /// `~`.
    pub home: Option<&'a str>,
    /// The project's folder, which scripts stay relative to.
    pub project: Option<&'a Path>,
}

/// Checks `text` against a schema's `format`. `Ok(Some)` is a better form of it (a path made absolute below `folder`).
pub fn check(format: &str, text: &str, folder: &Path, paths: Paths<'_>) -> Result<Option<String>, String> {
    match format {
        "size" => size(text).map(|()| None),
        "time" => time(text).map(|()| None),
        "ip" => text.parse::<IpAddr>().map(|_| None).map_err(|_| format!("`{text}` is not an IP address")),
        "mac" => mac(text).map(|()| None),
        "path" => path(text, folder, paths.home).map(Some),
        "script" if text.contains("://") => Ok(None),
        "script" if paths.project == Some(folder) && !text.starts_with("~/") => Ok(None),
        "script" => path(text, folder, paths.home).map(Some),
        _ => Ok(None),
    }
}

fn size(text: &str) -> Result<(), String> {
    let size: Size = text.parse()?;
    if text.trim().bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(format!("`{text}` has no unit (write `{}MiB`)", text.trim()));
    }
    if size.0 == 0 { Err(format!("`{text}` is nothing at all")) } else { Ok(()) }
}

fn time(text: &str) -> Result<(), String> {
    if !text.trim().is_empty() && text.trim().bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("`{text}` has no unit (write `{}s`)", text.trim()));
    }
    text.parse::<Span>().map(|_| ())
}

fn mac(text: &str) -> Result<(), String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-')).collect();
    let separators = text.len() - digits.len();
    let hex = digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let pairs = separators == 0 || text.split([':', '-']).all(|pair| pair.len() == 2);
    if !hex || !pairs {
        return Err(format!("`{text}` is not a hardware address (write `52:54:00:12:34:56`)"));
    }
    match u8::from_str_radix(&digits[..2], 16) {
        Ok(first) if first & 1 == 1 => Err(format!("`{text}` is a multicast address, which no card can have")),
        _ => Ok(()),
    }
}

fn path(text: &str, folder: &Path, home: Option<&str>) -> Result<String, String> {
    if text.is_empty() {
        return Err("the path is empty".to_owned());
    }
    if text.contains('\0') {
        return Err("the path has a zero byte".to_owned());
    }
    let expanded = match (text, text.strip_prefix("~/"), home) {
        ("~", _, Some(home)) => home.to_owned(),
        (_, Some(rest), Some(home)) => format!("{}/{rest}", home.trim_end_matches('/')),
        ("~", _, None) | (_, Some(_), None) => return Err(format!("`{text}` needs `HOME`, which is not set")),
        _ => text.to_owned(),
    };
    if starts_with_drive(&expanded) {
        return Ok(expanded);
    }
    let whole = folder.join(&expanded);
    let plain: std::path::PathBuf = whole.components().filter(|c| !matches!(c, std::path::Component::CurDir)).collect();
    let mut plain = plain.display().to_string();
    if expanded.ends_with('/') && !plain.ends_with('/') {
        plain.push('/');
    } else if expanded.ends_with("/.") {
        plain.push_str("/.");
    }
    Ok(plain)
}
