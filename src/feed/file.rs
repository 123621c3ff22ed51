//! What is wrong with a file, and where.

use std::fmt::{Display, Formatter};
use std::path::{Path, PathBuf};

/// Why a file cannot be used: names it, the place, and the reason.
#[derive(Debug, PartialEq, Eq)]
pub struct FileError {
    path: PathBuf,
    flaw: Flaw,
}

/// A reason with its place in a file that is being read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    place: Place,
    reason: String,
}

/// Where in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The file as a whole.
    Whole,
    /// A line, counted from 1.
    Line(u64),
    /// A byte, counted from 0.
    Offset(u64),
}

impl Flaw {
    /// The whole file is not what it should be.
    pub(super) fn whole(reason: impl Display) -> Self {
        Self::at(Place::Whole, reason)
    }

    /// A line is not what it should be.
    pub(super) fn line(line: u64, reason: impl Display) -> Self {
        Self::at(Place::Line(line), reason)
    }

    /// What begins at a byte is not what it should be.
    pub(super) fn offset(offset: u64, reason: impl Display) -> Self {
        Self::at(Place::Offset(offset), reason)
    }

    fn at(place: Place, reason: impl Display) -> Self {
        Self {
            place,
            reason: reason.to_string(),
        }
    }

    /// The same, of this file.
    pub(super) fn of(self, path: &Path) -> FileError {
        FileError {
            path: path.to_owned(),
            flaw: self,
        }
    }
}

impl Display for FileError {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let (path, Flaw { place, reason }) = (self.path.display(), &self.flaw);
        match place {
            Place::Whole => write!(f, "{path}: {reason}"),
            Place::Line(line) => write!(f, "{path}, line {line}: {reason}"),
            Place::Offset(offset) => write!(f, "{path}, offset {offset}: {reason}"),
        }
    }
}

impl std::error::Error for FileError {}
