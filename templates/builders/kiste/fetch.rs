//! Finds the box: in the user's store, as `kiste up` does, or where the template says. A box from a file or an address stays with the
//! build and goes with it.

use std::sync::Arc;

use kiste_boxes::{AddRequest, Query, Store, StoredBox, architecture};
use kiste_core::Size;
use kiste_core::machine::Download;
use kiste_core::step::Step;
use kiste_providers::{Source, SourceDisk};

use super::{BaseBox, FromBox};
use crate::error::Error;
use crate::steps::Context;

/// Name of a box that has none, inside its build.
const NAMELESS: &str = "build/box";

/// The step.
pub struct FetchBox {
    pub from: Arc<FromBox>,
}

impl<'a> Step<Context<'a>> for FetchBox {
    type Error = Error;

    fn name(&self) -> &'static str {
        "fetch box"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let base = &self.from.base;
        let stored = if is_place(&base.name) { from_place(base, context)? } else { from_store(base, context)? };
        let shown = if is_place(&base.name) { base.name.clone() } else { format!("{} {}", stored.name, stored.version) };
        context.run.reporter.say(format!("Using the box {shown} ({})", stored.provider_shown()));
        let digest = stored.digest.as_deref().and_then(|d| d.strip_prefix("sha256:"));
        context.run.inputs.used(&format!("box:{shown}"), digest);
        for (name, value) in [("SourceBox", &stored.name), ("SourceBoxVersion", &stored.version)] {
            context.fields.insert(name.to_owned(), value.clone());
        }
        self.take(&stored, context)
    }
}

/// Whether it says where a box is, and is no name of one.
pub fn is_place(text: &str) -> bool {
    let path = ["/", "./", "../", "~/"].iter().any(|start| text.starts_with(start));
    path || text.contains("://") || [".box", ".json"].iter().any(|end| text.ends_with(end))
}

fn providers(context: &Context<'_>) -> Vec<String> {
    context.driver.box_providers().iter().map(|p| (*p).to_owned()).collect()
}

fn from_store(base: &BaseBox, context: &Context<'_>) -> Result<StoredBox, Error> {
    let store = Store::open(context.run.home);
    let query = Query {
        name: base.name.clone(),
        constraint: base.version.clone(),
        providers: providers(context),
        architecture: base.architecture.clone(),
    };
    if let Some(stored) = store.find(&query)? {
        return Ok(stored);
    }
    let reporter = context.run.reporter;
    reporter.say(format!("Box '{}' could not be found. Attempting to find and install...", base.name));
    let mut addresses = base.urls.iter().cloned();
    let source = addresses.next();
    let request = AddRequest {
        name: source.is_some().then(|| base.name.clone()),
        source: source.unwrap_or_else(|| base.name.clone()),
        mirrors: addresses.collect(),
        ..base.request(context)
    };
    Ok(store.find_or_add(&query, &request, reporter, context.run.cancel)?)
}

fn from_place(base: &BaseBox, context: &Context<'_>) -> Result<StoredBox, Error> {
    // A box that was added from the same file yesterday may be another one.
    let store = Store::open(&context.dir.home());
    let name = (!base.name.ends_with(".json")).then(|| NAMELESS.to_owned());
    let request = AddRequest { name, source: base.name.clone(), ..base.request(context) };
    Ok(store.add(&request, context.run.reporter, context.run.cancel)?)
}

impl BaseBox {
    fn request(&self, context: &Context<'_>) -> AddRequest {
        AddRequest {
            version: self.version.clone(),
            providers: providers(context),
            architecture: self.architecture.clone(),
            server_url: self.server_url.clone(),
            download: Download { insecure: self.insecure, checksum: self.checksum.clone(), ..Download::default() },
            ..AddRequest::default()
        }
    }
}

impl FetchBox {
    /// The machine will be made from this box.
    fn take(&self, stored: &StoredBox, context: &mut Context<'_>) -> Result<(), Error> {
        let refuse = |what: String, hint: &str| Error::HostLacks { what, hint: hint.to_owned() };
        let metadata = stored.metadata()?;
        let mut disks = stored.disks()?;
        if disks.len() != 1 {
            let what = format!("the box `{}` has {} disks, this builder takes boxes with one", stored.name, disks.len());
            return Err(refuse(what, "Take a box with one disk."));
        }
        let disk = disks.remove(0);
        let size = disk.virtual_size.unwrap_or(Size(0));
        if self.from.disk_size.is_some_and(|wanted| wanted < size) {
            let what = format!("the disk of the box `{}` has {size}: `disk_size` cannot make it smaller", stored.name);
            return Err(refuse(what, "Leave `disk_size` out, or give a larger one."));
        }
        let arch = metadata.architecture.as_ref().or(stored.architecture.as_ref()).map(|a| architecture::normalise(a));
        let firmware = metadata.other.get("firmware").and_then(|f| f.as_str()).unwrap_or_default().to_ascii_lowercase();
        context.output.virtual_size = self.from.disk_size.unwrap_or(size).max(size);
        context.output.architecture = arch.clone().unwrap_or_else(|| architecture::host().to_owned());
        context.source = Source {
            disks: vec![SourceDisk { path: disk.path, format: disk.format }],
            size: self.from.disk_size,
            architecture: arch.map(|a| architecture::rust_name(&a)),
            uefi: ["uefi", "efi"].contains(&firmware.as_str()),
            ..Source::default()
        };
        Ok(())
    }
}
