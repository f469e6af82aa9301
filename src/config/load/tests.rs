//! Whole files in, whole models or whole lists of mistakes out.

mod accepted;
mod any;
mod refused;
mod templates;

use std::collections::BTreeMap;
use std::path::Path;

use kiste_core::machine::{Machine, Project};

use super::{Request, load, validate};
use crate::error::Error;

/// A project in a folder of its own.
struct Case {
    dir: tempfile::TempDir,
    sets: Vec<String>,
    user: Option<String>,
}

impl Case {
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("Kistefile"), text).unwrap();
        Self { dir, sets: Vec::new(), user: None }
    }

    fn set(mut self, argument: &str) -> Self {
        self.sets.push(argument.to_owned());
        self
    }

    fn user(mut self, text: &str) -> Self {
        self.user = Some(text.to_owned());
        self
    }

    fn root(&self) -> &Path {
        self.dir.path()
    }

    fn with<T>(&self, run: impl FnOnce(&Request<'_>) -> T) -> T {
        let user = self.root().join("home/Kistefile");
        if let Some(text) = &self.user {
            std::fs::create_dir_all(user.parent().unwrap()).unwrap();
            std::fs::write(&user, text).unwrap();
        }
        let env = |name: &str| match name {
            "HOME" => Some("/home/ada".to_owned()),
            "MYSQL_PW" => Some("secret".to_owned()),
            _ => None,
        };
        let schemas = BTreeMap::from([("qemu".to_owned(), qemu())]);
        let file = self.root().join("Kistefile");
        run(&Request { file: &file, user_file: Some(&user), sets: &self.sets, provider_schemas: &schemas, env: &env })
    }

    fn load(&self) -> Result<Project, Error> {
        self.with(load)
    }

    fn project(&self) -> Project {
        self.load().unwrap_or_else(|e| panic!("{e}"))
    }

    fn machine(&self, name: &str) -> Machine {
        self.project().machines.into_iter().find(|m| m.name == name).unwrap()
    }

    /// The mistakes, one a line, without excerpts and without the folder's name.
    fn mistakes(&self) -> String {
        self.told(self.load())
    }

    fn missing(&self) -> String {
        self.told(self.with(validate))
    }

    fn told(&self, result: Result<Project, Error>) -> String {
        let Err(Error::Mistakes(mistakes)) = result else { panic!("no mistakes: {result:?}") };
        let line = |m: &crate::Mistake| crate::Mistake { excerpt: None, ..m.clone() }.to_string();
        let all: Vec<String> = mistakes.iter().map(line).collect();
        all.join("\n").replace(&format!("{}/", self.root().display()), "")
    }
}

/// A stand-in for the settings of a driver.
fn qemu() -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "properties": { "accel": { "$ref": "#/$defs/Accel" }, "machine": { "type": ["string", "null"] } },
        "additionalProperties": false,
        "$defs": { "Accel": { "type": "string", "enum": ["auto", "kvm", "hvf", "whpx", "tcg"] } },
    })
}
