//! Every name in the store of objects, in one place.

use std::fmt;

/// Begins the names of contents.
pub const CONTENTS: &str = "objects/";
/// Begins the names of what is on its way.
pub const SENT: &str = "uploads/";

/// A name in the store. Each holds the upload's id, so no two uploads ever write to the same.
#[derive(Clone, Copy, Debug)]
pub enum Key<'a> {
    /// A whole content, in a folder: by its digest.
    Content {
        /// SHA-256 in hex.
        digest: &'a str,
        /// The upload it came by.
        upload: &'a str,
    },
    /// A whole content, in a bucket: there it has its name before its digest is known.
    Sent(&'a str),
    /// What has arrived of an upload: the file in a folder; in a bucket what does not fill a part yet.
    Upload(&'a str),
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content { digest, upload } => {
                let (first, rest) = digest.split_at_checked(2).unwrap_or(("", digest));
                write!(f, "{CONTENTS}{first}/{rest}.{upload}")
            }
            Self::Sent(upload) => write!(f, "{CONTENTS}{upload}"),
            Self::Upload(upload) => write!(f, "{SENT}{upload}"),
        }
    }
}

/// The upload that a name in the store came by.
pub fn upload(key: &str) -> Option<&str> {
    let last = key.rsplit('/').next()?;
    let id = last.rsplit('.').next()?;
    (!id.is_empty()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_upload() {
        for key in [Key::Content { digest: "abcd", upload: "id-1" }, Key::Sent("id-1"), Key::Upload("id-1")] {
            assert_eq!(upload(&key.to_string()), Some("id-1"));
        }
        assert_eq!(Key::Content { digest: "abcd", upload: "id-1" }.to_string(), "objects/ab/cd.id-1");
    }
}
