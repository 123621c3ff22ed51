//! Bodies of requests, bounded in size and time.

use std::time::Duration;

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpRequest, http::header::HeaderValue};
use tokio::time::timeout;

use crate::wire::error::ErrorCode;

use super::Problem;

/// The whole body, of at most `limit` bytes, if it comes in time.
pub(super) async fn read(
    http: &HttpRequest,
    payload: Payload,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, Problem> {
    let too_big = || {
        let detail = format!("The body has more than {limit} bytes");
        Problem::new(ErrorCode::MessageTooBig, detail)
    };
    let announced = http.headers().get(CONTENT_LENGTH).and_then(length);
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_big());
    }
    match timeout(patience, payload.to_bytes_limited(limit)).await {
        Ok(Ok(Ok(body))) => Ok(body),
        Ok(Ok(Err(error))) => {
            let detail = format!("The body cannot be read: {error}");
            Err(Problem::new(ErrorCode::BadRequest, detail))
        }
        Ok(Err(_)) => Err(too_big()),
        Err(_) => {
            let detail = format!("The body did not come within {patience:?}");
            Err(Problem::new(ErrorCode::IdleTimeout, detail))
        }
    }
}

fn length(value: &HeaderValue) -> Option<u64> {
    value.to_str().ok()?.parse().ok()
}
