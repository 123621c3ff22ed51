//! More clients than there is room for, and fewer descriptors.

use std::time::Instant;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::support::http::{Answer, Connection, get, get_with};
use super::support::proc::Proc;
use super::support::process::Running;
use super::support::raw::UPGRADE;
use super::support::scrape::{scrape, until, value};
use super::support::server::Settings;
use super::support::watcher::Watcher;
use super::support::{Client, Ndjson, Sse, TestServer, WebSocket, soon};

fn with_room_for(connections: usize) -> TestServer {
    TestServer::with(Settings {
        max_connections: connections,
        ..Settings::default()
    })
}

/// A server with room for one, who is there.
async fn full() -> (TestServer, Ndjson) {
    let server = with_room_for(1);
    let mut only = Ndjson::open(server.address, "").await;
    only.next_of("snapshot").await;
    (server, only)
}

const ACCEPTED: &str = "tickertape_connections_accepted";

#[tokio::test]
async fn a_request_over_the_limit_is_told_when_to_come_back() {
    let (server, _only) = full().await;
    for target in [
        "/v1/quotes",
        "/v1/stream",
        "/v1/poll",
        "/openapi.json",
        "/no",
    ] {
        let answer = get(server.address, target).await;
        assert_eq!(answer.status, 503, "{target}");
        assert_eq!(answer.problem(), "over_capacity", "{target}");
        assert_eq!(answer.header("retry-after"), "30", "{target}");
        assert_eq!(answer.header("connection"), "close", "{target}");
    }
}

#[tokio::test]
async fn an_event_stream_over_the_limit_ends_so_that_it_comes_back() {
    let (server, _only) = full().await;
    let answer = get(server.address, "/v1/sse").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(answer.header("connection"), "close");
    assert_eq!(answer.text(), "retry: 30000\n\n");
}

#[tokio::test]
async fn a_websocket_over_the_limit_is_refused_before_its_handshake() {
    let (server, _only) = full().await;
    let upgrade: Vec<_> = UPGRADE
        .lines()
        .filter_map(|line| line.split_once(": "))
        .collect();
    for target in ["/v1/ws", "/v1/echo"] {
        let answer = get_with(server.address, target, &upgrade).await;
        assert_eq!(answer.status, 503, "{target}");
        assert_eq!(answer.problem(), "over_capacity", "{target}");
    }
}

#[tokio::test]
async fn health_and_metrics_are_answered_over_the_limit() {
    let (server, _only) = full().await;
    for target in ["/livez", "/healthz", "/metrics"] {
        let answer = get(server.address, target).await;
        assert_eq!(answer.status, 200, "{target}");
        assert_eq!(answer.header("connection"), "close", "{target}");
    }
}

/// Whether the check `capacity` of `/readyz` holds.
async fn says_there_is_room(connection: &mut Connection) -> bool {
    let answer = Answer::read(connection.get("/readyz").await).await;
    let checks = answer.json()["checks"].clone();
    let mut checks = checks.as_array().unwrap().iter();
    let check = checks.find(|check| check["name"] == "capacity").unwrap();
    let ok = check["ok"].as_bool().unwrap();
    assert!(ok || answer.status == 503);
    ok
}

#[tokio::test]
async fn readiness_tells_whether_there_is_room() {
    let server = with_room_for(2);
    let mut probe = Connection::open(server.address).await;
    assert!(says_there_is_room(&mut probe).await);
    let mut second = Ndjson::open(server.address, "").await;
    second.next_of("snapshot").await;
    assert!(!says_there_is_room(&mut probe).await);
    drop(second);
    soon("room", async {
        while !says_there_is_room(&mut probe).await {}
    })
    .await;
}

#[tokio::test]
async fn connections_of_all_kinds_count_until_they_end() {
    let server = with_room_for(5);
    let address = server.address;
    let idle = TcpStream::connect(address).await.unwrap();
    let mut websocket = WebSocket::open(address, "").await;
    let mut sse = Sse::open(address, "").await;
    let mut ndjson = Ndjson::open(address, "").await;
    websocket.next_of("snapshot").await;
    sse.next_of("snapshot").await;
    ndjson.next_of("snapshot").await;
    let mut kept = Connection::open(address).await;
    let quotes = Answer::read(kept.get("/v1/quotes").await).await;
    assert_eq!(quotes.status, 200, "the last place");
    // Whoever scrapes counts, too.
    until(address, ACCEPTED, 6.0).await;
    assert_eq!(get(address, "/v1/quotes").await.status, 503);
    drop((idle, websocket, sse, ndjson, kept));
    until(address, ACCEPTED, 1.0).await;
    assert_eq!(get(address, "/v1/quotes").await.status, 200);
}

#[tokio::test]
async fn the_limit_and_who_was_turned_away_are_in_the_metrics() {
    let (server, _only) = full().await;
    let text = scrape(server.address).await;
    assert_eq!(value(&text, "tickertape_connections_limit"), 1.0);
    let rejected = "tickertape_connections_rejected_total{reason=\"capacity\"}";
    assert_eq!(value(&text, rejected), 0.0, "a scrape is not turned away");
    get(server.address, "/v1/quotes").await;
    get(server.address, "/v1/sse").await;
    until(server.address, rejected, 2.0).await;
}

#[tokio::test]
async fn the_limit_follows_from_the_descriptors() {
    let server = Running::start_limited(200, &["--tick-rate=1", "--workers=2"]);
    let text = scrape(server.address).await;
    assert_eq!(value(&text, "tickertape_connections_limit"), 120.0);
    assert_eq!(value(&text, "process_max_fds"), 200.0);
    let own = Proc(server.child.id()).descriptors();
    assert!(own < 80, "{own}, which is more than the reserve");
}

#[tokio::test]
async fn it_recovers_when_descriptors_have_run_out() {
    let args = [
        "--max-connections=1000",
        "--tick-rate=500",
        "--symbols=5",
        "--workers=2",
    ];
    let mut server = Running::start_limited(100, &args);
    let address = server.address;
    let watcher = Watcher::start(address).await;
    let mut probe = Connection::open(address).await;
    assert!(says_there_is_room(&mut probe).await);
    let mut crowd = JoinSet::new();
    for _ in 0..200 {
        crowd.spawn(async move { TcpStream::connect(address).await.unwrap() });
    }
    let crowd = soon("connections", crowd.join_all()).await;
    soon("the last descriptor", async {
        while says_there_is_room(&mut probe).await {}
    })
    .await;
    let process = Proc(server.child.id());
    let (start, before) = (Instant::now(), process.cpu());
    watcher.sees(100).await;
    let (took, used) = (start.elapsed(), process.cpu() - before);
    println!("{used:.2?} of {took:.2?} on a core");
    assert!(used < took / 2, "{used:?} of {took:?}: something spins");
    drop(crowd);
    soon("room", async {
        while !says_there_is_room(&mut probe).await {}
    })
    .await;
    assert_eq!(get(address, "/v1/quotes").await.status, 200);
    server.signal("-TERM");
    watcher.ended().await;
    assert_eq!(server.wait().0, Some(0));
}
