//! Which file of a document answers a request.

use super::*;

fn document(json: &str) -> CatalogDocument {
    CatalogDocument::parse(json.as_bytes(), "test").unwrap()
}

fn other() -> &'static str {
    if architecture::host() == "arm64" { "amd64" } else { "arm64" }
}

fn entry(provider: &str, architecture: &str, default: &str) -> String {
    let architecture = if architecture.is_empty() { String::new() } else { format!(r#","architecture":"{architecture}""#) };
    let default = if default.is_empty() { String::new() } else { format!(r#","default_architecture":{default}"#) };
    format!(r#"{{"name":"{provider}","url":"{provider}.box"{architecture}{default}}}"#)
}

fn version(version: &str, entries: &[String]) -> String {
    format!(r#"{{"version":"{version}","providers":[{}]}}"#, entries.join(","))
}

fn of(versions: &[String]) -> CatalogDocument {
    document(&format!(r#"{{"name":"o/b","extra":1,"versions":[{}]}}"#, versions.join(",")))
}

fn choose(document: &CatalogDocument, constraint: &str, providers: &[&str], architecture: Option<&str>) -> String {
    let providers: Vec<String> = providers.iter().map(|p| (*p).to_owned()).collect();
    match document.choose(constraint, &providers, architecture) {
        Ok(choice) => format!("{} {} {:?}", choice.version, choice.entry.name, choice.architecture),
        Err(Error::NoVersion { .. }) => "none".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_highest_version_that_has_the_provider_wins() {
    let all = of(&[
        version("1.9", &[entry("p", "", "")]),
        version("1.10", &[entry("p", "", ""), entry("q", "", "")]),
        version("2", &[entry("q", "", "")]),
    ]);
    assert_eq!(choose(&all, "", &["p"], None), "1.10 p None");
    assert_eq!(choose(&all, "", &["p", "q"], None), "2 q None");
    assert_eq!(choose(&all, "~> 1.9, < 1.10", &["p", "q"], None), "1.9 p None");
    assert_eq!(choose(&all, "1.10", &["q", "p"], None), "1.10 q None");
    assert_eq!(choose(&all, "> 2", &["q"], None), "none");
    assert_eq!(choose(&all, "", &[], None), "2 q None");
    assert!(choose(&all, "1.10", &[], None).contains("more than one provider: p, q"));
}

#[test]
fn architectures_as_the_rules_say() {
    let host = architecture::host();
    let both = of(&[version("1", &[entry("p", other(), "true"), entry("p", host, "false")])]);
    assert_eq!(choose(&both, "", &["p"], Some("auto")), format!("1 p Some({host:?})"));
    assert_eq!(choose(&both, "", &["p"], Some(&architecture::rust_name(other()))), format!("1 p Some({:?})", other()));
    assert_eq!(choose(&both, "", &["p"], None), format!("1 p Some({:?})", other()));
    assert_eq!(choose(&both, "", &["p"], Some("s390x")), "none");
}

#[test]
fn auto_never_takes_another_real_architecture() {
    let foreign = of(&[version("2", &[entry("p", other(), "true")]), version("1", &[entry("p", architecture::host(), "false")])]);
    assert_eq!(choose(&foreign, "", &["p"], Some("auto")), format!("1 p Some({:?})", architecture::host()));
    assert_eq!(choose(&foreign, "2", &["p"], Some("auto")), "none");
}

#[test]
fn boxes_from_before_architectures() {
    let unknown = of(&[version("1", &[entry("p", "unknown", "true")])]);
    assert_eq!(choose(&unknown, "", &["p"], Some("auto")), "1 p None");
    assert_eq!(choose(&unknown, "", &["p"], None), "1 p None");
    assert_eq!(choose(&unknown, "", &["p"], Some(other())), "none");
    let legacy = of(&[version("1", &[entry("p", "", "")])]);
    for wanted in [Some("auto"), Some(other()), None] {
        assert_eq!(choose(&legacy, "", &["p"], wanted), "1 p None");
    }
    let not_default = of(&[version("1", &[entry("p", "unknown", "false")])]);
    assert_eq!(choose(&not_default, "", &["p"], Some("auto")), "none");
    assert_eq!(choose(&not_default, "", &["p"], None), "none");
}

#[test]
fn what_is_missing_is_said_with_what_there_is() {
    let all = of(&[version("1", &[entry("p", "arm64", "true")])]);
    let error = all.choose("> 1", &["q".to_owned()], Some("amd64")).unwrap_err();
    assert_eq!(error.to_string(), "box `o/b` has no version `> 1` for q on amd64 (there is: 1 for p (arm64))");
}

#[test]
fn one_malformed_version_spoils_the_document() {
    for json in [
        r#"{"versions":[{"version":"1"},{"version":"latest"}]}"#,
        r#"{"versions":[{"version":"../../x"}]}"#,
        r#"{"versions":[{"version":"1","providers":[{"name":"../x"}]}]}"#,
        r#"{"versions":3}"#,
        "[]",
        "",
    ] {
        assert!(matches!(CatalogDocument::parse(json.as_bytes(), "x"), Err(Error::Metadata { .. })), "{json}");
    }
}
