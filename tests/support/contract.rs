//! The contracts in `docs/`, and their schemas as a judge of what is sent.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

pub(crate) const OPENAPI: &str = include_str!("../../docs/openapi.json");
pub(crate) const ASYNCAPI: &str = include_str!("../../docs/asyncapi.yaml");

pub(crate) fn openapi() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(OPENAPI).unwrap());
    &DOCUMENT
}

pub(crate) fn asyncapi() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| yaml_serde::from_str(ASYNCAPI).unwrap());
    &DOCUMENT
}

/// The members of an object that a pointer (RFC 6901) leads to.
pub(crate) fn members(document: &'static Value, pointer: &str) -> &'static Map<String, Value> {
    let found = document.pointer(pointer).and_then(Value::as_object);
    found.unwrap_or_else(|| panic!("no object at {pointer}"))
}

/// The pointer to a component's schema.
pub(crate) fn component(name: &str) -> String {
    format!("/components/schemas/{name}")
}

/// The pointer to the schema of an answer.
pub(crate) fn answer(path: &str, method: &str, status: u16, content_type: &str) -> String {
    let [path, content_type] = [path, content_type].map(|key| key.replace('/', "~1"));
    format!("/paths/{path}/{method}/responses/{status}/content/{content_type}/schema")
}

/// What is wrong with a value by the schema at a pointer into `openapi.json`; nothing, if it is as described.
pub(crate) fn faults(pointer: &str, value: &Value) -> Vec<String> {
    assert!(openapi().pointer(pointer).is_some(), "nothing at {pointer}");
    let schema = json!({
        "$ref": format!("#{pointer}"),
        "paths": openapi()["paths"],
        "components": &*CLOSED,
    });
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let faults = validator.iter_errors(value);
    faults.map(|fault| fault.to_string()).collect()
}

/// The components without room for members that they do not describe. Clients ignore those, so the published schemas
/// leave room; but what the server sends is to be described.
static CLOSED: LazyLock<Value> = LazyLock::new(|| {
    let mut components = openapi()["components"].clone();
    close(&mut components["schemas"]);
    components
});

fn close(schema: &mut Value) {
    match schema {
        Value::Array(each) => each.iter_mut().for_each(close),
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.get("type") == Some(&json!("object")) {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        _ => {}
    }
}
