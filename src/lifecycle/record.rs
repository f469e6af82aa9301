//! What kiste knows about a machine it made: one file in the machine's folder, readable by its owner only.

use kiste_core::dirs::MachineDir;
use kiste_core::{Reporter, state_file};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// How far the making of a machine came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// The provider is being told to make it. Found by a later command, it means: cut off half-way.
    Creating,
    /// The provider has it.
    #[default]
    Created,
}

/// Which box a machine was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Image {
    pub name: String,
    pub version: String,
    pub provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
}

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.version)
    }
}

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub id: String,
    pub phase: Phase,
    #[serde(rename = "box", default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// The machine's own key is in the guest and the well-known ones are out.
    #[serde(default)]
    pub own_key: bool,
    /// The last boot came to its end: reached, named, folders shared.
    #[serde(default)]
    pub ready: bool,
    /// Moment of making, RFC 3339.
    #[serde(default)]
    pub created: String,
}

impl Record {
    /// A record of a machine about to be made.
    pub fn begin(image: Option<Image>) -> Self {
        let id = uuid::Uuid::new_v4().simple().to_string();
        Self { id, phase: Phase::Creating, image, created: jiff::Timestamp::now().to_string(), ..Self::default() }
    }

    /// Of a machine that the provider has though its record was lost. The id file may have survived.
    pub fn adopted(dir: &MachineDir) -> Self {
        let known = std::fs::read_to_string(dir.id()).ok().and_then(|id| uuid::Uuid::parse_str(id.trim()).ok());
        let id = known.unwrap_or_else(uuid::Uuid::new_v4).simple().to_string();
        Self { id, phase: Phase::Created, created: jiff::Timestamp::now().to_string(), ..Self::default() }
    }

    /// The record in `dir`; none when there is none. A damaged one counts as lost, and is told.
    pub fn read(dir: &MachineDir, reporter: &Reporter) -> Option<Self> {
        state_file::read_json(&dir.machine()).unwrap_or_else(|e| {
            reporter.warn(format!("{e}; kiste goes on without it"));
            None
        })
    }

    /// Writes it, the id file first: whoever finds a record finds the id too.
    pub fn write(&self, dir: &MachineDir) -> Result<(), Error> {
        if std::fs::read_to_string(dir.id()).ok().as_deref() != Some(self.id.as_str()) {
            state_file::write(&dir.id(), self.id.as_bytes(), 0o644).map_err(Error::file("write", dir.id()))?;
        }
        let mut text = serde_json::to_vec_pretty(self).map_err(|e| Error::file("write", dir.machine())(e.into()))?;
        text.push(b'\n');
        state_file::write(&dir.machine(), &text, 0o600).map_err(Error::file("write", dir.machine()))
    }
}
