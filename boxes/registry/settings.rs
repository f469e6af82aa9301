//! What the operator decides.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::Error;

/// Where a registry keeps what it has.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its folder: the SQLite database and the objects, unless they are elsewhere; scratch files.
    pub data: PathBuf,
    /// `postgres://…`; none: SQLite in the folder.
    pub database: Option<String>,
    /// `s3://BUCKET[/PREFIX]`, with the usual `AWS_…` variables; none: files in the folder.
    pub objects: Option<String>,
}

/// The right to be the only server of a folder; it ends with the process.
#[derive(Debug)]
pub struct Only {
    _file: std::fs::File,
}

impl Place {
    /// Nothing of it is shared with other servers.
    pub fn is_alone(&self) -> bool {
        self.database.is_none() || self.objects.is_none()
    }

    /// Makes sure that no other server uses the folder: none where nothing that counts is in it.
    pub fn lock(&self) -> Result<Option<Only>, Error> {
        if !self.is_alone() {
            return Ok(None);
        }
        std::fs::create_dir_all(&self.data).map_err(|e| Error::file("make", &self.data, e))?;
        let path = self.data.join("lock");
        let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|e| Error::file("open", &path, e))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Only { _file: file })),
            Err(std::fs::TryLockError::WouldBlock) => {
                Err(Error::Settings(format!("another registry server is using `{}`", self.data.display())))
            }
            Err(std::fs::TryLockError::Error(e)) => Err(Error::file("lock", &path, e)),
        }
    }
}

/// Everything the operator decides about a server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where things are kept.
    pub place: Place,
    /// Where it listens.
    pub listen: SocketAddr,
    /// How clients reach it (`https://boxes.example.com`), for addresses in answers; none: as the request says (`Host`).
    pub url: Option<String>,
    /// Certificate chain and key in PEM files.
    pub tls: Option<Tls>,
    /// Believe `X-Forwarded-For`, `-Proto` and `-Host`: a balancer stands in front.
    pub behind_proxy: bool,
    /// Largest box, in bytes.
    pub largest_box: u64,
    /// Bound for what an account without a quota of its own may store, in bytes.
    pub quota: Option<u64>,
    /// How long what is deleted can be had back, and an unfinished upload stays.
    pub grace: Duration,
    /// How long running transfers may go on once the server is told to end.
    pub shutdown: Duration,
    /// Anybody may make an account for themselves.
    pub sign_up: bool,
    /// Boxes that are not here are fetched from this registry and kept.
    pub upstream: Option<String>,
    /// Where `/metrics` is, instead of beside everything else.
    pub metrics_listen: Option<SocketAddr>,
    /// [Digest](crate::auth::secret::digest) of the token that `/metrics` wants; none: it wants none.
    pub metrics_token: Option<String>,
    /// How long clients are waited for.
    pub patience: Patience,
}

/// How long a client is waited for that does nothing.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the head of a request, and for the TLS handshake.
    pub head: Duration,
    /// For the whole body of a call.
    pub call: Duration,
    /// For the next bytes of any body.
    pub body: Duration,
    /// For the next bytes of an answer to be taken.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let [head, call, body, answer] = [15, 30, 60, 120].map(Duration::from_secs);
        Self { head, call, body, answer }
    }
}

/// PEM files.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Certificate chain.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

impl Settings {
    /// Defaults for a folder.
    pub fn at(data: impl Into<PathBuf>, listen: SocketAddr) -> Self {
        Self {
            place: Place { data: data.into(), database: None, objects: None },
            listen,
            url: None,
            tls: None,
            behind_proxy: false,
            largest_box: 100 << 30,
            quota: None,
            grace: Duration::from_secs(24 * 3600),
            shutdown: Duration::from_secs(3600),
            sign_up: false,
            upstream: None,
            metrics_listen: None,
            metrics_token: None,
            patience: Patience::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_server() {
        let folder = tempfile::tempdir().unwrap();
        let mut place = Place { data: folder.path().to_owned(), database: None, objects: None };
        let first = place.lock().unwrap();
        assert!(first.is_some());
        assert!(place.lock().unwrap_err().to_string().starts_with("another registry server is using"));
        drop(first);
        assert!(place.lock().unwrap().is_some());
        (place.database, place.objects) = (Some(String::new()), Some(String::new()));
        assert!(place.lock().unwrap().is_none(), "there is nothing to share");
    }
}
