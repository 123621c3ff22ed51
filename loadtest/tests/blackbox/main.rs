//! Drives the load test's binary against a server that the tests write themselves.

mod fake;
#[cfg(target_os = "linux")]
mod floor;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fake::{Fake, Fault};
use serde_json::Value;

const TRANSPORTS: [&str; 5] = ["websocket", "sse", "ndjson", "long-poll", "short-poll"];

/// Small, but enough that every client reads ticks and every fault shows.
const SMALL: [&str; 7] = [
    "--clients",
    "4",
    "--duration",
    "500ms",
    "--warmup",
    "100ms",
    "--quiet",
];

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn loadtest(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn ran(arguments: &[&str]) -> Ran {
    loadtest(arguments).output().unwrap().into()
}

fn run(fake: &Fake, transport: &str, more: &[&str]) -> Ran {
    ran(&[
        &["run", "--transport", transport, "--url", &fake.url],
        &SMALL[..],
        more,
    ]
    .concat())
}

/// A folder of the test's own, emptied by the next run of the same test.
fn folder(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn compare_measures_every_transport_and_loses_nothing() {
    let fake = Fake::start(Fault::None);
    let json = folder("compare").join("out.json");
    let url = [
        "compare",
        "--url",
        &fake.url,
        "--interval",
        "100ms",
        "--json",
        json.to_str().unwrap(),
    ];
    let ran = ran(&[&url, &SMALL[..]].concat());
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        ran.stdout.matches("every tick accounted for").count(),
        5,
        "{}",
        ran.stdout
    );

    let document: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let results = document["results"].as_array().unwrap();
    let names: Vec<_> = results
        .iter()
        .map(|result| result["transport"].as_str().unwrap())
        .collect();
    assert_eq!(names, TRANSPORTS);
    for result in results {
        let number = |pointer: &str| result.pointer(pointer).and_then(Value::as_f64).unwrap();
        assert_eq!(
            (number("/clients/connected"), number("/clients/heard")),
            (4.0, 4.0),
            "{result}"
        );
        assert!(number("/age_us/p50") <= number("/age_us/p99"), "{result}");
        // A tick on this wire has 100 to 110 bytes of its own.
        assert!(number("/wire/bytes_per_tick") > 100.0, "{result}");
    }
    let requests: Vec<_> = results
        .iter()
        .map(|result| result["requests"].as_u64().unwrap())
        .collect();
    assert_eq!(
        requests[..3],
        [0, 0, 0],
        "streams ask before the window and never again"
    );
    assert!(
        requests[3] > 4 && requests[4] > 4,
        "polls go on asking: {requests:?}"
    );
    // Four clients, half a second, ten polls a second: twenty, and each may have one more or less at the edges.
    assert!((16..=24).contains(&requests[4]), "{requests:?}");
}

#[test]
fn a_lost_tick_is_found_on_every_transport_that_promises_every_tick() {
    let fake = Fake::start(Fault::Lose);
    for transport in &TRANSPORTS[..4] {
        let ran = run(&fake, transport, &[]);
        assert_eq!(ran.code, Some(1), "{transport}: {}", ran.stdout);
        assert!(
            ran.stdout.contains("MISSING"),
            "{transport}: {}",
            ran.stdout
        );
        assert!(
            !ran.stdout.contains("accounted for"),
            "{transport}: {}",
            ran.stdout
        );
    }
}

#[test]
fn a_repeated_tick_is_found() {
    let fake = Fake::start(Fault::Repeat);
    for transport in ["websocket", "long-poll"] {
        let ran = run(&fake, transport, &[]);
        assert_eq!(ran.code, Some(1), "{transport}: {}", ran.stdout);
        assert!(
            ran.stdout.contains("REPEATED") && !ran.stdout.contains("MISSING"),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn an_announced_lag_is_accounted_for() {
    let ran = run(&Fake::start(Fault::Lag), "sse", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("every tick accounted for"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("left out and announced"),
        "{}",
        ran.stdout
    );
}

#[test]
fn an_announced_gap_is_accounted_for_and_not_called_delivered() {
    let fake = Fake::start(Fault::Gap);
    for transport in ["websocket", "sse", "ndjson", "long-poll"] {
        let ran = run(&fake, transport, &[]);
        assert_eq!(ran.code, Some(0), "{transport}: {}", ran.stdout);
        let told = ran
            .stdout
            .split_once("every tick accounted for: ")
            .and_then(|(_, rest)| rest.split_once(" told as missed in "));
        let (missed, _) = told.unwrap_or_else(|| panic!("{transport}: {}", ran.stdout));
        assert!(missed.parse::<u64>().unwrap() > 0, "{transport}: {missed}");
    }
}

#[test]
fn clients_that_do_not_stay_are_counted_with_the_reason() {
    let fake = Fake::start(Fault::HangUp);
    for (transport, reason) in [
        ("ndjson", "the server ended the stream"),
        ("websocket", "closed by the server"),
    ] {
        let ran = run(&fake, transport, &[]);
        assert_eq!(ran.code, Some(1), "{}", ran.stdout);
        assert!(
            ran.stdout
                .contains("0 could not connect and 4 did not stay"),
            "{}",
            ran.stdout
        );
        assert!(
            ran.stdout.contains(&format!("4 × {reason}")),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn clients_that_are_refused_are_counted_and_the_table_is_printed() {
    let fake = Fake::start(Fault::Refuse);
    for transport in TRANSPORTS {
        let ran = run(&fake, transport, &[]);
        assert_eq!(ran.code, Some(1), "{}", ran.stdout);
        assert!(ran.stdout.contains("0/4"), "{}", ran.stdout);
        assert!(
            ran.stdout.contains("4 × the server answered 503"),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn several_threads_share_the_clients() {
    let ran = run(&Fake::start(Fault::None), "sse", &["--threads", "2"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    assert!(ran.stdout.contains("4/4"), "{}", ran.stdout);
}

#[test]
fn an_interruption_ends_the_run_with_a_summary() {
    let fake = Fake::start(Fault::None);
    let arguments = [
        "run",
        "--transport",
        "ndjson",
        "--url",
        &fake.url,
        "--clients",
        "2",
        "--duration",
        "1h",
    ];
    let mut command = loadtest(&arguments);
    let child = command
        .args(["--warmup", "0s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    fake.wait_for_sessions(2);
    let killed = Command::new("sh")
        .args(["-c", &format!("kill -INT {}", child.id())])
        .status()
        .unwrap();
    assert!(killed.success());
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert!(
        ran.stdout.contains("warning: ndjson: interrupted"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
}

#[test]
fn without_a_server_at_the_url_the_error_says_so() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ran = ran(&[
        "run",
        "--transport",
        "sse",
        "--url",
        &format!("http://{free}"),
    ]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(
        ran.stderr.starts_with("error: --url http://127.0.0.1"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("connection refused"), "{}", ran.stderr);
}

#[test]
fn wrong_flags_exit_with_two_before_anything_starts() {
    for arguments in [
        &["run", "--transport", "pigeon"][..],
        &["run", "--transport", "sse", "--clients", "0"],
        &["compare", "--duration", "0s"],
        &["compare", "--url", "https://localhost"],
        &["compare", "--json", "/nowhere/at/all.json"],
        &["compare", "--floor", "--rounds", "0"],
        &["floor", "--tick-rate", "0"],
        &["floor", "--batch", "0"],
    ] {
        let ran = ran(arguments);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(
            ran.stderr.contains(arguments[arguments.len() - 2]),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn a_process_that_is_not_there_is_refused_before_anything_starts() {
    // More than any system gives out.
    let pid = ["--server-pid", "4000000000"];
    let url = ["run", "--transport", "sse", "--url", "http://127.0.0.1:9"];
    let ran = ran(&[&url[..], &pid].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    let sentence = "--server-pid: there is no process 4000000000";
    assert!(ran.stderr.contains(sentence), "{}", ran.stderr);
}

#[test]
fn without_a_pid_the_report_says_why_there_is_no_cost() {
    let ran = run(&Fake::start(Fault::None), "sse", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    let sentence = "the server's CPU time and memory are not known: ";
    assert!(ran.stdout.contains(sentence), "{}", ran.stdout);
}

#[test]
fn a_server_that_exits_is_shown_with_its_last_words() {
    // A shell takes "serve" for a script, finds none, and says so.
    let ran = ran(&[
        "run",
        "--transport",
        "sse",
        "--server",
        "/bin/sh",
        "--quiet",
    ]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("the server exited") && ran.stderr.contains("  | "),
        "{}",
        ran.stderr
    );
}

/// A program to start as the server: it says how it was called and lives until it is killed. The tests serve in
/// its place.
struct StandIn {
    script: PathBuf,
    /// A server for each start, and the words that it was called with: its process's id first.
    serving: JoinHandle<Vec<(Fake, Vec<String>)>>,
}

impl StandIn {
    /// Serves as often as it is started, which is to be so many times.
    fn new(folder: &Path, starts: usize) -> Self {
        let (script, pipe) = (folder.join("server.sh"), folder.join("called"));
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let text = format!(
            "#!/bin/sh\necho \"$$ $*\" > {}\nexec sleep 600\n",
            pipe.display()
        );
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let serve = move |_| {
            let call = std::fs::read_to_string(&pipe).unwrap();
            let words: Vec<_> = call.split_whitespace().map(str::to_owned).collect();
            let listener = TcpListener::bind(&words[3]).unwrap();
            (Fake::on(listener, Fault::None), words)
        };
        let serving = std::thread::spawn(move || (0..starts).map(serve).collect());
        Self { script, serving }
    }
}

#[test]
fn a_server_of_its_own_is_started_and_does_not_outlive_the_run() {
    let stand_in = StandIn::new(&folder("own-server"), 1);
    let own = ["run", "--transport", "websocket", "--tick-rate", "321"];
    let server = ["--server", stand_in.script.to_str().unwrap()];
    let ran = ran(&[&own[..], &server, &SMALL].concat());
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let served = stand_in.serving.join().unwrap();
    let words = &served[0].1;
    let flags = [&words[1..3], &words[4..]].concat();
    let rate = ["--tick-rate", "321", "--arrivals", "poisson"];
    assert_eq!(flags, [&["serve", "--bind"][..], &rate].concat());
    // Killed, it is gone or waits to be reaped, when its command line is empty.
    let command_line = PathBuf::from(format!("/proc/{}/cmdline", words[0]));
    let deadline = Instant::now() + Duration::from_secs(10);
    while std::fs::read(&command_line).is_ok_and(|line| !line.is_empty()) {
        assert!(
            Instant::now() < deadline,
            "process {} still lives",
            words[0]
        );
        std::thread::yield_now();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn compare_floor_measures_each_stream_beside_the_floor() {
    let folder = folder("compare-floor");
    let json = folder.join("out.json");
    let stand_in = StandIn::new(&folder, 3);
    let arguments = [
        &["compare", "--floor", "--rounds", "1"][..],
        &["--server", stand_in.script.to_str().unwrap()],
        &["--json", json.to_str().unwrap()],
        &SMALL,
    ];
    let ran = ran(&arguments.concat());
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    for name in ["floor", "websocket", "sse", "ndjson"] {
        let sentence = format!("{name}: every tick accounted for in 1 of 1 run\n");
        assert!(ran.stdout.contains(&sentence), "{}", ran.stdout);
    }
    for (_, words) in stand_in.serving.join().unwrap() {
        let flags = [
            "--tick-rate",
            "200",
            "--symbols",
            "1",
            "--arrivals",
            "steady",
        ];
        assert_eq!(words[4..], flags);
    }
    let document: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let results = document["results"].as_array().unwrap();
    let contenders: Vec<_> = results.iter().map(|result| &result["contender"]).collect();
    assert_eq!(contenders, ["floor", "websocket", "sse", "ndjson"]);
    // The stand-in keeps a rate of its own, which is not the one asked for.
    assert!(ran.stdout.contains("left out: "), "{}", ran.stdout);
}
