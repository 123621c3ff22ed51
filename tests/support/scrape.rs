//! Reading `/metrics`.

use std::net::SocketAddr;

use tickertape::metrics::Sink;

use super::http::get;
use super::server::sink;
use super::soon;

pub(crate) async fn scrape(address: SocketAddr) -> String {
    let answer = get(address, "/metrics").await;
    assert_eq!(
        answer.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    answer.text().to_owned()
}

/// A series of a transport and of the sink that its sessions have.
pub(crate) fn by_sink(name: &str, transport: &str) -> String {
    let sink = match transport {
        "short_poll" => Sink::Body,
        _ => sink(),
    };
    let sink = sink.label();
    format!("tickertape_{name}{{sink=\"{sink}\",transport=\"{transport}\"}}")
}

/// The value of a series that is there.
pub(crate) fn value(text: &str, series: &str) -> f64 {
    found(text, series).unwrap_or_else(|| panic!("no {series} in\n{text}"))
}

fn found(text: &str, series: &str) -> Option<f64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(line.parse().unwrap())
}

/// Scrapes until a series has a value: workers add their counts a few times a second.
pub(crate) async fn until(address: SocketAddr, series: &str, wanted: f64) -> String {
    soon(series, async {
        loop {
            let text = scrape(address).await;
            if found(&text, series) == Some(wanted) {
                return text;
            }
        }
    })
    .await
}
