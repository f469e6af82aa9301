//! Makes the build's machine and starts it, with a port of the host that leads to its ssh.

use std::net::TcpListener;

use kiste_core::network::{Port, Protocol, loopback};
use kiste_core::step::Step;

use super::Context;
use crate::error::Error;

/// Somebody else may take the port between our choice and the machine's start.
const TRIES: usize = 3;

/// The step.
pub struct Boot;

impl<'a> Step<Context<'a>> for Boot {
    type Error = Error;

    fn name(&self) -> &'static str {
        "boot"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        context.run.reporter.say("Starting a machine from the new disk");
        context.driver.create(&context.vm(), &context.source)?;
        if let Some(kernel) = &context.kernel {
            let direct = context.driver.direct_kernel().ok_or_else(|| lacks(context, "boot a kernel of the host"))?;
            direct.set_kernel(&context.vm(), Some(kernel))?;
        }
        for _ in 1..TRIES {
            match start(context) {
                Err(Error::Provider(kiste_providers::Error::Start { .. })) => {}
                other => return other,
            }
        }
        start(context)
    }

    fn undo(&mut self, context: &mut Context<'a>) {
        delete(context);
    }

    fn release(&mut self, context: &mut Context<'a>) {
        if context.artifact.is_some() {
            delete(context);
        }
    }
}

fn start(context: &Context<'_>) -> Result<(), Error> {
    let forwarding = context.driver.forwarding().ok_or_else(|| lacks(context, "forward ports"))?;
    forwarding.set_forwards(&context.vm(), &[ssh_port()?])?;
    Ok(context.driver.start(&context.vm())?)
}

fn lacks(context: &Context<'_>, what: &str) -> Error {
    kiste_providers::Error::Lacks { provider: context.driver.name().to_owned(), what: what.to_owned() }.into()
}

fn ssh_port() -> Result<Port, Error> {
    let free = TcpListener::bind((loopback(), 0)).and_then(|l| l.local_addr()).map_err(Error::file("127.0.0.1:0"))?;
    Ok(Port {
        guest: 22,
        host: free.port(),
        host_ip: loopback(),
        protocol: Protocol::Tcp,
        auto_correct: false,
        id: Some("ssh".to_owned()),
        disabled: false,
    })
}

fn delete(context: &Context<'_>) {
    if let Err(error) = context.driver.delete(&context.vm_uninterrupted()) {
        context.run.reporter.warn(format!("the build's machine could not be removed: {error}"));
    }
}
