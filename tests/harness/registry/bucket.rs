//! An S3 server: s3s-fs, a program from crates.io that keeps buckets as folders.
//!
//! Chosen because it is a program of its own that speaks S3 over the wire with signatures, multipart uploads and ranges, is as fast as the
//! disk, keeps what it has when it is killed, and is built by cargo alone in three minutes of one core. moto, from PyPI, keeps everything in
//! memory behind Python; Garage, from crates.io, is a cluster's server and far more to build.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::part::{Part, own_address};

/// The bucket that is there.
pub const BUCKET: &str = "boxes";
const KEY: &str = "kiste";
const SECRET: &str = "kiste-secret";

/// A running S3 server with one bucket.
pub struct Bucket {
    part: Part,
    address: SocketAddr,
    folder: TempDir,
}

impl Bucket {
    /// A new one, empty.
    #[track_caller]
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("kiste-bucket-").tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("data").join(BUCKET)).expect("a bucket");
        let address = own_address();
        let part = begin(folder.path(), address);
        Self { part, address, folder }
    }

    /// What finds the bucket: `s3://…` and the variables.
    pub fn url(&self) -> String {
        format!("s3://{BUCKET}/registry")
    }

    /// The variables that name the server and its keys.
    pub fn variables(&self) -> Vec<(String, String)> {
        let endpoint = format!("http://{}", self.address);
        let all = [
            ("AWS_ENDPOINT", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ALLOW_HTTP", "true"),
        ];
        all.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    /// The folder that holds the bucket's objects, as files.
    pub fn objects(&self) -> PathBuf {
        self.folder.path().join("data").join(BUCKET)
    }

    /// The store goes away …
    pub fn kill(&mut self) {
        self.part.kill();
    }

    /// … and is back, with all it had.
    #[track_caller]
    pub fn again(&mut self) {
        self.part.kill();
        self.part = begin(self.folder.path(), self.address);
    }
}

#[track_caller]
fn begin(folder: &Path, address: SocketAddr) -> Part {
    let mut part = Part::start("s3s-fs", &folder.join("log"), &installed(), |command| {
        command.args(["--host", &address.ip().to_string(), "--port", &address.port().to_string()]);
        command.args(["--access-key", KEY, "--secret-key", SECRET]).arg(folder.join("data")).env("RUST_LOG", "warn")
    });
    part.wait_for(address);
    part
}

/// Where `.ci/install test` puts it: it stays with what else is built.
fn installed() -> PathBuf {
    let tests = Path::new(env!("CARGO_BIN_EXE_kiste"));
    let target = tests.ancestors().nth(2).expect("the target folder");
    let found = target.join("s3/bin/s3s-fs");
    assert!(found.is_file(), "`{}` is missing; `.ci/install test` builds it", found.display());
    found
}
