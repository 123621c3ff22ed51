use proptest::prelude::*;

use super::*;
use crate::feed::Share;
use crate::feed::simulated::{Arrivals, Options, Simulated};
use crate::market::testing::{listing, tick};

/// Emissions of a market with everything that a tick can tell: days, halts, bursts.
fn market(seed: u64) -> Vec<Emission> {
    let options = Options {
        shares: Share::built_in(20),
        rate: 500.0,
        arrivals: Arrivals::Bursty,
        day: Some(Duration::from_secs(2)),
        burst: None,
        halts: 20.0,
        seed,
    };
    Simulated::new(options).take(2_000).collect()
}

fn shares() -> Listing {
    Share::listing(&Share::built_in(20)).unwrap()
}

fn micros(at: Duration) -> Micros {
    at.as_micros() as Micros
}

fn recorded(emissions: &[Emission]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file, &shares(), 0).unwrap();
    for emission in emissions {
        writer.write(micros(emission.at), &emission.ticks).unwrap();
    }
    file
}

/// All of a recording, or what is wrong with it.
fn read(file: &[u8]) -> Result<Vec<Emission>, String> {
    let read = || {
        let mut reader = Reader::open(file)?;
        let mut emissions = Vec::new();
        while let Some(emission) = reader.next()? {
            emissions.push(emission);
        }
        Ok(emissions)
    };
    read().map_err(|flaw: Flaw| flaw.of(Path::new("a.tape")).to_string())
}

#[test]
fn what_was_written_is_read() {
    let written = market(1);
    let halts = written.iter().flat_map(|e| &e.ticks).filter(|t| t.halted);
    assert!(halts.count() > 0, "a market without halts tests less");
    let read = read(&recorded(&written)).unwrap();
    assert_eq!(read.len(), written.len());
    for (read, written) in read.iter().zip(&written) {
        assert_eq!(read.ticks, written.ticks);
        assert_eq!(micros(read.at), micros(written.at));
    }
}

#[test]
fn the_symbols_are_read_in_their_order() {
    let file = recorded(&[]);
    let reader = Reader::open(&file[..]).unwrap();
    assert_eq!(reader.instruments(), shares().instruments());
}

#[test]
fn a_tick_takes_twenty_bytes_where_batches_are_small() {
    let emissions = market(2);
    let ticks: usize = emissions.iter().map(|emission| emission.ticks.len()).sum();
    let size = recorded(&emissions).len();
    assert!(size < 21 * ticks, "{} bytes a tick", size / ticks);
}

#[test]
fn a_recording_that_is_cut_off_says_how_much_of_it_is_whole() {
    let emissions = market(3);
    let (whole, longer) = (recorded(&emissions[..5]).len(), recorded(&emissions[..6]));
    for cut in whole + 1..longer.len() {
        let error = read(&longer[..cut]).unwrap_err();
        let expected = format!(
            "a.tape, offset {whole}: the file ends within a block; its first {whole} bytes are whole"
        );
        assert_eq!(error, expected);
    }
    assert_eq!(
        read(&longer[..whole]).unwrap(),
        emissions_at_micros(&emissions[..5])
    );
}

/// A recording's times are whole microseconds.
fn emissions_at_micros(emissions: &[Emission]) -> Vec<Emission> {
    let whole = emissions.iter().map(|emission| Emission {
        at: Duration::from_micros(micros(emission.at)),
        ticks: emission.ticks.clone(),
    });
    whole.collect()
}

#[test]
fn another_version_is_not_guessed_at() {
    let mut file = recorded(&[]);
    file[MAGIC.len() - 2] = b'2';
    assert!(is_recording(&file));
    assert!(read(&file).unwrap_err().contains("another version"));
}

#[test]
fn a_length_beyond_reason_is_refused_before_it_is_allocated() {
    let mut file = recorded(&[]);
    let offset = file.len();
    file.extend_from_slice(&[0xFF; 8]);
    let error = read(&file).unwrap_err();
    assert_eq!(
        error,
        format!("a.tape, offset {offset}: damaged: no block is that long")
    );
}

#[test]
fn a_batch_of_symbols_that_are_not_listed_is_refused() {
    let mut file = recorded(&[]);
    let offset = file.len();
    let change = Change {
        symbol: 20,
        size: 1,
        last: 1,
        bid: 0,
        ask: 0,
        volume: 0,
        open: None,
        halted: false,
    };
    let batch = Batch {
        after: 1,
        ticks: vec![change],
    };
    write_block(&mut file, &batch).unwrap();
    let error = read(&file).unwrap_err();
    assert_eq!(
        error,
        format!("a.tape, offset {offset}: a batch that no tape has published")
    );
}

#[test]
fn a_tick_that_does_not_follow_its_symbols_last_is_not_written() {
    let listing = listing(&["A"]);
    let mut writer = Writer::new(Vec::new(), &listing, 0).unwrap();
    writer.write(1, &[tick(SymbolId(0), 1)]).unwrap();
    let error = writer.write(2, &[tick(SymbolId(0), 3)]).unwrap_err();
    assert_eq!(error.to_string(), "tick 3 follows tick 1 of its symbol");
}

proptest! {
    #[test]
    fn a_changed_byte_is_noticed(seed in 0..3_u64, at in any::<prop::sample::Index>(), bits in 1..=255_u8) {
        let mut file = recorded(&market(seed)[..50]);
        let at = at.index(file.len());
        file[at] ^= bits;
        prop_assert!(read(&file).is_err());
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut file = recorded(&[]);
        file.extend_from_slice(&bytes);
        let _ = read(&file);
        let _ = read(&bytes);
    }
}
