//! Documents checked against what their specifications require.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::*;
use crate::packages::{Package, Packages};
use crate::trial::Trial;

fn packages() -> Packages {
    let package = |name: &str, version: &str, architecture: &str| Package {
        name: name.into(),
        version: version.into(),
        architecture: architecture.into(),
        supplier: "Maker <m@example.org>".into(),
        license: "GPL2".into(),
    };
    Packages {
        kind: "deb".into(),
        system: "debian".into(),
        system_version: "12".into(),
        system_name: "Debian GNU/Linux 12 (bookworm)".into(),
        list: vec![package("libstdc++6", "12.2.0-14+deb12u1", "amd64"), package("libstdc--6", "1:2~rc", "amd64"), package("x", "1", "")],
    }
}

fn inputs(dir: &Path) -> Inputs {
    let (template, script) = (dir.join("t.json"), dir.join("s.sh"));
    std::fs::write(&template, "{}").unwrap();
    std::fs::write(&script, "abc").unwrap();
    let mut inputs = Inputs::new("run-1", template, &[]);
    inputs.variables = BTreeMap::from([("open".to_owned(), "v".to_owned()), ("pw".to_owned(), "<sensitive>".to_owned())]);
    inputs.builder = json!({ "type": "qemu", "iso_url": "https://h/x.iso", "iso_checksum": format!("sha256:{}", "a".repeat(64)), "output_directory": script });
    inputs.provisioners = vec![json!({ "type": "shell", "scripts": [script], "inline": ["echo a\nb"], "execute_command": "{{.Path}}" })];
    inputs
}

#[test]
fn a_statement_has_what_slsa_requires() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = inputs(dir.path());
    note(&inputs, &Cancel::new()).unwrap();
    inputs.used("debian/12 1.0", None);
    let image = dir.path().join("disk");
    std::fs::write(&image, "abc").unwrap();
    let artifact = Artifact { files: vec![image.clone(), dir.path().to_owned(), image.clone()], ..Artifact::default() };
    let subjects = subjects([&artifact, &artifact], &Cancel::new()).unwrap();
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(subjects, [Subject { path: image.clone(), sha256: abc.to_owned() }]);
    let told = Told { name: "deb", inputs: &inputs, began: jiff::Timestamp::UNIX_EPOCH };
    let statement = statement(&told, &subjects, &Cancel::new());
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1");
    assert_eq!(statement["subject"], json!([{ "name": image, "digest": { "sha256": abc } }]));
    let (definition, details) = (&statement["predicate"]["buildDefinition"], &statement["predicate"]["runDetails"]);
    assert!(definition["buildType"].as_str().is_some_and(|t| url::Url::parse(t).is_ok()));
    assert!(details["builder"]["id"].as_str().is_some_and(|t| url::Url::parse(t).is_ok()));
    assert_eq!(definition["externalParameters"]["variables"], json!({ "open": "v", "pw": "<sensitive>" }));
    let dependencies: Vec<(String, Option<String>)> = definition["resolvedDependencies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| (d["uri"].as_str().unwrap().to_owned(), d["digest"]["sha256"].as_str().map(str::to_owned)))
        .collect();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let mut expected = vec![
        (path("s.sh"), Some(abc.to_owned())),
        (path("t.json"), Some("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a".to_owned())),
        ("debian/12 1.0".to_owned(), None),
        ("https://h/x.iso".to_owned(), Some("a".repeat(64))),
    ];
    expected.sort();
    assert_eq!(dependencies, expected);
    assert_eq!(details["metadata"]["startedOn"], "1970-01-01T00:00:00Z");
    assert_eq!(details["metadata"]["invocationId"], "run-1");
    assert!(details["metadata"]["finishedOn"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
}

#[test]
fn a_list_of_packages_has_what_spdx_requires() {
    let inputs = Inputs::default();
    let told = Told { name: "deb", inputs: &inputs, began: jiff::Timestamp::UNIX_EPOCH };
    let subject = Subject { path: "x.box".into(), sha256: "ab".into() };
    let document = document(&told, &packages(), std::slice::from_ref(&subject));
    assert_eq!(document, super::document(&told, &packages(), &[subject]));
    for (key, value) in [("spdxVersion", "SPDX-2.3"), ("dataLicense", "CC0-1.0"), ("SPDXID", "SPDXRef-DOCUMENT"), ("name", "deb")] {
        assert_eq!(document[key], value);
    }
    assert!(url::Url::parse(document["documentNamespace"].as_str().unwrap()).is_ok());
    assert_eq!(document["creationInfo"]["created"], "1970-01-01T00:00:00Z");
    assert!(document["creationInfo"]["creators"][0].as_str().unwrap().starts_with("Tool: kiste-"));
    let mut ids = BTreeSet::from(["SPDXRef-DOCUMENT".to_owned()]);
    for package in document["packages"].as_array().unwrap() {
        let id = package["SPDXID"].as_str().unwrap();
        assert!(id.strip_prefix("SPDXRef-").unwrap().chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-'), "{id}");
        assert!(ids.insert(id.to_owned()), "{id} is there twice");
        assert!(package["name"].is_string() && package["downloadLocation"].is_string() && package["filesAnalyzed"] == false);
    }
    assert_eq!(ids.len(), 5);
    for relation in document["relationships"].as_array().unwrap() {
        for end in ["spdxElementId", "relatedSpdxElement"] {
            assert!(ids.contains(relation[end].as_str().unwrap()), "{relation}");
        }
    }
    let purl = &document["packages"][1]["externalRefs"][0]["referenceLocator"];
    assert_eq!(purl, "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12");
}

#[test]
fn documents_go_where_they_are_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let there = |to: &str, builds| place(&dir.path().join(to), "a/b", "spdx", builds).strip_prefix(dir.path()).unwrap().to_owned();
    assert_eq!(there("", 1), Path::new("a-b.spdx.json"));
    assert_eq!(there("new/", 2), Path::new("new/a-b.spdx.json"));
    assert_eq!(there("x.json", 1), Path::new("x.json"));
    assert_eq!(there("x.json", 2), Path::new("x-a-b.json"));
}

#[test]
fn the_post_processor_writes_both() {
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("disk");
    std::fs::write(&image, "abc").unwrap();
    let artifact = Artifact { files: vec![image], ..Artifact::default() };
    let json = format!(r#"{{"output": "{0}/{{{{.BuildName}}}}.p.json", "sbom_output": "{0}/s.json"}}"#, dir.path().display());
    let trial = Trial::of("provenance");
    let error = trial.process(&json, &artifact).err().unwrap().to_string();
    assert!(error.contains("there was no guest"), "{error}");
    trial.inputs.found_packages(packages());
    let done = trial.process(&json, &artifact).unwrap();
    assert!(done.keep && done.must_keep);
    let files = done.artifact.unwrap().files;
    assert_eq!(files[1..], [dir.path().join("deb.p.json"), dir.path().join("s.json")]);
    let read = |path: &Path| serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(read(&files[1])["subject"].as_array().unwrap().len(), 1);
    assert_eq!(read(&files[2])["packages"].as_array().unwrap().len(), 4);
}
