//! What a route answers.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{Content, ContentBuilder, Response};

use crate::wire::error::ErrorCode;
use crate::wire::schema;

/// An answer without a body.
pub(super) fn nothing(description: &str) -> ResponseBuilder {
    ResponseBuilder::new().description(description)
}

/// An answer with a body.
pub(super) fn said(description: &str, content_type: &str, schema: Value) -> ResponseBuilder {
    nothing(description).content(content_type, holding(schema))
}

/// A body.
pub(super) fn holding(schema: Value) -> Content {
    let schema = schema::read(schema);
    ContentBuilder::new().schema(Some(schema)).build()
}

/// An answer without an end. OpenAPI 3.2 has `itemSchema` for what it is made of, 3.1 has nothing.
pub(super) fn stream(description: &str, content_type: &str) -> ResponseBuilder {
    let frame = schema::reference("Frame");
    let item = ExtensionsBuilder::new().add("x-itemSchema", frame).build();
    let mut content = holding(json!({ "type": "string" }));
    content.extensions = Some(item);
    nothing(description).content(content_type, content)
}

pub(super) fn switching() -> ResponseBuilder {
    nothing("The connection is a WebSocket from here on; see `/asyncapi.yaml`")
}

/// One answer for each status, with the types of problems that it may have.
pub(super) fn problems(codes: &[ErrorCode]) -> impl Iterator<Item = (String, Response)> {
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status()).or_default().push(*code);
    }
    by_status.into_iter().map(|(status, codes)| {
        let types = codes.iter().map(|code| code.problem_type());
        let these = json!({ "type": "string", "enum": types.collect::<Vec<_>>() });
        let problem = json!({
            "allOf": [
                schema::reference("Problem"),
                { "type": "object", "properties": { "type": these } },
            ],
        });
        let titles: Vec<_> = codes.iter().map(|code| code.title()).collect();
        let response = said(&titles.join("; "), "application/problem+json", problem);
        (status.to_string(), response.build())
    })
}
