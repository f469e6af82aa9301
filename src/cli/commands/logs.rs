//! `kiste logs`.

use clap::Args;
use kiste_core::{Scope, Stream};
use kiste_lifecycle::{logs, select};

use crate::app::ProjectArgs;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result;
use crate::ui::{Form, clean};

/// Show what a machine wrote to its serial console
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Machine; the primary one without a name
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Go on with what it writes, until Ctrl-C or the machine ends
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    project: ProjectArgs,
}

/// Shows the log. What the guest wrote is cleaned: it must not drive the user's terminal.
pub fn run(context: &Context, args: &LogsArgs) -> Result<u8, Error> {
    let env = context.environment_of(&args.project, args.name.as_slice())?;
    let machine = select::one(&env, args.name.as_deref())?.name.clone();
    let reporter = context.reporter.scoped(Scope::Machine(machine));
    let events = context.form() != Form::Human;
    let put = |line: &[u8]| {
        let line = String::from_utf8_lossy(line);
        if events { reporter.output(Stream::Stdout, clean::line(&line, false), false) } else { result::raw(&clean::line(&line, false)) }
    };
    let mut rest: Vec<u8> = Vec::new();
    let ended = logs(&env, args.name.as_deref(), args.follow, &mut |bytes| {
        rest.extend_from_slice(bytes);
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            put(&rest[..end]);
            rest.drain(..=end);
        }
    });
    if !rest.is_empty() {
        put(&rest);
    }
    ended?;
    Ok(exit::OK)
}
