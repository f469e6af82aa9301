//! Starts QEMU with the template's arguments. From here on the provider owns its process, and every way out of the build ends it.

use kiste_core::step::Step;
use kiste_providers::capability::{RawCommand, RawCommandLine};

use super::{Shared, address, arguments};
use crate::communicator::Communication;
use crate::error::Error;
use crate::steps::Context;

/// Somebody else may take a port between our choice and QEMU's start.
const TRIES: usize = 4;

/// The step.
pub struct Start(pub Shared);

/// Processors that an emulated machine gets when its template says nothing of them: the services of a booting guest start side by
/// side then. They all wait for each other now and then, so more would cost other builds more than they bring this one.
const MOST_PROCESSORS: u32 = 2;

impl<'a> Step<Context<'a>> for Start {
    type Error = Error;

    fn name(&self) -> &'static str {
        "start"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let accelerator = self.accelerator(context)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        {
            let mut live = self.0.live();
            live.accelerator = accelerator;
            live.processors = u32::try_from(cores).unwrap_or(MOST_PROCESSORS).min(MOST_PROCESSORS);
        }
        self.look_for_display(context);
        for tries in 1.. {
            match self.once(context, tries == 1) {
                Err(Error::Provider(kiste_providers::Error::Start { reason, .. })) if tries < TRIES && is_about_ports(&reason) => {}
                Err(Error::Provider(error @ kiste_providers::Error::Start { .. })) => {
                    let what = format!("Error launching VM: {error}");
                    let hint = "The command line is in the evidence (driver.log) and, with PACKER_LOG=1, in the log.".to_owned();
                    return Err(Error::HostLacks { what, hint });
                }
                other => return other,
            }
        }
        Ok(())
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

impl Start {
    fn once(&self, context: &mut Context<'_>, first: bool) -> Result<(), Error> {
        let settings = &self.0.settings;
        self.choose_ports(context)?;
        let reporter = context.run.reporter;
        if first {
            reporter.say(if settings.disks.image { "Starting VM, booting disk image" } else { "Starting VM, booting from CD-ROM" });
            self.tell_screen(context);
            if !settings.qemuargs.is_empty() {
                reporter.say("Overriding default Qemu arguments with qemuargs template option...");
            }
        }
        let args = arguments::build(settings, &self.0.live())?;
        let command = RawCommandLine { program: Some(settings.qemu_binary.clone()), args };
        let raw = raw(context)?;
        match context.driver.state(&context.vm())? {
            kiste_providers::State::NotCreated => raw.create_raw(&context.vm(), &command)?,
            _ => raw.set_command(&context.vm(), Some(&command))?,
        }
        context.driver.start(&context.vm())?;
        if let Some(password) = self.0.live().vnc_password.clone() {
            raw.set_screen_password(&context.vm(), &password)?;
        }
        Ok(())
    }

    fn choose_ports(&self, context: &Context<'_>) -> Result<(), Error> {
        let settings = &self.0.settings;
        let say = |text: String| context.run.reporter.say(text);
        let mut live = self.0.live();
        if let Communication::Ssh(login) = &settings.communication {
            if settings.skip_nat_mapping {
                live.host_port = login.port;
            } else {
                live.host_port = address::for_guest(settings.host_ports)?;
                say(format!("Found port for communicator (SSH, WinRM, etc): {}.", live.host_port));
            }
        }
        let (screen, (first, last)) = (&settings.screen, settings.screen.vnc_ports);
        say(format!("Looking for available port between {first} and {last} on {}", screen.vnc_address));
        live.vnc_port = address::free(screen.vnc_address, (first, last), "vnc_port")?;
        if screen.vnc_use_password {
            let new = || uuid::Uuid::new_v4().simple().to_string().chars().take(8).collect();
            live.vnc_password = Some(screen.vnc_password.clone().unwrap_or_else(new));
        }
        Ok(())
    }

    fn tell_screen(&self, context: &Context<'_>) {
        let live = self.0.live();
        if !self.0.settings.screen.headless && !live.no_display {
            return;
        }
        let address = format!("vnc://{}:{}", self.0.settings.screen.vnc_address, live.vnc_port);
        let how = match &live.vnc_password {
            Some(password) => format!("connect via VNC to {address}\nwith the password: {password}"),
            None => format!("connect via VNC without a password to\n{address}"),
        };
        context
            .run
            .reporter
            .detail(format!("The VM will be run headless, without a GUI. If you want to\nview the screen of the VM, {how}"));
    }

    /// What the template asks for, but never what this host is known not to run guests under.
    fn accelerator(&self, context: &Context<'_>) -> Result<Option<String>, Error> {
        let asked = self.0.settings.hardware.accelerator.as_deref();
        if !matches!(asked, None | Some("kvm")) {
            return Ok(asked.filter(|a| *a != "none").map(str::to_owned));
        }
        let best = raw(context)?.accelerator(&context.vm(), Some(&self.0.settings.qemu_binary))?;
        if asked.is_some_and(|a| a != best) {
            context
                .run
                .reporter
                .warn(format!("kvm does not run guests on this host (`kiste doctor` says why): `{best}` takes its place, which is slower"));
        } else if best == "tcg" {
            context.run.reporter.detail("No accelerator runs guests on this host: the guest is emulated (tcg), which is slower");
        }
        Ok(Some(best.to_owned()))
    }

    /// A window needs a display; a host without one is no reason to fail.
    fn look_for_display(&self, context: &Context<'_>) {
        let screen = &self.0.settings.screen;
        let wants = !screen.headless && !screen.use_default_display;
        let there = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()));
        if wants && !there && std::env::consts::OS == "linux" {
            context.run.reporter.warn("There is no display for a window here; `\"headless\": true` says so beforehand");
            self.0.live().no_display = true;
        }
    }
}

fn raw<'c>(context: &'c Context<'_>) -> Result<&'c dyn RawCommand, Error> {
    let lacks =
        || kiste_providers::Error::Lacks { provider: context.driver.name().to_owned(), what: "run a command line as it is".to_owned() };
    Ok(context.driver.raw_command().ok_or_else(lacks)?)
}

fn is_about_ports(reason: &str) -> bool {
    ["host forwarding rule", "Failed to find an available port", "Address already in use"].iter().any(|words| reason.contains(words))
}

fn delete(context: &Context<'_>) {
    if let Err(error) = context.driver.delete(&context.vm_uninterrupted()) {
        context.run.reporter.warn(format!("the build's machine could not be removed: {error}"));
    }
}
