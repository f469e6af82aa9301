//! Folders of the host that a machine sees.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::network::yes;

/// How a folder travels. `None` in a [`Folder`] means: the best that host, provider and guest can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FolderKind {
    /// Copied by rsync over ssh at up, reload, `rsync` and `rsync-auto`.
    Rsync,
    /// Live, by virtiofsd.
    Virtiofs,
    /// Live, by 9p over virtio.
    #[serde(rename = "9p")]
    Ninep,
    /// Copied over the communicator; works everywhere.
    Sftp,
    /// Live, by NFS.
    Nfs,
    /// Live, by SMB.
    Smb,
    /// Live, VirtualBox's own.
    Vboxsf,
}

impl std::fmt::Display for FolderKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rsync => "rsync",
            Self::Virtiofs => "virtiofs",
            Self::Ninep => "9p",
            Self::Sftp => "sftp",
            Self::Nfs => "nfs",
            Self::Smb => "smb",
            Self::Vboxsf => "vboxsf",
        })
    }
}

/// One folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Folder on the host; absolute once the project is read.
    #[schemars(extend("format" = "path"))]
    pub host: PathBuf,
    /// Absolute path in the guest.
    pub guest: String,
    /// How it travels; none: the best available.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FolderKind>,
    /// The guest must not write; enforced on the host's side.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// Make the host's folder when it is missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create: bool,
    /// Switches an inherited folder off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// Name: a later entry with the same id (else the same guest path) replaces an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Owner in the guest; the ssh user by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group in the guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Extra options of `mount`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mount_options: Vec<String>,
    /// rsync: patterns left out (`.kiste/` and `.vagrant/` always are).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// rsync: arguments instead of `--verbose --archive --delete -z --copy-links`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<String>>,
    /// rsync: followed by `rsync-auto`.
    #[serde(default = "yes")]
    pub auto: bool,
    /// rsync: set owner and group afterwards.
    #[serde(default = "yes")]
    pub chown: bool,
    /// rsync: the command on the guest's side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rsync_path: Option<String>,
}
