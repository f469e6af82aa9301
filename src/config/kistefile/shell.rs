//! The `shell` provisioner as it is written: digests by their own names, `inline` as text or as lines.

use std::collections::BTreeMap;

use kiste_core::provision::{Shell, ShellArgs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema_parts::many_texts;

/// Names of digests, weakest first.
pub const DIGESTS: [&str; 5] = ["md5", "sha1", "sha256", "sha384", "sha512"];

/// A script for the guest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct ShellTable {
    /// The script's text, or its lines. Write `\{{` for a literal `{{`.
    #[schemars(schema_with = "many_texts")]
    pub inline: Vec<String>,
    /// A file of the project, or an http, https or ftp address.
    #[schemars(extend("format" = "script"))]
    pub path: Option<String>,
    /// Arguments: a line for the guest's shell to split, or a list.
    pub args: ShellArgs,
    /// Environment of the script.
    pub env: BTreeMap<String, String>,
    /// Run as root (default true).
    pub privileged: Option<bool>,
    /// Where the script is put in the guest.
    pub upload_path: Option<String>,
    /// Leave line ends alone.
    pub binary: bool,
    /// Leave the script's own colours alone.
    pub keep_color: bool,
    /// Digest of a script from an address.
    pub md5: Option<String>,
    /// Digest of a script from an address.
    pub sha1: Option<String>,
    /// Digest of a script from an address.
    pub sha256: Option<String>,
    /// Digest of a script from an address.
    pub sha384: Option<String>,
    /// Digest of a script from an address.
    pub sha512: Option<String>,
    /// Reboot the guest afterwards.
    pub reboot: bool,
    /// Open a new connection afterwards.
    pub reset: bool,
    /// Keep values of `env` out of all output.
    pub sensitive: bool,
    /// Windows: arguments of PowerShell.
    pub powershell_args: Option<String>,
    /// Windows: elevated interactive session.
    pub powershell_elevated_interactive: bool,
}

impl From<ShellTable> for Shell {
    fn from(t: ShellTable) -> Self {
        let digests = [t.md5, t.sha1, t.sha256, t.sha384, t.sha512];
        let named = DIGESTS.into_iter().zip(digests).filter_map(|(name, digest)| Some((name.to_owned(), digest?)));
        Self {
            inline: (!t.inline.is_empty()).then(|| t.inline.join("\n")),
            path: t.path,
            args: t.args,
            env: t.env,
            privileged: t.privileged,
            upload_path: t.upload_path,
            binary: t.binary,
            keep_color: t.keep_color,
            checksums: named.collect(),
            reboot: t.reboot,
            reset: t.reset,
            sensitive: t.sensitive,
            powershell_args: t.powershell_args,
            powershell_elevated_interactive: t.powershell_elevated_interactive,
        }
    }
}

impl From<&Shell> for ShellTable {
    fn from(s: &Shell) -> Self {
        let digest = |name: &str| s.checksums.get(name).cloned();
        Self {
            inline: s.inline.iter().cloned().collect(),
            path: s.path.clone(),
            args: s.args.clone(),
            env: s.env.clone(),
            privileged: s.privileged,
            upload_path: s.upload_path.clone(),
            binary: s.binary,
            keep_color: s.keep_color,
            md5: digest("md5"),
            sha1: digest("sha1"),
            sha256: digest("sha256"),
            sha384: digest("sha384"),
            sha512: digest("sha512"),
            reboot: s.reboot,
            reset: s.reset,
            sensitive: s.sensitive,
            powershell_args: s.powershell_args.clone(),
            powershell_elevated_interactive: s.powershell_elevated_interactive,
        }
    }
}
