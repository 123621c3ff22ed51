//! Plain answers and problems of a server, as `openapi.json` describes them.

use std::collections::BTreeSet;
use std::time::Duration;

use hyper::Method;
use serde_json::Value;
use tickertape::wire::error::ErrorCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client::cursor_of;
use crate::support::contract::{answer, component, faults, members, openapi};
use crate::support::http::{Answer, Connection, get, get_with};
use crate::support::raw::UPGRADE;
use crate::support::server::Settings;
use crate::support::{TestServer, soon};

/// Holds an answer to a method against the description of its path.
fn is_described(method: &str, target: &str, given: &Answer) {
    let (path, _) = target.split_once('?').unwrap_or((target, ""));
    let content_type = given.header("content-type");
    let schema = answer(path, method, given.status, content_type);
    let faults = faults(&schema, &given.json());
    assert_eq!(faults, [""; 0], "{target}: {}", given.text());
}

#[tokio::test]
async fn plain_answers_are_as_described() {
    let mut server = TestServer::start();
    server.publish_each("F", 3);
    let head = cursor_of(&get(server.address, "/v1/quotes").await.json());
    for target in [
        "/v1/quotes",
        "/v1/quotes?symbols=F,AAPL",
        "/v1/symbols",
        "/v1/bars?symbol=F",
        "/v1/bars?symbol=F&limit=1",
        "/v1/stats",
        "/v1/time",
        "/livez",
        "/healthz",
        "/v1/poll",
        "/v1/poll?inspect=1",
        "/v1/poll?since=000001-1&limit=1",
        "/v1/poll?since=zzzzzz-1",
        &format!("/v1/poll?since={head}&wait=0"),
    ] {
        let given = get(server.address, target).await;
        assert_eq!(given.status, 200, "{target}");
        is_described("get", target, &given);
    }
}

#[tokio::test]
async fn a_server_without_a_feed_is_not_ready_as_described() {
    let server = TestServer::start();
    let given = get(server.address, "/readyz").await;
    assert_eq!(given.status, 503);
    is_described("get", "/readyz", &given);
}

#[tokio::test]
async fn what_is_no_json_has_the_type_that_is_described() {
    let server = TestServer::start();
    for path in [
        "/v1/sse",
        "/v1/stream",
        "/metrics",
        "/openapi.json",
        "/asyncapi.yaml",
        #[cfg(feature = "dashboard")]
        "/",
    ] {
        let mut connection = Connection::open(server.address).await;
        let response = connection.get(path).await;
        let sent = response.headers()["content-type"].to_str().unwrap();
        let described = &members(openapi(), "/paths")[path]["get"]["responses"]["200"]["content"];
        let described: Vec<_> = described.as_object().unwrap().keys().collect();
        assert_eq!(described, [sent], "{path}");
    }
}

/// Every query parameter that takes a whole number within bounds: its path, its name, the bounds.
fn bounded() -> Vec<(&'static str, &'static str, [i64; 2])> {
    let mut found = Vec::new();
    for (path, item) in members(openapi(), "/paths") {
        let parameters = item["get"]["parameters"].as_array();
        for parameter in parameters.into_iter().flatten() {
            let mut schema = &parameter["schema"];
            if let Some(reference) = schema["allOf"][0]["$ref"].as_str() {
                schema = openapi().pointer(&reference[1..]).unwrap();
            }
            let [least, most] = [&schema["minimum"], &schema["maximum"]].map(Value::as_i64);
            if let (Some(least), Some(most), true) = (least, most, schema["type"] == "integer") {
                let name = parameter["name"].as_str().unwrap();
                found.push((path.as_str(), name, [least, most]));
            }
        }
    }
    found
}

#[tokio::test]
async fn the_bounds_of_parameters_are_those_of_the_server() {
    let server = TestServer::start();
    let bounded = bounded();
    assert!(bounded.len() >= 4, "{bounded:?}");
    for (path, name, [least, most]) in bounded {
        // What is no handshake is refused whatever it asks for.
        let headers = if path == "/v1/ws" {
            handshake()
        } else {
            Vec::new()
        };
        for (value, taken) in [
            (least, true),
            (most, true),
            (least - 1, false),
            (most + 1, false),
        ] {
            let target = format!("{path}?symbol=F&{name}={value}");
            let mut connection = Connection::open(server.address).await;
            let response = connection.send(Method::GET, &target, &headers).await;
            assert_eq!(response.status() != 400, taken, "{target}");
        }
    }
}

/// The headers of a WebSocket handshake.
fn handshake() -> Vec<(&'static str, &'static str)> {
    let lines = UPGRADE.lines();
    lines.filter_map(|line| line.split_once(": ")).collect()
}

/// Each problem that a request can have, but for a bug of ours.
#[tokio::test]
async fn problems_are_as_described() {
    let server = TestServer::start();
    let mut met = BTreeSet::new();
    for target in [
        "/v1/ws",
        "/v1/echo",
        "/v1/sse?symbols=NOPE",
        "/v1/sse?mode=some",
        "/v1/stream?since=rubbish",
        "/v1/poll?limit=0",
        "/v1/quotes?symbols=AAPL,MSFT,TSLA,F",
        "/v1/bars",
        "/v1/bars?symbol=NOPE",
    ] {
        let given = get(server.address, target).await;
        met.insert(given.problem());
        is_described("get", target, &given);
    }
    let mut offer = handshake();
    offer.push(("Sec-WebSocket-Protocol", "mqtt"));
    let given = get_with(server.address, "/v1/ws", &offer).await;
    met.insert(given.problem());
    is_described("get", "/v1/ws", &given);
    for (path, body) in [
        ("/v1/echo", vec![b'x'; 300 * 1024]),
        ("/v1/latency", vec![b'x'; 2 * 1024]),
        ("/v1/latency", b"{}".to_vec()),
    ] {
        let mut connection = Connection::open(server.address).await;
        let response = connection.send_body(Method::POST, path, body).await;
        let given = Answer::read(response).await;
        met.insert(given.problem());
        is_described("post", path, &given);
    }
    for (method, path) in [(Method::GET, "/v2"), (Method::POST, "/v1/poll")] {
        let mut connection = Connection::open(server.address).await;
        let given = Answer::read(connection.send(method, path, &[]).await).await;
        met.insert(given.problem());
        assert_eq!(
            faults(&component("Problem"), &given.json()),
            [""; 0],
            "{path}"
        );
    }
    met.insert(late_body().await);
    met.insert(one_too_many().await);
    let known = ErrorCode::ALL
        .into_iter()
        .filter(|code| *code != ErrorCode::Internal);
    let known: BTreeSet<_> = known.map(|code| code.slug().to_owned()).collect();
    assert_eq!(met, known);
}

/// The slug that a connection is answered with which there is no room for.
async fn one_too_many() -> String {
    let server = TestServer::with(Settings {
        max_connections: 1,
        ..Settings::default()
    });
    let mut first = Connection::open(server.address).await;
    first.get("/livez").await;
    let given = get(server.address, "/v1/quotes").await;
    is_described("get", "/v1/quotes", &given);
    given.problem()
}

/// The slug that a body which does not come is answered with.
async fn late_body() -> String {
    let server = TestServer::with(Settings {
        request_timeout: Duration::from_secs(1),
        ..Settings::default()
    });
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = b"POST /v1/echo HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nhalf";
    stream.write_all(request).await.unwrap();
    let mut text = String::new();
    let end = stream.read_to_string(&mut text);
    soon("the end", end).await.unwrap();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    let problem: Value = serde_json::from_str(body).unwrap();
    let schema = answer("/v1/echo", "post", 408, "application/problem+json");
    assert_eq!(faults(&schema, &problem), [""; 0], "{problem}");
    let slug = problem["type"].as_str().unwrap().strip_prefix("/problems/");
    slug.unwrap().to_owned()
}
