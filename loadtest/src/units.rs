//! Numbers as people read them.

use std::time::Duration;

/// Microseconds: `87 µs`, `1.25 ms`, `2.40 s`.
pub(crate) fn micros(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => three_digits(us as f64 / 1e3, "ms"),
        _ => three_digits(us as f64 / 1e6, "s"),
    }
}

/// Microseconds of which a part counts: `4.21 µs`, `1.25 ms`.
pub(crate) fn fine_micros(us: f64) -> String {
    match us {
        ..1e3 => three_digits(us, "µs"),
        _ => three_digits(us / 1e3, "ms"),
    }
}

/// Bytes in powers of two, as memory is counted: `13.0 KiB`, `1.25 MiB`. What has shrunk has a minus.
pub(crate) fn memory(bytes: f64) -> String {
    let kib = bytes / 1024.0;
    let text = match kib.abs() {
        ..1024.0 => three_digits(kib.abs(), "KiB"),
        _ => three_digits(kib.abs() / 1024.0, "MiB"),
    };
    if kib < 0.0 {
        format!("−{text}")
    } else {
        text
    }
}

/// Bytes in powers of ten, as networks count them: `87 B`, `1.25 kB`, `2.40 MB`.
pub(crate) fn bytes(count: f64) -> String {
    match count {
        ..1e3 => three_digits(count, "B"),
        1e3..1e6 => three_digits(count / 1e3, "kB"),
        1e6..1e9 => three_digits(count / 1e6, "MB"),
        _ => three_digits(count / 1e9, "GB"),
    }
}

/// A whole number with its thousands apart: `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: `1 client`, `200 clients`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!(
        "{} {noun}{}",
        count(number),
        if number == 1 { "" } else { "s" }
    )
}

/// Reads a duration flag: a number with `ms`, `s`, `m` or `h`, between the two bounds.
pub(crate) fn parse_duration(
    text: &str,
    least: Duration,
    most: Duration,
) -> Result<Duration, String> {
    let split = text
        .find(|c: char| c != '.' && !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds_in_one = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("write a number with a unit, like 500ms, 10s, 2m or 1h".into()),
    };
    let number: f64 = number
        .parse()
        .map_err(|_| "write a number with a unit, like 10s".to_owned())?;
    let duration =
        Duration::try_from_secs_f64(number * seconds_in_one).map_err(|error| error.to_string())?;
    if duration < least || duration > most {
        return Err(format!("must be between {least:?} and {most:?}"));
    }
    Ok(duration)
}

fn three_digits(value: f64, unit: &str) -> String {
    match value {
        ..9.995 => format!("{value:.2} {unit}"),
        ..99.95 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_a_unit() {
        assert_eq!(
            [0, 999, 1_250, 45_600, 999_400, 2_400_000].map(micros),
            ["0 µs", "999 µs", "1.25 ms", "45.6 ms", "999 ms", "2.40 s"]
        );
        assert_eq!(
            [12.3, 1_250.0, 8_000_000.0, 2.5e9].map(bytes),
            ["12.3 B", "1.25 kB", "8.00 MB", "2.50 GB"]
        );
        assert_eq!([4.214, 1_250.0].map(fine_micros), ["4.21 µs", "1.25 ms"]);
        assert_eq!(
            [13_312.0, -512.0, 1_310_720.0].map(memory),
            ["13.0 KiB", "−0.50 KiB", "1.25 MiB"]
        );
    }

    #[test]
    fn thousands_apart() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!([1, 2].map(|n| counted(n, "tick")), ["1 tick", "2 ticks"]);
    }

    #[test]
    fn durations_have_a_unit_and_bounds() {
        let parse =
            |text| parse_duration(text, Duration::from_millis(100), Duration::from_secs(3600));
        assert_eq!(parse("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        for bad in ["", "10", "s", "-1s", "1.2.3s", "0s", "2h", "10 s", "1e99s"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
