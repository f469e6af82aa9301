//! A whole registry: one server with SQLite and files, or several with PostgreSQL, S3 and nginx in front.

use std::path::Path;

use tempfile::TempDir;

use super::balancer::Balancer;
use super::bucket::Bucket;
use super::caller::Caller;
use super::postgres::Postgres;
use super::server::{Server, Setup};

/// What a registry stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SQLite and files in one folder, one server.
    Files,
    /// PostgreSQL and S3, two servers behind nginx.
    Shared,
}

/// A running registry; everything of it ends when it is dropped.
pub struct World {
    /// Its servers.
    pub servers: Vec<Server>,
    /// The administrator's token.
    pub admin: String,
    /// nginx in front, where there are several.
    pub balancer: Option<Balancer>,
    /// PostgreSQL, where there is one.
    pub postgres: Option<Postgres>,
    /// The S3 server, where there is one.
    pub bucket: Option<Bucket>,
    folder: TempDir,
}

impl World {
    /// A new registry without anything but its administrator.
    #[track_caller]
    pub fn new(kind: Kind) -> Self {
        Self::with(kind, &[])
    }

    /// The same with more options for every server.
    #[track_caller]
    pub fn with(kind: Kind, options: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("kiste-registry-").tempdir().expect("a folder");
        match kind {
            Kind::Files => Self::files(folder, options),
            Kind::Shared => Self::shared(folder, options),
        }
    }

    #[track_caller]
    fn files(folder: TempDir, options: &[&str]) -> Self {
        let setup = options.iter().fold(Setup::below(folder.path()), |setup, option| setup.option(option));
        let server = Server::start(setup.option("--data").option(folder.path().join("data")));
        let admin = server.admin().expect("the first start makes an administrator").to_owned();
        Self { servers: vec![server], admin, balancer: None, postgres: None, bucket: None, folder }
    }

    #[track_caller]
    fn shared(folder: TempDir, options: &[&str]) -> Self {
        let (postgres, bucket) = (Postgres::start(), Bucket::start());
        let server = |name: &str| {
            let below = folder.path().join(name);
            std::fs::create_dir_all(&below).expect("a folder");
            let setup = options.iter().fold(Setup::below(&below), |setup, option| setup.option(option));
            let setup = setup.option("--data").option(below.join("data")).option("--database").option(postgres.url());
            let setup = setup.option("--objects").option(bucket.url()).option("--behind-proxy");
            let setup = bucket.variables().iter().fold(setup, |setup, (name, value)| setup.variable(name, value));
            Server::start(setup)
        };
        let servers = vec![server("first"), server("second")];
        let admin = servers[0].admin().expect("the first start makes an administrator").to_owned();
        assert_eq!(servers[1].admin(), None, "the administrator is made once");
        let addresses: Vec<_> = servers.iter().map(|s| s.setup.address).collect();
        let balancer = Balancer::start(folder.path(), &addresses);
        Self { servers, admin, balancer: Some(balancer), postgres: Some(postgres), bucket: Some(bucket), folder }
    }

    /// The address that clients use.
    pub fn url(&self) -> String {
        self.balancer.as_ref().map_or_else(|| self.servers[0].url(), Balancer::url)
    }

    /// Everything of this registry that is no database or object store is below it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The administrator.
    pub fn admin(&self) -> Caller {
        Caller::new(&self.url(), Some(&self.admin))
    }

    /// A stranger.
    pub fn stranger(&self) -> Caller {
        Caller::new(&self.url(), None)
    }

    /// SIGKILL for one server, and it is started again.
    #[track_caller]
    pub fn kill_and_start(&mut self, which: usize) {
        let server = self.servers.remove(which).again();
        self.servers.insert(which, server);
    }

    /// `kiste registry COMMAND` at the same place: `check`, `backup` …
    pub fn kiste(&self, command: &str, args: &[&str]) -> std::process::Output {
        let setup = &self.servers[0].setup;
        let place = setup.options.chunks(2).filter(|o| ["--data", "--database", "--objects"].iter().any(|name| o[0] == *name));
        let place: Vec<&str> = place.flatten().map(|o| o.to_str().expect("text")).collect();
        setup.kiste(&[&["registry", command][..], &place, args].concat())
    }
}
