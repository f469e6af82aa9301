//! Which machines a command line means: names, `/patterns/`, ids of the index by prefix, or none at all.

use kiste_core::Machine;
use regex_automata::meta::Regex;

use crate::context::Environment;
use crate::error::Error;
use crate::index;

/// What no name at all means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unnamed {
    /// Every machine.
    All,
    /// Every machine that starts by itself.
    Autostart,
}

/// The machines that `names` mean, in the order of the project, each once.
pub fn machines<'a>(env: &'a Environment, names: &[String], unnamed: Unnamed) -> Result<Vec<&'a Machine>, Error> {
    let all = &env.project.machines;
    if names.is_empty() {
        return Ok(all.iter().filter(|m| unnamed == Unnamed::All || m.autostart).collect());
    }
    let mut chosen = vec![false; all.len()];
    for name in names {
        for (index, is) in matches(env, name)?.into_iter().enumerate() {
            chosen[index] |= is;
        }
    }
    Ok(all.iter().zip(chosen).filter(|(_, is)| *is).map(|(m, _)| m).collect())
}

/// The one machine that `name` means; without a name the primary one, or the only one.
pub fn one<'a>(env: &'a Environment, name: Option<&str>) -> Result<&'a Machine, Error> {
    let Some(name) = name else { return primary(&env.project.machines) };
    let chosen = machines(env, &[name.to_owned()], Unnamed::All)?;
    match chosen.as_slice() {
        [one] => Ok(one),
        many => {
            let names: Vec<&str> = many.iter().map(|m| m.name.as_str()).collect();
            Err(Error::Pattern {
                pattern: name.to_owned(),
                reason: format!("this command takes one machine, and it fits {}", names.join(", ")),
            })
        }
    }
}

fn primary(all: &[Machine]) -> Result<&Machine, Error> {
    match (all.iter().find(|m| m.primary), all) {
        (Some(primary), _) => Ok(primary),
        (None, [only]) => Ok(only),
        _ => Err(Error::NeedsOne { known: names(all) }),
    }
}

fn names(all: &[Machine]) -> Vec<String> {
    all.iter().map(|m| m.name.clone()).collect()
}

fn matches(env: &Environment, name: &str) -> Result<Vec<bool>, Error> {
    let all = &env.project.machines;
    let unknown = || Error::UnknownMachine { name: name.to_owned(), known: names(all) };
    let exact: Vec<bool> = all.iter().map(|m| m.name == name).collect();
    if exact.contains(&true) {
        return Ok(exact);
    }
    if let Some(pattern) = name.strip_prefix('/').and_then(|n| n.strip_suffix('/')).filter(|p| !p.is_empty()) {
        let regex = Regex::new(pattern).map_err(|e| Error::Pattern { pattern: name.to_owned(), reason: first_cause(&e) })?;
        let fits: Vec<bool> = all.iter().map(|m| regex.is_match(m.name.as_str())).collect();
        return if fits.contains(&true) { Ok(fits) } else { Err(unknown()) };
    }
    let entry = index::find(&env.home, name)?.filter(|e| e.directory == env.project.root).ok_or_else(unknown)?;
    let by_id: Vec<bool> = all.iter().map(|m| m.name == entry.name).collect();
    if by_id.contains(&true) { Ok(by_id) } else { Err(unknown()) }
}

fn first_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string().lines().last().unwrap_or_default().trim().to_owned()
}
