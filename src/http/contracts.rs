//! What programs read of the protocol: two files of `docs/`, as they stand there.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};

pub(super) const OPENAPI: &str = include_str!("../../docs/openapi.json");
const ASYNCAPI: &str = include_str!("../../docs/asyncapi.yaml");

pub(super) async fn openapi() -> HttpResponse {
    document("application/json", OPENAPI)
}

pub(super) async fn asyncapi() -> HttpResponse {
    // RFC 9512.
    document("application/yaml", ASYNCAPI)
}

fn document(content_type: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, content_type))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(text)
}
