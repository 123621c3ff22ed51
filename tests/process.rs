//! The real binary.

use std::io::Write;
use std::process::Output;
use std::time::Duration;

use super::support::http::get;
use super::support::process::{Running, Seen, tickertape};
use super::support::scrape::by_sink;
use super::support::server::free_port;
use super::support::{Client, Ndjson, Sse, WebSocket, soon};

fn fails(args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = tickertape().args(args).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_port_in_use_is_named_with_its_flag() {
    let taken = free_port();
    let address = taken.local_addr().unwrap().to_string();
    let (code, error) = fails(&["--bind", &address]);
    assert_eq!(code, Some(2));
    assert!(
        error.contains(&format!("--bind {address}: Address already in use")),
        "{error}"
    );
}

#[test]
fn an_absurd_rate_is_named_with_its_flag() {
    for rate in ["0", "1e12", "fast"] {
        let (code, error) = fails(&["--tick-rate", rate]);
        assert_eq!(code, Some(2));
        assert!(
            error.contains("--tick-rate") && error.contains("0.01 to 1000000"),
            "{error}"
        );
    }
}

#[test]
fn a_bad_line_of_a_symbols_file_is_named_with_its_number() {
    let path = std::env::temp_dir().join(format!("tickertape-{}.csv", std::process::id()));
    let text =
        "symbol,name,price,volatility,beta,activity\nA,A Inc.,10,0.2,1,1\nB,B Inc.,ten,0.2,1,1\n";
    std::fs::File::create(&path)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let (code, error) = fails(&["--symbols", path.to_str().unwrap()]);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(code, Some(2));
    let expected = format!(
        "--symbols: {}, line 3: price: invalid float literal",
        path.display()
    );
    assert!(error.contains(&expected), "{error}");
}

#[test]
fn a_symbols_file_that_is_not_there_is_named() {
    let (code, error) = fails(&["--symbols", "no/such.csv"]);
    assert_eq!(code, Some(2));
    assert!(
        error.contains("--symbols: no/such.csv: No such file"),
        "{error}"
    );
}

#[test]
fn an_unknown_flag_ends_with_2() {
    assert_eq!(fails(&["--tickrate", "5"]).0, Some(2));
}

/// Ends with open streams of every kind, and says so to the WebSocket.
async fn ends_promptly_on(signal: &str) {
    let mut server = Running::start(&["--tick-rate", "1"]);
    let mut websocket = WebSocket::open(server.address, "").await;
    let mut sse = Sse::open(server.address, "").await;
    let mut ndjson = Ndjson::open(server.address, "").await;
    let address = server.address;
    let head = get(address, "/v1/quotes?symbols=F").await.json()["cursor"].clone();
    let target = format!(
        "/v1/poll?symbols=GS&wait=60&since={}",
        head.as_str().unwrap()
    );
    let poll = tokio::spawn(async move { get(address, &target).await });
    websocket.next_of("snapshot").await;
    sse.next_of("snapshot").await;
    ndjson.next_of("snapshot").await;
    let waits = &format!("{} 1\n", by_sink("connections", "long_poll"));
    soon("the poll", async {
        while !get(address, "/metrics").await.text().contains(waits) {}
    })
    .await;
    server.signal(signal);
    while websocket.next().await.is_some() {}
    while sse.next().await.is_some() {}
    while ndjson.next().await.is_some() {}
    let closed = websocket.closed.clone().expect("a close frame");
    assert_eq!(
        (u16::from(closed.code), closed.reason.as_str()),
        (1001, "going_away")
    );
    assert_eq!(
        poll.await.unwrap().json()["type"],
        "ticks",
        "a waiting poll is answered"
    );
    let (code, took) = server.wait();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn sigterm_ends_the_process_promptly() {
    ends_promptly_on("-TERM").await;
}

#[tokio::test]
async fn ctrl_c_ends_the_process_promptly() {
    ends_promptly_on("-INT").await;
}

#[tokio::test]
async fn the_same_seed_gives_the_same_tape_but_for_times_and_epoch() {
    let args = ["--seed", "42", "--tick-rate", "2000"];
    let (one, two) = (Running::start(&args), Running::start(&args));
    let (mut one, mut two) = (
        Seen::from_start(one.address).await,
        Seen::from_start(two.address).await,
    );
    for _ in 0..500 {
        assert_eq!(one.next().await, two.next().await);
    }
}

#[tokio::test]
async fn it_is_ready_once_the_feed_runs() {
    let server = Running::start(&[]);
    soon("readiness", async {
        while get(server.address, "/readyz").await.status != 200 {}
    })
    .await;
    assert_eq!(get(server.address, "/livez").await.status, 200);
    assert_eq!(get(server.address, "/healthz").await.status, 200);
}
