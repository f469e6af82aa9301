//! `port`: forwarded ports as in force.

use kiste_core::network::Port;
use kiste_providers::State;

use crate::context::Environment;
use crate::error::Error;
use crate::{choose, select};

/// Forwarded ports of a machine: in force where it runs, else as they will be. An error where its provider forwards none.
pub fn ports(env: &Environment, name: Option<&str>) -> Result<Vec<Port>, Error> {
    let target = choose::known(env, select::one(env, name)?)?;
    if target.driver.state(&target.vm())? == State::NotCreated {
        return Err(Error::NotCreated { machine: target.name().to_owned() });
    }
    let what = || kiste_providers::Error::Lacks { provider: target.driver.name().to_owned(), what: "forward ports".to_owned() };
    Ok(target.driver.forwarding().ok_or_else(what)?.forwards(&target.vm())?)
}
