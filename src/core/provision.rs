//! What is done inside a machine once it can be reached.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::network::yes;

/// When a provisioner runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Run {
    /// On the first up, and when asked.
    #[default]
    Once,
    /// On every up and reload.
    Always,
    /// Only when named by `--provision-with`.
    Never,
}

/// One provisioner of a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Provisioner {
    /// Name; a later one with the same name replaces an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Type and its settings.
    #[serde(flatten)]
    pub kind: ProvisionerKind,
    /// When.
    #[serde(default)]
    pub run: Run,
    /// Runs right before the named one; `:each` and `:all` as in Vagrant (written `each`, `all`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Runs right after the named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// When it replaces an earlier one, keep that one's place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preserve_order: bool,
    /// Needs the communicator.
    #[serde(default = "yes")]
    pub communicator_required: bool,
}

impl Provisioner {
    /// The word its output and `--provision-with` use: its name, else its type.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(self.kind.type_name())
    }
}

/// Type of a provisioner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ProvisionerKind {
    /// A script.
    Shell(Shell),
    /// Files and folders.
    File(FileCopy),
    /// A type that this version knows by name and settings only; the engine refuses it before anything starts.
    #[serde(untagged)]
    Other(OtherProvisioner),
}

impl ProvisionerKind {
    /// `shell`, `file`, …
    pub fn type_name(&self) -> &str {
        match self {
            Self::Shell(_) => "shell",
            Self::File(_) => "file",
            Self::Other(o) => &o.kind,
        }
    }
}

/// A known type without an implementation yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OtherProvisioner {
    /// Its type: `ansible`, `docker`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Its settings as written.
    #[serde(flatten)]
    pub settings: BTreeMap<String, serde_json::Value>,
}

/// Settings of `shell`. Exactly one of `inline` and `path`, unless there is only `reboot` or `reset`.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Shell {
    /// The script's text (several lines are joined by newlines).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inline: Option<String>,
    /// A file of the project, or an http, https or ftp address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Arguments.
    #[serde(skip_serializing_if = "ShellArgs::is_empty")]
    pub args: ShellArgs,
    /// Environment of the script.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Run as root (default true; see [`Shell::privileged`]).
    pub privileged: Option<bool>,
    /// Where the script is put; default `/tmp/kiste-shell-<id>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_path: Option<String>,
    /// Leave line ends alone.
    pub binary: bool,
    /// Leave the script's own colours alone.
    pub keep_color: bool,
    /// Digests of a script from an address, by algorithm: `md5`, `sha1`, `sha256`, `sha384`, `sha512`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub checksums: BTreeMap<String, String>,
    /// Reboot the guest afterwards.
    pub reboot: bool,
    /// Open a new connection afterwards.
    pub reset: bool,
    /// Keep values of `env` out of all output.
    pub sensitive: bool,
    /// Windows: arguments of PowerShell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub powershell_args: Option<String>,
    /// Windows: elevated interactive session.
    pub powershell_elevated_interactive: bool,
}

impl Shell {
    /// Whether it runs as root: true unless switched off.
    pub fn privileged(&self) -> bool {
        self.privileged.unwrap_or(true)
    }
}

/// Arguments of a script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ShellArgs {
    /// A string, split by the guest's shell as the user wrote it.
    Line(String),
    /// A list, each element one argument.
    List(Vec<String>),
}

impl Default for ShellArgs {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl ShellArgs {
    /// No arguments.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Line(l) => l.is_empty(),
            Self::List(l) => l.is_empty(),
        }
    }
}

/// Settings of `file`.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct FileCopy {
    /// File or folder on the host; absolute once the project is read.
    #[schemars(extend("format" = "path"))]
    pub source: PathBuf,
    /// Path in the guest; `~` is the ssh user's home. A trailing `/` means: below it.
    pub destination: String,
}

/// A container inside a machine (see `kistefile.md`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// Name.
    pub name: String,
    /// Exactly one source: an image to pull,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// … a folder of the project with a Dockerfile,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub build: Option<PathBuf>,
    /// … or an archive to load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub load: Option<PathBuf>,
    /// `[host_ip:]host:container[/udp]`, through the guest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<String>,
    /// `volume-or-path:path[:ro]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
    /// Environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Networks inside the guest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// Command instead of the image's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// `always` (default), `no`, `on-failure`, `unless-stopped`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<String>,
    /// How to tell that it works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
}

/// A container's health check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Healthcheck {
    /// Shell command inside the container.
    pub cmd: String,
    /// Time between two checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<crate::Span>,
    /// Longest time of one check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<crate::Span>,
    /// Failures in a row that make it unhealthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
}
