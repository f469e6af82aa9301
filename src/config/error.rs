//! What can go wrong before there is a project.

use std::io;
use std::path::PathBuf;

use kiste_core::{Explain, Kind};

use crate::mistake::Mistake;

/// Errors of the front end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No file here nor in any folder above.
    #[error("no `Kistefile` in `{}` or any folder above it", start.display())]
    NotFound {
        /// Where the search began.
        start: PathBuf,
        /// A Vagrantfile that was seen on the way.
        vagrantfile: Option<PathBuf>,
    },
    /// The file that was named is not there.
    #[error("there is no file `{}`", file.display())]
    NoSuchFile {
        /// As named.
        file: PathBuf,
    },
    /// It can't be read.
    #[error("cannot read `{}`: {source}", file.display())]
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It was read and is wrong: everything that is, in order of place.
    #[error("{}", listed(.0))]
    Mistakes(Vec<Mistake>),
}

fn listed(mistakes: &[Mistake]) -> String {
    let count = match mistakes.len() {
        1 => "1 mistake".to_owned(),
        n => format!("{n} mistakes"),
    };
    let each: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
    format!("the configuration has {count}\n{}", each.join("\n"))
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Read { source, .. } if source.kind() != io::ErrorKind::InvalidData => Kind::Failed,
            Self::NotFound { .. } | Self::NoSuchFile { .. } | Self::Read { .. } | Self::Mistakes(_) => Kind::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotFound { vagrantfile, .. } => {
                let seen = vagrantfile.as_ref().map(|v| {
                    format!(
                        "There is a `{}`, but Vagrantfiles are not read yet: its settings have to be written as a Kistefile.",
                        v.display()
                    )
                });
                seen.into_iter()
                    .chain(["Run `kiste init BOX` to write one here, or go to the folder of your project.".to_owned()])
                    .collect()
            }
            Self::NoSuchFile { .. } => vec!["Check `KISTE_FILE` and `KISTE_CWD`.".to_owned()],
            Self::Read { .. } => vec!["Check that you may read it, and that it is UTF-8 text.".to_owned()],
            Self::Mistakes(_) => {
                vec!["Correct the lines above; `kiste validate` checks again, `kiste schema` describes every key.".to_owned()]
            }
        }
    }
}
