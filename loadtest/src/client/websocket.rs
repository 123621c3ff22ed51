//! The WebSocket client.

use std::convert::Infallible;

use futures_util::StreamExt;
use hyper::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL, USER_AGENT};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::{Client, Seat};
use crate::counted::{Counted, ReadStamp};
use crate::http::AGENT;
use crate::observer::Observer;
use crate::trouble::Trouble;
use crate::wire::{Frame, MAX_FRAME_BYTES};

const SUBPROTOCOL: &str = "ticker.v1.json";

/// The library's own 128 KiB for each connection would make ten thousand clients cost 1.3 GB,
/// and it zeroes the whole buffer before each read.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// A connection through its handshake.
#[derive(Debug)]
pub(super) struct WebSocket {
    stream: WebSocketStream<Counted<TcpStream>>,
    read_at: ReadStamp,
    observer: Observer,
}

impl Client for WebSocket {
    async fn open(seat: Seat) -> Result<Self, Trouble> {
        let uri = format!("ws://{}/v1/ws", seat.group.course.address.authority);
        let mut request = uri.into_client_request().map_err(handshake)?;
        request.headers_mut().insert(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        );
        request
            .headers_mut()
            .insert(USER_AGENT, HeaderValue::from_static(AGENT));

        let socket = Counted::connect(&seat.group).await?;
        let read_at = socket.read_stamp();
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .max_message_size(Some(MAX_FRAME_BYTES))
            .max_frame_size(Some(MAX_FRAME_BYTES));
        // Fails as well if the server does not choose the subprotocol.
        let (stream, _) = client_async_with_config(request, socket, Some(config))
            .await
            .map_err(handshake)?;
        Ok(Self {
            stream,
            read_at,
            observer: seat.observer,
        })
    }

    async fn follow(mut self) -> Result<Infallible, Trouble> {
        loop {
            // Reading also answers the server's pings.
            match self.stream.next().await.ok_or(Trouble::Ended)? {
                Ok(Message::Text(text)) => {
                    self.observer
                        .see(&Frame::parse(text.as_bytes())?, self.read_at.us())?;
                }
                Ok(Message::Close(frame)) => {
                    return Err(match frame {
                        Some(frame) => Trouble::Closed {
                            code: frame.code.into(),
                            reason: frame.reason.to_string(),
                        },
                        // 1005 stands for a close frame without a code.
                        None => Trouble::Closed {
                            code: 1005,
                            reason: String::new(),
                        },
                    });
                }
                Ok(_) => {}
                Err(error) => return Err(Trouble::Lost(error.to_string())),
            }
        }
    }
}

fn handshake(error: Error) -> Trouble {
    match error {
        Error::Http(response) => Trouble::Status(response.status()),
        other => Trouble::Handshake(other.to_string()),
    }
}
