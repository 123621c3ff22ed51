//! Recordings and prices of one's own, played by the real binary.

use std::path::{Path, PathBuf};
use std::process::Output;

use super::support::http::get;
use super::support::process::{Running, Seen, tickertape};
use super::support::soon;

/// A folder that is gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("tickertape-{:016x}", rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.file(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What was said before the process ended with a code.
fn ends(args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = tickertape().args(args).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

fn record(path: &str, more: &[&str]) {
    let args = ["record", path, "--duration", "300ms"];
    let (code, log) = ends(&[&args[..], more].concat());
    assert_eq!(code, Some(0), "{log}");
}

fn replay(path: &str) -> String {
    format!("--feed=replay:{path}")
}

const PRICES: &str = "time,symbol,last,size,bid,ask,volume\n\
    2026-11-27T14:30:00Z,VOD.L,74.52,100,74.50,74.54,1000\n\
    2026-11-27T14:30:00.1Z,BP,512.3,5,,,\n";

#[tokio::test]
async fn what_clients_saw_is_played_again_tick_by_tick() {
    let folder = Folder::new();
    let path = folder.file("a.tape");
    let mut first = Running::start(&["--record", &path, "--tick-rate=2000", "--halts=100"]);
    let mut live = Seen::from_start(first.address).await;
    let mut published = Vec::new();
    while published.len() < 500 {
        published.push(live.next().await);
    }
    first.signal("-TERM");
    assert_eq!(first.wait().0, Some(0));

    let again = Running::start(&[&replay(&path)]);
    let mut played = Seen::from_start(again.address).await;
    for batch in published {
        assert_eq!(played.next().await, batch);
    }
}

#[tokio::test]
async fn a_replay_that_is_recorded_gives_the_same_recording_but_for_times() {
    let folder = Folder::new();
    let [one, two] = ["one", "two"].map(|name| folder.file(name));
    record(&one, &["--tick-rate=5000"]);
    let (code, log) = ends(&["record", &two, &replay(&one), "--speed=10"]);
    assert_eq!(code, Some(0), "{log}");
    let sizes = [&one, &two].map(|path| Path::new(path).metadata().unwrap().len());
    assert!(
        sizes[0] > 10_000 && sizes[0].abs_diff(sizes[1]) < sizes[0] / 10,
        "{sizes:?}"
    );
    let servers = [&one, &two].map(|path| Running::start(&[&replay(path)]));
    let mut first = Seen::from_start(servers[0].address).await;
    let mut second = Seen::from_start(servers[1].address).await;
    for _ in 0..100 {
        assert_eq!(first.next().await, second.next().await);
    }
}

#[tokio::test]
async fn prices_of_ones_own_are_served_and_stay_when_they_end() {
    let folder = Folder::new();
    let server = Running::start(&[&replay(&folder.write("prices.csv", PRICES))]);
    soon("the end of the file", async {
        while get(server.address, "/readyz").await.status != 503 {}
    })
    .await;
    let board = get(server.address, "/v1/quotes").await.json();
    let [vodafone, bp] = [&board["data"][0], &board["data"][1]];
    assert_eq!(
        (&vodafone["symbol"], &vodafone["bid"]),
        (&"VOD.L".into(), &74.50.into())
    );
    assert_eq!((&bp["symbol"], &bp["ask"]), (&"BP".into(), &512.3.into()));
}

#[tokio::test]
async fn a_loop_stays_ready() {
    let folder = Folder::new();
    let path = folder.write("prices.csv", PRICES);
    let server = Running::start(&[&replay(&path), "--loop", "--speed=100"]);
    let mut seen = Seen::from_start(server.address).await;
    for n in 1..=5 {
        for symbol in ["VOD.L", "BP"] {
            let tick = &seen.next().await["data"][0];
            assert_eq!((&tick["symbol"], &tick["n"]), (&symbol.into(), &n.into()));
        }
    }
    assert_eq!(get(server.address, "/readyz").await.status, 200);
}

#[tokio::test]
async fn a_recording_that_goes_on_is_told_in_metrics() {
    let folder = Folder::new();
    let path = folder.file("a.tape");
    let server = Running::start(&["--record", &path]);
    soon("recorded ticks", async {
        loop {
            let answer = get(server.address, "/metrics").await;
            let metrics = answer.text();
            let nothing = metrics.contains("\ntickertape_ticks_recorded_total 0\n");
            if metrics.contains("\ntickertape_recording 1\n") && !nothing {
                break;
            }
        }
    })
    .await;
}

#[test]
fn a_recording_never_replaces_a_file() {
    let folder = Folder::new();
    let path = folder.write("precious", "precious");
    let served = ["--bind=127.0.0.1:0", "--record", &path];
    for args in [&["record", &path][..], &served] {
        let (code, error) = ends(args);
        assert_eq!(code, Some(2));
        assert!(error.contains(&format!("{path}: File exists")), "{error}");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_recording_that_is_cut_off_is_refused_with_what_can_be_saved() {
    let folder = Folder::new();
    let path = folder.file("a.tape");
    record(&path, &[]);
    let whole = std::fs::read(&path).unwrap();
    let cut = folder.write("cut.tape", &whole[..whole.len() - 3]);
    let (code, error) = ends(&[&replay(&cut)]);
    assert_eq!(code, Some(2));
    let (_, kept) = error.split_once("its first ").unwrap();
    let (kept, _) = kept.split_once(" bytes are whole").unwrap();
    let saved = folder.write("saved.tape", &whole[..kept.parse().unwrap()]);
    let (code, error) = ends(&[
        "record",
        &folder.file("again.tape"),
        &replay(&saved),
        "--speed=100",
    ]);
    assert_eq!(code, Some(0), "{error}");
}

#[test]
fn a_bad_row_of_prices_is_named_with_its_line() {
    let folder = Folder::new();
    let path = folder.write(
        "prices.csv",
        format!("{PRICES}2026-11-27T14:30:01Z,BP,?,1,,,\n"),
    );
    let (code, error) = ends(&[&replay(&path)]);
    assert_eq!(code, Some(2));
    assert!(
        error.contains(&format!("--feed: {path}, line 4: last: ? is no price")),
        "{error}"
    );
}
