//! The tree of commands and the options they all have. Doc comments here and in `commands/` are the help texts.

use std::io::IsTerminal;
use std::path::Path;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::commands::{
    boxes, build, cloud, completions, config, console, destroy, doctor, fix, fmt, global_status, halt, init, inspect, login, logout, logs,
    man, packer, port, providers, provision, registry, reload, resume, rsync, rsync_auto, schema, screenshot, search, snapshot, ssh,
    ssh_config, status, suspend, up, upload, validate, version, whoami,
};
use crate::context::Context;
use crate::error::Error;
use crate::ui::Form;

/// Runs machines, builds images and keeps boxes.
///
/// A project is a folder with a Kistefile: `kiste init BOX` writes one, `kiste up` brings its machines up.
#[derive(Debug, Parser)]
#[command(name = "kiste", version, disable_version_flag = true, arg_required_else_help = true, infer_long_args = false)]
#[command(after_help = "`kiste COMMAND --help` explains a command. `kiste doctor` checks this host.")]
pub struct App {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// Print the version
    #[arg(short = 'v', long, short_alias = 'V', action = ArgAction::Version)]
    version: Option<bool>,
}

/// Options of every command.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Print results as JSON: one object, or one a line for what happens over time
    #[arg(long, global = true, conflicts_with = "machine_readable")]
    pub json: bool,
    /// Print results in the peers' line protocol: `TIME,TARGET,TYPE,DATA…`
    #[arg(long, global = true)]
    pub machine_readable: bool,
    /// Print names only; tell nothing but warnings and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Use colours: `auto` (on a terminal, unless NO_COLOR is set), `always`, `never`
    #[arg(long, global = true, value_name = "WHEN", num_args = 0..=1, require_equals = true, default_value = "auto", default_missing_value = "always", hide_possible_values = true)]
    pub color: When,
    /// Use no colours
    #[arg(long, global = true, overrides_with = "color")]
    pub no_color: bool,
    /// Ask nothing and draw no bars, even on a terminal
    #[arg(long, global = true)]
    pub no_tty: bool,
    /// Begin each line with the time
    #[arg(long, global = true)]
    pub timestamp: bool,
    /// Show the steps and the log of what kiste does inside (KISTE_LOG sets a filter)
    #[arg(long, global = true)]
    pub debug: bool,
    /// Show the steps, and begin each line with the time
    #[arg(long, global = true)]
    pub debug_timestamp: bool,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    #[value(alias = "true")]
    Always,
    /// Never.
    #[value(alias = "false")]
    Never,
}

impl Global {
    /// The form of output.
    pub fn form(&self) -> Form {
        match (self.machine_readable, self.json) {
            (true, _) => Form::Machine,
            (_, true) => Form::Json,
            _ => Form::Human,
        }
    }

    /// Whether standard error has colours.
    pub fn colors(&self) -> bool {
        let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        match self.color {
            _ if self.no_color => false,
            When::Never => false,
            When::Always => true,
            When::Auto => {
                let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
                std::io::stderr().is_terminal() && !self.no_tty && !set("NO_COLOR") && !dumb
            }
        }
    }
}

/// Options of every command that reads a Kistefile.
#[derive(Clone, Debug, Default, Args)]
pub struct ProjectArgs {
    /// Provider to use (else the Kistefile's, KISTE_PROVIDER's, or the first that works here)
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// Override a setting of the Kistefile: `--set memory=2GiB`, `--set params.nodes=5`
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// Which provisioners run.
#[derive(Clone, Debug, Default, Args)]
pub struct ProvisionArgs {
    /// Run provisioners even where they ran before
    #[arg(long, overrides_with = "no_provision")]
    provision: bool,
    /// Run no provisioners
    #[arg(long, overrides_with = "provision")]
    no_provision: bool,
    /// Run only these provisioners, by name or type, even if they ran before
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    provision_with: Vec<String>,
}

impl ProvisionArgs {
    /// For the engine.
    pub fn options(&self) -> kiste_lifecycle::ProvisionOptions {
        kiste_lifecycle::ProvisionOptions { provision: either(self.provision, self.no_provision), with: self.provision_with.clone() }
    }
}

/// A pair of `--x` and `--no-x`; none when neither was given.
pub fn either(yes: bool, no: bool) -> Option<bool> {
    match (yes, no) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    Init(init::InitArgs),
    Up(up::UpArgs),
    Status(status::StatusArgs),
    Ssh(ssh::SshArgs),
    Halt(halt::HaltArgs),
    Reload(reload::ReloadArgs),
    Provision(provision::ProvisionCommandArgs),
    Suspend(suspend::SuspendArgs),
    Resume(resume::ResumeArgs),
    /// Keep states of machines and go back to them
    #[command(subcommand, arg_required_else_help = true)]
    Snapshot(snapshot::SnapshotCommand),
    Destroy(destroy::DestroyArgs),
    GlobalStatus(global_status::GlobalStatusArgs),
    Port(port::PortArgs),
    SshConfig(ssh_config::SshConfigArgs),
    Upload(upload::UploadArgs),
    Rsync(rsync::RsyncArgs),
    RsyncAuto(rsync_auto::RsyncAutoArgs),
    Screenshot(screenshot::ScreenshotArgs),
    Logs(logs::LogsArgs),
    Validate(validate::ValidateArgs),
    Config(config::ConfigArgs),
    Schema(schema::SchemaArgs),
    /// Keep boxes: add, list, update, remove
    #[command(subcommand, arg_required_else_help = true)]
    Box(boxes::BoxCommand),
    Login(login::LoginArgs),
    Logout(logout::LogoutArgs),
    Whoami(whoami::WhoamiArgs),
    Search(search::SearchArgs),
    /// Keep a registry: its people, boxes and versions
    #[command(subcommand, arg_required_else_help = true)]
    Registry(registry::RegistryCommand),
    /// The registry's commands as Vagrant calls them
    #[command(subcommand, arg_required_else_help = true)]
    Cloud(cloud::CloudCommand),
    Build(build::BuildArgs),
    Console(console::ConsoleArgs),
    Inspect(inspect::InspectArgs),
    Fix(fix::FixArgs),
    Fmt(fmt::FmtArgs),
    #[command(name = "hcl2_upgrade", hide = true)]
    Hcl2Upgrade(packer::UpgradeArgs),
    #[command(hide = true)]
    PackerInit(packer::InitArgs),
    #[command(hide = true)]
    PackerPlugins(packer::PluginsArgs),
    #[command(hide = true)]
    PackerVersion(packer::VersionArgs),
    Doctor(doctor::DoctorArgs),
    Providers(providers::ProvidersArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Version(version::VersionArgs),
}

impl Command {
    /// Runs it; its exit code.
    pub fn run(&self, context: &Context) -> Result<u8, Error> {
        match self {
            Self::Init(args) => init::run(context, args),
            Self::Up(args) => up::run(context, args),
            Self::Status(args) => status::run(context, args),
            Self::Ssh(args) => ssh::run(context, args),
            Self::Halt(args) => halt::run(context, args),
            Self::Reload(args) => reload::run(context, args),
            Self::Provision(args) => provision::run(context, args),
            Self::Suspend(args) => suspend::run(context, args),
            Self::Resume(args) => resume::run(context, args),
            Self::Snapshot(command) => snapshot::run(context, command),
            Self::Destroy(args) => destroy::run(context, args),
            Self::GlobalStatus(args) => global_status::run(context, args),
            Self::Port(args) => port::run(context, args),
            Self::SshConfig(args) => ssh_config::run(context, args),
            Self::Upload(args) => upload::run(context, args),
            Self::Rsync(args) => rsync::run(context, args),
            Self::RsyncAuto(args) => rsync_auto::run(context, args),
            Self::Screenshot(args) => screenshot::run(context, args),
            Self::Logs(args) => logs::run(context, args),
            Self::Validate(args) => validate::run(context, args),
            Self::Config(args) => config::run(context, args),
            Self::Schema(args) => schema::run(context, args),
            Self::Box(command) => boxes::run(context, command),
            Self::Login(args) => login::run(context, args),
            Self::Logout(args) => logout::run(context, args),
            Self::Whoami(args) => whoami::run(context, args),
            Self::Search(args) => search::run(context, args),
            Self::Registry(command) => registry::run(context, command),
            Self::Cloud(command) => cloud::run(context, command),
            Self::Build(args) => build::run(context, args),
            Self::Console(args) => console::run(context, args),
            Self::Inspect(args) => inspect::run(context, args),
            Self::Fix(args) => fix::run(context, args),
            Self::Fmt(args) => fmt::run(context, args),
            Self::Hcl2Upgrade(args) => packer::upgrade(context, args),
            Self::PackerInit(args) => packer::init(context, args),
            Self::PackerPlugins(args) => packer::plugins(context, args),
            Self::PackerVersion(args) => packer::version(context, args),
            Self::Doctor(args) => doctor::run(context, args),
            Self::Providers(args) => providers::run(context, args),
            Self::Completions(args) => completions::run(context, args),
            Self::Man(args) => man::run(context, args),
            Self::Version(args) => version::run(context, args),
        }
    }

    /// Whether it does something over time, so that `--json` is a line per event (commands that only show something give one object).
    pub fn streams(&self) -> bool {
        match self {
            Self::Box(command) => command.streams(),
            Self::Snapshot(command) => command.streams(),
            Self::Registry(command) => command.streams(),
            Self::Cloud(command) => command.streams(),
            Self::Up(_) | Self::Halt(_) | Self::Reload(_) | Self::Provision(_) | Self::Suspend(_) | Self::Resume(_) => true,
            Self::Destroy(_) | Self::Upload(_) | Self::Rsync(_) | Self::RsyncAuto(_) | Self::Build(_) => true,
            Self::Ssh(_) | Self::Logs(_) => true,
            _ => false,
        }
    }

    /// Whether Packer has it: its lines then are Packer's, its exit code is 0 or 1.
    pub fn is_packers(&self) -> bool {
        match self {
            Self::Validate(args) => args.is_of_template(),
            Self::Build(_) | Self::Console(_) | Self::Inspect(_) | Self::Fix(_) | Self::Fmt(_) => true,
            Self::Hcl2Upgrade(_) | Self::PackerInit(_) | Self::PackerPlugins(_) | Self::PackerVersion(_) => true,
            _ => false,
        }
    }

    /// Whether lines of builds begin with the time.
    pub fn timestamp_ui(&self) -> bool {
        matches!(self, Self::Build(args) if args.timestamp_ui)
    }

    /// Whether it uses the files that a Kistefile names (scripts, folders): they are looked for before anything starts.
    /// `halt` or `destroy` must work without them.
    pub fn uses_files(&self) -> bool {
        match self {
            Self::Snapshot(command) => command.uses_files(),
            _ => matches!(self, Self::Up(_) | Self::Reload(_) | Self::Provision(_) | Self::Validate(_)),
        }
    }

    /// How the log of a server looks; none: it is no server, and logs only when asked to.
    pub fn log_format(&self) -> Option<registry::serve::LogFormat> {
        match self {
            Self::Registry(registry::RegistryCommand::Serve(args)) => Some(args.log_format),
            _ => None,
        }
    }

    /// Where its timeline goes.
    pub fn timings(&self) -> Option<&Path> {
        match self {
            Self::Up(args) => args.timings.as_deref(),
            Self::Reload(args) => args.timings.as_deref(),
            Self::Build(args) => args.timings.as_deref(),
            _ => None,
        }
    }
}
