//! Certificates made on the spot, and a server that has them.

use std::path::PathBuf;
use std::sync::LazyLock;

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::Private;
use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509NameBuilder};

use super::*;
use crate::client::{Access, Client, Get};
use crate::test_server::{Answer, TestServer};

/// A certificate that signs itself, for a server on this host or for a client.
struct Pair {
    key: PKey<Private>,
    certificate: X509,
}

static SERVER: LazyLock<Pair> = LazyLock::new(Pair::new);
static CLIENT: LazyLock<Pair> = LazyLock::new(Pair::new);

impl Pair {
    fn new() -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", "kiste test").unwrap();
        let name = name.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_serial_number(&Asn1Integer::from_bn(&BigNum::from_u32(7).unwrap()).unwrap()).unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        let names = SubjectAlternativeName::new().ip("127.0.0.1").build(&builder.x509v3_context(None, None)).unwrap();
        builder.append_extension(names).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self { certificate: builder.build(), key }
    }

    fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().unwrap()
    }
}

fn server(ask_client: bool) -> TestServer {
    let mut tls = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    tls.set_private_key(&SERVER.key).unwrap();
    tls.set_certificate(&SERVER.certificate).unwrap();
    if ask_client {
        let mut trusted = X509StoreBuilder::new().unwrap();
        trusted.add_cert(CLIENT.certificate.clone()).unwrap();
        tls.set_verify_cert_store(trusted.build()).unwrap();
        tls.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    TestServer::secure(tls.build(), |_, _| Answer::new(200, "text/plain", "secret"))
}

fn get(server: &TestServer, download: &Download) -> Result<String, Error> {
    let mut url = server.url("/");
    url.set_scheme("https").unwrap();
    let reply = Client::new(download, Access::default())?.get(&url, &Get::default())?;
    Ok(reply.response.text().unwrap())
}

fn file(dir: &tempfile::TempDir, name: &str, text: &[u8]) -> Option<PathBuf> {
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    Some(path)
}

#[test]
fn a_server_is_trusted_by_certificate_folder_or_on_demand() {
    let (server, dir) = (server(false), tempfile::tempdir().unwrap());
    let error = get(&server, &Download::default()).unwrap_err();
    assert!(matches!(&error, Error::Network { reason, .. } if reason.contains("certificate")), "{error}");
    let ca_cert = file(&dir, "ca.pem", &SERVER.pem());
    file(&dir, "notes.txt", b"no certificate");
    let ca_path = Some(dir.path().to_owned());
    for download in [
        Download { ca_cert, ..Download::default() },
        Download { ca_path, ..Download::default() },
        Download { insecure: true, ..Download::default() },
    ] {
        assert_eq!(get(&server, &download).unwrap(), "secret");
    }
}

#[test]
fn a_client_shows_its_certificate() {
    let (server, dir) = (server(true), tempfile::tempdir().unwrap());
    let trust = Download { insecure: true, ..Download::default() };
    assert!(get(&server, &trust).is_err());
    let keys = [CLIENT.key.private_key_to_pem_pkcs8().unwrap(), CLIENT.key.ec_key().unwrap().private_key_to_pem().unwrap()];
    for key in keys {
        for text in [[CLIENT.pem(), key.clone()].concat(), [key, CLIENT.pem()].concat()] {
            let client_cert = file(&dir, "client.pem", &text);
            assert_eq!(get(&server, &Download { client_cert, ..trust.clone() }).unwrap(), "secret");
        }
    }
}

#[test]
fn files_that_do_not_help_are_named() {
    let (server, dir) = (server(false), tempfile::tempdir().unwrap());
    let cipher = openssl::symm::Cipher::aes_128_cbc();
    let locked = [CLIENT.pem(), CLIENT.key.private_key_to_pem_pkcs8_passphrase(cipher, b"x").unwrap()].concat();
    let missing = Some(dir.path().join("missing"));
    for download in [
        Download { ca_cert: missing.clone(), ..Download::default() },
        Download { ca_cert: file(&dir, "empty", b""), ..Download::default() },
        Download { ca_path: missing.clone(), ..Download::default() },
        Download { client_cert: missing, ..Download::default() },
        Download { client_cert: file(&dir, "cert", &CLIENT.pem()), ..Download::default() },
        Download { client_cert: file(&dir, "locked", &locked), ..Download::default() },
    ] {
        let error = get(&server, &download).unwrap_err();
        assert!(matches!(error, Error::Tls { .. }), "{error:?}");
    }
}
