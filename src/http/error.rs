//! Errors as `application/problem+json` (RFC 9457).

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, ResponseError};

use crate::wire::api;
use crate::wire::error::ErrorCode;

/// An error that a client is told.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    code: ErrorCode,
    detail: String,
    /// The symbols that it is about.
    symbols: Vec<String>,
}

impl Problem {
    /// A problem with a sentence that says what to mend.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            symbols: Vec::new(),
        }
    }

    /// The same, about these symbols.
    pub fn about(self, symbols: Vec<String>) -> Self {
        Self { symbols, ..self }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).expect("the catalogue holds valid statuses")
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        if self.code == ErrorCode::MethodNotAllowed {
            response.insert_header((ALLOW, "GET"));
        }
        response.body(api::problem(self.code, &self.detail, &self.symbols))
    }
}

/// What matches no route: a method that the URL does not have, or no such URL.
pub(super) async fn no_such_route(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (method, path) = (request.method(), request.path());
    if request.resource_map().has_resource(path) {
        let detail = format!("{path} takes GET, not {method}");
        return Err(Problem::new(ErrorCode::MethodNotAllowed, detail));
    }
    let detail = format!("There is nothing at {path}");
    Err(Problem::new(ErrorCode::NotFound, detail))
}
