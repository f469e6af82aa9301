//! The binary `kiste`: parses the command line, wires the engines, prints, asks and exits. All work is done below.

#![expect(clippy::print_stderr, reason = "the command line is the one place that prints")]

mod app;
mod argv;
mod commands;
mod context;
mod error;
mod exit;
mod peer;
#[cfg(test)]
mod reference;
mod report;
mod result;
mod signals;
mod ui;

use std::process::ExitCode;

use app::App;
use clap::Parser;
use commands::registry::serve::LogFormat;
use context::Context;
use kiste_core::Cancel;

fn main() -> ExitCode {
    let line = argv::normalise(std::env::args_os());
    if let Some(code) = peer::front(&line) {
        return ExitCode::from(code);
    }
    let app = match App::try_parse_from(&line.words) {
        Ok(app) => app,
        Err(error) => return ExitCode::from(report::misuse(&error, &line)),
    };
    log(&app);
    let cancel = Cancel::new();
    let context = Context::new(&app, &cancel);
    signals::watch(&cancel, &context);
    let result = app.command.run(&context);
    let timings = app.command.timings().map_or(Ok(()), |file| context.write_timings(file, result.is_ok(), &line.words));
    ExitCode::from(report::end(&context, result.and_then(|code| timings.map(|()| code))))
}

/// `KISTE_LOG` (or `--debug`) shows what kiste does inside, on standard error. A server always logs.
fn log(app: &App) {
    let wanted = std::env::var("KISTE_LOG").ok().filter(|l| !l.is_empty());
    let format = app.command.log_format();
    let usual = app.global.debug.then(|| "kiste=debug".to_owned()).or_else(|| format.map(|_| "info".to_owned()));
    let Some(filter) = wanted.or(usual) else { return };
    let filter = tracing_subscriber::EnvFilter::try_new(&filter).unwrap_or_else(|e| {
        eprintln!("KISTE_LOG is ignored: `{}` is not a filter ({e})", ui::clean::line(&filter, false));
        tracing_subscriber::EnvFilter::new("off")
    });
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(app.global.colors());
    let started = match format {
        Some(LogFormat::Json) => subscriber.json().flatten_event(true).with_current_span(false).try_init(),
        _ => subscriber.try_init(),
    };
    if started.is_err() {
        eprintln!("the log could not be switched on");
    }
}
