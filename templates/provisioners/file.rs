//! `file`: files and folders into a guest and out of it, by the peers' rules about slashes at the end of paths.

mod download;

use std::path::Path;

use kiste_comm::{GuestCommand, quote};

use super::remote::Remote;
use crate::error::Error;
use crate::options::Options;
use crate::provisioner::{Provisioner, ProvisionerRun};
use crate::script::stat;

/// Its options, checked.
struct Files {
    sources: Vec<String>,
    destination: String,
    download: bool,
}

/// The provisioner.
pub fn prepare(options: &mut Options<'_>) -> Option<Box<dyn Provisioner>> {
    let at = ["sources", "source", "direction"].map(|key| options.place(key));
    let generated = options.boolean("generated").unwrap_or(false);
    let direction = options.text("direction").unwrap_or_else(|| "upload".to_owned());
    if !["upload", "download"].contains(&direction.as_str()) {
        options.problem(at[2], "Direction must be one of: download, upload.");
    }
    let mut sources = options.list("sources").unwrap_or_default();
    sources.extend(options.text("source"));
    if sources.is_empty() {
        options.problem(None, "Source must be specified.");
    }
    // What has a field of the running build in its name can only be looked for then.
    for source in sources.iter().filter(|s| direction == "upload" && !generated && !s.contains("{{")) {
        if let Err(error) = std::fs::metadata(source) {
            options.problem(at[0].or(at[1]), format!("Bad source '{source}': {}", stat(Path::new(source), &error)));
        }
    }
    let destination = options.text("destination");
    if destination.is_none() {
        options.problem(None, "Destination must be specified.");
    }
    Some(Box::new(Files { sources, destination: destination?, download: direction == "download" }))
}

impl Provisioner for Files {
    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        let destination = run.live().render("destination", &self.destination)?;
        for source in &self.sources {
            let source = run.live().render("source", source)?;
            if self.download {
                run.reporter.say(format!("Downloading {source} => {destination}"));
                told(run, "Download", download::download(run, &source, &destination))?;
            } else {
                run.reporter.say(format!("Uploading {source} => {destination}"));
                told(run, "Upload", upload(run, &source, &destination))?;
            }
        }
        Ok(())
    }
}

fn told(run: &ProvisionerRun<'_>, what: &str, result: Result<(), Error>) -> Result<(), Error> {
    if let Err(error) = &result {
        run.reporter.emit(kiste_core::Event::Error { text: format!("{what} failed: {error}") });
    }
    result
}

fn upload(run: &ProvisionerRun<'_>, source: &str, destination: &str) -> Result<(), Error> {
    let (remote, path) = (Remote::new(run), Path::new(source));
    let name = base_name(source);
    if !path.metadata().map_err(Error::file(path))?.is_dir() {
        let to = if destination.ends_with('/') { format!("{destination}{name}") } else { destination.to_owned() };
        return remote.upload(path, &to);
    }
    // Without a slash at its end the folder itself goes into a folder that is there, as `cp -r` does.
    if !source.ends_with('/') && (destination.ends_with('/') || is_folder(run, destination)?) {
        return remote.upload_folder(path, &format!("{}/{name}", destination.trim_end_matches('/')));
    }
    remote.upload_folder(path, destination)
}

fn is_folder(run: &ProvisionerRun<'_>, path: &str) -> Result<bool, Error> {
    let test = GuestCommand::script(format!("test -d {}", quote::guest_path(path)));
    Ok(run.comm.run(&test, run.cancel, &mut |_, _| {})?.success())
}

/// The last part of a path.
fn base_name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
