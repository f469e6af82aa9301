//! `kiste build`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use kiste_core::step::OnError;
use kiste_core::{Event, Explain, Kind, Reporter, Scope};
use kiste_templates::{BuildRequest, BuildResult, Plan, Problem};

use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::ui::packer::{Packer, Tone};
use crate::ui::pause::Pause;

pub mod diagnostics;
mod summary;

/// Build images from a template
///
/// Takes Packer's command line as it is (`-var-file=vars.json -only=a,b`), prints Packer's lines on standard output and ends with 0 or 1.
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
    #[arg(long, value_name = "N", default_value_t = 0, allow_hyphen_values = true)]
    parallel_builds: i64,
    /// Stop before each provisioner and after every step until Enter is pressed, save keys (Packer's `-debug`); one build at a time
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
    /// Of newer releases of Packer; without effect on JSON templates.
    #[arg(long, hide = true)]
    ignore_prerelease_plugins: bool,
    /// Of newer releases of Packer; without effect on JSON templates.
    #[arg(long, hide = true)]
    use_sequential_evaluation: bool,
    /// Of newer releases of Packer; without effect on JSON templates.
    #[arg(long, hide = true)]
    skip_enforcement: bool,
}

/// Variables of a template and which of its builds are meant.
#[derive(Debug, Default, Args)]
pub struct TemplateArgs {
    /// Set a variable of the template
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable, allow_hyphen_values = true)]
    var: Vec<(String, String)>,
    /// Set variables from a JSON file; later files win
    #[arg(long, value_name = "FILE")]
    var_file: Vec<PathBuf>,
    /// Only these builds: names as they are, or patterns with `*` and `?`
    #[arg(long, value_name = "BUILD,…", value_delimiter = ',')]
    only: Vec<String>,
    /// Not these builds, nor post-processors of these names and what follows them in their sequence
    #[arg(long, value_name = "BUILD,…", value_delimiter = ',')]
    except: Vec<String>,
    /// Warn of variables that are set though the template does not declare them
    #[arg(long)]
    warn_on_undeclared_var: bool,
    /// Which language templates have: only JSON is read.
    #[arg(long, hide = true, value_name = "json")]
    config_type: Option<String>,
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
    /// The request for the engine; reads and parses the template. None: it cannot be parsed, which has been told.
    pub fn request(&self, context: &Context, template: &Path) -> Result<Option<BuildRequest>, Error> {
        refuse_hcl(template, self.config_type.as_deref())?;
        let template = match kiste_templates::load(template) {
            Ok(template) => template,
            Err(error) => return diagnostics::unparsed(context, error).map(|()| None),
        };
        let mut request = BuildRequest::new(template, context.home()?, context.reporter.clone(), context.cancel.clone());
        request.vars.clone_from(&self.var);
        request.var_files.clone_from(&self.var_file);
        request.only.clone_from(&self.only);
        request.except.clone_from(&self.except);
        Ok(Some(request))
    }

    /// Plans, and tells what is wrong or odd. None: nothing can be built.
    pub fn plan(&self, context: &Context, request: &BuildRequest) -> Result<Option<(Plan, Vec<Problem>)>, Error> {
        let (plan, problems) = kiste_templates::plan(request);
        let undeclared = request.vars.iter().map(|(name, _)| name).filter(|n| !request.template.variables.iter().any(|v| v.name == **n));
        if self.warn_on_undeclared_var {
            undeclared
                .for_each(|n| diagnostics::warn(context, &format!("the variable \"{n}\" was set but is not declared in the template")));
        }
        for warning in &plan.warnings {
            diagnostics::warning(context, warning);
        }
        match context.packer() {
            _ if problems.is_empty() => {}
            Some(packer) => packer.tell(Tone::Error, &diagnostics::unprepared(&problems)),
            None if problems.iter().any(|p| p.build.is_none()) => {
                return Err(Error::Problems { path: request.template.path.clone(), problems });
            }
            None => problems.iter().for_each(|p| emit(context, p)),
        }
        Ok((!problems.iter().any(|p| p.build.is_none())).then_some((plan, problems)))
    }
}

fn emit(context: &Context, problem: &Problem) {
    let scope = problem.build.clone().map_or(Scope::Project, Scope::Build);
    context.reporter.scoped(scope).emit(Event::Error { text: problem.to_string() });
}

/// The other language is refused by its name, before its text fails as JSON.
pub fn refuse_hcl(template: &Path, config_type: Option<&str>) -> Result<(), Error> {
    let name = template.to_string_lossy();
    let hcl = name.ends_with(".pkr.hcl") || name.ends_with(".pkr.json") || template.is_dir() || config_type.is_some_and(|t| t != "json");
    if !hcl {
        return Ok(());
    }
    let hint = "Templates of kiste are JSON, as Packer's were up to 1.6; there is no tool that turns HCL2 into JSON.";
    Err(Error::arguments(format!("`{name}` is in Packer's HCL2 language, which kiste does not read"), hint))
}

/// A variable of the command line.
pub fn variable(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
    parts.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| format!("No '=' value in arg: {text}"))
}

/// Builds.
pub fn run(context: &Context, args: &BuildArgs) -> Result<u8, Error> {
    let Some(mut request) = args.variables.request(context, &args.template)? else { return Ok(exit::FAILED) };
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
    request.parallel = if args.pause { 1 } else { usize::try_from(args.parallel_builds).unwrap_or(0) };
    if args.pause {
        request.reporter = Reporter::new(Arc::new(Pause::new(context.reporter.clone())), Scope::Project);
    }
    let Some((plan, problems)) = args.variables.plan(context, &request)? else { return Ok(exit::FAILED) };
    if args.pause {
        context.reporter.say("Debug mode enabled. Builds will not be parallelized.");
    }
    if let Some(packer) = context.packer() {
        packer.introduce(&plan.builds.iter().map(|b| b.name.clone()).collect::<Vec<_>>());
    }
    let began = std::time::Instant::now();
    let results = kiste_templates::build(&request, &plan);
    let kinds: Vec<Kind> = results.iter().filter_map(failure).collect();
    match context.packer() {
        Some(packer) => {
            tell(context, packer, &results, began.elapsed());
            Ok(if problems.is_empty() && kinds.is_empty() && !context.cancel.is_cancelled() { exit::OK } else { exit::FAILED })
        }
        None => {
            context.cancel.check()?;
            context.show(&summary::shown(&results));
            let unprepared: std::collections::BTreeSet<_> = problems.iter().filter_map(|p| p.build.as_ref()).collect();
            let failed = kinds.len() + unprepared.len();
            let kind = kinds.first().copied().unwrap_or(Kind::Usage);
            if failed == 0 { Ok(exit::OK) } else { Err(Error::Builds { failed, all: results.len() + unprepared.len(), kind }) }
        }
    }
}

fn tell(context: &Context, packer: &Packer, results: &[BuildResult], elapsed: std::time::Duration) {
    if context.global.quiet {
        return context.show(&summary::shown(results));
    }
    summary::tell(packer, results, elapsed, context.cancel.is_cancelled());
}

fn failure(result: &BuildResult) -> Option<Kind> {
    result.outcome.as_ref().err().map(Explain::kind)
}
