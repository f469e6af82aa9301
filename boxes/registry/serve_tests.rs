//! Clients that do nothing, on real connections: whoever keeps a server waiting is let go, by TLS as well.

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;
use crate::trial::Trial;
use crate::uploads::tests::{address, content, publish, release, upload};

/// More than the system's buffers between two sockets take.
const LARGE: usize = 24 << 20;
const FILE: &str = "/admin/boxes/large/versions/1/providers/qemu.box";

trait Both: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Both for T {}
type Connection = Pin<Box<dyn Both>>;

/// A registry with a box that waits for its content, behind a real server.
struct Served {
    trial: Trial,
    address: SocketAddr,
    tls: Option<TlsConnector>,
    cancel: Cancel,
    end: tokio::task::JoinHandle<Result<(), Error>>,
}

impl Served {
    async fn new(tls: bool, patience: impl FnOnce(&mut Patience)) -> Self {
        let trial = Trial::new().await;
        publish(&trial.app, "coming", "1", ("", "")).await;
        let mut settings = trial.app.settings.clone();
        patience(&mut settings.patience);
        let mut connector = None;
        if tls {
            let files = certificate(&settings.place.data);
            connector = Some(trusting(&files.certificate));
            settings.tls = Some(files);
        }
        let (cancel, (sender, receiver)) = (Cancel::new(), tokio::sync::oneshot::channel());
        let theirs = cancel.clone();
        let end = tokio::spawn(async move { run(settings, &theirs, |running| sender.send(running.address).unwrap()).await });
        Self { trial, address: receiver.await.unwrap(), tls: connector, cancel, end }
    }

    async fn connect(&self) -> Connection {
        let stream = TcpStream::connect(self.address).await.unwrap();
        match &self.tls {
            None => Box::pin(stream),
            Some(tls) => Box::pin(tls.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()),
        }
    }

    /// Sends some bytes and no more; all that comes back until the server closes.
    async fn say(&self, bytes: &str) -> String {
        let mut connection = self.connect().await;
        connection.write_all(bytes.as_bytes()).await.unwrap();
        connection.flush().await.unwrap();
        let mut answer = Vec::new();
        // Without a farewell of TLS the end is an error.
        let _ = connection.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Ends when no connection is left, for shutting down waits an hour.
    async fn ends(self) {
        self.cancel.cancel();
        self.end.await.unwrap().unwrap();
    }
}

fn certificate(folder: &Path) -> Tls {
    let files = Tls { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") };
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]);
    let made = openssl.arg("-out").arg(&files.certificate).arg("-keyout").arg(&files.key).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    files
}

fn trusting(certificate: &Path) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// The one that is tested is short, all others are so long that they can't be what ends it.
const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(3600);

fn only(change: fn(&mut Patience)) -> impl FnOnce(&mut Patience) {
    move |patience| {
        *patience = Patience { head: LONG, call: LONG, body: LONG, answer: LONG };
        change(patience);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_not_finished_is_let_go() {
    for tls in [false, true] {
        let served = Served::new(tls, only(|patience| patience.head = SHORT)).await;
        if tls {
            // Not even the handshake.
            let mut stream = TcpStream::connect(served.address).await.unwrap();
            assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
        }
        assert_eq!(served.say("").await, "");
        assert_eq!(served.say("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ").await, "");
        served.ends().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_does_not_come_to_its_end_is_told_so() {
    for change in [|patience: &mut Patience| patience.call = SHORT, |patience: &mut Patience| patience.body = SHORT] {
        let served = Served::new(false, only(change)).await;
        let head = format!("POST /api/v2/boxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n", served.trial.token);
        let answer = served.say(&format!("{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{")).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        assert!(answer.ends_with("\"success\":false}"), "{answer}");
        served.ends().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_of_a_silent_upload_is_kept() {
    for tls in [false, true] {
        let served = Served::new(tls, only(|patience| patience.body = SHORT)).await;
        let place = address(&served.trial, "coming", "1").await;
        let all = String::from_utf8(vec![b'x'; 3000]).unwrap();
        let answer = served.say(&format!("PUT {place} HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n{}", &all[..1000])).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(
            answer.contains("upload-offset: 1000\r\n") && answer.contains("nothing came for 0.2 seconds; what came is kept"),
            "{answer}"
        );
        let rest =
            format!("Upload-Offset: 1000\r\nUpload-Length: 3000\r\nContent-Length: 2000\r\nConnection: close\r\n\r\n{}", &all[1000..]);
        let answer = served.say(&format!("PATCH {place} HTTP/1.1\r\nHost: x\r\n{rest}")).await;
        assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
        served.ends().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_early_still_hears_why() {
    for tls in [false, true] {
        let served = Served::new(tls, only(|_| ())).await;
        let head = format!("POST /api/v2/boxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n", served.trial.token);
        let body = " ".repeat(LARGE);
        // More than the system's buffers take: it is sent only when somebody takes it.
        let answer = served.say(&format!("{head}Content-Length: {LARGE}\r\n\r\n{body}")).await;
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.ends_with("\"success\":false}"), "{answer}");
        served.ends().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_stands_still_is_let_go() {
    let served = Served::new(false, only(|patience| patience.body = SHORT)).await;
    let head = "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nname=";
    let answer = served.say(head).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    served.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_nothing_of_a_download_is_let_go() {
    for tls in [false, true] {
        let served = Served::new(tls, only(|patience| patience.answer = SHORT)).await;
        publish(&served.trial.app, "large", "1", ("", "")).await;
        assert_eq!(upload(&served.trial, "large", "1", &content(LARGE)).await, 200);
        release(&served.trial.app, "large", "1").await;
        let mut connection = served.connect().await;
        connection.write_all(format!("GET {FILE} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
        connection.flush().await.unwrap();
        let mut beginning = [0; 12];
        connection.read_exact(&mut beginning).await.unwrap();
        assert_eq!(&beginning, b"HTTP/1.1 200");
        served.ends().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_an_address_of_their_own() {
    let trial = Trial::set(|settings| settings.metrics_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0))), None).await;
    assert_eq!(trial.ask("GET", "/metrics", Value::Null).await.0, 404);
    let (cancel, (sender, receiver)) = (Cancel::new(), tokio::sync::oneshot::channel());
    let (settings, theirs) = (trial.app.settings.clone(), cancel.clone());
    let end = tokio::spawn(async move { run(settings, &theirs, |running| sender.send(running).unwrap()).await });
    let running = receiver.await.unwrap();
    let ask = async |path: &str| reqwest::get(format!("http://{}{path}", running.metrics.unwrap())).await.unwrap();
    assert!(ask("/metrics").await.text().await.unwrap().contains("kiste_registry_things{kind=\"accounts\"} 1"));
    assert_eq!((ask("/readyz").await.status().as_u16(), ask("/openapi.json").await.status().as_u16()), (200, 404));
    assert_ne!(running.address, running.metrics.unwrap());
    cancel.cancel();
    end.await.unwrap().unwrap();
}
