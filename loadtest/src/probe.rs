//! Questions asked once, before clients come: is the server there, and what time does it think it is?

use anyhow::{Context, bail};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::timeout;

use std::time::Duration;

use crate::clock::{Clock, Exchange, wall_micros};
use crate::http::{Http, read_body};
use crate::target::Address;
use crate::trouble::Trouble;

/// A server that takes longer to answer a probe is not there.
const PROBE_LIMIT: Duration = Duration::from_secs(5);

/// Questions for the time. The quickest counts, and ten give a quiet moment a fair chance.
const TIME_EXCHANGES: usize = 10;

#[derive(Deserialize)]
struct ServerTime {
    ts: u64,
}

/// Asks `/readyz` and is content with 200 only.
pub(crate) async fn ready(address: &Address) -> Result<(), Trouble> {
    let ask = async {
        let mut http = connect(address).await?.0;
        let response = http.get(address, "/readyz", "*/*").await?;
        read_body(response, &mut Vec::new()).await
    };
    timeout(PROBE_LIMIT, ask)
        .await
        .unwrap_or(Err(Trouble::Silent(PROBE_LIMIT)))
}

/// The server's clock: our own if it is on this host, else estimated over `/v1/time`.
pub(crate) async fn clock(address: &Address) -> anyhow::Result<Clock> {
    let ask = async {
        let (mut http, same_host) = connect(address).await?;
        if same_host {
            return Ok(Clock::default());
        }
        let mut exchanges = Vec::with_capacity(TIME_EXCHANGES);
        let mut body = Vec::new();
        for _ in 0..TIME_EXCHANGES {
            let asked_us = wall_micros();
            let response = http.get(address, "/v1/time", "application/json").await?;
            read_body(response, &mut body).await?;
            let answered_us = wall_micros();
            let ServerTime { ts } = serde_json::from_slice(&body).context("/v1/time is no time")?;
            exchanges.push(Exchange {
                asked_us,
                server_us: ts,
                answered_us,
            });
        }
        Clock::from_exchanges(&exchanges).context("no exchange")
    };
    match timeout(PROBE_LIMIT, ask).await {
        Ok(clock) => clock.context("can't compare clocks with the server over /v1/time"),
        Err(_) => bail!("/v1/time did not answer {TIME_EXCHANGES} times within {PROBE_LIMIT:?}"),
    }
}

/// Connects, and says whether the other end is this host: a connection to oneself has one address at both ends.
async fn connect(address: &Address) -> Result<(Http, bool), Trouble> {
    let tcp = TcpStream::connect(address.socket)
        .await
        .map_err(|error| Trouble::Connect(error.kind()))?;
    let same_host = match (tcp.local_addr(), tcp.peer_addr()) {
        (Ok(local), Ok(peer)) => local.ip() == peer.ip() || peer.ip().is_loopback(),
        _ => address.socket.ip().is_loopback(),
    };
    Ok((Http::over(tcp).await?, same_host))
}
