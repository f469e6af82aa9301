//! `null`: builds nothing. It runs provisioners on a machine that exists already, or on the host alone.

use std::path::Path;
use std::sync::Arc;

use kiste_comm::Communicator;
use kiste_comm::wait::Sight;
use kiste_core::step::{self, BoxedStep, Step};

use crate::artifact::{Artifact, Belongings};
use crate::builder::{Builder, BuilderContext, BuilderRun, Fields};
use crate::communicator::{self, Communication, Defaults, SshLogin};
use crate::error::Error;
use crate::options::Options;
use crate::steps::provision::{Guest, Provision};

use super::pretender::Pretender;

/// Its options, checked.
struct Null {
    communication: Communication,
}

/// The builder, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>, _: &BuilderContext<'_>) -> Option<Box<dyn Builder>> {
    let at = options.place("communicator");
    let communication = communicator::prepare(options, Defaults::default());
    if let Communication::Ssh(login) = &communication {
        if login.host.is_none() {
            options.problem(at, "a Host must be specified, please reference your communicator documentation");
        }
        let ways = [login.target.password.is_some(), login.agent_auth, login.private_key.is_some()];
        match ways.into_iter().filter(|given| *given).count() {
            0 => options.problem(at, "one authentication method must be specified, please reference your communicator documentation"),
            1 => {}
            _ => options.problem(at, "only one of ssh_agent_auth, ssh_password, and ssh_private_key_file must be specified"),
        }
    }
    Some(Box::new(Null { communication }))
}

impl Builder for Null {
    fn has_guest(&self) -> bool {
        self.communication.has_guest()
    }

    fn build(&self, run: &BuilderRun<'_>) -> Result<Artifact, Error> {
        let fields = Fields::from([("ID".to_owned(), "Null".to_owned())]);
        let mut context = Context { run, comm: None, fields };
        let mut steps: Vec<BoxedStep<Context<'_>, Error>> =
            vec![Box::new(Connect { communication: self.communication.clone() }), Box::new(Provision)];
        step::run(&mut steps, &mut context, run.reporter, run.cancel, run.on_error)?;
        Ok(Artifact {
            builder_id: "fnoeding.null".to_owned(),
            id: "Null".to_owned(),
            description: "Did not export anything. This is the null builder".to_owned(),
            belongings: Belongings::Nothing,
            fields: context.fields,
            ..Artifact::default()
        })
    }
}

/// What its steps hand to each other.
struct Context<'a> {
    run: &'a BuilderRun<'a>,
    comm: Option<Arc<dyn Communicator>>,
    fields: Fields,
}

impl<'a> Guest<'a> for Context<'a> {
    fn run(&self) -> &'a BuilderRun<'a> {
        self.run
    }

    fn comm(&self) -> Option<Arc<dyn Communicator>> {
        self.comm.clone()
    }

    fn fields(&self) -> &Fields {
        &self.fields
    }
}

/// Connects to the machine that is there.
struct Connect {
    communication: Communication,
}

impl<'a> Step<Context<'a>> for Connect {
    type Error = Error;

    fn name(&self) -> &'static str {
        "connect"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        context.comm = Some(match &self.communication {
            Communication::Ssh(login) => by_ssh(login, context)?,
            // Only what needs no guest is provisioned.
            Communication::None | Communication::Own => Arc::new(Pretender),
        });
        Ok(())
    }
}

fn by_ssh(login: &SshLogin, context: &mut Context<'_>) -> Result<Arc<dyn Communicator>, Error> {
    let host = login.host.clone().unwrap_or_default();
    // None is made: there is a way to log in.
    let key = login.key(Path::new(""), context.run)?;
    let comm = login.connect(&host, login.port, &[], context.run, &mut || Ok(Sight::default()))?;
    context.fields.extend(login.fields(&host, login.port, &key));
    Ok(comm)
}

#[cfg(test)]
mod tests;
