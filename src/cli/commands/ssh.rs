//! `kiste ssh`.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::fd::AsFd;

use clap::Args;
use kiste_comm::quote;
use kiste_comm::ssh::Ssh;
use kiste_core::host::{self, Program};
use kiste_core::{Scope, Stream};
use kiste_lifecycle::{Environment, SshInfo, run_command, select, ssh_config, ssh_info};
use rustix::fs::FileType;
use serde_json::json;

use crate::app::{ProjectArgs, either};
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::{self, Shown};
use crate::ui::Form;

/// Open a shell in a machine, or run a command there
///
/// The exit code is the shell's or the command's. The system's `ssh` is used where it is installed (`ssh.ssh_command` names
/// another program).
#[derive(Debug, Args)]
pub struct SshArgs {
    /// Machine: name or id of `global-status`; the primary one without a name
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Run this command instead of a shell
    #[arg(short, long, value_name = "COMMAND")]
    command: Option<String>,
    /// Log in without the machine's user and keys: ssh's own configuration decides
    #[arg(short, long)]
    plain: bool,
    /// Give the command a terminal (default when this is one)
    #[arg(short, long, overrides_with = "no_tty_for_command")]
    tty: bool,
    /// Give it none
    #[arg(short = 'T', long = "no-terminal", overrides_with = "tty")]
    no_tty_for_command: bool,
    #[command(flatten)]
    project: ProjectArgs,
    /// More arguments for `ssh`
    #[arg(last = true, value_name = "SSH ARGUMENTS")]
    extra: Vec<OsString>,
}

/// Opens a shell or runs a command.
pub fn run(context: &Context, args: &SshArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, args.name.as_slice())?;
    match &args.command {
        Some(command) if built_in(context, args) => through_kiste(context, args, &env, command),
        _ => through_ssh(context, args, &env),
    }
}

/// Our own communicator keeps the streams apart and needs no program; what reads the user's terminal or a pipe needs `ssh`.
fn built_in(context: &Context, args: &SshArgs) -> bool {
    let wanted = either(args.tty, args.no_tty_for_command || context.global.no_tty).unwrap_or(true);
    let interactive = wanted && std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && context.form() == Form::Human;
    let plain = !interactive && !args.plain && args.extra.is_empty() && !has_input();
    plain || host::find("ssh").is_none()
}

/// Whether standard input is a file or pipe, which the command may want to read.
fn has_input() -> bool {
    let stat = rustix::fs::fstat(std::io::stdin().as_fd());
    stat.is_ok_and(|s| matches!(FileType::from_raw_mode(s.st_mode), FileType::RegularFile | FileType::Fifo | FileType::Socket))
}

fn through_kiste(context: &Context, args: &SshArgs, env: &Environment, command: &str) -> Result<u8, Error> {
    let machine = select::one(env, args.name.as_deref())?.name.clone();
    let reporter = context.reporter.scoped(Scope::Machine(machine));
    let human = context.form() == Form::Human;
    let code = run_command(env, args.name.as_deref(), command, args.tty, &mut |stream, bytes| match stream {
        _ if !human => String::from_utf8_lossy(bytes).lines().for_each(|line| reporter.output(stream, line, false)),
        Stream::Stdout => result::bytes(bytes),
        Stream::Stderr => result::error_bytes(bytes),
    })?;
    if context.form() == Form::Json {
        context.show(&Shown { json: json!({ "exit_code": code }), ..Shown::default() });
    }
    Ok(exit::of_guest(code))
}

fn through_ssh(context: &Context, args: &SshArgs, env: &Environment) -> Result<u8, Error> {
    let info = match ssh_info(env, args.name.as_deref()) {
        Ok(info) => info,
        // A provider with a way of its own into the guest has no address for ssh.
        Err(kiste_lifecycle::Error::Provider(kiste_providers::Error::Lacks { .. })) if args.command.is_some() => {
            return through_kiste(context, args, env, args.command.as_deref().unwrap_or_default());
        }
        Err(e) => return Err(e.into()),
    };
    let program = info.settings.ssh_command.clone().unwrap_or_else(|| "ssh".to_owned());
    if host::find(&program).is_some() || info.settings.ssh_command.is_some() {
        return Err(Program::new(program).args(words(args, &info)).exec().into());
    }
    if !args.extra.is_empty() {
        let hint = "Install OpenSSH's client, or leave the arguments after `--` out.";
        return Err(Error::arguments("arguments for `ssh` need the program `ssh`, which is not installed", hint));
    }
    let code = Ssh::new(info.target).terminal_session(args.command.as_deref(), &context.cancel)?;
    Ok(exit::of_guest(code))
}

/// Arguments of the system's ssh: the lines of `ssh-config` as `-o`, so that both always say the same.
fn words(args: &SshArgs, info: &SshInfo) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    if let Some(config) = &info.settings.config {
        words.extend(["-F".into(), config.clone().into_os_string()]);
    }
    for line in ssh_config(info, None).lines().skip(1).map(str::trim).filter(|l| !l.is_empty()) {
        let key = line.split_whitespace().next().unwrap_or_default();
        let own = matches!(key, "User" | "IdentityFile" | "IdentitiesOnly" | "PasswordAuthentication");
        let left_out = matches!(key, "HostName" | "Include") || (args.plain && own);
        if !left_out {
            words.extend(["-o".into(), line.into()]);
        }
    }
    if info.settings.compression {
        words.extend(["-o".into(), "Compression yes".into()]);
    }
    words.extend(info.settings.extra_args.iter().map(OsString::from));
    let terminal = either(args.tty, args.no_tty_for_command);
    if args.command.is_some() && terminal.unwrap_or_else(|| std::io::stdin().is_terminal()) {
        words.push("-t".into());
    }
    words.push(info.target.host.clone().into());
    words.extend(args.extra.iter().cloned());
    if let Some(command) = &args.command {
        words.push(format!("{} -c {}", info.settings.shell, quote::word(command)).into());
    }
    words
}
