//! Finds the machine's box in the store, or adds it; `kiste.lock` pins which version of those that would do.

use kiste_boxes::{AddRequest, Query, Store, StoredBox, architecture};
use kiste_core::machine::BoxRequest;
use kiste_core::step::Step;
use kiste_core::{Machine, Size};
use kiste_providers::{Source, SourceDisk, State};

use crate::context::Target;
use crate::error::Error;
use crate::freshness;
use crate::lock_file::{self, Pin};
use crate::record::Image;
use crate::run::Run;

/// What the create step makes the machine from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fetched {
    pub image: Option<Image>,
    pub source: Source,
}

/// The step.
pub(crate) struct FetchBox;

impl Step<Run<'_>> for FetchBox {
    type Error = Error;

    fn name(&self) -> &'static str {
        "fetch box"
    }

    fn run(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        let target = run.target;
        if run.before != State::NotCreated {
            let stored = run.record()?.image.as_ref().and_then(|image| freshness::stored(target, image));
            run.question = stored.zip(target.machine.image.as_ref()).and_then(|(stored, request)| freshness::ask(target, request, stored));
            return Ok(());
        }
        let Some(request) = &target.machine.image else {
            run.source = Some(Fetched { image: None, source: Source { size: primary_size(target.machine), ..Source::default() } });
            return Ok(());
        };
        let stored = fetch(target, request, run.options.locked)?;
        run.source = Some(fetched(target.machine, &stored)?);
        run.question = freshness::ask(target, request, stored);
        Ok(())
    }
}

fn fetch(target: &Target<'_>, request: &BoxRequest, locked: bool) -> Result<StoredBox, Error> {
    let store = Store::open(&target.env.home);
    let pin = lock_file::pin(target, request)?;
    if locked && pin.is_none() {
        return Err(Error::Locked { reason: format!("it does not name the box `{}` for `{}`", request.name, target.driver.name()) });
    }
    let question = query(target, request, pin.as_ref());
    let stored = match store.find(&question)? {
        Some(stored) => stored,
        None => store.find_or_add(&question, &missing(target, request, pin.as_ref()), &target.reporter, &target.env.cancel)?,
    };
    lock_file::note(target, &stored, pin.as_ref(), locked)?;
    Ok(stored)
}

fn query(target: &Target<'_>, request: &BoxRequest, pin: Option<&Pin>) -> Query {
    Query {
        name: request.name.clone(),
        constraint: constraint(request, pin),
        providers: providers(target),
        architecture: request.architecture.clone(),
    }
}

fn constraint(request: &BoxRequest, pin: Option<&Pin>) -> String {
    pin.map_or_else(|| request.version.clone(), |p| format!("= {}", p.version))
}

fn providers(target: &Target<'_>) -> Vec<String> {
    target.driver.box_providers().iter().map(|p| (*p).to_owned()).collect()
}

/// Tells that the box is missing; what to add.
fn missing(target: &Target<'_>, request: &BoxRequest, pin: Option<&Pin>) -> AddRequest {
    let providers = providers(target);
    target.reporter.say(format!("Box '{}' could not be found. Attempting to find and install...", request.name));
    target.reporter.detail(format!("Box Provider: {}", providers.join(", ")));
    target.reporter.detail(format!("Box Version: {}", if request.version.is_empty() { ">= 0" } else { &request.version }));
    let mut addresses = request.urls.iter().cloned();
    let source = addresses.next();
    AddRequest {
        name: source.is_some().then(|| request.name.clone()),
        source: source.unwrap_or_else(|| request.name.clone()),
        mirrors: addresses.collect(),
        version: constraint(request, pin),
        providers,
        architecture: request.architecture.clone(),
        server_url: request.server_url.clone(),
        download: request.download.clone(),
        ..AddRequest::default()
    }
}

fn fetched(machine: &Machine, stored: &StoredBox) -> Result<Fetched, Error> {
    let metadata = stored.metadata()?;
    let arch = metadata.architecture.as_ref().or(stored.architecture.as_ref()).map(|a| architecture::rust_name(a));
    let disks = stored.disks()?.into_iter().map(|d| SourceDisk { path: d.path, format: d.format }).collect();
    let firmware = metadata.other.get("firmware").and_then(|f| f.as_str()).unwrap_or_default().to_ascii_lowercase();
    let image = Image {
        name: stored.name.clone(),
        version: stored.version.clone(),
        provider: stored.provider.clone(),
        architecture: stored.architecture.clone(),
    };
    let uefi = ["uefi", "efi"].contains(&firmware.as_str());
    let box_id = Some(format!("{}-{}", stored.name, stored.version));
    let source = Source { disks, appliance: stored.appliance(), box_id, size: primary_size(machine), architecture: arch, uefi };
    Ok(Fetched { image: Some(image), source })
}

fn primary_size(machine: &Machine) -> Option<Size> {
    machine.disks.iter().find(|d| d.primary).and_then(|d| d.size)
}
