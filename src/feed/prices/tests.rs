use std::io::Cursor;
use std::path::Path;

use super::*;

const HEADER: &str = "time,symbol,last,size,bid,ask,volume\n";

fn read(rows: &str) -> Result<(Vec<Emission>, Vec<Instrument>), String> {
    let text = format!("{HEADER}{rows}");
    let read = || {
        let mut reader = Reader::open(Cursor::new(text))?;
        let mut emissions = Vec::new();
        while let Some(emission) = reader.next()? {
            emissions.push(emission);
        }
        Ok((emissions, reader.instruments()))
    };
    read().map_err(|flaw: Flaw| flaw.of(Path::new("prices.csv")).to_string())
}

fn ticks(rows: &str) -> Vec<Tick> {
    let (emissions, _) = read(rows).unwrap();
    emissions
        .into_iter()
        .flat_map(|emission| emission.ticks)
        .collect()
}

fn times(rows: &str) -> Vec<Duration> {
    let (emissions, _) = read(rows).unwrap();
    emissions.iter().map(|emission| emission.at).collect()
}

fn complaint(rows: &str) -> String {
    let error = read(rows).unwrap_err();
    error
        .strip_prefix("prices.csv, line ")
        .unwrap_or(&error)
        .to_owned()
}

#[test]
fn a_row_is_a_tick() {
    let tick = ticks("0.5,AAPL,190.12,100,190.11,190.1301,5000\n")[0];
    let expected = Tick {
        symbol: SymbolId(0),
        n: 1,
        ts: 0,
        last: Price::new(1_901_200),
        size: 100,
        bid: Price::new(1_901_100),
        ask: Price::new(1_901_301),
        volume: 5_000,
        open: Some(Price::new(1_901_200)),
        halted: false,
    };
    assert_eq!(tick, expected);
}

#[test]
fn symbols_are_listed_as_they_come_with_the_digits_that_they_need() {
    let (_, listed) = read("0,B,1.5,1,,,\n0,A,0.1234,1,,,\n1,B,2,1,,,\n").unwrap();
    let listed: Vec<_> = (listed.iter())
        .map(|instrument| (instrument.symbol.as_str(), instrument.price_decimals))
        .collect();
    assert_eq!(listed, [("B", 2), ("A", 4)]);
}

#[test]
fn rows_of_one_time_are_one_batch() {
    let rows = "1,A,1,1,,,\n1,B,1,1,,,\n1.25,A,1,1,,,\n1.25,A,2,1,,,\n2,B,1,1,,,\n";
    let (emissions, _) = read(rows).unwrap();
    let sizes: Vec<_> = emissions
        .iter()
        .map(|emission| emission.ticks.len())
        .collect();
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(times(rows), [0, 250, 1000].map(Duration::from_millis));
}

#[test]
fn a_batch_has_a_largest_size() {
    let rows: String = (0..MOST_TICKS + 5).map(|_| "1,A,1,1,,,\n").collect();
    let (emissions, _) = read(&rows).unwrap();
    let sizes: Vec<_> = emissions
        .iter()
        .map(|emission| emission.ticks.len())
        .collect();
    assert_eq!(sizes, [MOST_TICKS, 5]);
}

#[test]
fn times_are_seconds_or_dates() {
    let millis = [0, 1_500].map(Duration::from_millis);
    for rows in [
        "1795231558.25,A,1,1,,,\n1795231559.75,A,1,1,,,\n",
        "2026-11-27T14:30:00Z,A,1,1,,,\n2026-11-27T14:30:01.5Z,A,1,1,,,\n",
        "2026-11-27T09:30:00-05:00,A,1,1,,,\n2026-11-27T14:30:01.5+00:00,A,1,1,,,\n",
        "2026-11-27 14:30:00,A,1,1,,,\n2026-11-27 14:30:01.500,A,1,1,,,\n",
    ] {
        assert_eq!(times(rows), millis, "{rows}");
    }
}

#[test]
fn what_is_left_empty_follows_from_the_rest() {
    let ticks = ticks("0,A,5,100,,,\n1,A,6,50,,7,\n");
    assert_eq!((ticks[0].bid, ticks[0].ask), (ticks[0].last, ticks[0].last));
    assert_eq!(
        (ticks[1].bid, ticks[1].ask),
        (ticks[1].last, Price::new(70_000))
    );
    assert_eq!([ticks[0].volume, ticks[1].volume], [100, 150]);
}

#[test]
fn a_volume_that_falls_opens_a_day() {
    let ticks = ticks("0,A,5,1,,,900\n1,A,6,1,,,901\n2,A,7,1,,,1\n3,A,8,1,,,2\n");
    let opens: Vec<_> = ticks.iter().map(|tick| tick.open.is_some()).collect();
    assert_eq!(opens, [true, false, true, false]);
}

#[test]
fn a_bad_row_is_named_with_its_line_and_column() {
    let good = "1,A,5,1,,,\n";
    for (row, expected) in [
        ("2,A,five,1,,,", "3: last: five is no price"),
        ("2,A,0,1,,,", "3: last: 0 is not above zero"),
        ("2,A,1.00001,1,,,", "3: last: 1.00001 is no price"),
        ("2,A,,1,,,", "3: last:  is no price"),
        ("2,A,5,-1,,,", "3: size: invalid digit"),
        ("2,A,5,1.5,,,", "3: size: invalid digit"),
        ("2,A,5,1,6,5.5,", "3: bid: 6 is above the ask, 5.5"),
        ("2,A,5,1,,x,", "3: ask: x is no price"),
        ("2,A,5,1,,,x", "3: volume: invalid digit"),
        ("2,a b,5,1,,,", "3: symbol: \"a b\" is not a symbol"),
        ("0.5,A,5,1,,,", "3: time: 0.5 is before the row above"),
        (
            "soon,A,5,1,,,",
            "3: time: soon is neither seconds nor a date",
        ),
        ("1.2.3,A,5,1,,,", "3: time: 1.2.3 is no number"),
        (
            "1795231558123,A,5,1,,,",
            "3: time: 1795231558123 seconds are beyond the year 9999",
        ),
        ("2,A,5", "3: 3 fields instead of 7"),
        ("# a comment\n\n2,A,x,1,,,", "5: last: x is no price"),
    ] {
        let error = complaint(&format!("{good}{row}\n"));
        assert!(error.starts_with(expected), "{row}: {error}");
    }
}
