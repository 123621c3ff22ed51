//! The symbols that a simulated market trades: fifty well-known ones, more that are made up, or a file of them.

use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;

use serde::Deserialize;

use super::file::{FileError, Flaw};
use super::table::Table;
use crate::market::{Instrument, Listing, ListingError};

const COLUMNS: [&str; 6] = ["symbol", "name", "price", "volatility", "beta", "activity"];

/// The built-in symbols, in the format that a file of them has.
const WELL_KNOWN: &str = include_str!("symbols.csv");

/// A share: a line of a symbols file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// 1 to 16 of A–Z, 0–9, `.` and `-`.
    pub symbol: String,
    /// The company's name.
    pub name: String,
    /// The opening price, in currency units.
    pub price: f64,
    /// Standard deviation of a year's log return: 0.25 is a calm share, 0.6 a wild one.
    pub volatility: f64,
    /// How much of the market's movement it follows: covariance with the market over the market's variance.
    pub beta: f64,
    /// How often it ticks, against the others.
    pub activity: f64,
}

impl Share {
    /// The first `count` built-in shares, followed by made-up ones where they do not suffice.
    pub fn built_in(count: usize) -> Vec<Self> {
        let known = read(Cursor::new(WELL_KNOWN)).expect("the built-in symbols are well-formed");
        let like = known.clone().into_iter().cycle();
        let made_up = (known.len() + 1..).zip(like).map(|(number, like)| Self {
            symbol: format!("X{number:04}"),
            name: format!("Example {number}"),
            ..like
        });
        known.iter().cloned().chain(made_up).take(count).collect()
    }

    /// The shares of a CSV file with the header `symbol,name,price,volatility,beta,activity`.
    pub fn from_file(path: &Path) -> Result<Vec<Self>, FileError> {
        let file = File::open(path).map_err(|error| Flaw::whole(error).of(path))?;
        let shares = read(file).and_then(|shares| match Self::listing(&shares) {
            Ok(_) => Ok(shares),
            Err(reason) => Err(Flaw::whole(reason)),
        });
        shares.map_err(|flaw| flaw.of(path))
    }

    /// The shares as a listing.
    pub fn listing(shares: &[Self]) -> Result<Listing, ListingError> {
        let instrument = |share: &Self| Instrument {
            symbol: share.symbol.clone(),
            name: share.name.clone(),
            price_decimals: if share.price < 1.0 { 4 } else { 2 },
        };
        Listing::new(shares.iter().map(instrument).collect())
    }

    fn check(&self) -> Result<(), String> {
        let within = |name, value: f64, low: f64, high: f64| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(format!("{name} is {value}; it takes {low} to {high}"))
        };
        within("price", self.price, 0.01, 1e6)?;
        within("volatility", self.volatility, 0.0, 5.0)?;
        within("beta", self.beta, -5.0, 5.0)?;
        within("activity", self.activity, 1e-6, 1e6)
    }
}

fn read(source: impl Read + Seek) -> Result<Vec<Share>, Flaw> {
    let mut table = Table::open(source, &COLUMNS)?;
    let mut shares = Vec::new();
    while let Some(share) = table.next::<Share>()? {
        share.check().map_err(|reason| table.wrong(reason))?;
        shares.push(share);
    }
    Ok(shares)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const HEADER: &str = "symbol,name,price,volatility,beta,activity\n";

    fn complaint(lines: &str) -> String {
        let text = format!("{HEADER}{lines}");
        let path = Path::new("my.csv");
        read(Cursor::new(text)).unwrap_err().of(path).to_string()
    }

    #[test]
    fn fifty_symbols_are_built_in_and_more_are_made_up() {
        let shares = Share::built_in(120);
        let symbols: HashSet<_> = shares.iter().map(|share| &share.symbol).collect();
        assert_eq!(symbols.len(), 120);
        assert_eq!(shares[0].symbol, "AAPL");
        assert_eq!(shares[50].symbol, "X0051");
        assert!(Share::listing(&shares).is_ok());
    }

    #[test]
    fn a_bad_line_is_named_with_its_field() {
        assert_eq!(
            complaint("AAPL,Apple,190,0.3,1,1\nMSFT,Microsoft,abc,0.3,1,1\n"),
            "my.csv, line 3: price: invalid float literal"
        );
    }

    #[test]
    fn a_short_line_is_named() {
        assert_eq!(
            complaint("# a comment\nAAPL,Apple\n"),
            "my.csv, line 3: 2 fields instead of 6"
        );
    }

    #[test]
    fn a_file_of_something_else_is_refused_by_its_header() {
        let error = read(Cursor::new("# prices\ntime,price\n1,2\n")).unwrap_err();
        assert_eq!(
            error.of(Path::new("my.csv")).to_string(),
            "my.csv, line 2: the header is not symbol,name,price,volatility,beta,activity"
        );
    }

    #[test]
    fn absurd_figures_are_refused() {
        assert_eq!(
            complaint("AAPL,Apple,-1,0.3,1,1\n"),
            "my.csv, line 2: price is -1; it takes 0.01 to 1000000"
        );
        assert_eq!(
            complaint("AAPL,Apple,NaN,0.3,1,1\n"),
            "my.csv, line 2: price is NaN; it takes 0.01 to 1000000"
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Share::from_file(Path::new("no/such.csv"))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("no/such.csv: No such file"), "{error}");
    }
}
