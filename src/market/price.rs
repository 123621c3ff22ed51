//! Prices in fixed point, so that what is written is exactly what was computed.

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

    /// The price in currency units, for statistics only: never written anywhere.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / Self::SCALE as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_lands_on_the_grid() {
        let cent = Price::new(100);
        assert_eq!(Price::nearest(10.006, cent), Price::new(100_100));
        assert_eq!(Price::below(10.009, cent), Price::new(100_000));
        assert_eq!(Price::above(10.001, cent), Price::new(100_100));
    }
}
