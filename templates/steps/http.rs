//! The web server that guests fetch their installers' answers from.

mod server;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use crate::builder::BuilderRun;
use crate::error::Error;
use crate::options::Options;
use crate::steps::iso;

pub use server::Server;

/// First and last port when nothing is said.
const PORTS: (u16, u16) = (8000, 9000);

/// What is served, and where.
#[derive(Clone, Debug)]
pub struct Http {
    /// A folder …
    directory: Option<PathBuf>,
    /// … or texts by their paths.
    content: BTreeMap<String, String>,
    first_port: u16,
    last_port: u16,
    address: IpAddr,
    /// Locks of ports, shared with every build that uses the same cache.
    locks: PathBuf,
}

impl Http {
    /// Reads `http_directory`, `http_content`, `http_port_min`, `http_port_max`, `http_bind_address`, `http_network_protocol` (and refuses
    /// `http_interface`).
    pub fn prepare(options: &mut Options<'_>) -> Self {
        let content_at = options.place("http_content");
        let directory = options.text("http_directory").map(PathBuf::from);
        let content: BTreeMap<String, String> =
            options.pairs("http_content").unwrap_or_default().into_iter().map(|(p, text)| (rooted(p), text)).collect();
        if directory.is_some() && !content.is_empty() {
            options.problem(content_at, "http_content cannot be used in conjunction with http_directory");
        }
        let ports_at = options.place("http_port_min").or(options.place("http_port_max"));
        let first_port = options.parsed("http_port_min", "a port").unwrap_or(PORTS.0);
        let last_port = options.parsed("http_port_max", "a port").unwrap_or(PORTS.1);
        if first_port > last_port {
            options.problem(ports_at, "http_port_min must be less than http_port_max");
        }
        if let Some(at) = options.place("http_interface") {
            options.ignore("http_interface");
            options.problem(Some(at), "not built in: `http_interface`; give the interface's address as `http_bind_address`");
        }
        Self { directory, content, first_port, last_port, address: address(options), locks: iso::cache().join("port") }
    }

    /// Whether anything is served.
    pub fn is_empty(&self) -> bool {
        self.directory.is_none() && self.content.is_empty()
    }

    /// The folder that is served (`.HTTPDir`).
    pub fn directory(&self) -> Option<&std::path::Path> {
        self.directory.as_deref()
    }

    /// Starts serving; none when there is nothing to serve. Ends when the server is dropped.
    pub fn serve(&self, run: &BuilderRun<'_>) -> Result<Option<Server>, Error> {
        if self.is_empty() {
            return Ok(None);
        }
        if let Some(folder) = self.directory.as_ref().filter(|d| !d.is_dir()) {
            run.reporter.warn(format!("`http_directory`: there is no folder `{}`; the guest will find nothing", folder.display()));
        }
        let server = Server::start(self)?;
        run.reporter.say(format!("Starting HTTP server on port {}", server.port()));
        Ok(Some(server))
    }
}

fn rooted(path: String) -> String {
    if path.starts_with('/') { path } else { format!("/{path}") }
}

fn address(options: &mut Options<'_>) -> IpAddr {
    let (protocol_at, address_at) = (options.place("http_network_protocol"), options.place("http_bind_address"));
    let protocol = options.text("http_network_protocol").unwrap_or_else(|| "tcp".to_owned());
    let every: IpAddr = match protocol.as_str() {
        "tcp" | "tcp4" => Ipv4Addr::UNSPECIFIED.into(),
        "tcp6" => Ipv6Addr::UNSPECIFIED.into(),
        other => {
            options.problem(protocol_at, format!("`http_network_protocol` must be `tcp`, `tcp4` or `tcp6`, not `{other}`"));
            Ipv4Addr::UNSPECIFIED.into()
        }
    };
    let address: IpAddr = options.parsed("http_bind_address", "an IP address").unwrap_or(every);
    if (protocol == "tcp4" && address.is_ipv6()) || (protocol == "tcp6" && address.is_ipv4()) {
        options.problem(address_at, format!("`http_bind_address` is no address of `{protocol}`"));
    }
    address
}

#[cfg(test)]
mod tests;
