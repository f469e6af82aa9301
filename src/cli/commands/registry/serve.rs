//! `kiste registry serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use kiste_core::Size;
use kiste_registry::{Place, Settings, Tls};

use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::Shown;

/// Where a registry keeps what it has
#[derive(Clone, Debug, Args)]
pub struct PlaceArgs {
    /// Folder for everything: database and boxes (default: `registry` in KISTE_HOME)
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Keep accounts, boxes and versions in PostgreSQL: `postgres://USER@HOST/NAME`
    #[arg(long, value_name = "URL", env = "KISTE_REGISTRY_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// Keep boxes' bytes in an S3 store: `s3://BUCKET/PREFIX`; keys and address come from the AWS_… variables
    #[arg(long, value_name = "URL", env = "KISTE_REGISTRY_OBJECTS")]
    objects: Option<String>,
}

impl PlaceArgs {
    /// For the engine.
    pub fn place(&self, context: &Context) -> Result<Place, Error> {
        let data = self.data.clone().map_or_else(|| context.home().map(|home| home.registry()), Ok)?;
        Ok(Place { data, database: self.database.clone(), objects: self.objects.clone() })
    }
}

/// How the server's log looks
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line each, for people
    Text,
    /// A JSON object each, for programs
    Json,
}

/// Serve boxes to kiste, vagrant and packer
///
/// The first start makes the account `admin` and prints its token, once.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address and port to listen at
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8411")]
    listen: SocketAddr,
    #[command(flatten)]
    place: PlaceArgs,
    /// How clients reach it, for addresses in answers (default: as each request says)
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// PEM file with the certificate and its chain: speak TLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A balancer stands in front: believe its X-Forwarded headers
    #[arg(long)]
    behind_proxy: bool,
    /// Largest box that is taken
    #[arg(long, value_name = "SIZE", default_value = "100GiB")]
    largest_box: Size,
    /// What an account without a quota of its own may store
    #[arg(long, value_name = "SIZE")]
    quota: Option<Size>,
    /// Hours that something deleted can be had back
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    grace: u64,
    /// Anybody may make an account
    #[arg(long)]
    sign_up: bool,
    /// Serve `/metrics` (with `/healthz` and `/readyz`) here, and not beside the boxes
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics_listen: Option<SocketAddr>,
    /// `/metrics` wants this token, as `Authorization: Bearer`
    #[arg(long, value_name = "TOKEN", env = "KISTE_REGISTRY_METRICS_TOKEN", hide_env_values = true)]
    metrics_token: Option<String>,
    /// How the log on standard error looks; KISTE_LOG says what is in it (default: `info`, a line a request)
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// Fetch boxes that are not here from this registry, and keep them
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
}

/// Serves until Ctrl-C; running transfers finish.
pub fn run(context: &Context, args: &ServeArgs) -> Result<u8, Error> {
    let settings = Settings {
        place: args.place.place(context)?,
        url: args.url.clone(),
        tls: args.tls_cert.clone().zip(args.tls_key.clone()).map(|(certificate, key)| Tls { certificate, key }),
        behind_proxy: args.behind_proxy,
        largest_box: args.largest_box.0,
        quota: args.quota.map(|size| size.0),
        grace: Duration::from_secs(args.grace.saturating_mul(3600)),
        sign_up: args.sign_up,
        upstream: args.upstream.clone(),
        metrics_listen: args.metrics_listen,
        metrics_token: args.metrics_token.as_deref().map(kiste_registry::auth::secret::digest),
        ..Settings::at(PathBuf::new(), args.listen)
    };
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    kiste_registry::serve(settings, &context.cancel, |running| {
        context.reporter.say(format!("The registry listens at {scheme}://{}", running.address));
        if let Some(address) = running.metrics {
            context.reporter.say(format!("Its metrics are at http://{address}/metrics"));
        }
        if let Some(token) = running.admin {
            context.reporter.say("Its administrator is `admin`. This token is shown only now:");
            context.reporter.say(token.text());
            if context.global.quiet {
                // It is told only once: quiet or not, somebody has to have it.
                context.show(&Shown { names: vec![token.text().to_owned()], ..Shown::default() });
            }
        }
    })?;
    Ok(exit::OK)
}
