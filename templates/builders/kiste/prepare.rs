//! Reads and checks the options of `kiste`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{BaseBox, FromBox, Shared, ShutDown};
use crate::builder::{Builder, BuilderContext};
use crate::builders::machine::{file_name, machine};
use crate::communicator::{self, Communication, Defaults, SshLogin};
use crate::options::Options;

/// The user of boxes.
const USER: &str = "vagrant";
/// … and its password, where the well-known keys do not let us in.
const PASSWORD: &str = "vagrant";
/// Longest wait for the guest, unless the template says otherwise: a busy host that emulates boots slowly.
const BOOT_TIME: Duration = Duration::from_secs(600);
/// The port that leads into the guest.
const SSH_PORT: u16 = 22;

/// The builder, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>, context: &BuilderContext<'_>) -> Option<Box<dyn Builder>> {
    let login = login(options);
    let base = base(options);
    let machine = machine(options, context.name);
    let disk_size = options.size("disk_size");
    let output_directory = PathBuf::from(options.text("output_directory").unwrap_or_else(|| format!("output-{}", context.name)));
    let vm_name = file_name(options, context.name);
    let image = output_directory.join(format!("{vm_name}.qcow2"));
    if image.exists() && !context.force {
        options.problem(None, format!("Output `{}` already exists. It must not exist (`-force` replaces it).", image.display()));
    }
    let shut_down = shut_down(options);
    let shutdown_timeout = options.duration("shutdown_timeout").unwrap_or(Duration::from_secs(300));
    let from = FromBox { base: base?, machine, disk_size, login: login?, shut_down, shutdown_timeout, output_directory, vm_name };
    Some(Box::new(Shared(Arc::new(from))))
}

fn base(options: &mut Options<'_>) -> Option<BaseBox> {
    let at = options.place("box");
    let name = options.text("box");
    let base = BaseBox {
        name: name.clone().unwrap_or_default(),
        version: version(options),
        urls: options.list("box_url").unwrap_or_default(),
        architecture: options.text("box_architecture"),
        checksum: checksum(options),
        server_url: options.text("box_server_url"),
        insecure: options.boolean("box_download_insecure").unwrap_or(false),
    };
    let Some(name) = name else {
        options.problem(at, "`box` is needed: the name of a box (`debian/12`), or where one is (`./a.box`, `https://…`)");
        return None;
    };
    if super::fetch::is_place(&name) && !(base.urls.is_empty() && base.version.is_empty() || name.ends_with(".json")) {
        options.problem(at, format!("`box` says already where the box is (`{name}`): no `box_url` and no `box_version` beside it"));
    }
    Some(base)
}

fn version(options: &mut Options<'_>) -> String {
    let at = options.place("box_version");
    let version = options.text("box_version").unwrap_or_default();
    if let Err(error) = version.parse::<kiste_boxes::Constraint>() {
        options.problem(at, format!("`box_version`: {error}"));
    }
    version
}

/// `sha256:…`, or the digits alone.
fn checksum(options: &mut Options<'_>) -> Option<String> {
    let at = options.place("box_checksum");
    let checksum = options.text("box_checksum").filter(|c| c != "none")?;
    let digits = checksum.split_once(':').map_or(checksum.as_str(), |(_, digits)| digits);
    if !digits.chars().all(|c| c.is_ascii_hexdigit()) || ![32, 40, 64, 96, 128].contains(&digits.len()) {
        options.problem(at, format!("`box_checksum` must be a checksum such as `sha256:…`, not `{checksum}`"));
    }
    Some(checksum)
}

fn login(options: &mut Options<'_>) -> Option<SshLogin> {
    let (at, port_at) = (options.place("communicator"), options.place("ssh_port"));
    let is_patient = ["ssh_timeout", "ssh_wait_timeout", "ssh_handshake_attempts"].iter().all(|key| options.place(key).is_none());
    let Communication::Ssh(mut login) = communicator::prepare(options, Defaults { user: Some(USER), ..Defaults::default() }) else {
        if at.is_some() {
            options.problem(at, "`kiste` changes a machine by what runs in it: it needs the communicator `ssh`");
        }
        return None;
    };
    if login.port != SSH_PORT {
        options.problem(port_at, format!("not built in yet: `ssh_port` other than {SSH_PORT} with this builder"));
    }
    if is_patient {
        login.timeout = Some(BOOT_TIME);
    }
    if login.private_key.is_none() && login.target.password.is_none() && !login.agent_auth {
        login.target.offer_insecure = true;
        login.target.password = (login.target.user == USER).then(|| PASSWORD.to_owned());
    }
    Some(*login)
}

fn shut_down(options: &mut Options<'_>) -> ShutDown {
    let at = options.place("seal");
    let (command, seal) = (options.text("shutdown_command"), options.boolean("seal"));
    if command.is_some() && seal == Some(true) {
        options.problem(at, "`seal` and `shutdown_command` exclude each other: sealing is what happens while the machine is turned off");
    }
    match command {
        Some(command) => ShutDown::Command(command),
        None if seal == Some(false) => ShutDown::Plain,
        None => ShutDown::Sealed,
    }
}
