//! A client whose host is gone without a word: behind a network of the test's own, which loses everything.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::support::http::get;
use super::support::process::Running;
use super::support::scrape::{by_sink, until};

/// A host of its own, reached over a cable; gone when it is dropped.
struct Host {
    name: String,
    /// The addresses of this end and of the host's.
    ours: String,
    theirs: String,
}

fn ip(command: &str) {
    let status = Command::new("ip").args(command.split(' ')).status();
    assert!(status.expect("ip, of iproute2").success(), "ip {command}");
}

impl Host {
    fn start() -> Self {
        let id = std::process::id() % 60_000;
        let name = format!("ticker{id}");
        // Addresses that are for tests of networks (RFC 2544).
        let net = format!("198.18.{}", id % 256);
        let host = Self {
            ours: format!("{net}.1"),
            theirs: format!("{net}.2"),
            name: name.clone(),
        };
        ip(&format!("netns add {name}"));
        ip(&format!(
            "link add {name} type veth peer name eth0 netns {name}"
        ));
        ip(&format!("addr add {}/30 dev {name}", host.ours));
        ip(&format!("link set {name} up"));
        ip(&format!("-n {name} addr add {}/30 dev eth0", host.theirs));
        ip(&format!("-n {name} link set eth0 up"));
        host
    }

    /// Runs curl there, which reads until it is killed.
    fn curl(&self, url: &str, upgrade: bool) -> Child {
        let mut curl = Command::new("ip");
        curl.args(["netns", "exec", &self.name, "curl", "-sN", "--http1.1"]);
        if upgrade {
            for header in [
                "Connection: upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ] {
                curl.args(["-H", header]);
            }
        }
        curl.arg(url).stdout(Stdio::null()).spawn().unwrap()
    }

    /// What is sent to it arrives nowhere from now on, and nothing comes back.
    fn vanish(&self) {
        ip(&format!("-n {} addr flush dev eth0", self.name));
    }

    fn come_back(&self) {
        ip(&format!(
            "-n {} addr add {}/30 dev eth0",
            self.name, self.theirs
        ));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = Command::new("ip")
            .args(["netns", "del", &self.name])
            .status();
    }
}

#[tokio::test]
#[ignore = "needs root, ip (apt-get install iproute2) and curl"]
async fn a_host_that_vanishes_is_noticed_on_every_transport() {
    let host = Host::start();
    let port = super::support::server::free_port()
        .local_addr()
        .unwrap()
        .port();
    let bind = format!("{}:{port}", host.ours);
    let server = Running::start_at(
        bind.parse().unwrap(),
        &["--client-timeout", "3s", "--tick-rate", "1"],
    );
    let address = server.address;
    for (path, transport, upgrade) in [
        ("/v1/ws", "websocket", true),
        ("/v1/sse", "sse", false),
        ("/v1/stream", "ndjson", false),
        ("/v1/poll?wait=60&symbols=F&since=", "long_poll", false),
    ] {
        let gauge = by_sink("connections", transport);
        let head = get(address, "/v1/quotes?symbols=F").await.json();
        let cursor = head["cursor"].as_str().unwrap();
        let since = if transport == "long_poll" { cursor } else { "" };
        let mut curl = host.curl(&format!("http://{address}{path}{since}"), upgrade);
        until(address, &gauge, 1.0).await;
        host.vanish();
        let vanished = Instant::now();
        until(address, &gauge, 0.0).await;
        let took = vanished.elapsed();
        println!("{transport}: {took:.1?}");
        curl.kill().unwrap();
        curl.wait().unwrap();
        host.come_back();
        // The heartbeat comes within 5 s, and each probe within 1 s.
        assert!(took < Duration::from_secs(12), "{transport}: {took:?}");
    }
}
