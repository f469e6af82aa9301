//! The steps between files and guest: fetch, put in, serve, type, connect, provision.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kiste_comm::wait::Sight;
use kiste_core::step::Step;
use kiste_providers::State;

use super::Shared;
use crate::communicator::Communication;
use crate::error::Error;
use crate::steps::evidence::HTTP_LOG;
use crate::steps::http::Server;
use crate::steps::{Context, connect, provision};

/// Gets the disc or disk image the build starts from.
pub struct FetchIso(pub Shared);

impl<'a> Step<Context<'a>> for FetchIso {
    type Error = Error;

    fn name(&self) -> &'static str {
        "fetch"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let iso = &self.0.settings.iso;
        let path = match iso.first().filter(|_| self.0.settings.skip_iso_cache) {
            Some(address) => {
                context.run.reporter.detail(format!("QEMU reads {address} from where it is; nothing checks it"));
                address.strip_prefix("file://").unwrap_or(&address).into()
            }
            None => iso.fetch(context.run)?,
        };
        self.0.live().iso = path;
        Ok(())
    }
}

/// Makes floppy and CD, in the scratch folder.
pub struct Media(pub Shared);

impl<'a> Step<Context<'a>> for Media {
    type Error = Error;

    fn name(&self) -> &'static str {
        "media"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let settings = &self.0.settings;
        let absolute = |name: &str| {
            let path = context.machine_dir.driver_file(name);
            std::path::absolute(&path).map_err(Error::file(path))
        };
        if !settings.floppy.is_empty() {
            let path = absolute("floppy.img")?;
            settings.floppy.write(&path, context.run)?;
            self.0.live().floppy = Some(path);
        }
        if !settings.cd.is_empty() {
            let path = absolute("cd.iso")?;
            settings.cd.write(&path, context.run)?;
            self.0.live().cd = Some(path);
        }
        Ok(())
    }
}

/// Serves files to the guest, from here to the end, and makes the key that the guest may be given.
pub struct Serve(pub Shared);

impl<'a> Step<Context<'a>> for Serve {
    type Error = Error;

    fn name(&self) -> &'static str {
        "serve"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        if let Communication::Ssh(login) = &self.0.settings.communication {
            let key = login.key(context.machine_dir.root(), context.run)?;
            if key.temporary {
                context.run.save_key(&key.private)?;
            }
            self.0.live().key = key;
        }
        let server = self.0.settings.http.serve(context.run)?.map(Arc::new);
        let mut live = self.0.live();
        live.http_port = server.as_ref().map_or(0, |s| s.port());
        live.server = server;
        context.fields = live.build_fields(&context.run.inputs.run_uuid);
        Ok(())
    }

    fn release(&mut self, _: &mut Context<'a>) {
        self.0.live().server = None;
    }
}

/// Types the boot command. Without one there is nothing to wait for.
pub struct Type(pub Shared);

impl<'a> Step<Context<'a>> for Type {
    type Error = Error;

    fn name(&self) -> &'static str {
        "boot command"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let settings = &self.0.settings;
        if settings.boot.is_empty() {
            return Ok(());
        }
        let fields = self.0.live().fields(settings);
        settings.boot.type_in(context.driver.as_ref(), &context.vm(), &fields, context.run)
    }
}

/// Waits until the guest can be talked to.
pub struct Connect(pub Shared);

impl<'a> Step<Context<'a>> for Connect {
    type Error = Error;

    fn name(&self) -> &'static str {
        "connect"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let settings = &self.0.settings;
        let Communication::Ssh(login) = &settings.communication else { return Ok(()) };
        let (key, port) = {
            let live = self.0.live();
            (live.key.clone(), live.host_port)
        };
        let keys: Vec<_> = key.file.iter().cloned().collect();
        let server = self.0.live().server.clone();
        let comm = login.connect("127.0.0.1", port, &keys, context.run, &mut || alive(context, server.as_deref())).inspect_err(|_| {
            let log = context.machine_dir.driver_file(HTTP_LOG);
            // Only evidence: that it can't be kept is no second failure.
            let _ = server.as_ref().map(|s| std::fs::write(log, s.text()));
        })?;
        context.fields.extend(login.fields("127.0.0.1", port, &key));
        context.comm = Some(comm);
        Ok(())
    }
}

/// What is seen of the guest (its last line on the serial console or the last file it fetched), or why waiting is of no use.
fn alive(context: &Context<'_>, server: Option<&Server>) -> Result<Sight, String> {
    match context.driver.state(&context.vm()) {
        Ok(State::Paused) => Err(FULL.to_owned()),
        _ => {
            let sight = connect::alive(context)?;
            Ok(Sight { line: sight.line.or_else(|| server.and_then(Server::last_seen)), ..sight })
        }
    }
}

/// QEMU holds a guest whose disk cannot grow any more.
pub const FULL: &str = "QEMU stopped the guest because its disk could not be written: is the host's disk full?";

/// Runs the provisioners, watching that the machine can go on.
pub struct Provision;

impl<'a> Step<Context<'a>> for Provision {
    type Error = Error;

    fn name(&self) -> &'static str {
        "provision"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        if context.comm.is_none() {
            return provision::alone(context.run, Arc::new(crate::builders::pretender::Pretender), &context.fields);
        }
        let done = AtomicBool::new(false);
        let full = AtomicBool::new(false);
        let (driver, machine, dir) = (Arc::clone(&context.driver), context.machine.clone(), context.machine_dir.clone());
        let (run, never) = (context.run, kiste_core::Cancel::new());
        let result = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let vm = kiste_providers::Vm { machine: &machine, dir: &dir, home: run.home, reporter: run.reporter, cancel: &never };
                while !done.load(Ordering::SeqCst) {
                    if matches!(driver.state(&vm), Ok(State::Paused)) {
                        full.store(true, Ordering::SeqCst);
                        // What talks to the guest hears at once that nobody answers any more.
                        let _ = driver.stop(&vm, true);
                        return;
                    }
                    std::thread::park_timeout(Duration::from_millis(500));
                }
            });
            let _ended = Watched { done: &done, watcher: watcher.thread().clone() };
            provision::Provision.run(context)
        });
        match result {
            Err(_) if full.load(Ordering::SeqCst) => {
                Err(Error::HostLacks { what: FULL.to_owned(), hint: "Make room, or give another `output_directory`.".to_owned() })
            }
            other => other,
        }
    }

    fn undo(&mut self, context: &mut Context<'a>) {
        provision::Provision.undo(context);
    }

    fn cleans_the_guest(&self) -> bool {
        true
    }
}

/// Ends the watcher at once, even when a provisioner panics.
struct Watched<'a> {
    done: &'a AtomicBool,
    watcher: std::thread::Thread,
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.done.store(true, Ordering::SeqCst);
        self.watcher.unpark();
    }
}
