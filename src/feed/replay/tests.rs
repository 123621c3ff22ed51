use std::fs;

use super::*;
use crate::feed::recording::Writer;
use crate::market::testing::{listing, tick};
use crate::market::{Price, SymbolId};

const CSV: &str = "time,symbol,last,size,bid,ask,volume\n\
    10,A,5,100,,,\n\
    11,B,7,100,,,\n\
    12,A,6,100,,,\n";

/// A file that is gone when the test is over.
struct Temporary(PathBuf);

impl Temporary {
    fn of(content: impl AsRef<[u8]>) -> Self {
        let name = format!("tickertape-{:016x}", rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, content).unwrap();
        Self(path)
    }

    fn play(&self, speed: f64, repeats: bool) -> Result<Replay, String> {
        let options = Options {
            path: self.0.clone(),
            speed,
            repeats,
        };
        Replay::open(options).map_err(|error| error.to_string())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn millis(emissions: &[Emission]) -> Vec<u128> {
    emissions
        .iter()
        .map(|emission| emission.at.as_millis())
        .collect()
}

#[test]
fn prices_begin_at_once_and_keep_their_distances() {
    let replay = Temporary::of(CSV).play(1.0, false).unwrap();
    assert_eq!(replay.listing().len(), 2);
    assert_eq!(replay.span(), Duration::from_secs(2));
    assert_eq!(millis(&replay.collect::<Vec<_>>()), [0, 1_000, 2_000]);
}

#[test]
fn speed_divides_the_distances() {
    let file = Temporary::of(CSV);
    let fast: Vec<_> = file.play(10.0, false).unwrap().collect();
    let slow: Vec<_> = file.play(0.5, false).unwrap().collect();
    assert_eq!(millis(&fast), [0, 100, 200]);
    assert_eq!(millis(&slow), [0, 2_000, 4_000]);
}

#[test]
fn a_recording_is_played_as_it_was_published() {
    let (a, b) = (SymbolId(0), SymbolId(1));
    let batches = [
        (5_000_000, vec![tick(a, 1), tick(b, 1)]),
        (5_400_000, vec![tick(b, 2)]),
    ];
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file, &listing(&["A", "B"]), 4_000_000).unwrap();
    for (at, ticks) in &batches {
        writer.write(*at, ticks).unwrap();
    }
    let played: Vec<_> = Temporary::of(file).play(1.0, false).unwrap().collect();
    assert_eq!(millis(&played), [0, 400]);
    for (played, (_, ticks)) in played.iter().zip(&batches) {
        let expected: Vec<_> = ticks.iter().map(|tick| Tick { ts: 0, ..*tick }).collect();
        assert_eq!(played.ticks, expected);
    }
}

#[test]
fn a_loop_goes_on_counting_and_opens_another_day() {
    let replay = Temporary::of(CSV).play(1.0, true).unwrap();
    let played: Vec<_> = replay.take(7).collect();
    assert_eq!(
        millis(&played),
        [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000]
    );
    let told: Vec<_> = (played.iter())
        .flat_map(|emission| &emission.ticks)
        .map(|tick| (tick.symbol.0, tick.n, tick.open.map(Price::steps)))
        .collect();
    assert_eq!(
        told,
        [
            (0, 1, Some(50_000)),
            (1, 1, Some(70_000)),
            (0, 2, None),
            (0, 3, Some(50_000)),
            (1, 2, Some(70_000)),
            (0, 4, None),
            (0, 5, Some(50_000)),
        ]
    );
}

#[test]
fn a_loop_of_a_single_batch_does_not_spin() {
    let file = Temporary::of("time,symbol,last,size,bid,ask,volume\n10,A,5,1,,,\n");
    let played: Vec<_> = file.play(1.0, true).unwrap().take(3).collect();
    assert_eq!(millis(&played), [0, 1, 2]);
}

#[test]
fn nothing_of_a_broken_file_is_played() {
    let file = Temporary::of(format!("{CSV}13,A,five,1,,,\n"));
    let error = file.play(1.0, false).err().unwrap();
    assert!(
        error.ends_with(", line 5: last: five is no price: digits, and at most four after a point"),
        "{error}"
    );
}

#[test]
fn what_has_no_ticks_or_is_no_such_file_is_refused() {
    for (content, expected) in [
        (
            "time,symbol,last,size,bid,ask,volume\n",
            "there is no tick in it",
        ),
        (
            "\u{7f}ELF\0\0",
            "line 1: the header is not time,symbol,last,size,bid,ask,volume",
        ),
        (
            "",
            "line 1: the header is not time,symbol,last,size,bid,ask,volume",
        ),
        (
            "tickertape recording 9\n",
            "offset 0: a recording of another version",
        ),
        (
            "tickertape recording 1\n",
            "offset 23: the file ends before its symbols",
        ),
    ] {
        let error = Temporary::of(content).play(1.0, false).err().unwrap();
        assert!(error.contains(expected), "{content:?}: {error}");
    }
    let folder = Options {
        path: std::env::temp_dir(),
        speed: 1.0,
        repeats: false,
    };
    let error = Replay::open(folder).err().unwrap().to_string();
    assert!(
        error.ends_with("no regular file; it has to be read twice"),
        "{error}"
    );
}

#[test]
fn a_file_that_changes_while_it_plays_ends_the_replay() {
    let file = Temporary::of(CSV);
    let mut replay = file.play(1.0, true).unwrap();
    let first_round = replay.by_ref().take(3).count();
    fs::write(&file.0, "nothing").unwrap();
    assert_eq!((first_round, replay.count()), (3, 0));
}
