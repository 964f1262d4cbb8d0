//! Durations as people type them: `90s`, `15m`, `24h`, `7d`.

use std::time::Duration;

/// Longest duration that can be asked for: a year.
const DURATION_S_MAX: u64 = 366 * 24 * 3600;

/// Parses a whole number with a unit.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let rule =
        || format!("\"{text}\" is not a duration: write 90s, 15m, 24h or 7d, a year at most");
    let unit = text.chars().last().ok_or_else(rule)?;
    let unit_s = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        _ => return Err(rule()),
    };
    let number = text.strip_suffix(unit).ok_or_else(rule)?;
    let number: u64 = number.parse().map_err(|_| rule())?;
    let seconds = number.checked_mul(unit_s).ok_or_else(rule)?;
    if !(1..=DURATION_S_MAX).contains(&seconds) {
        return Err(rule());
    }
    Ok(Duration::from_secs(seconds))
}

/// A time in seconds as people read it.
pub(crate) fn in_words(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours} h {minutes} min")
    } else {
        format!("{minutes} min {seconds} s")
    }
}

/// Bytes as people read them.
pub(crate) fn bytes_in_words(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A moment, as RFC 3339 in UTC.
pub(crate) fn moment(unix_s: u64) -> String {
    i64::try_from(unix_s)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| format!("{unix_s} s since 1970"), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_an_end() {
        assert_eq!(parse("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(parse("90s"), Ok(Duration::from_secs(90)));
        for bad in [
            "",
            "h",
            "24",
            "0s",
            "-1h",
            "1w",
            "400d",
            "99999999999999999999h",
            "１h",
            "h１",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bytes_and_times_read_well() {
        assert_eq!(bytes_in_words(999), "999 B");
        assert_eq!(bytes_in_words(1_500_000), "1.5 MB");
        assert_eq!(in_words(1.25), "1.2 s");
        assert_eq!(in_words(3_700.0), "1 h 1 min");
        assert_eq!(moment(0), "1970-01-01T00:00:00Z");
    }
}
