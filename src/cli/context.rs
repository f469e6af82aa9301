//! What every command starts from: who listens, where boxes live, which project this is. Nothing is looked up before it is needed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiste_boxes::Store;
use kiste_core::dirs::Home;
use kiste_core::machine::Project;
use kiste_core::{Cancel, Reporter, Scope};
use kiste_lifecycle::{Environment, index};
use kiste_providers::Driver;

use crate::app::{App, Global, ProjectArgs, When};
use crate::error::Error;
use crate::result::Shown;
use crate::ui::human::Look;
use crate::ui::packer::{self, Packer};
use crate::ui::timeline::Heading;
use crate::ui::{Form, Sinks, prompt};

/// What every command starts from.
pub struct Context {
    /// Options that every command has.
    pub global: Global,
    /// Ctrl-C.
    pub cancel: Cancel,
    /// Who listens, with the project's scope.
    pub reporter: Reporter,
    sinks: Arc<Sinks>,
    stream: bool,
    uses_files: bool,
    packers: bool,
}

impl Context {
    /// The context of one command line.
    pub fn new(app: &App, cancel: &Cancel) -> Self {
        let global = app.global.clone();
        let stream = app.command.streams();
        let timings = app.command.timings().is_some();
        let sinks = if app.command.is_packers() && global.form() != Form::Json {
            Sinks::packer(packer_look(&global, app.command.timestamp_ui()), timings, cancel)
        } else {
            Sinks::new(global.form(), stream, look(&global), timings, cancel)
        };
        let reporter = Reporter::new(Arc::clone(&sinks) as Arc<dyn kiste_core::Ui>, Scope::Project);
        let (uses_files, packers) = (app.command.uses_files(), app.command.is_packers());
        Self { global, cancel: cancel.clone(), reporter, sinks, stream, uses_files, packers }
    }

    /// The form of output.
    pub fn form(&self) -> Form {
        self.global.form()
    }

    /// Whether colours are shown.
    pub fn colors(&self) -> bool {
        self.global.colors()
    }

    /// The sink that speaks as Packer does; none with `--json` and in commands that Packer does not have.
    pub fn packer(&self) -> Option<&Packer> {
        self.sinks.as_packer()
    }

    /// All sinks, for a thread of its own.
    pub fn sinks(&self) -> Arc<Sinks> {
        Arc::clone(&self.sinks)
    }

    /// Whether Packer has this command: then its exit code is 0 or 1 as there.
    pub fn is_packers(&self) -> bool {
        self.packers
    }

    /// Whether this command tells a stream of events.
    pub fn streams(&self) -> bool {
        self.stream
    }

    /// The reporter for boxes.
    pub fn box_reporter(&self) -> Reporter {
        self.reporter.scoped(Scope::Box)
    }

    /// The user's home.
    pub fn home(&self) -> Result<Home, Error> {
        Home::find().ok_or(Error::NoHome)
    }

    /// The user's boxes.
    pub fn store(&self) -> Result<Store, Error> {
        Ok(Store::open(&self.home()?))
    }

    /// Schemas of the providers' settings, by provider.
    pub fn provider_schemas(&self, drivers: &[Arc<dyn Driver>]) -> BTreeMap<String, schemars::Schema> {
        drivers.iter().map(|d| (d.name().to_owned(), d.settings_schema())).collect()
    }

    /// The project's file, found from `KISTE_CWD` (else the working folder) and `KISTE_FILE`.
    pub fn project_file(&self) -> Result<PathBuf, Error> {
        let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let start = set("KISTE_CWD").unwrap_or_else(|| PathBuf::from("."));
        Ok(kiste_config::find(&start, set("KISTE_FILE").as_deref())?)
    }

    /// The environment of the project here.
    pub fn environment(&self, args: &ProjectArgs) -> Result<Environment, Error> {
        self.environment_at(&self.project_file()?, args)
    }

    /// The environment of the project here, or of the one elsewhere that a machine's id in `names` belongs to.
    pub fn environment_of<S: AsRef<str>>(&self, args: &ProjectArgs, names: &[S]) -> Result<Environment, Error> {
        let here = self.environment(args);
        let known = |name: &str| here.as_ref().is_ok_and(|env| env.project.machines.iter().any(|m| m.name == name));
        for name in names.iter().map(AsRef::as_ref).filter(|n| !known(n)) {
            if let Some(entry) = index::find(&self.home()?, name)?
                && here.as_ref().map_or(true, |env| env.project.root != entry.directory)
            {
                return self.environment_at(&entry.file, args);
            }
        }
        here
    }

    /// The environment of the project with this file.
    pub fn environment_at(&self, file: &Path, args: &ProjectArgs) -> Result<Environment, Error> {
        let home = self.home()?;
        let drivers = kiste_providers::all();
        let project = self.load(file, &home, args, &drivers)?;
        self.sinks.set_several(project.machines.len() > 1);
        let default_provider = std::env::var("KISTE_PROVIDER").ok().filter(|p| !p.is_empty());
        Ok(Environment {
            project,
            home,
            reporter: self.reporter.clone(),
            cancel: self.cancel.clone(),
            drivers,
            provider: args.provider.clone(),
            default_provider,
        })
    }

    fn load(&self, file: &Path, home: &Home, args: &ProjectArgs, drivers: &[Arc<dyn Driver>]) -> Result<Project, Error> {
        let own = Some(home.kistefile()).filter(|f| f.is_file());
        let schemas = self.provider_schemas(drivers);
        let env = |name: &str| std::env::var(name).ok();
        let request = kiste_config::Request { file, user_file: own.as_deref(), sets: &args.set, provider_schemas: &schemas, env: &env };
        let read = if self.uses_files { kiste_config::validate } else { kiste_config::load };
        Ok(read(&request)?)
    }

    /// Shows a result in the form that was asked for.
    pub fn show(&self, shown: &Shown) {
        match self.form() {
            Form::Json if self.stream => shown.last_line(),
            Form::Json => shown.object(),
            Form::Machine => shown.machine(),
            Form::Human if self.global.quiet => shown.quiet(),
            Form::Human => shown.human(),
        }
    }

    /// Asks for a yes before `what` (`` `x` is not removed ``); `question` is shown.
    pub fn confirm(&self, what: &str, question: &str) -> Result<bool, Error> {
        let answer = self.reporter.scoped(Scope::Box).confirm(question);
        self.cancel.check()?;
        answer.ok_or_else(|| Error::Unattended { what: what.to_owned() })
    }

    /// [`Context::confirm`] that ends the command unless the answer is yes, or `force` says so.
    pub fn sure(&self, force: bool, what: &str, question: &str) -> Result<(), Error> {
        if force || self.confirm(what, question)? { Ok(()) } else { Err(Error::Declined { what: what.to_owned() }) }
    }

    /// Shows what was done.
    pub fn done(&self, text: String, json: serde_json::Value) {
        self.show(&Shown { text, json, ..Shown::default() });
    }

    /// Asks for something that nobody may see; without a terminal it is a line of standard input.
    pub fn secret(&self, question: &str) -> Result<String, Error> {
        let answer = match self.box_reporter().ask(question, true) {
            None if !prompt::possible() => prompt::piped(&self.cancel),
            other => other,
        };
        self.cancel.check()?;
        let nobody = || Error::arguments("nobody is there to be asked for a secret", "Write it to standard input.");
        answer.filter(|a| !a.is_empty()).ok_or_else(nobody)
    }

    /// Asks for a line that `option` gives as well.
    pub fn line(&self, question: &str, option: &str) -> Result<String, Error> {
        let answer = self.box_reporter().ask(question, false);
        self.cancel.check()?;
        let nobody = || Error::arguments(format!("`{option}` is missing, and nobody is there to be asked"), "");
        answer.filter(|a| !a.is_empty()).ok_or_else(nobody)
    }

    /// Writes the page of `--timings`.
    pub fn write_timings(&self, file: &Path, ok: bool, words: &[OsString]) -> Result<(), Error> {
        let Some(timeline) = self.sinks.timeline() else { return Ok(()) };
        let command = words.iter().skip(1).map(|w| w.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let place = std::env::current_dir().map(|d| d.display().to_string()).unwrap_or_default();
        let heading = Heading { command: &format!("kiste {command}"), place: &place, ok };
        let path = std::path::absolute(file).map_err(Error::file("write", file))?;
        timeline.write(&path, &heading).map_err(Error::file("write", file))
    }
}

fn look(global: &Global) -> Look {
    let terminal = std::io::stderr().is_terminal() && !global.no_tty;
    let ci = std::env::var_os("CI").is_some_and(|v| !v.is_empty() && v != "false");
    Look {
        color: global.colors(),
        live: terminal && !ci && console::user_attended_stderr(),
        quiet: global.quiet,
        timestamp: global.timestamp || global.debug_timestamp,
        steps: global.debug || global.debug_timestamp,
        ask: !global.no_tty && prompt::possible(),
    }
}

fn packer_look(global: &Global, timestamp: bool) -> packer::Look {
    let asked = match global.color {
        _ if global.no_color => Some(false),
        When::Always => Some(true),
        When::Never => Some(false),
        When::Auto => None,
    };
    let human = look(global);
    packer::Look {
        machine: global.form() == Form::Machine,
        color: packer::colors(asked),
        live: human.live,
        timestamp: timestamp || human.timestamp,
        ask: human.ask,
        quiet: human.quiet,
    }
}
