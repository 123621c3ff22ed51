//! What a connection is answered that there is no room for.

use std::future::ready;
use std::rc::Rc;

use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::error::Error;
use actix_web::http::ConnectionType;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use futures_util::future::Either;

use crate::transport::Worker;
use crate::transport::lease::Leased;
use crate::wire::error::ErrorCode;
use crate::wire::frame;

use super::Problem;

/// What is answered over the limit, too: who asks wants to know how the server is.
pub(super) const ALWAYS: &[&str] = &["/livez", "/healthz", "/readyz", "/metrics"];

/// Ends for good when it is told anything but a stream.
pub(super) const EVENT_STREAM: &str = "/v1/sse";

/// Seconds after which a client may look again whether there is room.
const RETRY_AFTER_SECONDS: u64 = 30;

/// Passes a request on, or answers it if its connection is one too many; that ends with its first answer.
pub fn admit<S>(
    request: ServiceRequest,
    routes: &S,
) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
{
    let is_over = request
        .conn_data::<Leased>()
        .is_some_and(Leased::is_over_capacity);
    let answered = if is_over && !ALWAYS.contains(&request.path()) {
        let answer = turn_away(&request);
        Either::Left(ready(Ok(request.into_response(answer))))
    } else {
        Either::Right(routes.call(request))
    };
    async move {
        let mut answer = answered.await?;
        if is_over {
            let head = answer.response_mut().head_mut();
            head.set_connection_type(ConnectionType::Close);
        }
        Ok(answer)
    }
}

fn turn_away(request: &ServiceRequest) -> HttpResponse {
    if let Some(worker) = request.app_data::<Rc<Worker>>() {
        worker.metrics.rejected();
    }
    if request.path() == EVENT_STREAM {
        let retry = frame::sse_prelude(RETRY_AFTER_SECONDS * 1_000, None);
        return HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "text/event-stream"))
            .insert_header((CACHE_CONTROL, "no-store"))
            .body(retry.bytes);
    }
    let detail = "The server has as many connections as it takes; try again later";
    let mut answer = Problem::new(ErrorCode::OverCapacity, detail).error_response();
    answer
        .headers_mut()
        .insert(RETRY_AFTER, RETRY_AFTER_SECONDS.into());
    answer
}
