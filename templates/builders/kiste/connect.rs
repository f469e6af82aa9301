//! Waits until the guest can be talked to, and logs in as users of boxes do: by the well-known keys, unless the template says otherwise.

use std::sync::Arc;

use kiste_comm::ssh::keys;
use kiste_core::step::Step;

use super::FromBox;
use crate::communicator::LoginKey;
use crate::error::Error;
use crate::steps::{Context, connect};

/// The step.
pub struct Connect {
    pub from: Arc<FromBox>,
}

impl<'a> Step<Context<'a>> for Connect {
    type Error = Error;

    fn name(&self) -> &'static str {
        "connect"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let login = &self.from.login;
        let address = context.driver.address(&context.vm())?.ok_or(Error::GuestEnded { during: "it started" })?;
        let key = if login.target.offer_insecure { well_known() } else { login.key(context.machine_dir.root(), context.run)? };
        let files: Vec<_> = key.file.iter().cloned().collect();
        let mut alive = || connect::alive(context);
        let comm = login.connect(&address.host, address.port, &files, context.run, &mut alive)?;
        context.fields.extend(login.fields(&address.host, address.port, &key));
        context.fields.insert("ID".to_owned(), context.machine.name.clone());
        context.comm = Some(comm);
        Ok(())
    }
}

/// The key that every box knows: of the two, the one that old boxes know too.
fn well_known() -> LoginKey {
    let (private, public) = (keys::insecure_private_keys(), keys::insecure_public_keys());
    LoginKey {
        file: None,
        private: private.last().copied().unwrap_or_default().to_owned(),
        public: public.last().copied().unwrap_or_default().trim().to_owned(),
        temporary: false,
    }
}
