//! Chooses a port of the host for every forward and tells the provider.
//!
//! A port is free when it can be bound, by TCP or UDP as the forward says. From the choice until the machine's process has
//! bound it, a lock per port keeps other commands away; it dies with its holder. A port once given to a forward by
//! `auto_correct` is kept as long as it is free, so that bookmarks go on working.

mod free;
mod holder;

use kiste_core::machine::Ssh;
use kiste_core::network::{Port, loopback};
use kiste_core::state_file::{self, Lock};
use kiste_core::{Machine, step::Step};
use serde::{Deserialize, Serialize};

use crate::context::Target;
use crate::error::Error;
use crate::run::Run;

/// Id of the communicator's own forward.
pub(crate) const SSH: &str = "ssh";
/// Where ssh's forward goes when nothing else is said.
const SSH_HOST_PORT: u16 = 2222;

/// A forward as asked for and as given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Given {
    wanted: Port,
    host: u16,
}

/// The step.
pub(crate) struct Forward;

impl Step<Run<'_>> for Forward {
    type Error = Error;

    fn name(&self) -> &'static str {
        "forward ports"
    }

    fn run(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        let target = run.target;
        let Some(forwarding) = target.driver.forwarding() else { return Ok(()) };
        let before: Vec<Given> = state_file::read_json(&target.dir.forwards()).ok().flatten().unwrap_or_default();
        let wanted = wanted(target.machine);
        let mut given = Vec::new();
        for port in &wanted {
            let host = Choice { target, wanted: &wanted, given: &given, before: &before }.of(port, &mut run.leases)?;
            given.push(Given { wanted: port.clone(), host });
        }
        let ports: Vec<Port> = given.iter().map(|g| Port { host: g.host, ..g.wanted.clone() }).collect();
        forwarding.set_forwards(&target.vm(), &ports)?;
        state_file::write_json(&target.dir.forwards(), &given).map_err(Error::file("write", target.dir.forwards()))?;
        tell(run, &given);
        Ok(())
    }

    fn release(&mut self, run: &mut Run<'_>) {
        run.leases.clear();
    }
}

fn tell(run: &Run<'_>, given: &[Given]) {
    if given.is_empty() {
        return;
    }
    let reporter = &run.target.reporter;
    reporter.say("Forwarding ports");
    for Given { wanted, host } in given {
        if wanted.host != *host && wanted.host != 0 {
            reporter.detail(format!("Port {} is taken: {} (guest) is on {host} now", wanted.host, wanted.guest));
        }
        reporter.detail(format!("{} (guest) => {}:{host} (host, {})", wanted.guest, wanted.host_ip, wanted.protocol));
    }
}

/// Every forward a machine asks for, ssh's own first. An entry of the user with id `ssh` stands for it; a disabled one switches it off.
pub(crate) fn wanted(machine: &Machine) -> Vec<Port> {
    let own = machine.ports.iter().find(|p| p.id.as_deref() == Some(SSH));
    let ssh = own.cloned().unwrap_or_else(|| ssh_port(&machine.ssh));
    let others = machine.ports.iter().filter(|p| p.id.as_deref() != Some(SSH)).cloned();
    std::iter::once(ssh).chain(others).filter(|p| !p.disabled).collect()
}

fn ssh_port(ssh: &Ssh) -> Port {
    Port {
        guest: ssh.guest_port,
        host: SSH_HOST_PORT,
        host_ip: loopback(),
        protocol: kiste_core::network::Protocol::Tcp,
        auto_correct: true,
        id: Some(SSH.to_owned()),
        disabled: false,
    }
}

struct Choice<'a> {
    target: &'a Target<'a>,
    wanted: &'a [Port],
    given: &'a [Given],
    before: &'a [Given],
}

impl Choice<'_> {
    fn of(&self, port: &Port, leases: &mut Vec<Lock>) -> Result<u16, Error> {
        if port.host == 0 {
            return self.any(port, leases);
        }
        let kept = self.before.iter().find(|g| g.wanted == *port).map(|g| g.host).filter(|h| port.auto_correct && *h != port.host);
        if let Some(kept) = kept.filter(|h| !self.is_reserved(port, *h))
            && self.take(port, kept, leases)?.is_none()
        {
            return Ok(kept);
        }
        let Some(why) = self.refusal(port, leases)? else { return Ok(port.host) };
        if port.auto_correct { self.another(port, leases) } else { Err(self.taken(port, why)) }
    }

    /// Why the wanted port itself can't be had.
    fn refusal(&self, port: &Port, leases: &mut Vec<Lock>) -> Result<Option<String>, Error> {
        if self.is_given(port, port.host) {
            return Ok(Some("another forward of this machine has it".to_owned()));
        }
        self.take(port, port.host, leases)
    }

    fn another(&self, port: &Port, leases: &mut Vec<Lock>) -> Result<u16, Error> {
        let (first, last) = self.target.machine.usable_port_range;
        for host in (first..=last).filter(|h| !self.is_reserved(port, *h)) {
            if self.take(port, host, leases)?.is_none() {
                return Ok(host);
            }
        }
        Err(Error::PortsUsedUp { machine: self.target.name().to_owned(), guest: port.guest, first, last })
    }

    /// Any free port, chosen by the host's kernel; the one of last time when it is still free.
    fn any(&self, port: &Port, leases: &mut Vec<Lock>) -> Result<u16, Error> {
        let before = self.before.iter().find(|g| g.wanted == *port).map(|g| g.host);
        for _ in 0..50 {
            let host = before.filter(|h| free::refusal(port, *h).is_none()).map_or_else(|| free::any(port), Ok);
            let host = host.map_err(|e| self.taken(port, e.to_string()))?;
            if !self.is_reserved(port, host) && self.take(port, host, leases)?.is_none() {
                return Ok(host);
            }
        }
        Err(self.taken(port, "no free port was found in 50 tries".to_owned()))
    }

    /// Takes a port: `None` when it is ours now, else why not.
    fn take(&self, port: &Port, host: u16, leases: &mut Vec<Lock>) -> Result<Option<String>, Error> {
        let path = self.target.env.home.port_lease(&format!("{}-{}-{host}", port.host_ip, port.protocol).replace(':', "."));
        let Some(lease) = Lock::try_take(&path).map_err(Error::file("lock", &path))? else {
            let who =
                Lock::holder(&path).map_or_else(|| "another kiste command".to_owned(), |pid| format!("another kiste command (pid {pid})"));
            return Ok(Some(format!("{who} starts a machine with it")));
        };
        let refusal = free::refusal(port, host);
        if refusal.is_none() {
            leases.push(lease);
        }
        Ok(refusal.map(|why| self.explain(port, host, why)))
    }

    fn explain(&self, port: &Port, host: u16, refusal: free::Refusal) -> String {
        match refusal {
            free::Refusal::Other(why) => why,
            free::Refusal::Taken => {
                let machine = holder::machine(self.target, port, host);
                let process = holder::process(port.protocol, host);
                match (machine, process) {
                    (Some(machine), _) => format!("{machine} has it"),
                    (None, Some(process)) => format!("{process} has it"),
                    (None, None) => "another program has it".to_owned(),
                }
            }
        }
    }

    fn is_given(&self, port: &Port, host: u16) -> bool {
        self.given.iter().any(|g| g.host == host && g.wanted.protocol == port.protocol)
    }

    /// Given to, or asked for by, another forward of this machine.
    fn is_reserved(&self, port: &Port, host: u16) -> bool {
        self.is_given(port, host) || self.wanted.iter().any(|w| w != port && w.host == host && w.protocol == port.protocol)
    }

    fn taken(&self, port: &Port, why: String) -> Error {
        let place = format!("{}:{}/{}", port.host_ip, port.host, port.protocol);
        Error::PortTaken { machine: self.target.name().to_owned(), port: place, guest: port.guest, why }
    }
}
