//! The symbols that a simulated market trades: fifty well-known ones, more that are made up, or a file of them.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::market::{Instrument, Listing, ListingError};

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

/// Why a file of symbols cannot be used; says where.
#[derive(Debug, thiserror::Error)]
pub enum SymbolsError {
    /// The file cannot be opened.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A line is not what it should be.
    #[error("{}, line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The lines are well-formed, the whole is not.
    #[error("{}: {reason}", path.display())]
    Listing {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: ListingError,
    },
}

impl Share {
    /// The first `count` built-in shares, followed by made-up ones where they do not suffice.
    pub fn built_in(count: usize) -> Vec<Self> {
        let known = read(WELL_KNOWN.as_bytes(), Path::new("built-in symbols"))
            .expect("the built-in symbols are well-formed");
        let like = known.clone().into_iter().cycle();
        let made_up = (known.len() + 1..).zip(like).map(|(number, like)| Self {
            symbol: format!("X{number:04}"),
            name: format!("Example {number}"),
            ..like
        });
        known.iter().cloned().chain(made_up).take(count).collect()
    }

    /// The shares of a CSV file with the header `symbol,name,price,volatility,beta,activity`.
    pub fn from_file(path: &Path) -> Result<Vec<Self>, SymbolsError> {
        let text = std::fs::read(path).map_err(|error| SymbolsError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        let shares = read(&text, path)?;
        match Self::listing(&shares) {
            Ok(_) => Ok(shares),
            Err(reason) => Err(SymbolsError::Listing {
                path: path.to_owned(),
                reason,
            }),
        }
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

fn read(text: &[u8], path: &Path) -> Result<Vec<Share>, SymbolsError> {
    let mut csv = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text);
    let at = |line, reason: String| SymbolsError::Line {
        path: path.to_owned(),
        line: past_comments(text, line),
        reason,
    };
    let headers = match csv.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => return Err(at(1, error.to_string())),
    };
    let mut shares = Vec::new();
    for record in csv.records() {
        let record = record.map_err(|error| {
            at(
                error.position().map_or(0, csv::Position::line),
                explain(&error),
            )
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let share: Share =
            (record.deserialize(Some(&headers))).map_err(|error| at(line, explain(&error)))?;
        share.check().map_err(|reason| at(line, reason))?;
        shares.push(share);
    }
    Ok(shares)
}

/// The reader's position of a record is that of the comments before it.
fn past_comments(text: &[u8], line: u64) -> u64 {
    let lines = text
        .split(|byte| *byte == b'\n')
        .skip(line.saturating_sub(1) as usize);
    let skipped = lines.take_while(|line| line.starts_with(b"#") || line.trim_ascii().is_empty());
    line + skipped.count() as u64
}

/// The error without the position, which is told apart, and with the field's name, not its number.
fn explain(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("{len} fields instead of {expected_len}")
        }
        csv::ErrorKind::Deserialize { err, .. } => {
            const FIELDS: [&str; 6] = ["symbol", "name", "price", "volatility", "beta", "activity"];
            let field = err.field().and_then(|field| FIELDS.get(field as usize));
            field.map_or_else(
                || err.kind().to_string(),
                |name| format!("{name}: {}", err.kind()),
            )
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const HEADER: &str = "symbol,name,price,volatility,beta,activity\n";

    fn complaint(lines: &str) -> String {
        let text = format!("{HEADER}{lines}");
        let path = Path::new("my.csv");
        read(text.as_bytes(), path).unwrap_err().to_string()
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
