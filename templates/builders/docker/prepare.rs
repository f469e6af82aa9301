//! Reads and checks the options of `docker`.

use std::path::PathBuf;

use super::{Base, ContainerOptions, Docker, Dockerfile, Finish};
use crate::builder::{Builder, BuilderContext};
use crate::communicator::{self, Defaults};
use crate::docker::{Engine, Login};
use crate::options::Options;

/// What runs in the container while it is provisioned, unless the template says otherwise.
const RUN_COMMAND: [&str; 6] = ["-d", "-i", "-t", "--entrypoint=/bin/sh", "--", "{{.Image}}"];
/// Talks to containers without any server in them.
const OWN: &str = "docker";
/// Where the shared folder is.
const CONTAINER_DIR: &str = "/packer-files";

/// The builder, or None after a mistake was told.
pub fn prepare(options: &mut Options<'_>, _: &BuilderContext<'_>) -> Option<Box<dyn Builder>> {
    let communication = communicator::prepare(options, Defaults { own: Some(OWN), ..Defaults::default() });
    let at = options.place("windows_container");
    if options.boolean("windows_container").unwrap_or(false) {
        options.problem(at, "`windows_container` is known, but not built in: containers here are Linux containers");
    }
    let (engine, platform, login) = (Engine::prepare(options), options.text("platform"), Login::prepare(options));
    let base = base(options);
    let finish = finish(options);
    let container = container(options, platform.as_deref());
    let (variables, facts) = (options.scope().variables.clone(), options.scope().facts.clone());
    Some(Box::new(Docker { engine, base: base?, platform, login, container, finish: finish?, communication, variables, facts }))
}

fn base(options: &mut Options<'_>) -> Option<Base> {
    let (image_at, pull_at) = (options.place("image"), options.place("pull"));
    let (image, pull) = (options.text("image"), options.boolean("pull"));
    let Some(mut section) = options.section("build") else {
        if image.is_none() {
            options.problem(None, "Image must be specified");
        }
        return image.map(|name| Base::Image { name, pull: pull.unwrap_or(true) });
    };
    let dockerfile = dockerfile(&mut section);
    options.close(section);
    if image.is_some() {
        options.problem(image_at, "`image` cannot be specified with a build config");
    }
    if pull == Some(true) {
        let instead = "when running a bootstrap build, the `pull` option is ignored and is replaced by `build.pull` (true by default)";
        options.warn(pull_at, instead);
    }
    dockerfile.map(Base::Build)
}

fn dockerfile(section: &mut Options<'_>) -> Option<Dockerfile> {
    let path_at = section.place("path");
    let path = section.text("path").map(PathBuf::from);
    match &path {
        None => section.problem(None, "`path` is required for bootstrapping a build with `docker build`"),
        Some(path) if !path.is_file() => section.problem(path_at, format!("dockerfile \"{}\" is not a regular file", path.display())),
        Some(_) => {}
    }
    let folder_at = section.place("build_dir");
    let folder = PathBuf::from(section.text("build_dir").unwrap_or_else(|| ".".to_owned()));
    if !folder.is_dir() {
        section.problem(folder_at, format!("specified build_dir \"{}\" is not a directory", folder.display()));
    }
    let arguments_at = section.place("arguments");
    let arguments = section.pairs("arguments").unwrap_or_default();
    for (name, _) in arguments.iter().filter(|(name, _)| !kiste_comm::quote::is_variable(name)) {
        section.problem(arguments_at, format!("`arguments`: `{name}` cannot be the name of a build argument"));
    }
    let (pull, compress) = (section.boolean("pull").unwrap_or(true), section.boolean("compress").unwrap_or(false));
    Some(Dockerfile { path: path?, folder, arguments, pull, compress })
}

fn finish(options: &mut Options<'_>) -> Option<Finish> {
    let at = options.place("export_path").or(options.place("discard")).or(options.place("commit"));
    let commit = options.boolean("commit").unwrap_or(false);
    let discard = options.boolean("discard").unwrap_or(false);
    let export = options.text("export_path").map(PathBuf::from);
    let (author, message) = (options.text("author"), options.text("message"));
    let changes = options.list("changes").unwrap_or_default();
    if export.as_ref().is_some_and(|p| p.is_dir()) {
        options.problem(at, "export_path must be a file, not a directory");
    }
    match (commit, discard, export) {
        (true, false, None) => Some(Finish::Commit { author, message, changes }),
        (false, true, None) => Some(Finish::Discard),
        (false, false, Some(path)) => Some(Finish::Export(path)),
        (false, false, None) => {
            options.problem(None, "No instructions given for handling the artifact; expected commit, discard, or export_path");
            None
        }
        _ => {
            options.problem(at, "Cannot specify more than one of commit, discard, and export_path");
            None
        }
    }
}

fn container(options: &mut Options<'_>, platform: Option<&str>) -> ContainerOptions {
    let mut flags = Vec::new();
    let add = |flags: &mut Vec<String>, flag: &str, values: Vec<String>| {
        flags.extend(values.into_iter().flat_map(|value| [flag.to_owned(), value]));
    };
    add(&mut flags, "--device", options.list("device").unwrap_or_default());
    add(&mut flags, "--cap-add", options.list("cap_add").unwrap_or_default());
    add(&mut flags, "--cap-drop", options.list("cap_drop").unwrap_or_default());
    flags.extend(options.boolean("privileged").unwrap_or(false).then(|| "--privileged".to_owned()));
    add(&mut flags, "--runtime", options.text("runtime").into_iter().collect());
    add(&mut flags, "--platform", platform.map(str::to_owned).into_iter().collect());
    add(&mut flags, "--tmpfs", options.list("tmpfs").unwrap_or_default());
    let command = options.later_list("run_command").filter(|c| !c.is_empty());
    ContainerOptions {
        flags,
        volumes: volumes(options),
        folder: options.text("container_dir").unwrap_or_else(|| CONTAINER_DIR.to_owned()),
        command: command.unwrap_or_else(|| RUN_COMMAND.map(str::to_owned).to_vec()),
        user: options.text("exec_user"),
        pty: options.boolean("pty").unwrap_or(false),
        own_uploads: options.boolean("fix_upload_owner").unwrap_or(true),
    }
}

/// Sorted by the host's folder; `~/` is the user's home.
fn volumes(options: &mut Options<'_>) -> Vec<(String, String)> {
    let mut volumes = options.pairs("volumes").unwrap_or_default();
    for (host, _) in &mut volumes {
        if let (Some(rest), Some(home)) = (host.strip_prefix("~/"), std::env::home_dir()) {
            *host = home.join(rest).display().to_string();
        }
    }
    volumes.sort();
    volumes
}
