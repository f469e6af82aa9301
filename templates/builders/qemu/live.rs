//! What the steps of one build find out and hand on.

use std::path::PathBuf;
use std::sync::Arc;

use crate::builder::Fields;
use crate::communicator::LoginKey;
use crate::interpolate::{Scope, render_known};

use super::settings::Settings;
use crate::error::Error;
use crate::steps::http::Server;

/// Address of the host in QEMU's user network.
pub const HOST_IP: &str = "10.0.2.2";

/// Everything found out so far.
#[derive(Default)]
pub struct Live {
    /// The disc, or the disk image, that the build starts from.
    pub iso: PathBuf,
    pub floppy: Option<PathBuf>,
    pub cd: Option<PathBuf>,
    /// The output folder was made by this build.
    pub made_output: bool,
    /// Serves files to the guest.
    pub server: Option<Arc<Server>>,
    /// Port of the HTTP server; 0: none runs.
    pub http_port: u16,
    /// Port of the host that leads to the guest's communicator.
    pub host_port: u16,
    pub vnc_port: u16,
    pub vnc_password: Option<String>,
    /// Socket of the TPM.
    pub tpm: Option<PathBuf>,
    /// In the words of QEMU's command line; none where the template wants none.
    pub accelerator: Option<String>,
    /// Of an emulated machine whose template does not say how many.
    pub processors: u32,
    /// A window can't be opened here.
    pub no_display: bool,
    pub key: LoginKey,
}

impl Live {
    /// What `{{ }}` may use in `qemuargs` and `boot_command`.
    pub fn fields(&self, settings: &Settings) -> Fields {
        let folder = settings.http.directory().map(|d| d.display().to_string()).unwrap_or_default();
        [
            ("HTTPIP", HOST_IP.to_owned()),
            ("HTTPPort", self.http_port.to_string()),
            ("HTTPDir", folder),
            ("OutputDir", settings.output_directory.display().to_string()),
            ("Name", settings.vm_name.clone()),
            ("SSHHostPort", self.host_port.to_string()),
            ("SSHPublicKey", self.key.public.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// What `{{ build }}` knows before there is a connection.
    pub fn build_fields(&self, run_uuid: &str) -> Fields {
        [
            ("ID", "VM".to_owned()),
            ("PackerRunUUID", run_uuid.to_owned()),
            ("PackerHTTPIP", HOST_IP.to_owned()),
            ("PackerHTTPPort", self.http_port.to_string()),
            ("PackerHTTPAddr", format!("{HOST_IP}:{}", self.http_port)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// Renders one text of `qemuargs`.
pub fn rendered(settings: &Settings, fields: &Fields, text: &str) -> Result<String, Error> {
    let scope = Scope { variables: &settings.variables, facts: &settings.facts, fields: Some(fields), in_variables: false };
    render_known(text, &scope).map_err(|reason| Error::Render { option: "qemuargs".to_owned(), reason })
}
