//! Business time: how much happens in the market while the plan's time passes, and what the market makes of it.

use rand::prelude::*;
use rand_distr::StandardNormal;

use super::hours::{DAY, Hours, YEAR};

/// Standard deviation of a year's log return of the market as a whole.
pub(super) const MARKET_VOLATILITY: f64 = 0.16;

/// Variance of the logarithm of a minute's pace.
pub(super) const MOOD_VARIANCE: f64 = 0.6;

/// Minutes in which the mood of the market is forgotten to a share of 1/e.
pub(super) const MOOD_MINUTES: f64 = 20.0;

/// What a night moves prices by, in days of trading. They move much less while nobody trades (French & Roll 1986, *Stock return
/// variances*).
pub(super) const NIGHT: f64 = 0.2;

/// The time in which prices are geometric Brownian motions (Clark 1973, *A subordinated stochastic process model*): it
/// passes as fast as the hour is busy and the mood of the market is nervous. Over the days both have a mean of 1.
///
/// The mood is stochastic volatility (Taylor 1986, *Modelling Financial Time Series*, ch. 3): the logarithm of a minute's
/// pace is a first-order autoregression, so that calm and nervous stretches last: large moves follow large ones, of
/// either sign (Cont 2001, *Empirical properties of asset returns*).
#[derive(Debug)]
pub(super) struct Business {
    hours: Hours,
    /// The minute that runs, from the start of the plan.
    minute: u64,
    /// A standard normal variable that goes on from minute to minute.
    mood: f64,
    pace: f64,
    /// Seconds of the plan.
    now: f64,
    elapsed: f64,
    market: f64,
}

impl Business {
    pub(super) fn new(hours: Hours, random: &mut impl Rng) -> Self {
        let mut business = Self {
            hours,
            minute: 0,
            mood: random.sample(StandardNormal),
            pace: 1.0,
            now: 0.0,
            elapsed: 0.0,
            market: 0.0,
        };
        business.set_pace();
        business
    }

    /// Seconds of the plan.
    pub(super) fn now(&self) -> f64 {
        self.now
    }

    /// Seconds of business since the start.
    pub(super) fn elapsed(&self) -> f64 {
        self.elapsed
    }

    /// The market's log return since the start.
    pub(super) fn market(&self) -> f64 {
        self.market
    }

    /// How fast business passes in this minute, against the average: variance against the average variance.
    pub(super) fn pace(&self) -> f64 {
        self.pace
    }

    /// Goes on to a time of the plan, which is not before the last one.
    pub(super) fn go_to(&mut self, to: f64, random: &mut impl Rng) {
        let minute = self.hours.minute();
        let mut passed = 0.0;
        loop {
            let end = (self.minute + 1) as f64 * minute;
            passed += (to.min(end) - self.now) / minute * 60.0 * self.pace;
            self.now = to.min(end);
            if to < end {
                break;
            }
            self.minute += 1;
            self.change_mood(random);
        }
        self.pass(passed, random);
    }

    /// Passes a night, in no time of the plan.
    pub(super) fn night(&mut self, random: &mut impl Rng) {
        self.pass(NIGHT * DAY, random);
    }

    fn pass(&mut self, seconds: f64, random: &mut impl Rng) {
        let step: f64 = random.sample(StandardNormal);
        self.elapsed += seconds;
        self.market += MARKET_VOLATILITY * (seconds / YEAR).sqrt() * step;
    }

    fn change_mood(&mut self, random: &mut impl Rng) {
        let kept = (-1.0 / MOOD_MINUTES).exp();
        let new: f64 = random.sample(StandardNormal);
        self.mood = kept * self.mood + (1.0 - kept * kept).sqrt() * new;
        self.set_pace();
    }

    fn set_pace(&mut self) {
        // Less half the variance, so that the mean of the exponential is 1.
        let mood = (MOOD_VARIANCE.sqrt() * self.mood - MOOD_VARIANCE / 2.0).exp();
        self.pace = self.hours.busyness(self.minute) * mood;
    }
}
