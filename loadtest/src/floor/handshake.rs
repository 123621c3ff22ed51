//! Just enough HTTP for a WebSocket client to get in, and for a load test to see that somebody is there.

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A head longer than this is no WebSocket client's.
pub(super) const MAX_HEAD_BYTES: usize = 8 * 1024;

/// What to say to a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Its head is not all there.
    Wait,
    /// It goes on as a WebSocket after these bytes.
    Upgrade(Vec<u8>),
    /// These bytes answer it; another may follow.
    Plain(&'static [u8]),
}

/// Answers a request by its head.
pub(super) fn answer(head: &[u8]) -> Answer {
    if !head.ends_with(b"\r\n\r\n") {
        return Answer::Wait;
    }
    let head = String::from_utf8_lossy(head);
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    if head.starts_with("GET /readyz ") {
        return Answer::Plain(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
    let Some(key) = header("sec-websocket-key") else {
        return Answer::Plain(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    };
    let accept = derive_accept_key(key.as_bytes());
    // A client that offers subprotocols wants one of them back, the first as well as any.
    let subprotocol = header("sec-websocket-protocol")
        .and_then(|offered| offered.split(',').next())
        .map_or_else(String::new, |first| {
            format!("Sec-WebSocket-Protocol: {}\r\n", first.trim())
        });
    Answer::Upgrade(
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{subprotocol}\r\n"
        )
        .into_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_answered_as_the_standard_has_it() {
        // The example of RFC 6455, section 1.3.
        let head =
            b"GET /v1/ws HTTP/1.1\r\nHost: h\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                     Sec-WebSocket-Protocol: ticker.v1.json\r\n\r\n";
        let Answer::Upgrade(bytes) = answer(head) else {
            panic!("no upgrade");
        };
        let text = String::from_utf8(bytes).unwrap();
        assert!(
            text.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
            "{text}"
        );
        assert!(
            text.ends_with("Sec-WebSocket-Protocol: ticker.v1.json\r\n\r\n"),
            "{text}"
        );
    }

    #[test]
    fn half_a_head_waits_for_the_rest() {
        assert_eq!(answer(b"GET / HTTP/1.1\r\nHost:"), Answer::Wait);
    }

    #[test]
    fn a_probe_is_told_that_all_is_ready_and_others_that_there_is_nothing() {
        for (head, status) in [
            (&b"GET /readyz HTTP/1.1\r\n\r\n"[..], &b"HTTP/1.1 200"[..]),
            (b"GET /v1/sse HTTP/1.1\r\n\r\n", b"HTTP/1.1 404"),
        ] {
            let Answer::Plain(bytes) = answer(head) else {
                panic!("no plain answer");
            };
            assert!(bytes.starts_with(status));
        }
    }
}
