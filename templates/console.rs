//! `console`: evaluates template texts with a template's variables, where no build is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::interpolate::{Facts, Scope, render_alone};
use crate::mask::hide;
use crate::parse::parse;
use crate::problem::Problem;
use crate::request::BuildRequest;
use crate::template::Template;
use crate::{Error, variables};

/// Variables and what else texts may use.
pub struct Console {
    variables: BTreeMap<String, String>,
    secrets: Vec<String>,
    facts: Facts,
}

/// The template where none is given: one builder that does nothing.
pub fn stub() -> Result<Template, Error> {
    parse(r#"{"builders": [{"type": "null", "communicator": "none"}]}"#, Path::new("-"))
}

impl Console {
    /// The console of a template. Variables that are wrong or not set are left out, as Packer does: the console is where one looks why.
    ///
    /// # Errors
    /// Files of variables that cannot be read.
    pub fn new(request: &BuildRequest) -> Result<Self, Vec<Problem>> {
        let wrong: Vec<Problem> = request.var_files.iter().filter_map(|path| variables::read(path).err()).flatten().collect();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let facts = Facts {
            start: jiff::Timestamp::now(),
            template_dir: request.template.folder().map(|f| f.display().to_string()),
            build_name: None,
            build_type: None,
        };
        let (variables, _) = variables::resolve(request, &facts);
        let secrets = request.template.sensitive.iter().filter_map(|name| variables.get(name)).filter(|v| !v.is_empty()).cloned().collect();
        Ok(Self { variables, secrets, facts })
    }

    /// Every variable with its value, a line each.
    pub fn variables(&self) -> String {
        let mut text = String::from("\n");
        for (name, value) in &self.variables {
            let _ = writeln!(text, "{name}: {value},");
        }
        hide(&text, &self.secrets)
    }

    /// The value of a text, or what is wrong with it.
    pub fn evaluate(&self, text: &str) -> Result<String, String> {
        let scope = Scope { variables: &self.variables, facts: &self.facts, fields: None, in_variables: false };
        let result = render_alone(text, &scope);
        result.map(|t| hide(&t, &self.secrets)).map_err(|e| hide(&e, &self.secrets))
    }
}

#[cfg(test)]
mod tests {
    use kiste_core::dirs::Home;
    use kiste_core::{Cancel, Reporter};

    use super::*;

    fn request(text: &str) -> BuildRequest {
        let template = parse(text, Path::new("/t/x.json")).unwrap();
        BuildRequest::new(template, Home::at("/nowhere"), Reporter::silent(), Cancel::new())
    }

    #[test]
    fn variables_are_known_and_secrets_stay_hidden() {
        let console = Console::new(&request(
            r#"{"variables": {"a": "1", "b": "{{user `a`}}2", "s": "hush", "wrong": "{{nope}}", "later": null}, "sensitive-variables": ["s"],
                "builders": [{"type": "null"}]}"#,
        ))
        .unwrap();
        assert_eq!(console.evaluate("{{user `b`}} {{user `s`}} {{template_dir}} {{user `wrong`}}|").as_deref(), Ok("12 <sensitive> /t |"));
        assert_eq!(console.variables(), "\na: 1,\nb: 12,\ns: <sensitive>,\n");
        assert!(console.evaluate("{{sed `hush` ``}}").unwrap_err().contains("at <sed `<sensitive>` ``>: error calling sed"));
    }

    #[test]
    fn without_a_template_there_is_a_stub() {
        let mut request = BuildRequest::new(stub().unwrap(), Home::at("/nowhere"), Reporter::silent(), Cancel::new());
        request.vars = vec![("x".to_owned(), "{{upper `a`}}".to_owned())];
        assert_eq!(Console::new(&request).unwrap().evaluate("{{user `x`}}").as_deref(), Ok("A"));
        request.var_files = vec!["/nowhere/v.json".into()];
        assert_eq!(Console::new(&request).err().unwrap().len(), 1);
    }
}
