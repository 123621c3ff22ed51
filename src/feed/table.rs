//! CSV files: rows of a type, and the line of the one that is wrong.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use csv::StringRecord;
use serde::de::DeserializeOwned;

use super::file::Flaw;

/// A table whose header names its columns, in any order. Lines that begin with `#` and empty ones do not count.
pub(super) struct Table<R> {
    csv: csv::Reader<R>,
    header: StringRecord,
    row: StringRecord,
    columns: &'static [&'static str],
}

impl<R: Read + Seek> Table<R> {
    /// Reads the header, which must have these columns and no others.
    pub(super) fn open(source: R, columns: &'static [&'static str]) -> Result<Self, Flaw> {
        let mut csv = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(source);
        let header = csv.headers().map_err(|error| Flaw::line(1, error))?.clone();
        let mut table = Self {
            csv,
            header,
            row: StringRecord::new(),
            columns,
        };
        let mut named: Vec<&str> = table.header.iter().collect();
        let mut wanted = columns.to_vec();
        named.sort_unstable();
        wanted.sort_unstable();
        if named == wanted {
            return Ok(table);
        }
        let columns = columns.join(",");
        let line = table.line_at(0, 1);
        Err(Flaw::line(line, format!("the header is not {columns}")))
    }

    /// The next row.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Flaw> {
        match self.csv.read_record(&mut self.row) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(error) => {
                let place = error.position().map(|at| (at.byte(), at.line()));
                let reason = self.explain(&error);
                return Err(self.flaw(place, reason));
            }
        }
        match self.row.deserialize(Some(&self.header)) {
            Ok(row) => Ok(Some(row)),
            Err(error) => {
                let reason = self.explain(&error);
                Err(self.wrong(reason))
            }
        }
    }

    /// What is wrong with the row that was read last.
    pub(super) fn wrong(&mut self, reason: impl std::fmt::Display) -> Flaw {
        let place = self.row.position().map(|at| (at.byte(), at.line()));
        self.flaw(place, reason.to_string())
    }

    fn flaw(&mut self, place: Option<(u64, u64)>, reason: String) -> Flaw {
        match place {
            Some((byte, line)) => Flaw::line(self.line_at(byte, line), reason),
            None => Flaw::whole(reason),
        }
    }

    /// The line of the row that begins at a byte in a line, or after it: the reader's position of a row is that of the
    /// comments before it. Nothing can be read from the table any more.
    fn line_at(&mut self, byte: u64, line: u64) -> u64 {
        let source = self.csv.get_mut();
        if source.seek(SeekFrom::Start(byte)).is_err() {
            return line;
        }
        let lines = BufReader::new(source).split(b'\n');
        let skipped = lines.map_while(Result::ok).take_while(|line| {
            let line = line.trim_ascii();
            line.is_empty() || line.starts_with(b"#")
        });
        line + skipped.count() as u64
    }

    /// The error without its position, which is told apart, and with the column's name instead of its number.
    fn explain(&self, error: &csv::Error) -> String {
        match error.kind() {
            csv::ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => format!("{len} fields instead of {expected_len}"),
            csv::ErrorKind::Deserialize { err, .. } => {
                let column = err
                    .field()
                    .and_then(|field| self.header.get(field as usize));
                match column {
                    Some(column) if self.columns.contains(&column) => {
                        format!("{column}: {}", err.kind())
                    }
                    _ => err.kind().to_string(),
                }
            }
            csv::ErrorKind::Utf8 { .. } => "not UTF-8".to_owned(),
            _ => error.to_string(),
        }
    }
}
