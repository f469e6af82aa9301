//! `kiste build`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use kiste_core::step::OnError;
use kiste_core::{Explain, Kind, Reporter, Scope};
use kiste_templates::{BuildRequest, BuildResult};

use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::ui::pause::Pause;

mod summary;

/// Build images from a template
///
/// Options may be written with one dash and values with `=`, as Packer's are: `-var-file=vars.json -only=a,b`.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Template (JSON); `-` is standard input
    #[arg(value_name = "TEMPLATE")]
    template: PathBuf,
    #[command(flatten)]
    variables: TemplateArgs,
    /// Replace output of an earlier build
    #[arg(short, long)]
    force: bool,
    /// What to do with half made work after a failure
    #[arg(long, value_name = "WHAT", default_value = "cleanup")]
    on_error: AfterError,
    /// Builds that run at once; 0: as many as there are
    #[arg(long, value_name = "N", default_value_t = 0)]
    parallel_builds: usize,
    /// Stop after every step until Enter is pressed (Packer's `-debug`); builds run one after the other
    #[arg(long)]
    pause: bool,
    /// Begin each line with the time
    #[arg(long)]
    pub timestamp_ui: bool,
    /// Write a page with the timeline of every phase
    #[arg(long, value_name = "FILE.html")]
    pub timings: Option<PathBuf>,
    /// Write a statement about each build's artifacts: what they were made from, with digests (in-toto, SLSA)
    #[arg(long, value_name = "FILE|FOLDER")]
    provenance: Option<PathBuf>,
    /// Write a list of the packages in each build's guest (SPDX)
    #[arg(long, value_name = "FILE|FOLDER")]
    sbom: Option<PathBuf>,
}

/// Variables of a template and which of its builds are meant.
#[derive(Debug, Default, Args)]
pub struct TemplateArgs {
    /// Set a variable of the template
    #[arg(long, value_name = "NAME=VALUE")]
    var: Vec<String>,
    /// Set variables from a JSON file; later files win
    #[arg(long, value_name = "FILE")]
    var_file: Vec<PathBuf>,
    /// Only these builds
    #[arg(long, value_name = "BUILD,…", value_delimiter = ',')]
    only: Vec<String>,
    /// Not these builds, nor post-processors of these names
    #[arg(long, value_name = "BUILD,…", value_delimiter = ',')]
    except: Vec<String>,
}

/// What `--on-error` can be.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum AfterError {
    /// Remove it.
    Cleanup,
    /// Leave it.
    Abort,
    /// Ask.
    Ask,
    /// Leave it, but run the template's cleanup provisioner in the guest.
    RunCleanupProvisioner,
}

impl TemplateArgs {
    /// The request for the engine; reads and parses the template.
    pub fn request(&self, context: &Context, template: &Path) -> Result<BuildRequest, Error> {
        let template = kiste_templates::load(template)?;
        let mut request = BuildRequest::new(template, context.home()?, context.reporter.clone(), context.cancel.clone());
        request.vars = self.var.iter().map(|v| variable(v)).collect::<Result<_, _>>()?;
        request.var_files.clone_from(&self.var_file);
        request.only.clone_from(&self.only);
        request.except.clone_from(&self.except);
        Ok(request)
    }
}

fn variable(text: &str) -> Result<(String, String), Error> {
    let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = parts.ok_or_else(|| Error::arguments(format!("no `=` in the variable `{text}`"), "Write `-var NAME=VALUE`."))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Builds.
pub fn run(context: &Context, args: &BuildArgs) -> Result<u8, Error> {
    let mut request = args.variables.request(context, &args.template)?;
    request.force = args.force;
    request.provenance.clone_from(&args.provenance);
    request.sbom.clone_from(&args.sbom);
    request.debug = args.pause;
    request.on_error = match args.on_error {
        AfterError::Cleanup => OnError::Cleanup,
        AfterError::Abort => OnError::Abort,
        AfterError::Ask => OnError::Ask,
        AfterError::RunCleanupProvisioner => OnError::RunCleanupProvisioner,
    };
    request.parallel = if args.pause { 1 } else { args.parallel_builds };
    if args.pause {
        request.reporter = Reporter::new(Arc::new(Pause::new(context.reporter.clone())), Scope::Project);
    }
    let results = kiste_templates::build(&request)?;
    context.cancel.check()?;
    context.show(&summary::shown(&results));
    let failures: Vec<Kind> = results.iter().filter_map(failure).collect();
    match failures.first() {
        None => Ok(exit::OK),
        Some(kind) => Err(Error::Builds { failed: failures.len(), all: results.len(), kind: *kind }),
    }
}

fn failure(result: &BuildResult) -> Option<Kind> {
    result.outcome.as_ref().err().map(Explain::kind)
}
