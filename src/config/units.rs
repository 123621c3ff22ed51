//! Numbers with units.

use std::time::Duration;

/// A time like 1.5s within bounds.
pub(super) fn duration(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let bounds = || format!("it takes {least:?} to {most:?}");
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &text[number.len()..] {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => {
            let units = "a number with us, ms, s, m or h after it";
            return Err(format!("{units}; {}", bounds()));
        }
    };
    let seconds: f64 = number
        .parse()
        .map_err(|_| format!("{number:?} is no number; {}", bounds()))?;
    match Duration::try_from_secs_f64(seconds * scale) {
        Ok(duration) if (least..=most).contains(&duration) => Ok(duration),
        _ => Err(bounds()),
    }
}

/// A number of bytes like 64KiB within bounds.
pub(super) fn bytes(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &text[number.len()..] {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        unit => return Err(format!("{unit:?} is no unit; it takes B, KiB, MiB or GiB")),
    };
    let count = number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(scale));
    match count {
        Some(count) if (least..=most).contains(&count) => Ok(count),
        _ => Err(format!("it takes {least} to {most} bytes")),
    }
}
