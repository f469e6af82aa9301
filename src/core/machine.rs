//! What a machine should be, whichever file it was written in. Both front ends end here, both engines start here.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::network::{Network, Port, yes};
use crate::provision::{Container, Provisioner};
use crate::quantity::{Size, Span};
use crate::share::{Folder, FolderKind};
use crate::trigger::Trigger;

/// All machines of one project, in the order they were written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// Folder that holds the file; state lives in `.kiste` below it.
    pub root: PathBuf,
    /// The file itself.
    pub file: PathBuf,
    /// At least one machine; names are unique.
    pub machines: Vec<Machine>,
}

/// One machine, resolved: nothing here needs another file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Name: letters, digits, `-`, `_`, `.`; `default` in a project with one unnamed machine.
    pub name: String,
    /// 1-based place among its siblings of one `count`; 1 elsewhere.
    pub index: u32,
    /// What `ssh`, `port` and friends take without a name.
    pub primary: bool,
    /// Whether `up` without names starts it.
    pub autostart: bool,
    /// Provider asked for by the file.
    pub provider: Option<String>,
    /// Its box; none only where a provider needs none.
    #[serde(rename = "box")]
    pub image: Option<BoxRequest>,
    /// Another project whose machine is cloned instead of a box.
    pub clone: Option<PathBuf>,
    /// Virtual processors; none: the provider's default.
    pub cpus: Option<u32>,
    /// Memory; none: the provider's default.
    pub memory: Option<Size>,
    /// Extra disks and changes of the first.
    pub disks: Vec<Disk>,
    /// Host name in the guest.
    pub hostname: Option<String>,
    /// Guest system, when detection must not decide.
    pub guest: Option<String>,
    /// How to talk to it.
    pub communicator: CommunicatorKind,
    /// Longest wait for the communicator.
    pub boot_timeout: Span,
    /// Longest wait for a clean shut-down.
    pub graceful_halt_timeout: Span,
    /// Shown after `up`.
    pub post_up_message: Option<String>,
    /// Forwarded ports, without ssh's own.
    pub ports: Vec<Port>,
    /// First and last port that `auto_correct` may take.
    pub usable_port_range: (u16, u16),
    /// Cards beside the first.
    pub networks: Vec<Network>,
    /// Shared folders.
    pub folders: Vec<Folder>,
    /// Kinds tried for a folder without one, best first; empty: all.
    pub allowed_synced_folder_types: Vec<FolderKind>,
    /// Write mounts into the guest's fstab.
    pub allow_fstab_modification: bool,
    /// Write the host name into the guest's hosts file.
    pub allow_hosts_modification: bool,
    /// Provisioners in order (before and after not yet applied).
    pub provision: Vec<Provisioner>,
    /// Containers inside.
    pub containers: Vec<Container>,
    /// Triggers that can hold for it.
    pub triggers: Vec<Trigger>,
    /// cloud-init parts.
    pub cloud_init: Vec<CloudInit>,
    /// Give them on the first boot only.
    pub cloud_init_first_boot_only: bool,
    /// ssh.
    pub ssh: Ssh,
    /// WinRM.
    pub winrm: Winrm,
    /// MAC of the first card.
    pub base_mac: Option<String>,
    /// Address of the first card.
    pub base_address: Option<IpAddr>,
    /// Provider settings by provider name, parsed by that provider.
    pub settings: BTreeMap<String, serde_json::Value>,
}

impl Machine {
    /// A machine with nothing but a name: every other setting at its documented default.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            index: 1,
            primary: false,
            autostart: true,
            provider: None,
            image: None,
            clone: None,
            cpus: None,
            memory: None,
            disks: Vec::new(),
            hostname: None,
            guest: None,
            communicator: CommunicatorKind::Ssh,
            boot_timeout: Span::secs(300),
            graceful_halt_timeout: Span::secs(60),
            post_up_message: None,
            ports: Vec::new(),
            usable_port_range: (2200, 2250),
            networks: Vec::new(),
            folders: Vec::new(),
            allowed_synced_folder_types: Vec::new(),
            allow_fstab_modification: true,
            allow_hosts_modification: true,
            provision: Vec::new(),
            containers: Vec::new(),
            triggers: Vec::new(),
            cloud_init: Vec::new(),
            cloud_init_first_boot_only: true,
            ssh: Ssh::default(),
            winrm: Winrm::default(),
            base_mac: None,
            base_address: None,
            settings: BTreeMap::new(),
        }
    }
}

/// Which box, and how to get it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BoxRequest {
    /// `org/name`, or any name a box was added under.
    pub name: String,
    /// Constraints, comma separated; empty: any.
    pub version: String,
    /// Addresses instead of the registry: a catalog, or mirrors of one file.
    pub urls: Vec<String>,
    /// `auto` (the host's), an architecture, or none (the catalog's default entry).
    pub architecture: Option<String>,
    /// Say when a newer version exists.
    pub check_update: bool,
    /// Registry to ask instead of the default.
    pub server_url: Option<String>,
    /// How to fetch it.
    pub download: Download,
    /// Leave settings that came inside the box alone.
    pub ignore_box_vagrantfile: bool,
}

impl Default for BoxRequest {
    fn default() -> Self {
        Self {
            name: String::new(),
            version: String::new(),
            urls: Vec::new(),
            architecture: Some("auto".to_owned()),
            check_update: true,
            server_url: None,
            download: Download::default(),
            ignore_box_vagrantfile: false,
        }
    }
}

/// Transport settings of a download.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Download {
    /// PEM file with a CA certificate to trust.
    pub ca_cert: Option<PathBuf>,
    /// Folder of such files.
    pub ca_path: Option<PathBuf>,
    /// PEM file with a client certificate and its key.
    pub client_cert: Option<PathBuf>,
    /// Accept any server certificate.
    pub insecure: bool,
    /// Send credentials again after a redirect to another host.
    pub location_trusted: bool,
    /// Digest of the file, hexadecimal.
    pub checksum: Option<String>,
    /// `md5`, `sha1`, `sha256`, `sha384` or `sha512`.
    pub checksum_type: Option<String>,
}

/// A disk of a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// `disk` (default), `dvd` or `floppy`.
    #[serde(rename = "type", default)]
    pub kind: DiskKind,
    /// Name, unique in the machine.
    pub name: String,
    /// Size; the primary disk can only grow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Stands for the box's own disk.
    #[serde(default)]
    pub primary: bool,
    /// An image of the host, for dvd and floppy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub file: Option<PathBuf>,
}

/// What a [`Disk`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DiskKind {
    /// Hard disk.
    #[default]
    Disk,
    /// Optical disc.
    Dvd,
    /// Floppy disk.
    Floppy,
}

/// How to talk to a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CommunicatorKind {
    /// ssh, the default.
    #[default]
    Ssh,
    /// ssh to a Windows guest.
    Winssh,
    /// WinRM.
    Winrm,
    /// Not at all.
    None,
}

/// One cloud-init part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloudInit {
    /// MIME type such as `text/cloud-config`.
    pub content_type: String,
    /// A file of the project …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub path: Option<PathBuf>,
    /// … or the text itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline: Option<String>,
    /// Name of the part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_disposition_filename: Option<String>,
}

/// Whether a guest's host key is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerifyHostKey {
    /// Pinned at first sight, refused when it changes: kiste's default.
    #[default]
    Pinned,
    /// Never checked, as Vagrant does.
    Never,
    /// Must already be in the user's known hosts.
    Always,
}

/// ssh settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ssh {
    /// Address instead of the provider's.
    pub host: Option<String>,
    /// Port instead of the provider's.
    pub port: Option<u16>,
    /// Port in the guest.
    pub guest_port: u16,
    /// User.
    pub username: String,
    /// Password, tried after keys.
    pub password: Option<String>,
    /// Keys of the user instead of the well-known insecure one.
    pub private_key_path: Vec<PathBuf>,
    /// Replace the well-known insecure key on first up.
    pub insert_key: bool,
    /// Offer only these keys.
    pub keys_only: bool,
    /// `auto`, `ed25519` or `rsa`.
    pub key_type: String,
    /// Host key policy.
    pub verify_host_key: VerifyHostKey,
    /// Compress.
    pub compression: bool,
    /// Forward the user's agent.
    pub forward_agent: bool,
    /// Forward X11.
    pub forward_x11: bool,
    /// Variables of the host's environment to pass.
    pub forward_env: Vec<String>,
    /// Send keepalives.
    pub keep_alive: bool,
    /// Longest wait for one connection.
    pub connect_timeout: Span,
    /// Retries of one connection.
    pub connect_retries: u32,
    /// Pause between two retries.
    pub connect_retry_delay: Span,
    /// Shell that commands run in.
    pub shell: String,
    /// Use a terminal for commands.
    pub pty: bool,
    /// `%c` is the command.
    pub sudo_command: String,
    /// As in ssh_config.
    pub proxy_command: Option<String>,
    /// Program instead of `ssh`.
    pub ssh_command: Option<String>,
    /// ssh_config file for the system's ssh.
    #[schemars(extend("format" = "path"))]
    pub config: Option<PathBuf>,
    /// More arguments for the system's ssh.
    pub extra_args: Vec<String>,
    /// User that a proxy logs in as.
    pub remote_user: Option<String>,
}

impl Default for Ssh {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            guest_port: 22,
            username: "vagrant".to_owned(),
            password: None,
            private_key_path: Vec::new(),
            insert_key: true,
            keys_only: true,
            key_type: "auto".to_owned(),
            verify_host_key: VerifyHostKey::default(),
            compression: true,
            forward_agent: false,
            forward_x11: false,
            forward_env: Vec::new(),
            keep_alive: true,
            connect_timeout: Span::secs(15),
            connect_retries: 5,
            connect_retry_delay: Span::secs(2),
            shell: "bash -l".to_owned(),
            pty: false,
            sudo_command: "sudo -E -H %c".to_owned(),
            proxy_command: None,
            ssh_command: None,
            config: None,
            extra_args: Vec::new(),
            remote_user: None,
        }
    }
}

/// WinRM settings (parsed now, used by a later engine).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Winrm {
    /// User.
    pub username: String,
    /// Password.
    pub password: String,
    /// Address instead of the provider's.
    pub host: Option<String>,
    /// Port instead of the forwarded one.
    pub port: Option<u16>,
    /// Port in the guest; 5986 for transport `ssl`.
    pub guest_port: Option<u16>,
    /// `negotiate`, `ssl` or `plaintext`.
    pub transport: String,
    /// Basic authentication only.
    pub basic_auth_only: bool,
    /// Check the certificate.
    #[serde(default = "yes")]
    pub ssl_peer_verification: bool,
    /// Longest time of one operation.
    pub timeout: Span,
    /// Tries.
    pub max_tries: u32,
    /// Pause between tries.
    pub retry_delay: Span,
    /// ISO 8601 limit of one command.
    pub execution_time_limit: String,
    /// Code page of the shell.
    pub codepage: Option<u32>,
}

impl Default for Winrm {
    fn default() -> Self {
        Self {
            username: "vagrant".to_owned(),
            password: "vagrant".to_owned(),
            host: None,
            port: None,
            guest_port: None,
            transport: "negotiate".to_owned(),
            basic_auth_only: false,
            ssl_peer_verification: true,
            timeout: Span::secs(1800),
            max_tries: 20,
            retry_delay: Span::secs(2),
            execution_time_limit: "PT2H".to_owned(),
            codepage: None,
        }
    }
}
