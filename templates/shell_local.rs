//! `shell-local`: scripts on the host, as a provisioner and as a post-processor (which hands its artifact on).

mod file;

use std::path::Path;

use kiste_core::host::{HostError, Program, exit_code};
use kiste_core::{Cancel, Reporter};

use crate::artifact::Artifact;
use crate::error::Error;
use crate::lines::tell_line;
use crate::live::Live;
use crate::options::Options;
use crate::post_processor::{PostProcessor, PostProcessorRun, Processed};
use crate::provisioner::{Provisioner, ProvisionerRun};
use crate::script::{self, Rules, Script, ValidCodes, Variables};

/// Operating systems that `only_on` may name.
const SYSTEMS: [&str; 6] = ["darwin", "freebsd", "linux", "openbsd", "solaris", "windows"];

const RULES: Rules = Rules {
    command: Some("command"),
    none: "Command, Inline, Script and Scripts options cannot all be empty.",
    two_files: TOO_MANY,
    both: TOO_MANY,
};
const TOO_MANY: &str = "You may only specify one of the following options: Command, Inline, Script or Scripts. Please consolidate these options in your config.";

/// Its options, checked.
struct ShellLocal {
    scripts: Vec<Script>,
    variables: Variables,
    execute_command: Vec<String>,
    inline_shebang: Option<String>,
    only_on: Vec<String>,
    tempfile_extension: String,
    valid_exit_codes: ValidCodes,
}

/// The provisioner.
pub fn prepare_provisioner(options: &mut Options<'_>) -> Option<Box<dyn Provisioner>> {
    Some(Box::new(prepare(options)))
}

/// The post-processor.
pub fn prepare_post_processor(options: &mut Options<'_>) -> Option<Box<dyn PostProcessor>> {
    let mut it = prepare(options);
    if it.execute_command.len() == 1 {
        // It was a text for `sh -c` once, and templates still say it so.
        it.execute_command.splice(0..0, ["sh".to_owned(), "-c".to_owned()]);
    }
    Some(Box::new(it))
}

fn prepare(options: &mut Options<'_>) -> ShellLocal {
    let scripts = script::scripts(options, &RULES);
    let (command, format): (&[&str], _) = if cfg!(windows) {
        (&["cmd", "/V", "/C", "{{.Vars}}", "call", "{{.Script}}"], "set %s=%s && ")
    } else {
        (&["/bin/sh", "-c", "{{.Vars}} {{.Script}}"], "%s='%s' ")
    };
    if options.boolean("use_linux_pathing") == Some(true) {
        let windows_only = "`use_linux_pathing` is for the Windows Subsystem for Linux; this host has its paths already";
        let message = if matches!(scripts.first(), Some(Script::Inline(_))) {
            "Packer is unable to use the Command and Inline features with the Windows Linux Subsystem. \
             Please use the Script or Scripts options instead"
        } else {
            windows_only
        };
        options.problem(None, message);
    }
    let execute_command = options.later_list("execute_command").filter(|c| !c.is_empty());
    ShellLocal {
        scripts,
        variables: Variables::of(options, format),
        execute_command: execute_command.unwrap_or_else(|| command.iter().map(|&w| w.to_owned()).collect()),
        inline_shebang: options.text("inline_shebang").or_else(|| cfg!(unix).then(|| "/bin/sh -e".to_owned())),
        only_on: only_on(options),
        tempfile_extension: extension(options),
        valid_exit_codes: ValidCodes::of(options),
    }
}

fn extension(options: &mut Options<'_>) -> String {
    let at = options.place("tempfile_extension");
    let given = options.text("tempfile_extension").unwrap_or_else(|| if cfg!(windows) { "cmd" } else { "" }.to_owned());
    let plain = given.strip_prefix('.').unwrap_or(&given);
    if plain.contains(['/', '\\', '\0']) {
        options.problem(at, "`tempfile_extension` must be an extension such as `.sh`");
    }
    if plain.is_empty() { String::new() } else { format!(".{plain}") }
}

fn only_on(options: &mut Options<'_>) -> Vec<String> {
    let at = options.place("only_on");
    let systems = options.list("only_on").unwrap_or_default();
    if let Some(system) = systems.iter().find(|s| !SYSTEMS.contains(&s.as_str())) {
        options.problem(at, format!("Invalid OS specified in only_on: '{system}'\nSupported OS names: {}", SYSTEMS.join(", ")));
    }
    systems
}

/// This host in the words of `only_on`.
fn this_system() -> &'static str {
    if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS }
}

impl Provisioner for ShellLocal {
    fn needs_guest(&self) -> bool {
        false
    }

    fn provision(&self, run: &ProvisionerRun<'_>) -> Result<(), Error> {
        self.run(&run.live(), run.reporter, run.cancel)
    }
}

impl PostProcessor for ShellLocal {
    fn process(&self, artifact: &Artifact, run: &PostProcessorRun<'_>) -> Result<Processed, Error> {
        let mut fields = run.fields.clone();
        fields.entry("PackerRunUUID".to_owned()).or_insert_with(|| run.inputs.run_uuid.clone());
        self.run(&Live { fields: &fields, ..run.live() }, run.reporter, run.cancel)?;
        Ok(Processed { artifact: Some(artifact.clone()), keep: true, must_keep: true })
    }
}

impl ShellLocal {
    fn run(&self, live: &Live<'_>, reporter: &Reporter, cancel: &Cancel) -> Result<(), Error> {
        if !self.only_on.is_empty() && !self.only_on.iter().any(|s| s == this_system()) {
            reporter.say("Skipping shell-local due to runtime OS");
            return Ok(());
        }
        let variables = self.variables.text(live, script::escape_single)?;
        for script in &self.scripts {
            let made;
            let (shown, path) = match script {
                Script::File(path) => (path.as_path(), std::path::absolute(path).map_err(Error::file(path))?),
                Script::Inline(lines) => {
                    let text = script::inline_text(lines, self.inline_shebang.as_deref(), live)?;
                    made = file::write(&text, &self.tempfile_extension, cancel)?;
                    (made.as_ref(), made.to_path_buf())
                }
            };
            let path = path.display().to_string();
            let render = |word: &String| {
                let fields = [("Vars", variables.clone()), ("Script", path.clone()), ("Command", path.clone())];
                live.render_with("execute_command", word, fields)
            };
            let words = self.execute_command.iter().map(render).collect::<Result<Vec<_>, _>>()?;
            reporter.say(format!("Running local shell script: {}", shown.display()));
            self.execute(&words, Path::new(&path), live, reporter, cancel)?;
        }
        Ok(())
    }

    fn execute(&self, words: &[String], script: &Path, live: &Live<'_>, reporter: &Reporter, cancel: &Cancel) -> Result<(), Error> {
        let Some((program, arguments)) = words.split_first() else { return Ok(()) };
        let mut command = Program::new(program).args(arguments);
        if let Some(run) = live.field("PackerRunUUID") {
            command = command.env("PACKER_RUN_UUID", run);
        }
        let ended = command.stream(cancel, |stream, line| tell_line(reporter, stream, line));
        match ended {
            Ok(status) => self.valid_exit_codes.check(exit_code(status)),
            Err(error @ (HostError::Missing { .. } | HostError::Start { .. })) => Err(Error::HostLacks {
                what: format!("Error executing script: {}: {error}", script.display()),
                hint: "`execute_command` is a list: the program, then its arguments, each an element.".to_owned(),
            }),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests;
