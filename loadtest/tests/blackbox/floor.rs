//! The floor, read by the load test's own WebSocket client.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::{SMALL, folder, loadtest, ran};

/// A floor in a process of its own; gone when dropped.
struct Floor {
    child: Child,
    stdout: BufReader<ChildStdout>,
    url: String,
}

impl Floor {
    fn start(more: &[&str]) -> Self {
        let mut child = loadtest(&[&["floor"], more].concat())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let said = line.trim().strip_prefix("floor: ").unwrap();
        let (url, process) = said.split_once(", process ").unwrap();
        assert_eq!(process, child.id().to_string());
        let url = url.to_owned();
        Self { child, stdout, url }
    }

    /// Measures it and its process, and returns the result as JSON has it.
    fn measure(&self, test: &str) -> Value {
        let json = folder(test).join("out.json");
        let pid = self.child.id().to_string();
        let arguments = [
            &["run", "--transport", "websocket", "--url", &self.url][..],
            &["--server-pid", &pid, "--json", json.to_str().unwrap()],
            &SMALL,
        ];
        let ran = ran(&arguments.concat());
        assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stdout.contains("websocket: every tick accounted for\n"),
            "{}",
            ran.stdout
        );
        let document: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
        document["results"][0].clone()
    }

    /// Interrupts it and returns the last it says.
    fn interrupt(&mut self) -> String {
        let id = self.child.id();
        let killed = Command::new("sh")
            .args(["-c", &format!("kill -INT {id}")])
            .status();
        assert!(killed.unwrap().success());
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert!(self.child.wait().unwrap().success());
        line
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_load_test_reads_the_floor_without_a_gap() {
    let mut floor = Floor::start(&["--tick-rate", "400"]);
    let result = floor.measure("floor");
    let number = |pointer: &str| result.pointer(pointer).and_then(Value::as_f64).unwrap();
    assert_eq!(number("/clients/heard"), 4.0, "{result}");
    // Half a second at 400 ticks a second for four clients; fewer on a machine that is busy with other tests.
    assert!((4.0..=820.0).contains(&number("/ticks")), "{result}");
    // A frame of one tick has about 180 bytes, its head included.
    assert!(
        (170.0..=190.0).contains(&number("/wire/bytes_per_tick")),
        "{result}"
    );
    let last = floor.interrupt();
    assert!(
        last.starts_with("floor: ") && last.contains(" ticks in "),
        "{last}"
    );
}

#[test]
fn a_batch_is_many_frames_in_one_send() {
    let mut floor = Floor::start(&["--tick-rate", "1000", "--batch", "10"]);
    let result = floor.measure("floor-batch");
    assert_eq!(
        result.pointer("/audit/missing"),
        Some(&Value::from(0)),
        "{result}"
    );
    let last = floor.interrupt();
    let numbers: Vec<u64> = last
        .split_whitespace()
        .filter_map(|word| word.replace(',', "").parse().ok())
        .collect();
    assert_eq!(numbers[0], numbers[1] * 10, "{last}");
}

#[test]
fn a_floor_with_a_duration_ends_by_itself() {
    let ran = ran(&["floor", "--duration", "100ms"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stdout.contains("\nfloor: 0 ticks in 0 sends"),
        "{}",
        ran.stdout
    );
}

#[test]
fn an_address_that_is_taken_is_named() {
    let floor = Floor::start(&[]);
    let address = floor.url.strip_prefix("http://").unwrap();
    let ran = ran(&["floor", "--bind", address]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr
            .starts_with(&format!("error: --bind {address}: ")),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_process_named_by_its_pid_is_measured() {
    let floor = Floor::start(&["--tick-rate", "400"]);
    let server = &floor.measure("server-pid")["server"];
    assert_eq!(server["pid"], Value::from(floor.child.id()));
    let number = |pointer: &str| server.pointer(pointer).and_then(Value::as_f64).unwrap();
    // The kernel counts in steps of 10 ms, so half a second may well cost nothing.
    assert!(number("/cpu_us_per_tick/total") >= 0.0, "{server}");
    assert!(number("/resident_bytes/before") > 0.0, "{server}");
    assert!(number("/memory_bytes_per_client").is_finite(), "{server}");
}
