//! A place on the tape.

/// Names one life of a tape, so that a restarted one cannot be mistaken for the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Epoch(u32);

impl Epoch {
    /// How many epochs there are: six digits in base 36.
    pub const COUNT: u32 = 36u32.pow(6);

    /// The epoch of this number, modulo [`Epoch::COUNT`].
    pub const fn new(number: u32) -> Self {
        Self(number % Self::COUNT)
    }

    /// The epoch's number, below [`Epoch::COUNT`].
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// Everything up to and with the batch `seq` of the tape's life `epoch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Which life of the tape.
    pub epoch: Epoch,
    /// The last batch that lies behind this place; 0 is the start of the tape.
    pub seq: u64,
}

impl Cursor {
    /// The place of `seq` in the same life.
    pub const fn at(self, seq: u64) -> Self {
        Self { seq, ..self }
    }
}
