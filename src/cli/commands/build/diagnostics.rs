//! Mistakes and warnings of templates, said as Packer says them, with their place behind.

use std::fmt::Write as _;

use kiste_templates::Problem;

use crate::context::Context;
use crate::error::Error;
use crate::ui::clean;
use crate::ui::packer::Tone;

/// Tells why a template could not be read at all. An error where it is not told in Packer's way.
pub fn unparsed(context: &Context, error: kiste_templates::Error) -> Result<(), Error> {
    let Some(packer) = context.packer() else { return Err(error.into()) };
    match &error {
        kiste_templates::Error::Template { problems, .. } => packer.tell(Tone::Error, &parse(problems)),
        kiste_templates::Error::File { path, source } if source.kind() == std::io::ErrorKind::NotFound => {
            let path = path.display();
            packer.tell(Tone::Error, &format!("\"{path}\": stat {path}: no such file or directory"));
        }
        _ => return Err(error.into()),
    }
    Ok(())
}

/// Mistakes of the form.
pub fn parse(problems: &[Problem]) -> String {
    match problems {
        // The text shows the place itself.
        [only] if only.message.contains('\n') => format!("Failed to parse template: {only}"),
        _ => format!("Failed to parse template: {}", list(problems.iter().map(ToString::to_string).collect())),
    }
}

/// Mistakes of a template that could be read: those of the whole, then build by build.
pub fn unprepared(problems: &[Problem]) -> String {
    let whole: Vec<String> = problems.iter().filter(|p| p.build.is_none()).map(ToString::to_string).collect();
    let mut text = String::new();
    if !whole.is_empty() {
        let _ = write!(text, "Error: \n\n{}\n\n", list(whole));
    }
    let mut builds: Vec<&str> = problems.iter().filter_map(|p| p.build.as_deref()).collect();
    builds.dedup();
    for build in builds {
        let of = |kind: bool| {
            let mine = problems.iter().filter(move |p| p.build.as_deref() == Some(build) && p.is_of_type() == kind);
            mine.map(ToString::to_string).collect::<Vec<_>>()
        };
        let (types, options) = (of(true), of(false));
        match types.as_slice() {
            [] => {}
            [only] => drop(write!(text, "Error: Failed to initialize build \"{build}\"\n\n{only}\n\n")),
            _ => drop(write!(text, "Error: Failed to initialize build \"{build}\"\n\n{}\n\n", list(types))),
        }
        if !options.is_empty() {
            let _ = write!(text, "Error: Failed to prepare build: \"{build}\"\n\n{}\n\n", list(options));
        }
    }
    text
}

/// `N error(s) occurred:` and the items; lines of an item that follow its first are kept as they are.
fn list(items: Vec<String>) -> String {
    let lines: Vec<String> = items.iter().map(|i| format!("* {i}")).collect();
    format!("{} error(s) occurred:\n\n{}", items.len(), lines.join("\n"))
}

/// A warning of the peer's kind is told where its output is; those that the peer lacks do not disturb its output.
pub fn warning(context: &Context, warning: &Problem) {
    match (&warning.build, context.packer()) {
        (Some(build), Some(packer)) => {
            packer.tell(Tone::Warn, &format!("Warning: Warning when preparing build: \"{build}\"\n\n{warning}\n\n"));
        }
        (Some(build), None) => context.reporter.scoped(kiste_core::Scope::Build(build.clone())).warn(warning.to_string()),
        (None, _) => warn(context, &warning.to_string()),
    }
}

/// A warning on standard error.
pub fn warn(context: &Context, text: &str) {
    match context.packer() {
        Some(_) => eprintln!("Warning: {}", clean::text(text)),
        None => context.reporter.warn(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_template_first_then_build_by_build() {
        let of = |build: &str, message: &str| Problem { build: Some(build.to_owned()), ..Problem::nowhere(message) };
        let problems = [
            Problem::nowhere("at least one builder must be defined"),
            of("a", "unknown configuration key: '\"x\"'"),
            of("a", "error initializing provisioner 'z': Unknown provisioner z"),
            of("b", "target required"),
        ];
        insta::assert_snapshot!(unprepared(&problems), @r#"
        Error: 

        1 error(s) occurred:

        * at least one builder must be defined

        Error: Failed to initialize build "a"

        error initializing provisioner 'z': Unknown provisioner z

        Error: Failed to prepare build: "a"

        1 error(s) occurred:

        * unknown configuration key: '"x"'

        Error: Failed to prepare build: "b"

        1 error(s) occurred:

        * target required
        "#);
    }
}
