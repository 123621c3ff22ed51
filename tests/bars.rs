//! Bars of the tape over HTTP.

use serde_json::json;

use super::support::TestServer;
use super::support::client::cursor_of;
use super::support::http::get;

#[tokio::test]
async fn bars_hold_every_trade_up_to_their_cursor() {
    let mut server = TestServer::start();
    server.publish_each("F", 50);
    let bars = get(server.address, "/v1/bars?symbol=F").await.json();
    assert_eq!(
        (&bars["symbol"], &bars["interval_ms"]),
        (&json!("F"), &json!(1000))
    );
    let head = get(server.address, "/v1/quotes").await.json();
    assert_eq!(cursor_of(&bars), cursor_of(&head));
    let all = bars["bars"].as_array().unwrap();
    let sum = |field: &str| {
        all.iter()
            .map(|bar| bar[field].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!((sum("ticks"), sum("volume")), (51, 5_100));
    // The price of the nth tick is 100 and n hundredths.
    assert_eq!(
        (&all[0]["open"], &all.last().unwrap()["close"]),
        (&json!(100.01), &json!(100.51))
    );
}

#[tokio::test]
async fn bars_are_of_one_symbol_that_is_there() {
    let server = TestServer::start();
    for (query, slug, detail) in [
        ("", "bad_request", "symbol is missing"),
        ("?symbol=NOPE", "unknown_symbol", "No such symbol: NOPE"),
        ("?symbol=AAPL,F", "unknown_symbol", "No such symbol: AAPL,F"),
        (
            "?symbol=F&limit=0",
            "bad_request",
            "limit=0 is not a number of bars from 1 to 86400",
        ),
    ] {
        let answer = get(server.address, &format!("/v1/bars{query}")).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, slug),
            "{query}"
        );
        assert_eq!(answer.json()["detail"], detail);
    }
}
