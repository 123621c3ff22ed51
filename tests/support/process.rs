//! The real binary.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::client::{Client, Ndjson};
use super::http::get;
use super::server::free_port;

const BINARY: &str = env!("CARGO_BIN_EXE_tickertape");

pub(crate) fn tickertape() -> Command {
    quiet(BINARY)
}

fn free_address() -> SocketAddr {
    free_port().local_addr().unwrap()
}

fn quiet(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The binary while it serves; killed when it is dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
}

impl Running {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_at(free_address(), args)
    }

    /// Starts it with a limit of descriptors, which it cannot raise.
    pub(crate) fn start_limited(descriptors: u32, args: &[&str]) -> Self {
        let script = format!("ulimit -n {descriptors} && exec \"$0\" \"$@\"");
        let mut command = quiet("sh");
        command.args(["-c", &script, BINARY]);
        Self::spawn(command, free_address(), args)
    }

    pub(crate) fn start_at(address: SocketAddr, args: &[&str]) -> Self {
        Self::spawn(tickertape(), address, args)
    }

    fn spawn(mut command: Command, address: SocketAddr, args: &[&str]) -> Self {
        let mut child = command
            .args(["--bind", &address.to_string()])
            .args(args)
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut lines = log.lines().map_while(Result::ok);
        assert!(
            lines.any(|line| line.contains("serving on")),
            "it ended before it served"
        );
        // Whoever writes to a pipe that nobody reads is stopped by it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
    }

    /// The exit code, and how long the process took to end.
    pub(crate) fn wait(&mut self) -> (Option<i32>, Duration) {
        let start = Instant::now();
        let status = self.child.wait().unwrap();
        (status.code(), start.elapsed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A tape's batches without what is different each time: times and epoch.
pub(crate) struct Seen(Ndjson);

impl Seen {
    pub(crate) async fn from_start(address: SocketAddr) -> Self {
        let head = get(address, "/v1/quotes").await.json()["cursor"].clone();
        let (epoch, _) = head.as_str().unwrap().split_once('-').unwrap();
        Self(Ndjson::open(address, &format!("since={epoch}-0")).await)
    }

    pub(crate) async fn next(&mut self) -> serde_json::Value {
        let mut frame = self.0.next_of("ticks").await;
        let cursor = frame["cursor"].as_str().unwrap();
        frame["cursor"] = cursor.split_once('-').unwrap().1.into();
        frame["ts"].take();
        for tick in frame["data"].as_array_mut().unwrap() {
            tick["ts"].take();
        }
        frame
    }
}
