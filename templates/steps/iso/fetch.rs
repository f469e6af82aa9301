//! Gets the disc: from the cache, from where it lies, or from the first server that has it.

use std::fs::File;
use std::path::{Path, PathBuf};

use kiste_boxes::download::{self, Whole};
use kiste_core::state_file::Lock;
use kiste_core::{Event, Explain, Kind};
use sha1::{Digest, Sha1};
use url::Url;

use super::{Iso, Source, cache};
use crate::builder::BuilderRun;
use crate::error::Error;

/// Why one address was no good.
struct Failure {
    reason: String,
    kind: Kind,
    hints: Vec<String>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { reason: error.to_string(), kind: error.kind(), hints: error.hints() }
    }
}

impl From<kiste_boxes::Error> for Failure {
    fn from(error: kiste_boxes::Error) -> Self {
        Error::from(error).into()
    }
}

impl Iso {
    /// The file, whole and right.
    pub fn fetch(&self, run: &BuilderRun<'_>) -> Result<PathBuf, Error> {
        run.reporter.say("Retrieving ISO");
        let mut failures: Vec<Failure> = Vec::new();
        for source in &self.sources {
            run.cancel.check()?;
            run.reporter.say(format!("Trying {source}"));
            let shown = self.checksum().map_or_else(|| source.to_string(), |sum| format!("{source}?checksum={}", sum.replace(':', "%3A")));
            run.reporter.say(format!("Trying {shown}"));
            match self.one(source, run) {
                Ok(path) => {
                    run.reporter.say(format!("{shown} => {}", path.display()));
                    run.inputs.used(&source.to_string(), self.checksum.as_ref().and_then(|s| s.checksum.sha256()));
                    return Ok(path);
                }
                Err(failure) if failure.kind == Kind::Interrupted => return Err(kiste_core::Cancelled.into()),
                Err(failure) => {
                    if failure.kind != Kind::Verify {
                        run.reporter.emit(Event::Error { text: format!("Download failed {}", failure.reason) });
                    }
                    failures.push(failure);
                }
            }
        }
        let kind = failures.last().map_or(Kind::Usage, |f| f.kind);
        let hints = failures.last_mut().map(|f| std::mem::take(&mut f.hints)).unwrap_or_default();
        let reasons: Vec<String> = failures.into_iter().map(|f| f.reason).collect();
        Err(Error::Told { text: format!("error downloading ISO: [{}]", reasons.join(" ")), kind, hints })
    }

    fn one(&self, source: &Source, run: &BuilderRun<'_>) -> Result<PathBuf, Failure> {
        let kept = self.kept_at(source);
        let folder = kept.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
        let lock = PathBuf::from(format!("{}.lock", kept.display()));
        let waiting = |_| run.reporter.detail("Waiting for another build that fetches the same file");
        let _lock = Lock::take(&lock, run.cancel, waiting).map_err(|e| match e.kind() {
            std::io::ErrorKind::Interrupted => Error::Cancelled(kiste_core::Cancelled),
            _ => Error::file(&lock)(e),
        })?;
        if self.is_kept(&kept, source, run)? {
            return Ok(std::path::absolute(&kept).map_err(Error::file(&kept))?);
        }
        match source {
            Source::Local(path) => self.in_place(path, run),
            Source::Web(url) => self.download(url, &kept, run),
        }
    }

    /// Packer's name for it: the checksum, or else the address, hashed.
    fn kept_at(&self, source: &Source) -> PathBuf {
        let name = self.checksum().map_or_else(|| source.to_string(), str::to_owned);
        let key = format!("{}.{}", hex::encode(Sha1::digest(name)), self.extension.trim_start_matches('.'));
        match &self.target {
            Some(target) if target.extension().is_some() => target.clone(),
            Some(folder) => folder.join(key),
            None => cache().join(key),
        }
    }

    /// Whether the cache has it. What is there but wrong is removed.
    fn is_kept(&self, kept: &Path, source: &Source, run: &BuilderRun<'_>) -> Result<bool, Failure> {
        let Ok(metadata) = kept.metadata() else { return Ok(false) };
        let right = match (&self.checksum, source) {
            (Some(sum), _) => {
                let mut file = File::open(kept).map_err(Error::file(kept))?;
                let shown = kept.display().to_string();
                match sum.checksum.verify(&mut file, kept, &shown, run.reporter, run.cancel) {
                    Err(kiste_boxes::Error::Checksum { .. }) => false,
                    other => other.map(|()| true)?,
                }
            }
            (None, Source::Local(_)) => false,
            // Nothing but its size tells whether the server still has the same one, and whether Packer left it torn.
            (None, Source::Web(url)) => download::length(url, run.cancel)? == Some(metadata.len()),
        };
        if !right && matches!(source, Source::Web(_)) {
            run.reporter.say(if self.checksum.is_some() {
                format!("Checksum did not match, removing {}", kept.display())
            } else {
                format!("The server has another file now, removing {}", kept.display())
            });
            std::fs::remove_file(kept).map_err(Error::file(kept))?;
        }
        Ok(right)
    }

    fn in_place(&self, path: &Path, run: &BuilderRun<'_>) -> Result<PathBuf, Failure> {
        let absolute = std::path::absolute(path).map_err(Error::file(path))?;
        let mut file = File::open(&absolute).map_err(Error::file(&absolute))?;
        if let Some(sum) = &self.checksum {
            let shown = absolute.display().to_string();
            sum.checksum.verify(&mut file, &absolute, &shown, run.reporter, run.cancel).map_err(|e| mismatch(e, &absolute))?;
        }
        Ok(absolute)
    }

    fn download(&self, url: &Url, kept: &Path, run: &BuilderRun<'_>) -> Result<PathBuf, Failure> {
        let absolute = std::path::absolute(kept).map_err(Error::file(kept))?;
        let checksum = self.checksum.as_ref().map(|s| &s.checksum);
        let whole = Whole { url, checksum, to: &absolute, wanted: "a disc image", reporter: run.reporter, cancel: run.cancel };
        whole.fetch().map_err(|error| {
            if matches!(error, kiste_boxes::Error::Checksum { .. }) {
                run.reporter.emit(Event::Error { text: format!("Checksum did not match, removing {}", absolute.display()) });
            }
            mismatch(error, &absolute)
        })?;
        Ok(absolute)
    }
}

/// Packer's words for a file with another checksum, which people look for; our other errors keep their own.
fn mismatch(error: kiste_boxes::Error, file: &Path) -> Failure {
    let words = match &error {
        kiste_boxes::Error::Checksum { kind, expected, actual, .. } => {
            Some(format!("Checksums did not match for {}.\nExpected: {expected}\nGot: {actual}\n*{kind}.digest", file.display()))
        }
        _ => None,
    };
    let mut failure = Failure::from(error);
    failure.reason = words.unwrap_or(failure.reason);
    failure
}
