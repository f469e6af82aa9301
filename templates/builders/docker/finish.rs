//! What becomes of the container: an image, a file, or nothing.

use std::path::Path;

use kiste_core::step::Step;
use serde_json::Value;

use super::{Context, Finish};
use crate::artifact::{Artifact, Belongings};
use crate::docker::{self, EXPORTED, IMPORTED};
use crate::error::Error;

/// The step.
pub struct Finishing;

impl<'a> Step<Context<'a>> for Finishing {
    type Error = Error;

    fn name(&self) -> &'static str {
        "commit"
    }

    fn run(&mut self, context: &mut Context<'a>) -> Result<(), Error> {
        let id = context.container.clone().ok_or(Error::GuestEnded { during: "it was provisioned" })?;
        let made = match &context.docker.finish {
            Finish::Discard => Ok(exported(None)),
            Finish::Export(path) => export(context, &id, path),
            Finish::Commit { author, message, changes } => {
                let words = [("--author", author), ("--message", message)];
                let words: Vec<&str> = words.iter().flat_map(|(flag, v)| v.iter().flat_map(|v| [*flag, v.as_str()])).collect();
                commit(context, &id, &words, changes)
            }
        };
        let mut artifact = made.map_err(|e| context.tell(e))?;
        if let Finish::Commit { .. } = context.docker.finish {
            context.fields.insert("ImageSha256".to_owned(), artifact.id.clone());
        }
        artifact.fields.clone_from(&context.fields);
        context.artifact = Some(artifact);
        Ok(())
    }
}

fn exported(path: Option<&Path>) -> Artifact {
    Artifact {
        builder_id: EXPORTED.to_owned(),
        id: "Container".to_owned(),
        description: format!("Exported Docker file: {}", path.map(|p| p.display().to_string()).unwrap_or_default()),
        files: path.iter().map(|p| p.to_path_buf()).collect(),
        ..Artifact::default()
    }
}

fn export(context: &Context<'_>, id: &str, path: &Path) -> Result<Artifact, Error> {
    context.run.reporter.say("Exporting the container");
    docker::save_to(&context.docker.engine.program(["export", id]), "Error exporting", path, context.run.cancel)?;
    Ok(exported(Some(path)))
}

fn commit(context: &Context<'_>, id: &str, words: &[&str], changes: &[String]) -> Result<Artifact, Error> {
    let engine = &context.docker.engine;
    context.run.reporter.say("Committing the container");
    let mut all = vec!["commit"];
    all.extend(words);
    let restored = restored(context, id, changes)?;
    all.extend(restored.iter().chain(changes).flat_map(|c| ["--change", c.as_str()]));
    all.push(id);
    let image = engine.output("Error committing container", all, context.run.cancel)?;
    context.run.reporter.detail(format!("Image ID: {image}"));
    Ok(Artifact {
        builder_id: IMPORTED.to_owned(),
        description: format!("Imported Docker image: {image}"),
        belongings: Belongings::EngineImage { program: engine.client().to_owned(), image: image.clone() },
        id: image,
        ..Artifact::default()
    })
}

/// Instructions that give the image back what it started before the build started a shell in its place.
fn restored(context: &Context<'_>, id: &str, changes: &[String]) -> Result<Vec<String>, Error> {
    let engine = &context.docker.engine;
    let format = "[{{json .Config.Entrypoint}},{{json .Config.Cmd}}]";
    let started = engine.output("Error inspecting container", ["inspect", "--format", format, id], context.run.cancel)?;
    let image =
        engine.output("Error inspecting image", ["image", "inspect", "--format", format, "--", &context.image], context.run.cancel)?;
    let pair = |text: &str| serde_json::from_str::<(Option<Vec<String>>, Option<Vec<String>>)>(text).unwrap_or_default();
    Ok(instructions(pair(&image), pair(&started), changes))
}

type Started = (Option<Vec<String>>, Option<Vec<String>>);

fn instructions(image: Started, container: Started, changes: &[String]) -> Vec<String> {
    let given = |word: &str| changes.iter().any(|c| c.split_whitespace().next().is_some_and(|w| w.eq_ignore_ascii_case(word)));
    let list = |words: Option<Vec<String>>| words.unwrap_or_default();
    let (entrypoint, command) = (list(image.0), list(image.1));
    let (now_entrypoint, now_command) = (list(container.0), list(container.1));
    let mut instructions = Vec::new();
    // An entry point of one's own starts with no command, as in a Dockerfile.
    if given("ENTRYPOINT") {
        return instructions;
    }
    if entrypoint != now_entrypoint {
        // An empty list would change nothing; engines take one empty word for none at all.
        let words = if entrypoint.is_empty() { vec![String::new()] } else { entrypoint };
        instructions.push(format!("ENTRYPOINT {}", Value::from(words)));
    }
    if !given("CMD") && (command != now_command || !(instructions.is_empty() || command.is_empty())) {
        instructions.push(format!("CMD {}", Value::from(command)));
    }
    instructions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Option<Vec<String>> {
        (!text.is_empty()).then(|| text.split(' ').map(str::to_owned).collect())
    }

    fn given(image: (&str, &str), container: (&str, &str), changes: &[&str]) -> String {
        let changes: Vec<String> = changes.iter().map(|c| (*c).to_owned()).collect();
        instructions((words(image.0), words(image.1)), (words(container.0), words(container.1)), &changes).join("; ")
    }

    #[test]
    fn what_the_image_started_comes_back() {
        let shell = ("/bin/sh", "");
        assert_eq!(given(("/run", "a b"), shell, &[]), r#"ENTRYPOINT ["/run"]; CMD ["a","b"]"#);
        assert_eq!(given(("", "bash"), shell, &[]), r#"ENTRYPOINT [""]; CMD ["bash"]"#);
        assert_eq!(given(("/run", ""), shell, &[]), r#"ENTRYPOINT ["/run"]"#);
        assert_eq!(given(("/bin/sh", ""), shell, &[]), "");
        assert_eq!(given(("/run", "a"), ("/run", "sleep 9"), &[]), r#"CMD ["a"]"#);
        assert_eq!(given(("/run", ""), ("/run", "sleep 9"), &[]), "CMD []");
    }

    #[test]
    fn what_the_template_changes_is_the_templates() {
        let shell = ("/bin/sh", "");
        assert_eq!(given(("/run", "a"), shell, &["entrypoint [\"x\"]"]), "");
        assert_eq!(given(("/run", "a"), shell, &["CMD x"]), r#"ENTRYPOINT ["/run"]"#);
        assert_eq!(given(("/run", "a"), shell, &["ENV CMD=1"]), r#"ENTRYPOINT ["/run"]; CMD ["a"]"#);
    }
}
