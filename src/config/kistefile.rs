//! The file as types: everything that may stand at the top level and in `[machines.NAME]`.
//!
//! Doc comments here are the descriptions that `kiste schema` prints.

mod known;
mod placement;
mod provision;
mod schema_parts;
mod shell;
mod trigger;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use kiste_core::machine::{CloudInit, CommunicatorKind, Disk, Ssh, Winrm};
use kiste_core::network::{Network, Port};
use kiste_core::provision::{Container, Provisioner};
use kiste_core::share::{Folder, FolderKind};
use kiste_core::{Size, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use placement::Placement;
use provision::provision_schema;
pub use schema_parts::{ALIASES, ONE_IS_A_LIST, patch_core_types};
use schema_parts::{folders, many_texts, ports};
pub use shell::ShellTable;
pub use trigger::TriggerTable;

/// Settings of a machine. At the top level they hold for every machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct MachineTable {
    /// The box: `org/name`, or any name a box was added under.
    #[serde(rename = "box")]
    pub image: Option<String>,
    /// Versions of the box that will do: constraints such as `~> 12.5` or `>= 1.0, < 2`, comma separated.
    pub box_version: Option<String>,
    /// Where the box comes from instead of the registry: a catalog, or mirrors of one file.
    #[schemars(schema_with = "many_texts")]
    pub box_url: Vec<String>,
    /// Architecture of the box: `auto` is the host's, `default` the catalog's default entry.
    pub box_architecture: Option<String>,
    /// Say when a newer version of the box exists (default true).
    pub box_check_update: Option<bool>,
    /// Registry to ask for the box instead of the default one.
    pub box_server_url: Option<String>,
    /// PEM file with a CA certificate to trust for the box's download.
    #[schemars(extend("format" = "path"))]
    pub box_download_ca_cert: Option<PathBuf>,
    /// Folder of CA certificates to trust for the box's download.
    #[schemars(extend("format" = "path"))]
    pub box_download_ca_path: Option<PathBuf>,
    /// PEM file with a client certificate and its key for the box's download.
    #[schemars(extend("format" = "path"))]
    pub box_download_client_cert: Option<PathBuf>,
    /// Digest of the box file, hexadecimal; needs `box_download_checksum_type`.
    pub box_download_checksum: Option<String>,
    /// Kind of `box_download_checksum`.
    #[schemars(extend("enum" = ["md5", "sha1", "sha256", "sha384", "sha512"]))]
    pub box_download_checksum_type: Option<String>,
    /// Accept any server certificate when the box is downloaded.
    pub box_download_insecure: Option<bool>,
    /// Send credentials again after a redirect to another host.
    pub box_download_location_trusted: Option<bool>,
    /// Leave settings that came inside the box alone.
    pub ignore_box_vagrantfile: Option<bool>,
    /// Folder of another project whose machine is cloned instead of a box.
    #[schemars(extend("format" = "path"))]
    pub clone: Option<PathBuf>,
    /// Provider: `qemu`, `virtualbox` or `esxi`. Else `--provider`, `KISTE_PROVIDER`, the first usable one.
    pub provider: Option<String>,
    /// What commands that take one machine use without a name. One machine at most.
    pub primary: Option<bool>,
    /// Whether `up` without names starts it (default true).
    pub autostart: Option<bool>,
    /// Virtual processors; else the provider's default.
    #[schemars(range(min = 1))]
    pub cpus: Option<u32>,
    /// Memory, such as `1GiB`; else the provider's default.
    pub memory: Option<Size>,
    /// Extra disks, and changes of the first.
    pub disks: Vec<Disk>,
    /// Host name in the guest.
    pub hostname: Option<String>,
    /// Guest system, when detection must not decide: `debian`, `alpine`, `windows` …
    pub guest: Option<String>,
    /// How to talk to the guest (default `ssh`).
    pub communicator: Option<CommunicatorKind>,
    /// Longest wait for the guest to be reachable (default `5m`).
    pub boot_timeout: Option<Span>,
    /// Longest wait for a clean shut-down (default `1m`).
    pub graceful_halt_timeout: Option<Span>,
    /// Text shown after `up`.
    pub post_up_message: Option<String>,
    /// Forwarded ports: `[host_ip:]host:guest[/udp]`, or tables.
    #[schemars(schema_with = "ports")]
    pub ports: Vec<Port>,
    /// First and last port that `auto_correct` may take (default `[2200, 2250]`).
    pub usable_port_range: Option<(u16, u16)>,
    /// Network cards beside the first.
    pub networks: Vec<Network>,
    /// Shared folders: `host:guest[:ro]`, or tables.
    #[schemars(schema_with = "folders")]
    pub folders: Vec<Folder>,
    /// Kinds tried for a folder without a `type`, best first.
    pub allowed_synced_folder_types: Vec<FolderKind>,
    /// Write mounts into the guest's fstab (default true).
    pub allow_fstab_modification: Option<bool>,
    /// Write the host name into the guest's hosts file (default true).
    pub allow_hosts_modification: Option<bool>,
    /// What is done inside the machine, in this order.
    #[serde(with = "provision::list")]
    #[schemars(schema_with = "provision_schema")]
    pub provision: Vec<Provisioner>,
    /// Containers inside the machine.
    pub containers: Vec<Container>,
    /// Work before and after commands.
    pub triggers: Vec<TriggerTable>,
    /// cloud-init parts.
    pub cloud_init: Vec<CloudInit>,
    /// Give cloud-init its parts on the first boot only (default true).
    pub cloud_init_first_boot_only: Option<bool>,
    /// ssh.
    pub ssh: Ssh,
    /// WinRM.
    pub winrm: Winrm,
    /// Hardware address of the first network card.
    #[schemars(extend("format" = "mac"))]
    pub base_mac: Option<String>,
    /// Address of the first network card.
    pub base_address: Option<IpAddr>,
    /// Values for `{{params.NAME}}`; `--set params.NAME=VALUE` overrides them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, serde_json::Value>,
    /// Provider settings, by provider.
    #[serde(flatten)]
    #[schemars(skip)]
    pub settings: BTreeMap<String, serde_json::Value>,
}

/// Lists that a machine's table appends to the top level's, and the key by which an entry replaces an earlier one.
pub const APPENDED: &[(&str, Identity)] = &[
    ("ports", Identity::Port),
    ("folders", Identity::Folder),
    ("networks", Identity::Key("id")),
    ("disks", Identity::Key("name")),
    ("provision", Identity::Key("name")),
    ("containers", Identity::Key("name")),
    ("triggers", Identity::Key("name")),
    ("cloud_init", Identity::None),
];

/// What makes two entries of a list the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Nothing: entries are only appended.
    None,
    /// The text under this key.
    Key(&'static str),
    /// `id`, else host address, protocol and host port.
    Port,
    /// `id`, else the path in the guest.
    Folder,
}
