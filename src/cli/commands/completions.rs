//! `kiste completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::app::App;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result;

/// Print completions for a shell
///
/// bash: `source <(kiste completions bash)`; zsh: into a file `_kiste` of your fpath; fish: into
/// `~/.config/fish/completions/kiste.fish`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints them.
pub fn run(_: &Context, args: &CompletionsArgs) -> Result<u8, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut App::command(), "kiste", &mut script);
    result::bytes(&script);
    Ok(exit::OK)
}
