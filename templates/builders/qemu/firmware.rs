//! UEFI's variables and the TPM, both the machine's own.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kiste_core::Cancel;
use kiste_core::host::{self, Program};
use kiste_core::step::Step;

use super::Shared;
use crate::error::Error;
use crate::steps::Context;

/// Emulates a TPM.
const SWTPM: &str = "swtpm";
/// Longest wait for its socket.
const OPENING: Duration = Duration::from_secs(10);
/// Longest path of a socket that every Unix takes.
const LONGEST: usize = 103;

/// The step.
pub struct Firmware {
    shared: Shared,
    tpm: Option<Tpm>,
}

/// A running TPM; it ends with this, or with QEMU.
struct Tpm {
    cancel: Cancel,
    thread: Option<JoinHandle<()>>,
    /// Where its socket is, when the machine's folder has too long a name.
    _short: Option<tempfile::TempDir>,
}

impl Drop for Tpm {
    fn drop(&mut self) {
        self.cancel.cancel();
        if let Some(thread) = self.thread.take() {
            // How it ended is of no interest any more.
            let _ = thread.join();
        }
    }
}

impl Firmware {
    /// Of a build.
    pub fn new(shared: Shared) -> Self {
        Self { shared, tpm: None }
    }

    fn variables(&self) -> Result<(), Error> {
        let (settings, firmware) = (&self.shared.settings, &self.shared.settings.firmware);
        for file in [&firmware.code, &firmware.vars] {
            if !file.is_file() {
                let what = format!("there is no UEFI firmware `{}`", file.display());
                let hint = "Install `ovmf`, or name its files by `efi_firmware_code` and `efi_firmware_vars`.".to_owned();
                return Err(Error::HostLacks { what, hint });
            }
        }
        let own = settings.efi_vars();
        let bytes = std::fs::read(&firmware.vars).map_err(Error::file(&firmware.vars))?;
        std::fs::write(&own, bytes).map_err(Error::file(own))
    }

    fn start_tpm(&mut self, context: &Context<'_>) -> Result<(), Error> {
        if host::find(SWTPM).is_none() {
            let hint = "Install `swtpm`, which plays the TPM for the guest.".to_owned();
            return Err(Error::HostLacks { what: format!("`{SWTPM}` is not installed (not found on PATH)"), hint });
        }
        let state = context.machine_dir.driver_file("tpm");
        std::fs::create_dir_all(&state).map_err(Error::file(&state))?;
        let state = std::path::absolute(&state).map_err(Error::file(&state))?;
        let (socket, short) = socket(&state)?;
        let mut program = Program::new(SWTPM).args(["socket", "--terminate", "--tpmstate"]).arg(format!("dir={}", state.display()));
        program = program.arg("--ctrl").arg(format!("type=unixio,path={}", socket.display()));
        if !self.shared.settings.firmware.tpm1 {
            program = program.arg("--tpm2");
        }
        let cancel = Cancel::new();
        let thread = std::thread::spawn({
            let cancel = cancel.clone();
            move || {
                let ended = program.stream(&cancel, |_, line| tracing::info!(line, "swtpm"));
                tracing::debug!(?ended, "swtpm");
            }
        });
        self.tpm = Some(Tpm { cancel, thread: Some(thread), _short: short });
        let began = Instant::now();
        while !socket.exists() {
            let gone = self.tpm.as_ref().and_then(|t| t.thread.as_ref()).is_none_or(JoinHandle::is_finished);
            if gone || began.elapsed() > OPENING {
                let hint = "KISTE_LOG=info shows what it says.".to_owned();
                return Err(Error::HostLacks { what: format!("`{SWTPM}` did not start"), hint });
            }
            context.run.cancel.sleep(Duration::from_millis(10))?;
        }
        self.shared.live().tpm = Some(socket);
        Ok(())
    }
}

fn socket(state: &std::path::Path) -> Result<(PathBuf, Option<tempfile::TempDir>), Error> {
    let near = state.join("sock");
    if near.as_os_str().len() <= LONGEST {
        return Ok((near, None));
    }
    let short = tempfile::Builder::new().prefix("kiste-tpm-").tempdir().map_err(Error::file(std::env::temp_dir()))?;
    Ok((short.path().join("sock"), Some(short)))
}

impl<'a> Step<Context<'a>> for Firmware {
    type Error = Error;

    fn name(&self) -> &'static str {
        "firmware"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        if self.shared.settings.firmware.efi {
            self.variables()?;
        }
        if self.shared.settings.firmware.tpm { self.start_tpm(context) } else { Ok(()) }
    }

    fn release(&mut self, _: &mut Context<'a>) {
        self.tpm = None;
    }
}
