//! The statement: https://in-toto.io/Statement/v1 with https://slsa.dev/provenance/v1.

use kiste_core::Cancel;
use kiste_core::host::{self, Program};
use serde_json::{Map, Value, json};

use super::{Subject, Told};
use crate::inputs::Used;
use crate::template::PACKER_VERSION;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://slsa.dev/provenance/v1";
const BUILD_TYPE: &str = "urn:kiste:build:template:v1";
const BUILDER: &str = "urn:kiste:build";
/// The program whose version tells that of the emulator it comes with.
const EMULATOR: &str = "qemu-img";

/// The statement about files.
pub fn statement(told: &Told<'_>, subjects: &[Subject], cancel: &Cancel) -> Value {
    let inputs = told.inputs;
    let subject: Vec<Value> =
        subjects.iter().map(|s| json!({ "name": s.path.to_string_lossy(), "digest": { "sha256": s.sha256 } })).collect();
    let dependencies: Vec<Value> = inputs.all_used().iter().map(dependency).collect();
    let mut versions =
        Map::from_iter([("kiste".to_owned(), json!(env!("CARGO_PKG_VERSION"))), ("packer-template".to_owned(), json!(PACKER_VERSION))]);
    if let Some(version) = emulator(cancel) {
        versions.insert("qemu".to_owned(), json!(version));
    }
    json!({
        "_type": STATEMENT,
        "subject": subject,
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "template": inputs.template,
                    "build": told.name,
                    "variables": inputs.variables,
                },
                "internalParameters": {
                    "builderType": inputs.build_type,
                    "builder": inputs.builder,
                    "provisioners": inputs.provisioners,
                },
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": { "id": BUILDER, "version": versions },
                "metadata": {
                    "invocationId": inputs.run_uuid,
                    "startedOn": format!("{:.0}", told.began),
                    "finishedOn": format!("{:.0}", jiff::Timestamp::now()),
                },
            },
        },
    })
}

fn dependency(used: &Used) -> Value {
    match &used.sha256 {
        Some(digits) => json!({ "uri": used.uri, "digest": { "sha256": digits } }),
        None => json!({ "uri": used.uri }),
    }
}

/// `qemu-img version 7.2.0 (…)` → `7.2.0`.
fn emulator(cancel: &Cancel) -> Option<String> {
    host::find(EMULATOR)?;
    let said = Program::new(EMULATOR).arg("--version").output(cancel).ok()?;
    let text = String::from_utf8_lossy(&said).into_owned();
    text.split_whitespace().skip_while(|word| *word != "version").nth(1).map(str::to_owned)
}
