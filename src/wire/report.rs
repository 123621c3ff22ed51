//! What clients report of the ages that they measured.

use serde::Deserialize;

#[cfg(test)]
use super::schema;

/// The oldest tick and the worst clock that a report is taken with, in microseconds: an hour, and a minute.
pub(super) const MOST_AGE: u64 = 3_600_000_000;
pub(super) const MOST_CLOCK_ERROR: u64 = 60_000_000;
/// Pairs for each transport: a histogram with two digits over six decades has fewer.
pub(super) const MOST_PAIRS: usize = 1_000;
/// Ticks in a report: a day of a thousand a second has fewer.
pub(super) const MOST_TICKS: u64 = 100_000_000;

/// What a client measured: `{"clock_error_us":350,"ages_us":{"websocket":[[850,12],[1200,3]]}}`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// How far off each age may be, since the client knows the server's clock only so well. Microseconds.
    #[cfg_attr(test, schema(value_type = schema::ClockError))]
    pub clock_error_us: u64,
    /// What was measured since the last report.
    pub ages_us: AgesByTransport,
}

/// Histograms: pairs of an age in microseconds and the number of ticks that were that old, ages ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AgesByTransport {
    /// `/v1/ws`
    #[cfg_attr(test, schema(value_type = schema::Ages))]
    pub websocket: Vec<(u64, u64)>,
    /// `/v1/sse`
    #[cfg_attr(test, schema(value_type = schema::Ages))]
    pub sse: Vec<(u64, u64)>,
    /// `/v1/stream`
    #[cfg_attr(test, schema(value_type = schema::Ages))]
    pub ndjson: Vec<(u64, u64)>,
    /// `/v1/poll`
    #[cfg_attr(test, schema(value_type = schema::Ages))]
    pub long_poll: Vec<(u64, u64)>,
    /// `/v1/quotes`
    #[cfg_attr(test, schema(value_type = schema::Ages))]
    pub short_poll: Vec<(u64, u64)>,
}

impl AgesByTransport {
    /// Each with its transport's name.
    fn named(&self) -> [(&'static str, &[(u64, u64)]); 5] {
        [
            ("websocket", &self.websocket),
            ("sse", &self.sse),
            ("ndjson", &self.ndjson),
            ("long_poll", &self.long_poll),
            ("short_poll", &self.short_poll),
        ]
    }
}

/// Reads a report. The error is a sentence that says what is wrong with it.
pub fn parse(json: &[u8]) -> Result<Report, String> {
    let report: Report =
        serde_json::from_slice(json).map_err(|error| format!("Not a report: {error}"))?;
    if report.clock_error_us > MOST_CLOCK_ERROR {
        return Err(format!("clock_error_us is above {MOST_CLOCK_ERROR}"));
    }
    let mut ticks = 0_u64;
    for (name, ages) in report.ages_us.named() {
        if ages.len() > MOST_PAIRS {
            return Err(format!("ages_us.{name} has more than {MOST_PAIRS} pairs"));
        }
        if !ages.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(format!("ages_us.{name} is not in the order of ages"));
        }
        if ages.last().is_some_and(|(age, _)| *age > MOST_AGE) {
            return Err(format!("ages_us.{name} has ages above {MOST_AGE}"));
        }
        if ages.iter().any(|(_, ticks)| *ticks == 0) {
            return Err(format!("ages_us.{name} has an age of no ticks"));
        }
        for (_, more) in ages {
            ticks = ticks.saturating_add(*more);
        }
    }
    match ticks {
        0 => Err("ages_us holds nothing".to_owned()),
        1..=MOST_TICKS => Ok(report),
        _ => Err(format!("ages_us holds more than {MOST_TICKS} ticks")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(ages: &str) -> String {
        let json = format!(r#"{{"clock_error_us":1,"ages_us":{ages}}}"#);
        parse(json.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_report_is_read() {
        let json = br#"{"clock_error_us":350,"ages_us":{"sse":[[850,12],[1200,3]]}}"#;
        let report = parse(json).unwrap();
        assert_eq!(report.clock_error_us, 350);
        assert_eq!(report.ages_us.sse, [(850, 12), (1200, 3)]);
        assert!(report.ages_us.websocket.is_empty());
    }

    #[test]
    fn an_absurd_histogram_is_refused_by_name() {
        for (ages, named) in [
            ("{}", "ages_us holds nothing"),
            (r#"{"sse":[]}"#, "ages_us holds nothing"),
            (
                r#"{"sse":[[5,1],[5,1]]}"#,
                "ages_us.sse is not in the order",
            ),
            (
                r#"{"sse":[[9,1],[5,1]]}"#,
                "ages_us.sse is not in the order",
            ),
            (
                r#"{"ndjson":[[3600000001,1]]}"#,
                "ages_us.ndjson has ages above",
            ),
            (
                r#"{"websocket":[[5,0]]}"#,
                "ages_us.websocket has an age of no ticks",
            ),
            (
                r#"{"sse":[[5,99999999]],"ndjson":[[5,2]]}"#,
                "more than 100000000 ticks",
            ),
            (
                r#"{"sse":[[5,18446744073709551615],[6,18446744073709551615]]}"#,
                "ticks",
            ),
            (r#"{"sse":[[-5,1]]}"#, "Not a report"),
            (r#"{"sse":[[1.5,1]]}"#, "Not a report"),
            (r#"{"sse":[[1,1,1]]}"#, "Not a report"),
            (
                r#"{"carrier_pigeon":[[5,1]]}"#,
                "unknown field `carrier_pigeon`",
            ),
            (r#"{"sse":[[5,1]],"sse":[[5,1]]}"#, "duplicate field `sse`"),
        ] {
            let error = refused(ages);
            assert!(error.contains(named), "{ages}: {error}");
        }
    }

    #[test]
    fn a_clock_that_is_off_by_more_than_a_minute_is_none() {
        let json = br#"{"clock_error_us":60000001,"ages_us":{"sse":[[1,1]]}}"#;
        assert_eq!(parse(json).unwrap_err(), "clock_error_us is above 60000000");
    }

    #[test]
    fn a_histogram_finer_than_any_clock_is_refused() {
        let pairs: Vec<String> = (0..1_001).map(|age| format!("[{age},1]")).collect();
        let error = refused(&format!(r#"{{"sse":[{}]}}"#, pairs.join(",")));
        assert_eq!(error, "ages_us.sse has more than 1000 pairs");
    }
}
