//! The whole URL space, on one screen.

mod api;
mod body;
mod capacity;
mod contracts;
mod error;
#[cfg(test)]
mod openapi;
#[cfg(feature = "dashboard")]
mod page;
mod params;
mod ready;

use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use crate::transport::poll::Patience;
use crate::transport::{Request, Worker};

pub use capacity::admit;
pub use error::Problem;
pub use ready::Readiness;

/// What GET routes that are no streams answer, too.
const READ: &[Method] = &[Method::GET, Method::HEAD];
const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];

/// Where, to which methods, who answers.
type Row = (&'static str, &'static [Method], fn() -> actix_web::Route);

#[rustfmt::skip]
const ROUTES: &[Row] = &[
    ("/v1/ws",         GET,  || web::to(api::websocket)),
    ("/v1/sse",        GET,  || web::to(api::sse)),
    ("/v1/stream",     GET,  || web::to(api::ndjson)),
    ("/v1/poll",       GET,  || web::to(api::poll)),
    ("/v1/quotes",     READ, || web::to(api::quotes)),
    ("/v1/symbols",    READ, || web::to(api::symbols)),
    ("/v1/bars",       READ, || web::to(api::bars)),
    ("/v1/stats",      READ, || web::to(api::stats)),
    ("/v1/time",       READ, || web::to(api::time)),
    ("/v1/echo",       GET,  || web::to(api::echo_websocket)),
    ("/v1/echo",       POST, || web::to(api::echo)),
    ("/v1/latency",    POST, || web::to(api::latency)),
    ("/metrics",       READ, || web::to(api::metrics)),
    ("/livez",         READ, || web::to(api::livez)),
    ("/healthz",       READ, || web::to(api::livez)),
    ("/readyz",        READ, || web::to(api::readyz)),
    ("/openapi.json",  READ, || web::to(contracts::openapi)),
    ("/asyncapi.yaml", READ, || web::to(contracts::asyncapi)),
    #[cfg(feature = "dashboard")]
    ("/",              READ, || web::to(page::index)),
];

/// Reads the query of a poll whose head has been read elsewhere.
pub fn read_poll(worker: &Worker, query: &str) -> Option<(Request, Patience)> {
    api::read_poll(worker, query)
}

/// Adds every route.
pub fn routes(app: &mut ServiceConfig) {
    for (path, methods, route) in ROUTES {
        app.route(path, route().guard(one_of(methods)));
    }
    #[cfg(feature = "dashboard")]
    app.route("/{asset:.+\\..+}", web::to(page::asset).guard(one_of(READ)));
    app.default_service(web::to(error::no_such_route));
}

/// The methods that a path takes, as an `Allow` header tells them; `None` if there is no such path.
fn allowed(path: &str) -> Option<String> {
    let rows = ROUTES.iter().filter(|(known, ..)| *known == path);
    let methods: Vec<&str> = rows
        .flat_map(|(_, methods, _)| *methods)
        .map(Method::as_str)
        .collect();
    (!methods.is_empty()).then(|| methods.join(", "))
}

fn one_of(methods: &'static [Method]) -> impl Guard {
    guard::fn_guard(|context| methods.contains(&context.head().method))
}
