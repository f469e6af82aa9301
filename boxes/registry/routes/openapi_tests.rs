use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::DOCUMENT;
use crate::router;
use crate::trial::Trial;

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// `GET /api/v2/box/{owner}/{name}` …
fn documented() -> BTreeSet<String> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let each = |(path, methods): (&String, &Value)| -> Vec<String> {
        methods.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())).collect()
    };
    paths.iter().flat_map(each).collect()
}

fn served() -> BTreeSet<String> {
    router::api().iter().map(|o| format!("{} /api/v2{}", o.method, o.path)).collect()
}

#[test]
fn the_document_tells_every_operation_of_the_api_and_no_other() {
    let told: BTreeSet<String> = documented().into_iter().filter(|o| o.contains(" /api/v2/")).collect();
    let served = served();
    let diff = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    assert_eq!((diff(&told, &served), diff(&served, &told)), (vec![], vec![]), "(told but not served, served but not told)");
}

#[tokio::test]
async fn what_lies_beside_the_api_is_served_too() {
    let trial = Trial::new().await;
    for operation in documented().iter().filter(|o| !o.contains(" /api/")) {
        let (method, path) = operation.split_once(' ').unwrap();
        let (status, answer) = trial.ask(method, &path.replace(['{', '}'], "x"), Value::Null).await;
        assert_ne!(answer["errors"][0], "there is nothing at this address", "{operation}");
        assert_ne!(status, 405, "{operation}");
    }
}

/// Where a value is not as its schema says; also where it has what the schema does not tell.
fn faults(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/components/schemas/")) {
        return faults(root, &root["components"]["schemas"][name], value, at, found);
    }
    if let Some(all) = schema["anyOf"].as_array() {
        let fits = |one: &Value| {
            let mut wrong = Vec::new();
            faults(root, one, value, at, &mut wrong);
            wrong
        };
        let mut tries: Vec<Vec<String>> = all.iter().map(fits).collect();
        tries.sort_by_key(Vec::len);
        return found.extend(tries.into_iter().next().unwrap_or_default());
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !kinds.is_empty() && !kinds.contains(&json!(kind)) {
        found.push(format!("{at} is {value}, not {kinds:?}"));
    }
    let wrong_const = schema.get("const").is_some_and(|c| c != value);
    if wrong_const || schema["enum"].as_array().is_some_and(|e| !e.contains(value)) {
        found.push(format!("{at} is {value}"));
    }
    if let Value::Array(items) = value {
        items.iter().for_each(|item| faults(root, &schema["items"], item, &format!("{at}[]"), found));
    }
    if let (Value::Object(fields), Some(told)) = (value, schema["properties"].as_object()) {
        fields_faults(root, schema, fields, told, at, found);
    }
}

fn fields_faults(root: &Value, schema: &Value, fields: &Map<String, Value>, told: &Map<String, Value>, at: &str, found: &mut Vec<String>) {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    found.extend(required.filter(|name| !fields.contains_key(*name)).map(|name| format!("{at}.{name} is missing")));
    for (name, value) in fields {
        match told.get(name) {
            Some(schema) => faults(root, schema, value, &format!("{at}.{name}"), found),
            None => found.push(format!("{at}.{name} is not told")),
        }
    }
}

/// Asks, and holds status and answer against the document.
async fn ask(trial: &Trial, asked: &mut BTreeSet<String>, method: &str, template: &str, query: &str, body: Value) -> Value {
    let path = [
        ("{owner}", "acme"),
        ("{name}", "acme"),
        ("{version}", "1.0.0"),
        ("{provider}", "qemu"),
        ("{architecture}", "amd64"),
        ("{user}", "alice"),
        ("acme/acme", "acme/tiny"),
        ("boxes/acme", "boxes/tiny"),
    ];
    let path = path.iter().fold(template.to_owned(), |path, (name, value)| path.replace(name, value));
    let (status, answer) = trial.ask(method, &format!("{path}{query}"), body).await;
    let document = document();
    let responses = &document["paths"][template][method.to_lowercase()]["responses"];
    let response = responses.get(status.to_string()).unwrap_or_else(|| panic!("{method} {path}: {status} is not told: {answer}"));
    let response = match response["$ref"].as_str() {
        Some(shared) => &document["components"]["responses"][shared.rsplit('/').next().unwrap_or_default()],
        None => response,
    };
    let mut found = Vec::new();
    let schema = &response["content"]["application/json"]["schema"];
    match schema {
        Value::Null => assert_eq!(answer, Value::Null, "{method} {path}"),
        schema => faults(&document, schema, &answer, "", &mut found),
    }
    assert_eq!(found, Vec::<String>::new(), "{method} {path}: {answer}");
    assert!(status < 300 || template.ends_with("request-code"), "{method} {path}: {status} {answer}");
    asked.insert(format!("{method} {template}"));
    answer
}

#[tokio::test]
async fn real_answers_are_as_the_document_says() {
    let trial = Trial::new().await;
    trial.user("alice").await;
    let mut asked = BTreeSet::new();
    let (b, v) = ("/api/v2/box/{owner}/{name}", "/api/v2/box/{owner}/{name}/version/{version}");
    let (p, a) = (format!("{v}/provider/{{provider}}"), format!("{v}/provider/{{provider}}/{{architecture}}"));
    let url = "https://example.com/a.box";
    let again = |path: &str, end: &str| format!("{path}/{end}");
    let member = "/api/v2/organization/{name}/member/{user}";
    let story: Vec<(&str, String, &str, Value)> = vec![
        ("GET", "/api/v2/authenticate".into(), "", Value::Null),
        ("POST", "/api/v2/two-factor/request-code".into(), "", json!({})),
        ("POST", "/api/v2/organizations".into(), "", json!({ "organization": { "name": "acme" } })),
        ("GET", "/api/v2/organizations".into(), "", Value::Null),
        ("GET", "/api/v2/organization/{name}".into(), "", Value::Null),
        ("PUT", "/api/v2/organization/{name}".into(), "", json!({ "organization": { "description": "x", "quota": 7 } })),
        ("PUT", member.into(), "", json!({ "member": { "role": "read" } })),
        ("GET", "/api/v2/organization/{name}/members".into(), "", Value::Null),
        ("DELETE", member.into(), "", Value::Null),
        ("POST", "/api/v2/boxes".into(), "", json!({ "box": { "username": "acme", "name": "tiny" } })),
        ("PUT", b.into(), "", json!({ "box": { "description": "x" } })),
        ("POST", again(b, "versions"), "", json!({ "version": { "version": "1.0.0" } })),
        ("POST", again(v, "providers"), "", json!({ "provider": { "name": "qemu", "architecture": "amd64", "url": url } })),
        ("PUT", p.clone(), "", json!({ "provider": { "url": url } })),
        ("GET", p, "", Value::Null),
        ("PUT", a.clone(), "", json!({ "provider": { "default_architecture": false } })),
        ("GET", a, "", Value::Null),
        ("PUT", v.into(), "", json!({ "version": { "description": "y" } })),
        ("PUT", again(v, "release"), "", Value::Null),
        ("GET", b.into(), "", Value::Null),
        ("GET", "/api/v2/search".into(), "?q=tiny", Value::Null),
        ("GET", "/api/v2/user/{name}".into(), "", Value::Null),
        ("GET", "/api/v2/vagrant/{owner}/{name}".into(), "", Value::Null),
        ("GET", "/{owner}/{name}".into(), "", Value::Null),
        ("GET", "/{owner}/boxes/{name}".into(), "", Value::Null),
        ("PUT", again(v, "revoke"), "", json!({ "version": { "reason": "z" } })),
        ("GET", v.into(), "", Value::Null),
        ("POST", again(b, "prune"), "", json!({ "prune": { "keep_active": true, "dry_run": true } })),
        ("DELETE", v.into(), "", Value::Null),
        ("POST", again(v, "restore"), "", Value::Null),
        ("DELETE", b.into(), "", Value::Null),
        ("POST", again(b, "restore"), "", Value::Null),
        ("GET", "/api/v2/users".into(), "", Value::Null),
        ("GET", "/api/v2/audit".into(), "?limit=5", Value::Null),
        ("GET", "/api/v2/tokens".into(), "", Value::Null),
        ("POST", "/api/v2/tokens".into(), "", json!({ "token": { "scope": "read" } })),
        ("GET", "/healthz".into(), "", Value::Null),
        ("GET", "/readyz".into(), "", Value::Null),
    ];
    for (method, template, query, body) in story {
        ask(&trial, &mut asked, method, &template, query, body).await;
    }
    assert_eq!(asked.len(), 38);
}
