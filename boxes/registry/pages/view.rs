//! The API's answers as templates want them: times as days, sizes for people, links.

use serde::Serialize;
use serde_json::Value;

/// A time, for programs and for people.
#[derive(Debug, Serialize)]
pub struct When {
    /// RFC 3339.
    pub exact: String,
    /// The day in UTC.
    pub day: String,
}

/// A box in a list.
#[derive(Debug, Serialize)]
pub struct Card {
    pub tag: String,
    pub owner: String,
    pub name: String,
    pub short_description: String,
    pub private: bool,
    pub downloads: String,
    pub updated: When,
    /// The newest version that is out.
    pub version: Option<String>,
    /// Its providers with their architectures, each once.
    pub providers: Vec<String>,
}

/// A version of a box.
#[derive(Debug, Serialize)]
pub struct Version {
    pub version: String,
    pub status: String,
    pub draft: bool,
    pub active: bool,
    pub revoked: bool,
    pub reason: String,
    /// Markdown.
    pub description: String,
    /// The same as HTML that is safe to show.
    pub description_html: String,
    pub created: When,
    pub released: Option<When>,
    pub downloads: String,
    pub providers: Vec<Provider>,
}

/// What there is of a version for one provider and architecture.
#[derive(Debug, Serialize)]
pub struct Provider {
    pub name: String,
    pub architecture: String,
    pub default: bool,
    pub size: Option<String>,
    pub digest: Option<String>,
    /// Where to get it; none while nothing is there.
    pub download: Option<String>,
    /// It lies on another server.
    pub elsewhere: bool,
}

/// A field that is a text; empty where there is none.
pub fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

/// Elements of a field that is a list.
pub fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}

/// A field that is a time.
pub fn when(value: &Value, field: &str) -> Option<When> {
    let exact = value[field].as_str()?.to_owned();
    let day = exact.get(..10).unwrap_or(&exact).to_owned();
    Some(When { exact, day })
}

/// A description as HTML, safe by [`markdown`](crate::markdown); its headings stand below the page's own.
pub fn described(value: &Value) -> String {
    let mut html = text(value, "description_html");
    for (theirs, ours) in [("h4", "h6"), ("h3", "h5"), ("h2", "h4"), ("h1", "h3")] {
        html = html.replace(&format!("<{theirs}>"), &format!("<{ours}>")).replace(&format!("</{theirs}>"), &format!("</{ours}>"));
    }
    html
}

/// A number for people: 12 345.
pub fn count(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Bytes for people, in the units that disks are sold in.
pub fn size(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes, "bytes");
    for larger in ["kB", "MB", "GB", "TB"] {
        if value < 10_000 {
            break;
        }
        (value, unit) = (value / 1000, larger);
    }
    format!("{} {unit}", count(i64::try_from(value).unwrap_or(i64::MAX)))
}

impl Card {
    /// From a BOX.
    pub fn of(value: &Value) -> Self {
        let current = &value["current_version"];
        let mut providers: Vec<String> = list(current, "providers").map(|p| label(&text(p, "name"), &text(p, "architecture"))).collect();
        providers.dedup();
        Self {
            tag: text(value, "tag"),
            owner: text(value, "username"),
            name: text(value, "name"),
            short_description: text(value, "short_description"),
            private: value["private"].as_bool().unwrap_or(false),
            downloads: count(value["downloads"].as_i64().unwrap_or(0)),
            updated: when(value, "updated_at").unwrap_or(When { exact: String::new(), day: String::new() }),
            version: current["version"].as_str().map(str::to_owned),
            providers,
        }
    }
}

impl Version {
    /// From a VERSION.
    pub fn of(value: &Value) -> Self {
        let (version, status) = (text(value, "version"), text(value, "status"));
        Self {
            draft: status == "unreleased",
            active: status == "active",
            revoked: status == "revoked",
            status: if status == "unreleased" { "draft".to_owned() } else { status },
            reason: text(value, "revoked_reason"),
            description: text(value, "description_markdown"),
            description_html: described(value),
            created: when(value, "created_at").unwrap_or(When { exact: String::new(), day: String::new() }),
            released: when(value, "released_at"),
            downloads: count(value["downloads"].as_i64().unwrap_or(0)),
            providers: list(value, "providers").map(Provider::of).collect(),
            version,
        }
    }
}

impl Provider {
    fn of(value: &Value) -> Self {
        let (name, architecture) = (text(value, "name"), text(value, "architecture"));
        let bytes = value["size"].as_u64();
        let digest = value["digest"].as_str().map(|d| d.trim_start_matches("sha256:").to_owned());
        let declared = || value["checksum"].as_str().filter(|_| value["checksum_type"] == "sha256").map(str::to_owned);
        // The path alone: the page was reached by an address that works.
        let download = value["download_url"].as_str().and_then(|url| url::Url::parse(url).ok()).map(|url| url.path().to_owned());
        Self {
            default: value["default_architecture"].as_bool().unwrap_or(false),
            size: bytes.map(size),
            digest: digest.or_else(declared),
            elsewhere: value["hosted"] == false,
            download,
            name,
            architecture,
        }
    }
}

fn label(provider: &str, architecture: &str) -> String {
    match architecture {
        "" | "unknown" => provider.to_owned(),
        architecture => format!("{provider} ({architecture})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_for_people() {
        assert_eq!((count(0), count(999), count(12_345_678)), ("0".to_owned(), "999".to_owned(), "12\u{202f}345\u{202f}678".to_owned()));
        assert_eq!(
            (size(0), size(9_999), size(1_234_567_890)),
            ("0 bytes".to_owned(), "9\u{202f}999 bytes".to_owned(), "1\u{202f}234 MB".to_owned())
        );
    }
}
