//! The server itself: connections with bounds, TLS, and an end that lets running transfers finish.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use kiste_core::Cancel;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tower_http::add_extension::AddExtension;

use crate::app::{App, Shared};
use crate::auth::secret::Secret;
use crate::collect::{self, Bounds, Collected};
use crate::db::uploads;
use crate::downloads::handover::{Handover, Socket};
use crate::error::Error;
use crate::settings::{Patience, Settings, Tls};
use crate::{first_start, router, upstream};

/// Largest head of a request, in bytes.
const LARGEST_HEAD: usize = 64 << 10;
/// Connections at a time; more wait to be accepted.
const CONNECTIONS: usize = 8192;
/// How often it is looked whether the server is to end.
const LOOK: Duration = Duration::from_millis(100);

/// How often what nobody has any more is taken away; more often where the grace time is shorter.
const COLLECTED: Duration = Duration::from_secs(600);
/// How often downloads are written.
const COUNTED: Duration = Duration::from_secs(5);
/// At the end, what cut transfers have brought is saved within this time.
const SAVING: Duration = Duration::from_secs(5);

/// What a server tells once it listens.
#[derive(Debug)]
pub struct Running {
    /// Where.
    pub address: SocketAddr,
    /// Where `/metrics` is, when that is elsewhere.
    pub metrics: Option<SocketAddr>,
    /// The new administrator's token; only at the very first start.
    pub admin: Option<Secret>,
}

/// Serves until `cancel`; `started` is told when it listens.
pub fn serve(settings: Settings, cancel: &Cancel, started: impl FnOnce(Running)) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Error::Unavailable(format!("the system gives no threads: {e}")))?;
    runtime.block_on(run(settings, cancel, started))
}

async fn run(settings: Settings, cancel: &Cancel, started: impl FnOnce(Running)) -> Result<(), Error> {
    let tls = settings.tls.as_ref().map(acceptor).transpose()?;
    // Held until the end.
    let only = settings.place.lock()?;
    let app = App::open(settings).await?;
    if only.is_some() {
        // Nobody else can have a transfer under way.
        let mut write = app.db.write().await?;
        uploads::release_all(write.connection()).await?;
        write.commit().await?;
    }
    let (listener, address) = listen(app.settings.listen).await?;
    let aside = match app.settings.metrics_listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let router = upstream::before(&app, router::router(&app))?;
    let admin = first_start::admin(&app).await?;
    started(Running { address, metrics: aside.as_ref().map(|(_, address)| *address), admin });
    let background = tokio::spawn(background(Shared::clone(&app)));
    let open = GracefulShutdown::new();
    let patience = app.settings.patience;
    let figures = async {
        if let Some((listener, _)) = &aside {
            accept(listener, router::figures(&app), None, &open, patience, cancel).await;
        }
    };
    tokio::join!(accept(&listener, router, tls, &open, patience, cancel), figures);
    drop((listener, aside));
    tracing::info!(connections = open.count(), "ending: running transfers finish");
    if tokio::time::timeout(app.settings.shutdown, open.shutdown()).await.is_err() {
        tracing::warn!("some transfers did not finish in time and are cut");
    }
    background.abort();
    if tokio::time::timeout(SAVING, app.uploads.end()).await.is_err() {
        tracing::warn!("some of what arrived last could not be saved in time");
    }
    app.downloads.write(&app.db).await?;
    app.db.close().await;
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let cannot = |e| Error::Settings(format!("cannot listen at {address}: {e}"));
    let listener = TcpListener::bind(address).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    Ok((listener, address))
}

/// What a server does besides answering.
async fn background(app: Shared) {
    let collect = app.settings.grace.clamp(COUNTED, COLLECTED);
    let mut collected = tokio::time::Instant::now();
    loop {
        tokio::time::sleep(COUNTED).await;
        if collected.elapsed() >= collect {
            match collect::collect(&app.db, &app.objects, Bounds::of(app.settings.grace), false).await {
                Ok(gone) if gone == Collected::default() => {}
                Ok(gone) => tracing::info!(?gone, "took away what nobody has any more"),
                Err(e) => tracing::warn!(error = e.chain(), "what nobody has any more could not be taken away"),
            }
            collected = tokio::time::Instant::now();
        }
        if let Err(e) = app.downloads.write(&app.db).await {
            tracing::warn!(error = e.chain(), "downloads could not be counted");
        }
    }
}

async fn accept(
    listener: &TcpListener,
    router: Router,
    tls: Option<TlsAcceptor>,
    open: &GracefulShutdown,
    patience: Patience,
    cancel: &Cancel,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(connection) => connection,
                Err(e) => {
                    // Out of file descriptors, mostly: the next try may find some.
                    tracing::warn!(error = %e, "a connection could not be accepted");
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
            },
            () = ended(cancel) => return,
        };
        let (router, tls, watcher) = (router.clone(), tls.clone(), open.watcher());
        tokio::spawn(async move {
            connection(stream, peer, router, tls, patience, watcher).await;
            drop(place);
        });
    }
}

async fn ended(cancel: &Cancel) {
    while !cancel.is_cancelled() {
        tokio::time::sleep(LOOK).await;
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, tls: Option<TlsAcceptor>, patience: Patience, watcher: Watcher) {
    if let Err(e) = stream.set_nodelay(true) {
        tracing::debug!(error = %e, "nodelay");
    }
    let socket = Socket::new(stream, patience.answer);
    match tls {
        // Files go to the socket within the kernel; through TLS they can't.
        None => {
            let handover = socket.handover();
            requests(socket, peer, Some(handover), router, patience, watcher).await;
        }
        Some(acceptor) => match tokio::time::timeout(patience.head, acceptor.accept(socket)).await {
            Ok(Ok(stream)) => requests(stream, peer, None, router, patience, watcher).await,
            Ok(Err(e)) => tracing::debug!(%peer, error = %e, "no TLS"),
            Err(_) => tracing::debug!(%peer, "no TLS in time"),
        },
    }
}

async fn requests<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: SocketAddr,
    handover: Option<Handover>,
    router: Router,
    patience: Patience,
    watcher: Watcher,
) {
    let service = TowerToHyperService::new(AddExtension::new(AddExtension::new(router, ConnectInfo(peer)), handover));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience.head).max_buf_size(LARGEST_HEAD);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(e) = watcher.watch(connection).await {
        tracing::debug!(%peer, error = %e, "a connection ended early");
    }
}

fn acceptor(tls: &Tls) -> Result<TlsAcceptor, Error> {
    let unusable =
        |path: &std::path::Path, e: &dyn std::fmt::Display| Error::Settings(format!("`{}` can't be used for TLS: {e}", path.display()));
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(&tls.certificate).map_err(|e| unusable(&tls.certificate, &e))?.collect();
    let certificates = certificates.map_err(|e| unusable(&tls.certificate, &e))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|e| unusable(&tls.key, &e))?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|e| unusable(&tls.certificate, &e))?.with_no_client_auth().with_single_cert(certificates, key);
    Ok(TlsAcceptor::from(Arc::new(config.map_err(|e| unusable(&tls.certificate, &e))?)))
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
