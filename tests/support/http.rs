//! Plain HTTP/1.1 requests, one connection each unless it is kept.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::soon;

/// A connection that is kept for one request after the other.
pub(crate) struct Connection {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { address, sender }
    }

    pub(crate) async fn send(
        &mut self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Response<Incoming> {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", self.address.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::default()).unwrap();
        soon(target, self.sender.send_request(request))
            .await
            .unwrap()
    }

    pub(crate) async fn send_body(
        &mut self,
        method: Method,
        target: &str,
        body: Vec<u8>,
    ) -> Response<Incoming> {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", self.address.to_string())
            .body(body.into())
            .unwrap();
        soon(target, self.sender.send_request(request))
            .await
            .unwrap()
    }

    pub(crate) async fn get(&mut self, target: &str) -> Response<Incoming> {
        self.send(Method::GET, target, &[]).await
    }
}

/// An answer that has been read whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: hyper::HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) async fn read(response: Response<Incoming>) -> Self {
        let (head, body) = response.into_parts();
        let body = soon("the body", body.collect()).await.unwrap().to_bytes();
        Self {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The slug of a problem.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let json = self.json();
        assert_eq!(json["status"], self.status);
        let slug = json["type"].as_str().unwrap().strip_prefix("/problems/");
        slug.unwrap().to_owned()
    }
}

pub(crate) async fn get(address: SocketAddr, target: &str) -> Answer {
    get_with(address, target, &[]).await
}

pub(crate) async fn get_with(
    address: SocketAddr,
    target: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut connection = Connection::open(address).await;
    Answer::read(connection.send(Method::GET, target, headers).await).await
}
