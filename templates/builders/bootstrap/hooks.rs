//! The scripts that mmdebstrap runs beside a new root file system: our own text, below the build's values as variables.

use std::sync::Arc;

use kiste_comm::quote;
use kiste_comm::ssh::keys::KeyPair;
use kiste_core::step::Step;

use super::{Bootstrap, write_private};
use crate::error::Error;
use crate::steps::Context;

/// The step: writes them, and the key that the build logs in with.
pub struct Hooks {
    /// The build.
    pub bootstrap: Arc<Bootstrap>,
    /// Its key.
    pub key: KeyPair,
    /// Of the root file system.
    pub uuid: String,
}

/// Stages at which mmdebstrap stops for us, and what runs then.
pub const STAGES: [(&str, &str); 2] = [
    ("essential", include_str!("../../library/bootstrap/essential.sh")),
    ("customize", include_str!("../../library/bootstrap/customize.sh")),
];

impl<'a> Step<Context<'a>> for Hooks {
    type Error = Error;

    fn name(&self) -> &'static str {
        "prepare scripts"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        write_private(&context.machine_dir.private_key(), &self.key.private)?;
        context.run.save_key(&self.key.private)?;
        let values = self.bootstrap.values(context, &self.key.public, &self.uuid);
        for (stage, script) in STAGES {
            write_private(&context.dir.hook(stage), &format!("{values}{script}"))?;
        }
        Ok(())
    }
}

impl Bootstrap {
    fn values(&self, context: &Context<'_>, public_key: &str, uuid: &str) -> String {
        let sources = self.guest_sources.iter().map(|l| format!("{l}\n")).collect::<String>();
        let values = [
            ("hostname", self.hostname.as_str()),
            ("sources", &sources),
            ("root_uuid", uuid),
            ("kernel_cmdline", &self.cmdline()),
            ("user", &self.user),
            ("password", self.password.as_deref().unwrap_or_default()),
            ("public_key", public_key),
            ("out", &context.dir.root().display().to_string()),
        ];
        values.iter().map(|(name, value)| format!("{name}={}\n", quote::word(value))).collect()
    }
}
