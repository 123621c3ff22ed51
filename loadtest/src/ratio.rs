//! How one thing compares with another that was measured beside it, several times over.

use serde::Serialize;

/// What an interval should cover at least, if there are pairs enough for it.
const WANTED_COVERAGE: f64 = 0.9;

/// The median of the ratios of pairs, with the interval that the sign test gives for it.
///
/// The two of a pair were measured one after the other, so what disturbs the machine for longer than that
/// cancels out. The interval assumes nothing of how ratios are spread: it reaches from one of them to another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// How sure it is that the true median lies inside, from 0 to 1.
    pub(crate) coverage: f64,
    pub(crate) pairs: usize,
}

impl Ratio {
    /// Of these pairs, each first to second. Pairs that make no ratio are left out; nothing if none is left.
    pub(crate) fn of(pairs: impl IntoIterator<Item = (f64, f64)>) -> Option<Self> {
        let mut ratios: Vec<_> = pairs
            .into_iter()
            .map(|(first, second)| first / second)
            .filter(|ratio| ratio.is_finite())
            .collect();
        ratios.sort_by(f64::total_cmp);
        let last = ratios.len().checked_sub(1)?;
        let cut = cut(ratios.len());
        Some(Self {
            median: f64::midpoint(ratios[last / 2], ratios[last.div_ceil(2)]),
            low: ratios[cut],
            high: ratios[last - cut],
            coverage: coverage(ratios.len(), cut),
            pairs: ratios.len(),
        })
    }
}

/// How many to leave out at each end, so that the interval is as narrow as its coverage lets it be.
fn cut(pairs: usize) -> usize {
    (1..pairs.div_ceil(2))
        .take_while(|cut| coverage(pairs, *cut) >= WANTED_COVERAGE)
        .last()
        .unwrap_or(0)
}

/// The probability that the median is neither below the ends nor above them: each ratio is above it or
/// below it with a chance of one half, so it lies outside if at most `cut` of them are on one side.
fn coverage(pairs: usize, cut: usize) -> f64 {
    let mut chance = 0.5_f64.powi(i32::try_from(pairs).unwrap_or(i32::MAX));
    let mut outside = 0.0;
    for on_one_side in 0..=cut {
        outside += chance;
        chance *= (pairs - on_one_side) as f64 / (on_one_side + 1) as f64;
    }
    (1.0 - 2.0 * outside).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ratios: &[f64]) -> Option<Ratio> {
        Ratio::of(ratios.iter().map(|ratio| (ratio * 4.0, 4.0)))
    }

    #[test]
    fn five_pairs_reach_from_the_least_to_the_most() {
        let ratio = of(&[1.3, 1.1, 1.5, 1.2, 1.4]).unwrap();
        let five = Ratio {
            median: 1.3,
            low: 1.1,
            high: 1.5,
            coverage: 0.9375,
            pairs: 5,
        };
        assert_eq!(ratio, five);
    }

    #[test]
    fn of_an_even_number_the_median_is_between_the_middle_two() {
        assert_eq!(of(&[1.0, 4.0, 2.0, 3.0]).unwrap().median, 2.5);
    }

    #[test]
    fn more_pairs_leave_out_the_ends() {
        let ten: Vec<_> = (1..=10).map(f64::from).collect();
        let ratio = of(&ten).unwrap();
        // As in tables of the sign test: the second to the ninth of ten cover 97.9 %, the third to the eighth 89.1 %.
        assert_eq!((ratio.low, ratio.high), (2.0, 9.0));
        assert!((ratio.coverage - 0.9785).abs() < 0.0001, "{ratio:?}");
    }

    #[test]
    fn a_single_pair_says_nothing_about_the_next() {
        let ratio = of(&[1.2]).unwrap();
        assert_eq!((ratio.low, ratio.high, ratio.coverage), (1.2, 1.2, 0.0));
    }

    #[test]
    fn a_pair_with_nothing_to_compare_to_is_left_out() {
        assert_eq!(
            Ratio::of([(1.0, 0.0), (0.0, 0.0), (3.0, 2.0)])
                .unwrap()
                .pairs,
            1
        );
        assert_eq!(Ratio::of([(1.0, 0.0)]), None);
    }
}
