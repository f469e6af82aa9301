//! Transport settings of a request, for the HTTP client.

use std::path::Path;
use std::time::Duration;

use kiste_core::machine::Download;
use openssl::pkey::PKey;
use reqwest::blocking::ClientBuilder;
use reqwest::{Certificate, Identity};

use crate::Error;

const CONNECT: Duration = Duration::from_secs(20);
/// Longest silence of a server.
const SILENCE: Duration = Duration::from_secs(60);

/// A client's builder with all of `download` applied. Redirects are followed by [`super::Client`], which knows what may go where.
pub fn builder(download: &Download) -> Result<ClientBuilder, Error> {
    let mut builder = ClientBuilder::new()
        .user_agent(concat!("kiste/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .timeout(SILENCE)
        .danger_accept_invalid_certs(download.insecure)
        .danger_accept_invalid_hostnames(download.insecure);
    if let Some(path) = &download.ca_cert {
        builder = trust(builder, path, &certificates(path)?)?;
    }
    if let Some(folder) = &download.ca_path {
        builder = trust_folder(builder, folder)?;
    }
    if let Some(path) = &download.client_cert {
        builder = builder.identity(identity(path)?);
    }
    Ok(builder)
}

fn trust(builder: ClientBuilder, path: &Path, certificates: &[Certificate]) -> Result<ClientBuilder, Error> {
    if certificates.is_empty() {
        return Err(wrong(path, "there is no certificate in it"));
    }
    Ok(certificates.iter().cloned().fold(builder, ClientBuilder::add_root_certificate))
}

/// Other files may lie in such a folder; one certificate at least must be there.
fn trust_folder(builder: ClientBuilder, folder: &Path) -> Result<ClientBuilder, Error> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| wrong(folder, e))? {
        let path = entry.map_err(|e| wrong(folder, e))?.path();
        if path.is_file() {
            all.extend(certificates(&path).unwrap_or_default());
        }
    }
    trust(builder, folder, &all)
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    let text = std::fs::read(path).map_err(|e| wrong(path, e))?;
    Certificate::from_pem_bundle(&text).map_err(|e| wrong(path, e))
}

/// A PEM file with a certificate and its key, in whichever of the usual forms.
fn identity(path: &Path) -> Result<Identity, Error> {
    let text = std::fs::read(path).map_err(|e| wrong(path, e))?;
    // without this callback OpenSSL would ask at the terminal
    let key =
        PKey::private_key_from_pem_callback(&text, |_| Ok(0)).map_err(|_| wrong(path, "it has no private key without a passphrase"))?;
    let key = key.private_key_to_pem_pkcs8().map_err(|e| wrong(path, e))?;
    Identity::from_pkcs8_pem(&text, &key).map_err(|e| wrong(path, e))
}

fn wrong(path: &Path, reason: impl ToString) -> Error {
    Error::Tls { path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests;
