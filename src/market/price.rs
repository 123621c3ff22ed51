//! Prices in fixed point, so that what is written is exactly what was computed.

use std::str::FromStr;

/// A price in steps of 1e-4 of the currency: `Price::new(1_901_200)` is 190.12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Price(i64);

impl Price {
    /// Digits after the point that a price can hold.
    pub const DECIMALS: u8 = 4;
    const SCALE: i64 = 10_000;

    /// The price of `steps` × 1e-4.
    pub const fn new(steps: i64) -> Self {
        Self(steps)
    }

    /// The multiple of `grid` nearest to `value`, in currency units.
    pub fn nearest(value: f64, grid: Price) -> Self {
        Self((value * Self::SCALE as f64 / grid.0 as f64).round() as i64 * grid.0)
    }

    /// The greatest multiple of `grid` not above `value`, in currency units.
    pub fn below(value: f64, grid: Price) -> Self {
        Self((value * Self::SCALE as f64 / grid.0 as f64).floor() as i64 * grid.0)
    }

    /// The smallest multiple of `grid` not below `value`, in currency units.
    pub fn above(value: f64, grid: Price) -> Self {
        Self((value * Self::SCALE as f64 / grid.0 as f64).ceil() as i64 * grid.0)
    }

    /// The price in steps of 1e-4.
    pub const fn steps(self) -> i64 {
        self.0
    }

    /// Whether it has no more than two digits after the point.
    pub const fn is_in_cents(self) -> bool {
        self.0 % 100 == 0
    }

    /// The price in currency units, for statistics only: never written anywhere.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / Self::SCALE as f64
    }
}

/// Why a text is no price.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no price: digits, and at most four after a point")]
pub struct NoPrice;

impl FromStr for Price {
    type Err = NoPrice;

    /// Reads `190.12` to the last digit; prices below zero have no text of this kind.
    fn from_str(text: &str) -> Result<Self, NoPrice> {
        /// JavaScript's numbers are exact up to here, and so what clients read.
        const MOST: i64 = 1 << 53;
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if part.len() > usize::from(Self::DECIMALS) || !digits(whole) || !digits(part) {
            return Err(NoPrice);
        }
        let whole: i64 = whole.parse().map_err(|_| NoPrice)?;
        let part: i64 = format!("{part:0<4}").parse().map_err(|_| NoPrice)?;
        let steps = whole
            .checked_mul(Self::SCALE)
            .and_then(|whole| whole.checked_add(part));
        steps.filter(|steps| *steps < MOST).map(Self).ok_or(NoPrice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_to_its_last_digit() {
        for (text, steps) in [
            ("190.12", 1_901_200),
            ("7", 70_000),
            ("0.0001", 1),
            ("3.", 30_000),
        ] {
            assert_eq!(text.parse(), Ok(Price::new(steps)), "{text}");
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in [
            "",
            ".",
            ".5",
            "-1",
            "+1",
            "1e5",
            "0.00001",
            "nan",
            "1,5",
            "900719925474.0993",
        ] {
            assert_eq!(text.parse::<Price>(), Err(NoPrice), "{text}");
        }
    }

    #[test]
    fn rounding_lands_on_the_grid() {
        let cent = Price::new(100);
        assert_eq!(Price::nearest(10.006, cent), Price::new(100_100));
        assert_eq!(Price::below(10.009, cent), Price::new(100_000));
        assert_eq!(Price::above(10.001, cent), Price::new(100_100));
    }
}
