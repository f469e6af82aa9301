//! From a template to builds that are ready to run: names rendered, a selection made, everything prepared and checked.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::builder::{self, Builder, BuilderContext};
use crate::inputs::Inputs;
use crate::interpolate::{Facts, Scope, render};
use crate::json::{Key, Node};
use crate::mask;
use crate::options::Options;
use crate::post_processor::{self, PostProcessor};
use crate::problem::Problem;
use crate::provisioner::{self, Provisioner};
use crate::request::BuildRequest;
use crate::selection;
use crate::template::Block;
use crate::variables;

/// All selected builds.
pub struct Plan {
    /// Sorted by name.
    pub builds: Vec<Build>,
    /// User variables.
    pub variables: BTreeMap<String, String>,
    /// Values that stay out of all output.
    pub secrets: Vec<String>,
    /// What will work, though probably not as meant.
    pub warnings: Vec<Problem>,
}

/// One build, ready to run.
pub struct Build {
    /// Its name.
    pub name: String,
    /// Its builder.
    pub builder: Box<dyn Builder>,
    /// What runs in its guest, in order.
    pub provisioners: Vec<PlannedProvisioner>,
    /// What runs there after one of them failed.
    pub error_cleanup: Option<PlannedProvisioner>,
    /// Sequences of post-processors.
    pub post_processors: Vec<Vec<PlannedPostProcessor>>,
    /// What functions tell inside it.
    pub facts: Facts,
    /// What it is made from.
    pub inputs: Inputs,
}

/// A provisioner with what the engine does around it.
pub struct PlannedProvisioner {
    /// Its type.
    pub kind: String,
    /// Wait before it.
    pub pause_before: Duration,
    /// Longest time; zero: no limit.
    pub timeout: Duration,
    /// Tries after the first.
    pub max_retries: u32,
    /// Itself.
    pub provisioner: Box<dyn Provisioner>,
}

/// A post-processor with what the engine does around it.
pub struct PlannedPostProcessor {
    /// Its type.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The template's word on keeping what it is given.
    pub keep: Option<bool>,
    /// Itself.
    pub post_processor: Box<dyn PostProcessor>,
}

/// Every mistake of the template under these variables and this selection; empty: it is valid. Touches nothing.
pub fn validate(request: &BuildRequest) -> Vec<Problem> {
    plan(request).1
}

/// The plan, and every mistake. A build with a mistake is not in the plan; a mistake of the whole template empties it.
pub fn plan(request: &BuildRequest) -> (Plan, Vec<Problem>) {
    let facts = Facts {
        start: jiff::Timestamp::now(),
        template_dir: request.template.folder().map(|f| f.display().to_string()),
        build_name: None,
        build_type: None,
    };
    let mut problems = request.template.check();
    let (values, mut wrong) = variables::resolve(request, &facts);
    problems.append(&mut wrong);
    let secrets: Vec<String> =
        request.template.sensitive.iter().filter_map(|name| values.get(name)).filter(|v| !v.is_empty()).cloned().collect();
    let (mut builds, mut warnings) = (Vec::new(), request.template.warnings());
    // What is wrong already would only be told again by everything that uses it.
    if problems.is_empty() {
        let run_uuid = uuid::Uuid::new_v4().to_string();
        let inputs = || Inputs::new(&run_uuid, request.template.path.clone(), &secrets);
        let planner = Planner { request, values: &values, facts: &facts, inputs: &inputs };
        let named = planner.named(&mut problems);
        warnings.extend(selection::unknown(request, &named));
        for (block, name) in named {
            builds.extend(planner.build(block, name, &mut problems, &mut warnings));
        }
    }
    if problems.iter().any(|p| p.build.is_none()) {
        builds.clear();
    }
    for problem in problems.iter_mut().chain(&mut warnings) {
        problem.message = mask::hide(&problem.message, &secrets);
    }
    (Plan { builds, variables: values, secrets, warnings }, problems)
}

struct Planner<'a> {
    request: &'a BuildRequest,
    values: &'a BTreeMap<String, String>,
    facts: &'a Facts,
    inputs: &'a dyn Fn() -> Inputs,
}

impl Planner<'_> {
    /// Every builder with its rendered name, sorted by that.
    fn named(&self, problems: &mut Vec<Problem>) -> Vec<(&Block, String)> {
        let scope = Scope { variables: self.values, facts: self.facts, fields: None, in_variables: false };
        let mut named = Vec::new();
        for block in &self.request.template.builders {
            match render(&block.name, &scope) {
                Ok(name) => named.push((block, name)),
                Err(reason) => problems.push(Problem::at(block.at, format!("Error interpolating builder '{}': {reason}", block.name))),
            }
        }
        named.sort_by(|a, b| a.1.cmp(&b.1));
        named
    }

    fn build(&self, block: &Block, name: String, problems: &mut Vec<Problem>, warnings: &mut Vec<Problem>) -> Option<Build> {
        if !selection::selected(self.request, &name) {
            return None;
        }
        let facts = Facts { build_name: Some(name.clone()), build_type: Some(block.kind.clone()), ..self.facts.clone() };
        let mut part = Part { planner: self, facts: &facts, builder: &block.name, problems: Vec::new(), warnings: Vec::new() };
        let builder = part.builder(block, &name);
        let provisioners: Vec<_> = self.request.template.provisioners.iter().filter_map(|b| part.provisioner(b)).collect();
        let error_cleanup = self.request.template.error_cleanup_provisioner.as_ref().and_then(|b| part.any_provisioner(b));
        let is_lonely = builder.as_ref().is_some_and(|b| !b.has_guest());
        if let Some(lonely) = provisioners.iter().chain(&error_cleanup).find(|p| is_lonely && p.provisioner.needs_guest()) {
            let reason = "needs a guest to talk to, and this builder has no communicator";
            part.problems.push(Problem::at(block.at, format!("provisioner `{}` {reason}", lonely.kind)));
        }
        let post_processors = self.request.template.post_processors.iter().map(|s| part.sequence(s)).filter(|s| !s.is_empty()).collect();
        let mut found = part.problems;
        let is_good = found.is_empty();
        found.iter_mut().chain(&mut part.warnings).for_each(|p| p.build = Some(name.clone()));
        // What does not run need not be warned of.
        if is_good {
            warnings.append(&mut part.warnings);
        }
        problems.append(&mut found);
        let inputs = self.inputs(block, &facts);
        builder.filter(|_| is_good).map(|builder| Build { name, builder, provisioners, error_cleanup, post_processors, facts, inputs })
    }

    fn inputs(&self, block: &Block, facts: &Facts) -> Inputs {
        let scope = Scope { variables: self.values, facts, fields: None, in_variables: false };
        let inputs = (self.inputs)().with_variables(self.values).with_builder(block, &scope);
        let applying = self.request.template.provisioners.iter().filter(|p| p.applies_to(&block.name));
        applying.fold(inputs, |inputs, p| inputs.with_provisioner(&p.kind, &p.options_for(&block.name), &scope))
    }
}

/// One build's part of the planning.
struct Part<'a> {
    planner: &'a Planner<'a>,
    facts: &'a Facts,
    /// The builder's name as written.
    builder: &'a str,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl<'a> Part<'a> {
    fn options(&self, block: &Block, entries: Vec<(Key, Node)>) -> Options<'a> {
        let scope = Scope { variables: self.planner.values, facts: self.facts, fields: None, in_variables: false };
        Options::new(block.at, entries, scope)
    }

    fn close(&mut self, mut options: Options<'_>, built_in: bool) {
        if !built_in {
            // Its options are not known here, so none of them can be called wrong.
            options.forget();
        }
        self.warnings.append(&mut options.warnings());
        self.problems.append(&mut options.finish());
    }

    fn builder(&mut self, block: &Block, name: &str) -> Option<Box<dyn Builder>> {
        let mut options = self.options(block, block.options.clone());
        let builder = builder::prepare(&block.kind, &mut options, &BuilderContext { name, force: self.planner.request.force });
        self.close(options, builder::is_built_in(&block.kind));
        builder
    }

    fn provisioner(&mut self, block: &Block) -> Option<PlannedProvisioner> {
        if block.applies_to(self.builder) { self.any_provisioner(block) } else { None }
    }

    fn any_provisioner(&mut self, block: &Block) -> Option<PlannedProvisioner> {
        let mut options = self.options(block, block.options_for(self.builder));
        let max_retries = self.retries(block, &mut options);
        let provisioner = provisioner::prepare(&block.kind, &mut options);
        self.close(options, provisioner::is_built_in(&block.kind));
        Some(PlannedProvisioner {
            kind: block.kind.clone(),
            pause_before: block.pause_before,
            timeout: block.timeout,
            max_retries,
            provisioner: provisioner?,
        })
    }

    fn retries(&self, block: &Block, options: &mut Options<'_>) -> u32 {
        let Some(text) = &block.max_retries else { return 0 };
        match render(text, options.scope()).map(|t| (t.parse::<i64>(), t)) {
            // A negative number is no retry.
            Ok((Ok(n), _)) => return u32::try_from(n.max(0)).unwrap_or(u32::MAX),
            Ok((Err(_), text)) => {
                let why = format!("strconv.Atoi: parsing \"{text}\": invalid syntax");
                options.problem(None, format!("`max_retries` must be a valid integer: {why}"));
            }
            Err(reason) => options.problem(None, format!("invalid 'max_retries': {reason}")),
        }
        0
    }

    fn sequence(&mut self, blocks: &[Block]) -> Vec<PlannedPostProcessor> {
        let request = self.planner.request;
        // `-except` of a post-processor takes the rest of its sequence with it.
        let kept = blocks.iter().take_while(|b| !selection::lists(&request.except, &b.name));
        let here: Vec<&Block> = kept.filter(|b| b.applies_to(self.builder)).collect();
        here.into_iter().filter_map(|b| self.post_processor(b)).collect()
    }

    fn post_processor(&mut self, block: &Block) -> Option<PlannedPostProcessor> {
        let mut options = self.options(block, block.options.clone());
        let post_processor = post_processor::prepare(&block.kind, &mut options);
        self.close(options, post_processor::is_built_in(&block.kind));
        Some(PlannedPostProcessor {
            kind: block.kind.clone(),
            name: block.name.clone(),
            keep: block.keep_input_artifact,
            post_processor: post_processor?,
        })
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
