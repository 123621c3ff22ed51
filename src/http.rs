//! The whole URL space, on one screen.

mod api;
mod error;
#[cfg(feature = "dashboard")]
mod page;
mod params;
mod ready;

use actix_web::web::{self, ServiceConfig, get};
use actix_web::{Route, guard};

pub use error::Problem;
pub use ready::Readiness;

/// Adds every route.
pub fn routes(app: &mut ServiceConfig) {
    app.route("/v1/ws", get().to(api::websocket))
        .route("/v1/sse", get().to(api::sse))
        .route("/v1/stream", get().to(api::ndjson))
        .route("/v1/poll", get().to(api::poll))
        .route("/v1/quotes", get_or_head().to(api::quotes))
        .route("/v1/symbols", get_or_head().to(api::symbols))
        .route("/v1/time", get_or_head().to(api::time))
        .route("/v1/stats", get_or_head().to(api::stats))
        .route("/metrics", get_or_head().to(api::metrics))
        .route("/livez", get_or_head().to(api::livez))
        .route("/healthz", get_or_head().to(api::livez))
        .route("/readyz", get_or_head().to(api::readyz));
    #[cfg(feature = "dashboard")]
    app.route("/", get_or_head().to(page::index))
        .route("/{asset:.+\\..+}", get_or_head().to(page::asset));
    app.default_service(web::to(error::no_such_route));
}

fn get_or_head() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}
