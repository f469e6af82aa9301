//! `screenshot`: what a machine's screen shows now.

use std::path::Path;

use crate::context::Environment;
use crate::error::Error;
use crate::ssh;

/// Writes what a running machine's screen shows to `to` as PNG.
pub fn screenshot(env: &Environment, name: Option<&str>, to: &Path) -> Result<(), Error> {
    let (target, _) = ssh::running(env, name)?;
    let what = || kiste_providers::Error::Lacks { provider: target.driver.name().to_owned(), what: "show a machine's screen".to_owned() };
    Ok(target.driver.screen().ok_or_else(what)?.screenshot(&target.vm(), to)?)
}
