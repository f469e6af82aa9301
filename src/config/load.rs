//! From files to a project: every step in its order, every mistake at once.

mod expand;
mod layers;

pub use layers::Built;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use kiste_core::machine::Project;
use schemars::Schema;

use crate::check;
use crate::document::{Node, Source, parse};
use crate::error::Error;
use crate::interpolate::{Environment, Interpolator};
use crate::mistake::Mistake;
use crate::reader::Paths;
use crate::schema::rendered;
use crate::set;

/// What to read, and with what.
pub struct Request<'a> {
    /// The project's file.
    pub file: &'a Path,
    /// The user's own file, which lies below it; it need not exist.
    pub user_file: Option<&'a Path>,
    /// Values of `--set`, as typed: `params.nodes=5`.
    pub sets: &'a [String],
    /// Schemas of the provider tables, by provider.
    pub provider_schemas: &'a BTreeMap<String, Schema>,
    /// The environment, for `{{env "X"}}` and `~`.
    pub env: Environment<'a>,
}

/// Reads the project. [`Error::Mistakes`] holds everything that is wrong, in order of place.
/// Whether files that the project names are there is not looked at, so that `halt` and `destroy` work without them: see [`validate`].
pub fn load(request: &Request<'_>) -> Result<Project, Error> {
    read(request, false)
}

/// [`load`], and every script, folder and file that the project names must be there. For `validate`, and for commands that need them.
pub fn validate(request: &Request<'_>) -> Result<Project, Error> {
    read(request, true)
}

fn read(request: &Request<'_>, look_at_files: bool) -> Result<Project, Error> {
    let schema = rendered(request.provider_schemas);
    let file = std::path::absolute(request.file).map_err(|source| Error::Read { file: request.file.to_owned(), source })?;
    let root = file.parent().unwrap_or(&file).to_owned();
    let mut mistakes = Vec::new();
    let mut tree = open(request.file)?.and_then(|s| parsed(&s, &mut mistakes)).ok_or(Error::NoSuchFile { file: file.clone() });
    let user = match request.user_file {
        Some(user) => open(user)?.and_then(|s| parsed(&s, &mut mistakes)),
        None => None,
    };
    finish(std::mem::take(&mut mistakes))?;
    if let Ok(tree) = &mut tree {
        mistakes.extend(request.sets.iter().filter_map(|argument| set::apply(tree, argument, &root).err().map(|m| *m)));
    }
    let interpolator = Interpolator::new(request.env);
    let home = (request.env)("HOME").filter(|h| !h.is_empty());
    let layers = layers::Layers {
        user: user.as_ref(),
        project: &tree?,
        schema: &schema,
        interpolator: &interpolator,
        paths: Paths { home: home.as_deref(), project: Some(&root) },
    };
    let built = layers.machines(&mut mistakes);
    check::project(&built, &mut mistakes);
    if look_at_files {
        check::files(&built, &root, &mut mistakes);
    }
    finish(mistakes)?;
    let machines = built.into_iter().map(|b| b.resolve()).collect::<Result<Vec<_>, _>>().map_err(|m| Error::Mistakes(vec![*m]))?;
    Ok(Project { root, file, machines })
}

fn open(file: &Path) -> Result<Option<Arc<Source>>, Error> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(Source::file(file, text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read { file: file.to_owned(), source }),
    }
}

fn parsed(source: &Arc<Source>, mistakes: &mut Vec<Mistake>) -> Option<Node> {
    parse(source).map_err(|found| mistakes.extend(found)).ok()
}

fn finish(mut mistakes: Vec<Mistake>) -> Result<(), Error> {
    if mistakes.is_empty() {
        return Ok(());
    }
    mistakes.sort_by(|a, b| (a.line == 0, &a.file, a.line, a.column).cmp(&(b.line == 0, &b.file, b.line, b.column)));
    mistakes.dedup();
    Err(Error::Mistakes(mistakes))
}

#[cfg(test)]
mod tests;
