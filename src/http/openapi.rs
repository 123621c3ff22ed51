//! Describes every route and writes `docs/openapi.json`, which the server embeds. Only tests hold this: the server
//! has no use for what makes the file.

mod answers;
mod parameters;
mod route;

use actix_web::http::Method;
use serde_json::json;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::info::{InfoBuilder, LicenseBuilder};
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::schema::ComponentsBuilder;
use utoipa::openapi::{Content, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, Server};

use crate::metrics::Metrics;
use crate::wire::error::ErrorCode::*;
use crate::wire::{SUBPROTOCOL, schema};

use super::{GET, POST, READ, ROUTES, capacity, contracts, params};

use answers::{holding, nothing, said, stream, switching};
use parameters::{header, inspect, limit, mode, patience, since, symbol, symbols, terms};
use route::{Route, route};

const ABOUT: &str = "Live stock prices over WebSocket, Server-Sent Events, NDJSON, long-poll and short-poll: the same \
    ticks on every one of them. `docs/PROTOCOL.md` is the protocol in words, `/asyncapi.yaml` describes the streams. \
    Clients ignore types and fields that they do not know. What has no route is answered with a `Problem`: \
    `not_found`, or `method_not_allowed` and the methods in `Allow`.";

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    let text = || json!({ "type": "string" });
    let offers = json!({ "type": "string", "examples": [SUBPROTOCOL] });
    let ours = json!({ "type": "string", "enum": [SUBPROTOCOL] });
    let picked = HeaderBuilder::new().schema(Some(schema::read(ours))).build();
    vec![
        route(GET, "/v1/ws", "websocket", "Frames over a WebSocket, and messages that change the session")
            .takes([symbols(0), since()]).takes(terms()).takes([inspect()])
            .takes([header("Sec-WebSocket-Protocol", "If any are offered, ours must be one of them", offers)])
            .answer(101, switching().header("Sec-WebSocket-Protocol", picked))
            .problems(&[BadRequest, BadCursor, UnknownSymbol, TooManySymbols, UnsupportedSubprotocol, Internal]),
        route(GET, "/v1/sse", "sse", "Frames as Server-Sent Events")
            .takes([symbols(1), since()]).takes(terms()).takes([inspect()])
            .takes([header("Last-Event-ID", "A cursor; wins over `since`. What is no cursor is a gap", text())])
            .answer(200, stream("Events: `event` is the frame's type (`error` is `problem`), `id` its cursor, `data` the frame. Over the limit of connections only `retry`", "text/event-stream"))
            .problems(&[BadRequest, UnknownSymbol, TooManySymbols, Internal]),
        route(GET, "/v1/stream", "ndjson", "Frames as lines of JSON")
            .takes([symbols(1), since()]).takes(terms()).takes([inspect()])
            .answer(200, stream("One frame a line", "application/x-ndjson"))
            .problems(&[BadRequest, BadCursor, UnknownSymbol, TooManySymbols, Internal]),
        route(GET, "/v1/poll", "poll", "What came since a cursor, as soon as there is something")
            .takes([symbols(1), since(), mode()]).takes(patience()).takes([inspect()])
            .json("PollAnswer")
            .problems(&[BadRequest, BadCursor, UnknownSymbol, TooManySymbols, Internal]),
        route(READ, "/v1/quotes", "quotes", "All quotes now: the short-poll baseline")
            .takes([symbols(1)])
            .json("Snapshot")
            .problems(&[BadRequest, UnknownSymbol, TooManySymbols, Internal]),
        route(READ, "/v1/symbols", "symbols", "The symbols with their names")
            .json("Symbols").problems(&[Internal]),
        route(READ, "/v1/bars", "bars", "One-second bars of a symbol, for charts")
            .takes([
                symbol(),
                limit("The latest so many", params::DEFAULT_BARS, params::MAX_BARS),
            ])
            .json("Bars")
            .problems(&[BadRequest, UnknownSymbol, Internal]),
        route(READ, "/v1/stats", "stats", "Each transport's connections, bytes, and what became of every tick that was due")
            .json("Stats").problems(&[Internal]),
        route(READ, "/v1/time", "time", "The server's clock")
            .json("Time"),
        route(GET, "/v1/echo", "echoWebsocket", "What is sent comes back, over a WebSocket")
            .answer(101, switching())
            .problems(&[BadRequest, Internal]),
        route(POST, "/v1/echo", "echo", "What is sent comes back")
            .body("application/octet-stream", Content::default())
            .answer(200, nothing("The body as it came").content("application/octet-stream", Content::default()))
            .problems(&[BadRequest, MessageTooBig, IdleTimeout, Internal]),
        route(POST, "/v1/latency", "latency", "A client reports the ages that it measured; `/metrics` has them")
            .body("application/json", holding(schema::reference("Report")))
            .answer(204, nothing("Taken"))
            .problems(&[BadRequest, MessageTooBig, IdleTimeout, Internal]),
        route(READ, "/metrics", "metrics", "For Prometheus")
            .answer(200, said("Every series", Metrics::CONTENT_TYPE, text()))
            .problems(&[Internal]),
        route(READ, "/livez", "live", "The process lives")
            .json("Liveness"),
        route(READ, "/healthz", "healthy", "The same as `/livez`")
            .json("Liveness"),
        route(READ, "/readyz", "ready", "Whether the process takes traffic")
            .json("Readiness")
            .answer(503, said("It does not", "application/json", schema::reference("Readiness")))
            .problems(&[Internal]),
        route(READ, "/openapi.json", "openapi", "This document")
            .answer(200, said("OpenAPI 3.1", "application/json", json!({ "type": "object" }))),
        route(READ, "/asyncapi.yaml", "asyncapi", "The streams as AsyncAPI; its schemas are those of this document")
            .answer(200, said("AsyncAPI 3", "application/yaml", text())),
        route(READ, "/", "page", "The dashboard, where the server was built with it")
            .answer(200, said("The page", "text/html; charset=utf-8", text())).answer(304, nothing("`If-None-Match` names what is there")),
    ]
}

/// The same with the answer over the limit of connections, where that is a problem.
fn limited(route: Route) -> Route {
    let others = [capacity::ALWAYS, &[capacity::EVENT_STREAM]].concat();
    if others.contains(&route.path) {
        return route;
    }
    route.problems(&[OverCapacity])
}

fn document() -> OpenApi {
    let mut paths = PathsBuilder::new();
    for route in routes().into_iter().map(limited) {
        for method in route.methods {
            let operation = PathItem::new(http_method(method), route.operation(method));
            paths = paths.path(route.path, operation);
        }
    }
    let license = LicenseBuilder::new()
        .name(env!("CARGO_PKG_LICENSE"))
        .identifier(Some(env!("CARGO_PKG_LICENSE")));
    let info = InfoBuilder::new()
        .title(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(license.build()));
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new("/")]))
        .security(Some([]))
        .paths(paths)
        .components(Some(
            ComponentsBuilder::new()
                .schemas_from_iter(schema::components())
                .build(),
        ))
        .build()
}

fn http_method(method: &Method) -> HttpMethod {
    match *method {
        Method::GET => HttpMethod::Get,
        Method::HEAD => HttpMethod::Head,
        Method::POST => HttpMethod::Post,
        _ => panic!("no route takes {method}"),
    }
}

#[test]
fn the_committed_document_is_the_one_that_the_code_makes() {
    let made = document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_CONTRACTS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
        return std::fs::write(path, made).unwrap();
    }
    assert!(
        made == contracts::OPENAPI,
        "docs/openapi.json is not what the code makes: UPDATE_CONTRACTS=1 cargo test --lib openapi writes it anew"
    );
}

/// Every path with a method, in an order of their own.
fn listed(
    rows: impl Iterator<Item = (&'static str, &'static [Method])>,
) -> Vec<(&'static str, &'static str)> {
    let mut listed: Vec<_> = rows
        .flat_map(|(path, methods)| methods.iter().map(move |method| (path, method.as_str())))
        .collect();
    listed.sort_unstable();
    listed
}

#[test]
fn the_routes_are_described_with_their_methods_and_nothing_else_is() {
    let described = routes();
    let described = (described.iter())
        .filter(|route| cfg!(feature = "dashboard") || route.path != "/")
        .map(|route| (route.path, route.methods));
    let served = ROUTES.iter().map(|(path, methods, _)| (*path, *methods));
    assert_eq!(listed(described), listed(served));
}
