//! The table of templates: what the real Packer said of each (`tests/peers/templates` asks it anew), compared with kiste, without Packer.
//!
//! Compared are exit code, the words of the whole output, and what is left beside the template. Of a case with `differs` (why) only the
//! exit code is, what is left, and that everything in `tells` is said.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use regex_automata::meta::Regex;
use serde_json::Value;

use crate::harness::Env;
use crate::harness::output::replace;

/// Evened out on both sides. The first of them `tests/peers/templates` does too; then what kiste adds, and the forms of lists, of which
/// Packer has three.
const EVEN: &[(&str, &str)] = &[
    (r"\d+ (hours?|minutes?|seconds?|milliseconds?|microseconds?)( \d+ (minutes?|seconds?|milliseconds?|microseconds?))?", "TIME"),
    (r"packer-shell\d+", "packer-shellN"),
    (r"\d{4}-\d\d-\d\dT[0-9:]+(Z|[+-]\d\d:\d\d)", "WHEN"),
    (r"(?m)^\d{10},", "EPOCH,"),
    (r" \(at line \d+(,|%!\(PACKER_COMMA\)) column \d+\)", ""),
    (r" \(nearest: `[^`]*`\)", ""),
    (r"; using [0-9.]+", "; using V"),
    (r"Error decoding config: ", ""),
    (r"(?s)At line \d+, column \d+ \(offset \d+\):.*", ""),
    (r"\s+", " "),
    (r"\d+ errors?(\(s\))? (occurred|decoding):( |\\n)*", ""),
    (r"(^|\s|\\n)\* ", " "),
    (r"\s+", " "),
];

fn plain(text: &str) -> String {
    let even = |text: String, (pattern, stand_in): &(&str, &str)| replace(&Regex::new(pattern).unwrap(), &text, stand_in);
    EVEN.iter().fold(text.to_owned(), even).trim().to_owned()
}

fn words(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|w| w.as_str().map(str::to_owned)).collect()
}

/// After the help of a command only the sentence below it is of interest.
fn last_of_usage(theirs: &[String], ours: &str) -> (String, String) {
    if theirs.first().is_some_and(|line| line.starts_with("Usage:")) {
        return (theirs.last().cloned().unwrap_or_default(), ours.trim().lines().last().unwrap_or_default().to_owned());
    }
    (theirs.join("\n"), ours.to_owned())
}

fn files(folder: &Path, given: &BTreeSet<String>) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
    let left: BTreeSet<String> = names.filter(|n| !given.contains(n)).collect();
    left.into_iter().collect()
}

/// What is not as it should be.
fn compare(case: &Value) -> Option<String> {
    let env = Env::new();
    let tmp = env.root().to_string_lossy().into_owned();
    let env = env.var("TMPDIR", &tmp).var("TZ", "UTC");
    let text = case["template"].as_str().map_or_else(|| serde_json::to_string_pretty(&case["template"]).unwrap(), str::to_owned);
    env.write("project/t.json", text);
    let mut given = BTreeSet::from(["t.json".to_owned()]);
    for (name, content) in case["files"].as_object().into_iter().flatten() {
        env.write(&format!("project/{name}"), content.as_str().unwrap());
        given.insert(name.clone());
    }
    let command = case["command"].as_str().unwrap();
    let mut line = vec![command.to_owned()];
    line.extend((command == "build").then(|| "-color=false".to_owned()));
    line.extend(words(&case["args"]));
    line.push("t.json".to_owned());
    let output = env.run(&line);
    let raw = output.raw.replace(&*env.project().to_string_lossy(), "FOLDER").replace(&tmp, "TMP");
    let raw = raw.replace("The configuration is valid.\n", "");
    let packer = &case["packer"];
    let (theirs, ours) = last_of_usage(&words(&packer["said"]), &raw);
    let (theirs, ours) = (plain(&theirs), plain(&ours));
    let left = packer["left"].is_array().then(|| files(&env.project(), &given));
    let as_told = match case["tells"].as_array() {
        None => theirs == ours,
        Some(_) => words(&case["tells"]).iter().all(|w| ours.contains(w.as_str())),
    };
    let same = as_told && packer["code"].as_i64() == output.code.map(i64::from) && left.is_none_or(|left| left == words(&packer["left"]));
    (!same).then(|| format!("{}\n  packer: {theirs}\n  kiste:  {ours}\n{output}", case["name"]))
}

#[test]
fn kiste_says_of_every_template_what_packer_says() {
    let table = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/template/templates.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&table).unwrap();
    assert!(cases.len() > 200);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for part in cases.chunks(cases.len().div_ceil(4)) {
            scope.spawn(|| part.iter().filter_map(compare).for_each(|w| wrong.lock().unwrap().push(w)));
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn differences_have_reasons() {
    let table = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/template/templates.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&table).unwrap();
    for case in cases.iter().filter(|c| c.get("tells").is_some() || c.get("differs").is_some()) {
        let why = case["differs"].as_str().unwrap_or_default();
        assert!(!why.is_empty() && !words(&case["tells"]).is_empty(), "{}", case["name"]);
    }
}

/// Every whole template of the documents and the catalog, with a name for messages.
fn examples() -> Vec<(String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for (folder, ending) in [("docs", "md"), ("boxes/catalog", "md"), ("boxes/catalog", "json"), ("examples", "json"), (".", "md")] {
        for path in std::fs::read_dir(top.join(folder)).into_iter().flatten().map(|e| e.unwrap().path()) {
            if path.extension().is_none_or(|e| e != ending) {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let blocks: Vec<&str> = if ending == "json" {
                vec![&text]
            } else {
                text.split("```json\n").skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
            };
            let whole = blocks.iter().filter(|b| serde_json::from_str::<Value>(b).is_ok_and(|v| v.get("builders").is_some()));
            found.extend(whole.map(|b| (path.display().to_string(), (*b).to_owned())));
        }
    }
    found
}

/// A world with one of them, and with the catalog's scripts beside it.
fn shown(text: &str) -> Env {
    let env = Env::new();
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("boxes/catalog/scripts");
    for script in std::fs::read_dir(scripts).unwrap().map(|e| e.unwrap().path()) {
        env.write(&format!("project/scripts/{}", script.file_name().unwrap().to_string_lossy()), std::fs::read(&script).unwrap());
    }
    env.write("project/t.json", text);
    env
}

/// What the real Packer said of each of them (`tests/peers/templates --examples` asks it).
fn answers() -> Vec<Value> {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/template/examples.json");
    serde_json::from_str(&std::fs::read_to_string(table).unwrap()).unwrap()
}

#[test]
fn every_template_that_is_shown_was_put_before_packer() {
    let text = |case: &Value| case["template"].as_str().unwrap().to_owned();
    let asked: BTreeSet<String> = answers().iter().map(text).collect();
    for (name, text) in examples() {
        assert!(
            asked.contains(&text),
            "{name} shows a template that Packer was not asked of: run tests/peers/templates --examples\n{text}"
        );
    }
    assert!(answers().iter().filter(|case| case["packer"]["code"] == 0).count() >= 9, "most of them are Packer's too");
}

/// What Packer takes, kiste takes without a word more. A template of kiste's own may name files that only its reader has: then nothing but
/// that may be wrong.
#[test]
fn every_template_that_is_shown_is_valid() {
    let answers = answers();
    for (name, text) in examples() {
        let output = shown(&text).run(["validate", "t.json"]);
        let theirs = answers.iter().find(|case| case["template"] == *text).map_or(&Value::Null, |case| &case["packer"]);
        let missing = |line: &str| line.contains("no such file") || line.contains("No such file") || line.contains("stat ");
        let told: Vec<&str> = output.stdout.lines().filter(|l| l.starts_with("* ")).collect();
        let lacks_files = !told.is_empty() && told.iter().all(|l| missing(l));
        let fine = output.code == Some(0) || (theirs["code"] != 0 && lacks_files);
        assert!(fine, "{name}:\n{text}\n{output}");
        if theirs["code"] == 0 {
            assert_eq!(
                plain(&output.raw.replace("The configuration is valid.\n", "")),
                plain(&words(&theirs["said"]).join("\n")),
                "{name}"
            );
        }
    }
}

/// The stored answers are not old: the Packer of this host is asked again where there is one.
#[test]
fn packer_itself_says_the_same_of_what_is_shown() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let Some(packer) = std::env::split_paths(&path).map(|folder| folder.join("packer")).find(|p| p.is_file()) else {
        let _ = writeln!(std::io::stderr(), "skipped: no packer on this host");
        return;
    };
    for case in answers() {
        let env = shown(case["template"].as_str().unwrap()).var("CHECKPOINT_DISABLE", "1");
        let output = env.run_program(&packer, &["validate", "t.json"]);
        let theirs = words(&case["packer"]["said"]).join("\n");
        assert_eq!(output.code.map(i64::from), case["packer"]["code"].as_i64(), "{}: {output}", case["from"]);
        assert_eq!(plain(&output.raw), plain(&theirs), "{}", case["from"]);
    }
}
