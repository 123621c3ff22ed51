//! The documents agree with each other and with the catalogues of the code, and are served as they stand.

use std::collections::BTreeSet;

use hyper::Method;
use serde_json::{Value, json};
use tickertape::wire::close::CloseReason;
use tickertape::wire::error::ErrorCode;

use crate::support::TestServer;
use crate::support::contract::{ASYNCAPI, OPENAPI, asyncapi, component, faults, members, openapi};
use crate::support::http::{Answer, Connection, get};

#[tokio::test]
async fn the_documents_are_served_as_they_stand() {
    let server = TestServer::start();
    for (path, content_type, text) in [
        ("/openapi.json", "application/json", OPENAPI),
        ("/asyncapi.yaml", "application/yaml", ASYNCAPI),
    ] {
        let answer = get(server.address, path).await;
        assert_eq!(answer.header("content-type"), content_type, "{path}");
        assert!(answer.text() == text, "{path}");
        let mut connection = Connection::open(server.address).await;
        let head = Answer::read(connection.send(Method::HEAD, path, &[]).await).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
    }
}

/// Every `$ref` in a document.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Array(each) => each.iter().for_each(|value| references(value, found)),
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| references(value, found));
        }
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    for document in [openapi(), asyncapi()] {
        let mut found = Vec::new();
        references(document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let (file, pointer) = reference.split_once('#').unwrap();
            let target = match file {
                "" => document,
                "openapi.json" => openapi(),
                other => panic!("{reference}: {other} is not served"),
            };
            assert!(target.pointer(pointer).is_some(), "{reference}");
        }
    }
}

#[test]
fn both_documents_are_of_this_version() {
    for document in [openapi(), asyncapi()] {
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    }
}

#[test]
fn the_catalogue_of_errors_is_that_of_the_code() {
    let slugs = ErrorCode::ALL.map(ErrorCode::slug);
    let codes = &members(openapi(), &component("ErrorCode"))["enum"];
    assert_eq!(codes, &json!(slugs));
    let types = &members(openapi(), &component("ProblemType"))["enum"];
    assert_eq!(types, &json!(slugs.map(|slug| format!("/problems/{slug}"))));
}

#[test]
fn the_close_codes_are_those_of_the_code() {
    let codes = asyncapi().pointer("/channels/websocket/x-close/codes");
    let listed = codes.and_then(Value::as_array).unwrap().iter();
    let listed: Vec<_> = listed
        .map(|row| json!({ "code": row["code"], "reason": row["reason"] }))
        .collect();
    let closes =
        CloseReason::ALL.map(|reason| json!({ "code": reason.code(), "reason": reason.slug() }));
    assert_eq!(listed, closes);
    for close in &listed {
        assert_eq!(faults(&component("Close"), close), [""; 0], "{close}");
    }
}

/// The names of the query parameters of a path.
fn queried(path: &str) -> BTreeSet<&str> {
    let parameters = &members(openapi(), "/paths")[path]["get"]["parameters"];
    let parameters = parameters.as_array().into_iter().flatten();
    parameters
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| parameter["name"].as_str().unwrap())
        .collect()
}

#[test]
fn the_streams_take_the_same_parameters_in_both_documents() {
    let query = members(asyncapi(), "/components/schemas/Query/properties");
    let query: BTreeSet<_> = query.keys().map(String::as_str).collect();
    for (name, channel) in members(asyncapi(), "/channels") {
        let path = channel["address"].as_str().unwrap();
        let expected = if name == "echo" {
            BTreeSet::new()
        } else {
            query.clone()
        };
        assert_eq!(queried(path), expected, "{path}");
    }
}
