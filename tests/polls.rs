//! Several requests on the connection of a client that polls.

use std::time::Duration;

use tickertape::metrics::Sink;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::support::http::{Answer, Connection, get};
use super::support::scrape::{by_sink, until};
use super::support::server::{Settings, set_sink};
use super::support::{TestServer, soon};

/// A connection on which one poll has been answered.
async fn polled(server: &TestServer) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    say(&mut stream, "GET /v1/poll HTTP/1.1\r\nHost: test\r\n\r\n").await;
    let answer = heard(&mut stream, 1).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let board = get(server.address, "/v1/quotes").await.json();
    (stream, board["cursor"].as_str().unwrap().to_owned())
}

async fn say(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// So many answers, each with a body that ends as JSON does.
async fn heard(stream: &mut TcpStream, answers: usize) -> String {
    let mut text = String::new();
    let all = async {
        while text.matches("HTTP/1.1 ").count() < answers || !text.ends_with('}') {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "the end instead of an answer: {text}");
            text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
    };
    soon("answers", all).await;
    text
}

fn poll(since: &str) -> String {
    format!("GET /v1/poll?since={since}&wait=0 HTTP/1.1\r\nHost: test\r\n\r\n")
}

#[tokio::test]
async fn a_client_that_polls_may_ask_for_anything_else_in_between() {
    let mut server = TestServer::start();
    let mut connection = Connection::open(server.address).await;
    let mut since = String::new();
    for round in 0..3 {
        let poll = Answer::read(connection.get(&format!("/v1/poll?wait=5{since}")).await).await;
        assert_eq!(poll.status, 200, "{round}");
        since = format!("&since={}", poll.json()["cursor"].as_str().unwrap());
        let quotes = Answer::read(connection.get("/v1/quotes?symbols=F").await).await;
        assert_eq!(quotes.json()["type"], "snapshot", "{round}");
        let refused = Answer::read(connection.get("/v1/poll?limit=0").await).await;
        assert_eq!(
            (refused.status, refused.problem()),
            (400, "bad_request".into())
        );
        server.publish(&["F"]);
    }
}

#[tokio::test]
async fn a_poll_that_waits_is_answered_by_what_comes() {
    let mut server = TestServer::start();
    let (mut stream, since) = polled(&server).await;
    let waiting = poll(&since).replace("wait=0", "wait=60");
    say(&mut stream, &waiting).await;
    server.publish(&["TSLA"]);
    assert!(heard(&mut stream, 1).await.contains("\"TSLA\""));
}

#[tokio::test]
async fn polls_that_come_together_are_answered_one_after_the_other() {
    let server = TestServer::start();
    let (mut stream, since) = polled(&server).await;
    let other = "GET /v1/time HTTP/1.1\r\nHost: test\r\n\r\n";
    say(&mut stream, &[&poll(&since), &poll(&since), other].concat()).await;
    let answers = heard(&mut stream, 3).await;
    assert_eq!(answers.matches("\"data\":[]").count(), 2, "{answers}");
    assert!(answers.contains("{\"ts\":"), "{answers}");
}

#[tokio::test]
async fn a_poll_that_comes_in_pieces_is_answered() {
    let server = TestServer::start();
    let (mut stream, since) = polled(&server).await;
    stream.set_nodelay(true).unwrap();
    for piece in poll(&since).as_bytes().chunks(9) {
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(heard(&mut stream, 1).await.contains("\"data\":[]"));
}

#[tokio::test]
async fn a_poll_with_a_long_head_is_answered() {
    let server = TestServer::start();
    let (mut stream, since) = polled(&server).await;
    let long = format!("X: {}\r\n\r\n", "x".repeat(20_000));
    say(
        &mut stream,
        &poll(&since).replace("\r\n\r\n", &format!("\r\n{long}")),
    )
    .await;
    assert!(heard(&mut stream, 1).await.contains("\"data\":[]"));
}

#[tokio::test]
async fn a_poll_that_closes_is_the_last() {
    let server = TestServer::start();
    let (mut stream, since) = polled(&server).await;
    let last = poll(&since).replace("Host: test", "Host: test\r\nConnection: close");
    say(&mut stream, &last).await;
    let mut answer = String::new();
    soon("the end", stream.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(
        answer.to_ascii_lowercase().contains("connection: close"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_poll_that_stops_half_way_is_told_so() {
    // actix times the first head of a connection only; one that is given back to it is the first.
    set_sink(Sink::Direct);
    let server = TestServer::with(Settings {
        request_timeout: Duration::from_secs(1),
        ..Settings::default()
    });
    let (mut stream, since) = polled(&server).await;
    say(&mut stream, &poll(&since)[..20]).await;
    let mut answer = String::new();
    soon("the end", stream.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn a_client_that_asks_no_more_is_let_go() {
    let server = TestServer::with(Settings {
        keep_alive: Duration::from_secs(1),
        ..Settings::default()
    });
    let (mut stream, _) = polled(&server).await;
    let mut rest = Vec::new();
    soon("the end", stream.read_to_end(&mut rest))
        .await
        .unwrap();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_client_that_asks_and_hangs_up_is_gone() {
    let server = TestServer::start();
    let (mut stream, since) = polled(&server).await;
    let waiting = poll(&since).replace("wait=0", "wait=60");
    say(&mut stream, &waiting).await;
    drop(stream);
    until(server.address, &by_sink("connections", "long_poll"), 0.0).await;
}

#[tokio::test]
async fn an_answer_says_when_it_was_made() {
    let server = TestServer::start();
    let (mut stream, since) = polled(&server).await;
    say(&mut stream, &poll(&since)).await;
    let answer = heard(&mut stream, 1).await;
    let date = answer
        .lines()
        .find_map(|line| line.strip_prefix("date: "))
        .unwrap();
    assert!(date.ends_with(" GMT") && date.len() == 29, "{date}");
}
