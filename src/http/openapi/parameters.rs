//! What a route takes in its query and headers. Bounds and defaults are those that requests are held to.

use serde_json::{Value, json};
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};

use crate::http::params;
use crate::wire::schema;
use crate::wire::terms::Terms;

fn parameter(place: ParameterIn, name: &str, about: &str, schema: Value) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema::read(schema)))
}

fn query(name: &str, about: &str, schema: Value) -> Parameter {
    parameter(ParameterIn::Query, name, about, schema).build()
}

pub(super) fn header(name: &str, about: &str, schema: Value) -> Parameter {
    parameter(ParameterIn::Header, name, about, schema).build()
}

/// At least so many symbols: a WebSocket may begin without any.
pub(super) fn symbols(least: u8) -> Parameter {
    let one =
        json!({ "anyOf": [schema::reference("Symbol"), { "type": "string", "enum": ["*"] }] });
    let list = json!({ "type": "array", "items": one, "minItems": least, "default": ["*"] });
    let about = match least {
        0 => "Symbols with commas between; absent or `*` is all; empty: wait for `subscribe`",
        _ => "Symbols with commas between; absent or `*` is all",
    };
    parameter(ParameterIn::Query, "symbols", about, list)
        .style(Some(ParameterStyle::Form))
        .explode(Some(false))
        .build()
}

/// The one symbol that is asked about.
pub(super) fn symbol() -> Parameter {
    parameter(
        ParameterIn::Query,
        "symbol",
        "Which",
        schema::reference("Symbol"),
    )
    .required(Required::True)
    .build()
}

/// A component with the value that counts where the parameter is absent.
fn or_default(name: &str, default: impl serde::Serialize) -> Value {
    let component = format!("#/components/schemas/{name}");
    json!({ "allOf": [{ "$ref": component }], "default": default })
}

pub(super) fn since() -> Parameter {
    let schema = schema::reference("Cursor");
    query(
        "since",
        "Go on after this cursor; absent: begin with a snapshot",
        schema,
    )
}

pub(super) fn mode() -> Parameter {
    let about = "`every` is each tick, in order, once; `conflate` is the latest tick of each symbol that changed";
    query("mode", about, or_default("Mode", Terms::default().mode))
}

pub(super) fn terms() -> [Parameter; 3] {
    let Terms {
        max_rate, policy, ..
    } = Terms::default();
    let about = "What happens to a session with `mode=every` that cannot keep up";
    [
        mode(),
        query(
            "max_rate",
            "With `mode=conflate`",
            or_default("MaxRate", max_rate),
        ),
        query("policy", about, or_default("Policy", policy)),
    ]
}

pub(super) fn inspect() -> Parameter {
    let about = "1: `welcome`, or the answer to a poll, has the heads of the request and its answer as `inspect`";
    let schema = json!({ "type": "integer", "enum": [0, 1], "default": 0 });
    query("inspect", about, schema)
}

pub(super) fn limit(about: &str, default: u64, most: u64) -> Parameter {
    let schema = json!({ "type": "integer", "minimum": 1, "maximum": most, "default": default });
    query("limit", about, schema)
}

pub(super) fn patience() -> [Parameter; 3] {
    let wait = json!({
        "type": "number",
        "minimum": 0,
        "maximum": params::MAX_WAIT.as_secs(),
        "default": params::DEFAULT_WAIT.as_secs(),
    });
    let about = "Seconds to wait for news, decimals allowed, and up to a sixteenth of jitter; more is taken as the most";
    let preference = json!({ "type": "string", "examples": ["wait=10"] });
    [
        query("wait", about, wait),
        limit(
            "Ticks in the answer, rounded up to whole batches",
            params::DEFAULT_TICKS,
            params::MAX_TICKS,
        ),
        header(
            "Prefer",
            "`wait=N` counts where the URL has no `wait` (RFC 7240)",
            preference,
        ),
    ]
}
