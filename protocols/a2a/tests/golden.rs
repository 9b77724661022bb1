//! Every fixture, read and written in both versions. A file holds the same thing as each version writes it; one that a
//! version cannot say is missing there.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking")]

use std::path::Path;

use a2a::model::{Reply, Request, StreamEvent};
use a2a::{Operation, Version, rpc, v1, v03, version};
use serde_json::{Value, json};

const VERSIONS: [(&str, Version); 2] = [("v1", Version::V1), ("v03", Version::V03)];

/// All fixtures of a folder, by name.
fn fixtures(folder: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut found: Vec<(String, Value)> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let value =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path.file_stem().unwrap().to_string_lossy().into_owned(), value)
        })
        .collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(!found.is_empty());
    found
}

fn header(version: Version) -> Option<&'static str> {
    (version == Version::V1).then_some("1.0")
}

fn decode(body: &Value, version: Version) -> Request {
    let call = rpc::parse(body.to_string().as_bytes()).unwrap();
    let (operation, of) = version::resolve(&call.method, header(version)).unwrap();
    assert_eq!((of, operation.method(version)), (version, Some(call.method.as_str())));
    let request = a2a::decode(operation, version, call.params, || unreachable!()).unwrap();
    assert_eq!(request.params.operation(), operation);
    request
}

#[test]
fn requests_mean_the_same_in_both_versions() {
    for (name, fixture) in fixtures("requests") {
        let mut read: Option<Request> = None;
        for (key, version) in VERSIONS {
            let Some(body) = fixture.get(key) else { continue };
            let request = decode(body, version);
            let written = match version {
                Version::V1 => v1::params(&request),
                Version::V03 => v03::params(&request),
            };
            assert_eq!(written.as_ref(), body.get("params"), "{name}: written in {key}");
            if let Some(other) = read.replace(request.clone()).filter(|_| fixture.get("differ").is_none()) {
                assert_eq!(other, request, "{name}: read in {key}");
            }
        }
        assert!(read.is_some(), "{name}");
    }
}

#[test]
fn every_operation_has_a_request_in_every_version_that_knows_it() {
    let all = fixtures("requests");
    for (key, version) in VERSIONS {
        for operation in Operation::all() {
            let method = operation.method(version);
            let asked = all.iter().any(|(_, it)| it[key]["method"].as_str() == method);
            assert!(asked || method.is_none(), "{operation:?} in {key}");
        }
    }
}

#[test]
fn replies_mean_the_same_in_both_versions() {
    for (name, fixture) in fixtures("replies") {
        let (operation, _) = Operation::of_method(fixture["operation"].as_str().unwrap()).unwrap();
        let mut read: Option<Reply> = None;
        for (key, version) in VERSIONS {
            let Some(result) = fixture.get(key) else { continue };
            let (reply, written) = match version {
                Version::V1 => {
                    let reply = v1::read_reply(operation, result.clone()).unwrap();
                    (reply.clone(), v1::reply(&reply))
                }
                Version::V03 => {
                    let reply = v03::read_reply(operation, result.clone()).unwrap();
                    (reply.clone(), v03::reply(&reply))
                }
            };
            assert_eq!(&written, result, "{name}: written in {key}");
            if let Some(other) = read.replace(reply.clone()) {
                assert_eq!(other, reply, "{name}: read in {key}");
            }
        }
        assert!(read.is_some(), "{name}");
    }
}

#[test]
fn events_mean_the_same_in_both_versions() {
    for (name, fixture) in fixtures("events") {
        let new: StreamEvent = v1::read_event(fixture["v1"].clone()).unwrap();
        let old: StreamEvent = v03::read_event(fixture["v03"].clone()).unwrap();
        assert_eq!(new, old, "{name}");
        assert_eq!(v1::event(&new), fixture["v1"], "{name}");
        assert_eq!(v03::event(&new), fixture["v03"], "{name}");
    }
}

#[test]
fn wrong_calls_are_answered_with_their_code_and_their_field() {
    for case in fixtures("calls").remove(0).1.as_array().unwrap() {
        let body = case["body"].as_str().map_or_else(|| case["body"].to_string(), str::to_owned);
        let (id, failure, version) = refuse(&body, case.get("header").and_then(Value::as_str));
        let answer = rpc::error(id.as_ref(), &failure, version);
        assert_eq!(answer["jsonrpc"], "2.0");
        assert_eq!(answer["id"], case["id"], "{body}");
        assert_eq!(answer["error"]["code"], case["code"], "{body}: {failure}");
        let field = failure.violations.first().map(|it| json!(it.field));
        assert_eq!(field.as_ref(), case.get("field"), "{body}: {failure}");
        if let Some(field) = case["field"].as_str() {
            assert!(answer["error"]["message"].as_str().unwrap().contains(field), "{failure}");
        }
    }
}

fn refuse(body: &str, header: Option<&str>) -> (Option<rpc::Id>, a2a::Failure, Version) {
    let call = match rpc::parse(body.as_bytes()) {
        Ok(call) => call,
        Err(malformed) => return (malformed.id, malformed.failure, Version::V1),
    };
    let (operation, version) = match version::resolve(&call.method, header) {
        Ok(found) => found,
        Err(failure) => return (call.id, failure, Version::V1),
    };
    match a2a::decode(operation, version, call.params, || "fresh".into()) {
        Ok(request) => panic!("{body} was read as {request:?}"),
        Err(invalid) => (call.id, invalid.into(), version),
    }
}

#[test]
fn nulls_unknown_fields_and_missing_kinds_are_let_pass() {
    let params = json!({"message": {"messageId": "m", "role": "user", "contextId": null, "metadata": null,
        "parts": [{"text": "x", "metadata": null}], "novelty": {"a": 1}}, "configuration": null, "more": 1});
    let old = v03::request(Operation::Send, Some(params.clone())).unwrap();
    let mut params = params;
    params["message"]["role"] = json!("ROLE_USER");
    assert_eq!(v1::request(Operation::Send, Some(params)).unwrap(), old);
}
