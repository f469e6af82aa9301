//! Commands for Windows guests that run as a scheduled task of another user, with all of that user's rights.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::Error;
use crate::options::Options;
use crate::provisioner::ProvisionerRun;

const RUNNER: &str = include_str!("../library/elevated.ps1");

/// Who commands run as.
pub struct Elevated {
    user: String,
    password: String,
}

impl Elevated {
    /// Reads `elevated_user` and `elevated_password`.
    pub fn of(options: &mut Options<'_>) -> Option<Self> {
        let at = options.place("elevated_password");
        let password = options.text("elevated_password");
        let user = options.text("elevated_user");
        if user.is_none() && password.is_some() {
            options.problem(at, "Must supply an 'elevated_user' if 'elevated_password' provided");
        }
        Some(Self { user: user?, password: password.unwrap_or_default() })
    }

    /// Brings in what runs `command`; gives the command line that starts it. It removes itself.
    pub fn wrap(&self, command: &str, run: &ProvisionerRun<'_>) -> Result<String, Error> {
        let id = uuid::Uuid::now_v7();
        let password = run.live().render("elevated_password", &self.password)?;
        // Nothing of these can be taken for PowerShell.
        let text = RUNNER
            .replace("@NAME@", &format!("packer-{id}"))
            .replace("@USER@", &STANDARD.encode(&self.user))
            .replace("@PASSWORD@", &STANDARD.encode(password))
            .replace("@COMMAND@", &STANDARD.encode(command));
        let path = format!("C:/Windows/Temp/packer-elevated-shell-{id}.ps1");
        run.comm.upload_bytes(text.as_bytes(), &path, 0o600, run.cancel)?;
        Ok(format!("powershell -executionpolicy bypass -file \"{path}\""))
    }
}

/// A command line that runs PowerShell text, whatever is in it.
pub fn encoded(text: &str) -> String {
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    format!("powershell.exe -EncodedCommand {}", STANDARD.encode(bytes))
}
