//! `kiste man`.

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use serde_json::json;

use crate::app::App;
use crate::context::Context;
use crate::error::Error;
use crate::exit;
use crate::result::{self, Shown};

/// Print the manual page, or write one for every command
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write `kiste.1`, `kiste-up.1` … into this folder
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

/// Makes the pages.
pub fn run(context: &Context, args: &ManArgs) -> Result<u8, Error> {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(App::command()).render(&mut page).map_err(Error::file("write", "kiste.1"))?;
        result::bytes(&page);
        return Ok(exit::OK);
    };
    let written = pages(dir).map_err(Error::file("write", dir))?;
    let text = format!("{written} pages are in `{}`; `man -l {}/kiste.1` shows the first.", dir.display(), dir.display());
    context.show(&Shown { text, json: json!({ "pages": written, "dir": dir }), ..Shown::default() });
    Ok(exit::OK)
}

fn pages(dir: &Path) -> std::io::Result<usize> {
    std::fs::create_dir_all(dir)?;
    clap_mangen::generate_to(App::command(), dir)?;
    Ok(std::fs::read_dir(dir)?.filter_map(Result::ok).filter(|e| e.file_name().to_string_lossy().starts_with("kiste")).count())
}
