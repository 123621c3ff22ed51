//! One HTTP/1.1 connection, kept alive: what streams, polls and probes ask through.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, HOST, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::spawn_local;

use crate::target::Address;
use crate::trouble::Trouble;
use crate::wire::MAX_FRAME_BYTES;

/// Says who is asking.
pub(crate) const AGENT: &str = concat!("tickertape-loadtest/", env!("CARGO_PKG_VERSION"));

/// The asking end of a connection.
#[derive(Debug)]
pub(crate) struct Http {
    sender: SendRequest<Empty<Bytes>>,
}

impl Http {
    /// Takes a connected stream. Must be called inside a `LocalSet`, where the connection's task then lives.
    pub(crate) async fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    ) -> Result<Self, Trouble> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // How the connection ends, the next request or the open body is told.
        spawn_local(async { drop(connection.await) });
        Ok(Self { sender })
    }

    /// Whether the connection takes another request; not if the server has closed it meanwhile.
    pub(crate) async fn is_ready(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Asks for a path and waits for the head of a 200 answer.
    pub(crate) async fn get(
        &mut self,
        address: &Address,
        path: &str,
        accept: &str,
    ) -> Result<Response<Incoming>, Trouble> {
        let request = Request::get(path)
            .header(HOST, &address.host)
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, accept)
            .body(Empty::new())
            .map_err(|error| Trouble::Lost(error.to_string()))?;
        let response = self.sender.send_request(request).await?;
        match response.status() {
            StatusCode::OK => Ok(response),
            status => Err(Trouble::Status(status)),
        }
    }
}

/// Reads a whole body into `buffer`, which is cleared first and reused by the caller.
pub(crate) async fn read_body(
    response: Response<Incoming>,
    buffer: &mut Vec<u8>,
) -> Result<(), Trouble> {
    buffer.clear();
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            if buffer.len() + data.len() > MAX_FRAME_BYTES {
                return Err(Trouble::TooLong(MAX_FRAME_BYTES));
            }
            buffer.extend_from_slice(&data);
        }
    }
    Ok(())
}
