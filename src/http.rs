//! The whole URL space, on one screen.

mod api;
mod error;
#[cfg(feature = "dashboard")]
mod page;
mod params;
mod ready;

use actix_web::web::{self, ServiceConfig, get};

pub use error::Problem;
pub use ready::Readiness;

/// Adds every route.
pub fn routes(app: &mut ServiceConfig) {
    app.route("/v1/ws", get().to(api::websocket))
        .route("/v1/sse", get().to(api::sse))
        .route("/v1/stream", get().to(api::ndjson))
        .route("/v1/poll", get().to(api::poll))
        .route("/v1/quotes", get().to(api::quotes))
        .route("/v1/symbols", get().to(api::symbols))
        .route("/v1/time", get().to(api::time))
        .route("/metrics", get().to(api::metrics))
        .route("/livez", get().to(api::livez))
        .route("/healthz", get().to(api::livez))
        .route("/readyz", get().to(api::readyz));
    #[cfg(feature = "dashboard")]
    app.route("/", get().to(page::index))
        .route("/{asset:.+\\..+}", get().to(page::asset));
    app.default_service(web::to(error::no_such_route));
}
