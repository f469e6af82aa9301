//! The verbs' signatures, until each has its own file.

use std::path::{Path, PathBuf};

use kiste_core::Stream;
use kiste_core::machine::Ssh;
use kiste_core::network::Port;
use kiste_providers::State;

use crate::{DestroyOptions, Environment, Error, ProvisionOptions, RsyncOptions, UpOptions, UploadOptions};

/// How many machines `destroy` removed and how many the user kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Destroyed {
    /// Removed, or not there at all.
    pub done: usize,
    /// Answered no.
    pub declined: usize,
}

/// One machine's state.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineStatus {
    /// Name.
    pub name: String,
    /// State.
    pub state: State,
    /// Its provider, or the one that would make it.
    pub provider: String,
    /// Id in the index, once it was made.
    pub id: Option<String>,
    /// Box and version it was made from: `debian/12 (12.5.0)`.
    pub image: Option<String>,
}

/// How to reach a machine by ssh.
#[derive(Clone, Debug)]
pub struct SshInfo {
    /// Machine.
    pub machine: String,
    /// Address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Keys, best first.
    pub keys: Vec<PathBuf>,
    /// File with the pinned host key, in the form of known_hosts.
    pub known_host: PathBuf,
    /// Name in [`SshInfo::known_host`]: ssh's `HostKeyAlias`.
    pub host_key_alias: String,
    /// The machine's settings.
    pub settings: Ssh,
}

fn not_yet<T>(what: &str) -> Result<T, Error> {
    Err(Error::Unsupported { problems: vec![(what.to_owned(), "not yet".to_owned())] })
}

/// Brings machines up: makes them when needed, boots, shares folders, provisions.
pub fn up(_env: &Environment, _names: &[String], _o: &UpOptions) -> Result<(), Error> {
    not_yet("up")
}

/// Shuts machines down; with `force` at once.
pub fn halt(_env: &Environment, _names: &[String], _force: bool) -> Result<(), Error> {
    not_yet("halt")
}

/// `halt`, then `up` with the settings as they are now.
pub fn reload(_env: &Environment, _names: &[String], _o: &UpOptions, _force: bool) -> Result<(), Error> {
    not_yet("reload")
}

/// Saves memory to disk.
pub fn suspend(_env: &Environment, _names: &[String]) -> Result<(), Error> {
    not_yet("suspend")
}

/// Goes on where `suspend` left off.
pub fn resume(_env: &Environment, _names: &[String], _o: &ProvisionOptions) -> Result<(), Error> {
    not_yet("resume")
}

/// Removes machines, asking for each unless forced.
pub fn destroy(_env: &Environment, _names: &[String], _o: &DestroyOptions) -> Result<Destroyed, Error> {
    not_yet("destroy")
}

/// Runs provisioners on running machines: all, or those named `with`.
pub fn provision(_env: &Environment, _names: &[String], _with: &[String]) -> Result<(), Error> {
    not_yet("provision")
}

/// States of machines; no lock, no network.
pub fn status(_env: &Environment, _names: &[String]) -> Result<Vec<MachineStatus>, Error> {
    not_yet("status")
}

/// Forwarded ports of a machine, as in force.
pub fn ports(_env: &Environment, _name: Option<&str>) -> Result<Vec<Port>, Error> {
    not_yet("port")
}

/// How to reach a running machine by ssh.
pub fn ssh_info(_env: &Environment, _name: Option<&str>) -> Result<SshInfo, Error> {
    not_yet("ssh")
}

/// The text of `ssh-config` for a machine; `host` replaces its name.
pub fn ssh_config(_info: &SshInfo, _host: Option<&str>) -> String {
    String::new()
}

/// Runs a command in a machine; its exit code.
pub fn run_command(
    _env: &Environment,
    _name: Option<&str>,
    _command: &str,
    _pty: bool,
    _output: &mut dyn FnMut(Stream, &[u8]),
) -> Result<i32, Error> {
    not_yet("ssh")
}

/// Copies a file or folder into a machine; returns where it is now. `to`: default its name in the user's home.
pub fn upload(_env: &Environment, _name: Option<&str>, _from: &Path, _to: Option<&str>, _o: &UploadOptions) -> Result<String, Error> {
    not_yet("upload")
}

/// Copies all rsync folders once.
pub fn rsync(_env: &Environment, _names: &[String], _o: &RsyncOptions) -> Result<(), Error> {
    not_yet("rsync")
}

/// Copies rsync folders whenever they change, until cancelled.
pub fn rsync_auto(_env: &Environment, _names: &[String], _o: &RsyncOptions) -> Result<(), Error> {
    not_yet("rsync-auto")
}

/// Writes what a machine's screen shows to `to` as PNG.
pub fn screenshot(_env: &Environment, _name: Option<&str>, _to: &Path) -> Result<(), Error> {
    not_yet("screenshot")
}

/// Hands over what a machine wrote to its serial line; with `follow` goes on until cancelled or the machine ends.
pub fn logs(_env: &Environment, _name: Option<&str>, _follow: bool, _sink: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
    not_yet("logs")
}
