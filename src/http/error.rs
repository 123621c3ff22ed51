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
    /// The methods that the URL takes.
    allow: Option<String>,
}

impl Problem {
    /// A problem with a sentence that says what to mend.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            symbols: Vec::new(),
            allow: None,
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
        if let Some(methods) = &self.allow {
            response.insert_header((ALLOW, methods.as_str()));
        }
        response.body(api::problem(self.code, &self.detail, &self.symbols))
    }
}

/// What matches no route: a method that the URL does not have, or no such URL.
pub(super) async fn no_such_route(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (method, path) = (request.method(), request.path());
    if let Some(methods) = super::allowed(path) {
        let detail = format!("{path} takes {methods}, not {method}");
        let problem = Problem::new(ErrorCode::MethodNotAllowed, detail);
        return Err(Problem {
            allow: Some(methods),
            ..problem
        });
    }
    let detail = format!("There is nothing at {path}");
    Err(Problem::new(ErrorCode::NotFound, detail))
}
