//! `upload`: a file or folder into a machine, plainly or packed for the way.

use std::path::Path;

use kiste_comm::communicator::capture;
use kiste_comm::{Communicator, GuestCommand, quote};
use kiste_core::host::Program;
use kiste_core::{Cancel, Size};

use crate::context::Environment;
use crate::error::Error;
use crate::options::UploadOptions;
use crate::ssh;

/// Copies a file or folder into a machine; returns where it is now. `to`: default its name in the user's home; one that ends in
/// `/` means below it. A folder's content goes *into* `to`.
pub fn upload(env: &Environment, name: Option<&str>, from: &Path, to: Option<&str>, o: &UploadOptions) -> Result<String, Error> {
    let (target, way) = ssh::way(env, name)?;
    let metadata = from.metadata().map_err(Error::file("read", from))?;
    let comm = way.comm();
    let to = destination(comm, from, to, o, &env.cancel)?;
    target.reporter.say(format!("Uploading {} to {to}", from.display()));
    if o.compress {
        packed(comm, from, &to, o.compression_type.as_deref().unwrap_or("tgz"), &env.cancel)?;
    } else {
        let total = metadata.is_file().then_some(metadata.len());
        let mut transfer = target.reporter.transfer(format!("Uploading {}", from.display()), total, 0);
        let mut progress = |done| transfer.done(done);
        if metadata.is_dir() {
            comm.upload_folder(from, &to, &env.cancel, &mut progress)?;
        } else {
            comm.upload(from, &to, mode(&metadata), &env.cancel, &mut progress)?;
        }
        transfer.finish();
    }
    Ok(to)
}

#[cfg(unix)]
fn mode(metadata: &std::fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o777
}

#[cfg(not(unix))]
fn mode(_: &std::fs::Metadata) -> u32 {
    0o644
}

fn destination(comm: &dyn Communicator, from: &Path, to: Option<&str>, o: &UploadOptions, cancel: &Cancel) -> Result<String, Error> {
    let name = from.canonicalize().map_err(Error::file("read", from))?;
    let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let wanted = match to {
        None => name.clone(),
        Some(below) if below.ends_with('/') => format!("{below}{name}"),
        Some(exact) => exact.to_owned(),
    };
    if !o.temporary {
        return Ok(if wanted.starts_with(['/', '~']) { wanted } else { format!("~/{wanted}") });
    }
    let folder = capture(comm, &GuestCommand::script("mktemp -d"), cancel)?;
    Ok(format!("{}/{}", folder.trim(), wanted.trim_start_matches(['/', '~'])))
}

/// Packs on the host, unpacks in the guest: what many small files are best sent as.
fn packed(comm: &dyn Communicator, from: &Path, to: &str, kind: &str, cancel: &Cancel) -> Result<(), Error> {
    let is_dir = from.is_dir();
    let (folder, what) = if is_dir {
        (from, ".".into())
    } else {
        (from.parent().unwrap_or(Path::new(".")), from.file_name().unwrap_or_default().to_owned())
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let program = match kind {
        "tgz" => Program::new("tar").args(["-czf", "-", "-C"]).arg(folder).arg("--").arg(&what),
        "zip" => Program::new("zip").dir(folder).args(["-q", "-r", "-y", "-", "--"]).arg(&what),
        other => {
            let problem = format!("`{other}` is no way to pack (there are: tgz, zip)");
            return Err(Error::Unsupported { problems: vec![("--compression-type".to_owned(), problem)] });
        }
    };
    let bytes = program.output(cancel).map_err(kiste_providers::Error::from)?;
    tracing::debug!("{} packed", Size(bytes.len() as u64));
    let archive = capture(comm, &GuestCommand::script("mktemp"), cancel)?.trim().to_owned();
    comm.upload_bytes(&bytes, &archive, 0o600, cancel)?;
    let script = unpack(kind, &archive, to, (!is_dir).then(|| what.to_string_lossy().into_owned()));
    capture(comm, &GuestCommand::script(script), cancel)?;
    Ok(())
}

/// Unpacks into a fresh folder beside the archive first, so that a single file can get another name.
fn unpack(kind: &str, archive: &str, to: &str, file: Option<String>) -> String {
    let (archive, to) = (quote::word(archive), quote::guest_path(to));
    let (made, into) = match &file {
        None => (to.clone(), to.clone()),
        Some(_) => (format!("$(dirname {to})"), format!("{archive}.d")),
    };
    let open = match kind {
        "zip" => format!("unzip -q -o {archive} -d {into}"),
        _ => format!("tar -xzf {archive} -C {into}"),
    };
    let place = file.map(|f| format!(" && mv -f {into}/{} {to} && rmdir {into}", quote::word(&f))).unwrap_or_default();
    format!("mkdir -p \"{made}\" {into} && {open}{place}; code=$?; rm -f {archive}; exit $code").replace(&format!("\"{to}\""), &to)
}
