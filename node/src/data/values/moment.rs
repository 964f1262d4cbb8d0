//! Days and moments as data files write them, and back.
//!
//! Read are `2026-01-05`, `2026/1/5`, and a day with a time, `T` or a space between them, seconds and a fraction optional,
//! with or without an offset. A moment without an offset counts as UTC; fractions beyond microseconds are cut. Forms with
//! the day or the month first are text: 03/04/2026 has two readings.

use jiff::civil::Date;

const US_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// Years outside this are typing errors or placeholders that no calendar function handles alike.
const YEARS: std::ops::RangeInclusive<i16> = 1..=9999;

/// Days since 1970-01-01.
pub(crate) fn day(text: &str) -> Option<i32> {
    let (days, rest) = leading_day(text.trim_ascii())?;
    rest.is_empty().then_some(days)
}

/// Microseconds since 1970-01-01T00:00Z; a day alone is its first moment.
pub(crate) fn moment(text: &str) -> Option<i64> {
    let (days, rest) = leading_day(text.trim_ascii())?;
    let midnight = i64::from(days) * SECONDS_PER_DAY;
    if rest.is_empty() {
        return Some(midnight * US_PER_SECOND);
    }
    let clock = rest.strip_prefix(['T', 't', ' '])?;
    let (us_of_day, offset) = leading_clock(clock)?;
    let offset_s = offset_seconds(offset.trim_ascii_start())?;
    Some((midnight - offset_s) * US_PER_SECOND + us_of_day)
}

fn leading_day(text: &str) -> Option<(i32, &str)> {
    let separator = *text.as_bytes().get(4)?;
    if !matches!(separator, b'-' | b'/') {
        return None;
    }
    let year = i16::try_from(number(text.get(..4)?, 4)?).ok()?;
    let (month, rest) = text.get(5..)?.split_once(char::from(separator))?;
    let day_length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (day, rest) = rest.split_at(day_length);
    // With dashes only the full form: 2026-1-5 is as often a code as a day.
    if separator == b'-' && (month.len(), day.len()) != (2, 2) {
        return None;
    }
    let month = i8::try_from(number(month, 2)?).ok()?;
    let day = i8::try_from(number(day, 2)?).ok()?;
    let date = Date::new(year, month, day)
        .ok()
        .filter(|_| YEARS.contains(&year))?;
    Some((days_since_1970(date), rest))
}

fn days_since_1970(date: Date) -> i32 {
    let epoch = Date::constant(1970, 1, 1);
    (date - epoch).get_days()
}

/// `HH:MM[:SS[.f…]]` and what follows it.
fn leading_clock(text: &str) -> Option<(i64, &str)> {
    let hours = number(text.get(..2)?, 2).filter(|hours| *hours < 24)?;
    let rest = text.get(2..)?.strip_prefix(':')?;
    let minutes = number(rest.get(..2)?, 2).filter(|minutes| *minutes < 60)?;
    let mut rest = rest.get(2..)?;
    let (mut seconds, mut us) = (0, 0);
    if let Some(after) = rest.strip_prefix(':') {
        seconds = number(after.get(..2)?, 2).filter(|seconds| *seconds < 60)?;
        rest = after.get(2..)?;
        if let Some(after) = rest.strip_prefix('.') {
            let length = after.bytes().take_while(u8::is_ascii_digit).count();
            let (fraction, after) = after.split_at(length);
            let kept = fraction.get(..6).unwrap_or(fraction);
            us = number(kept, 6)? * 10i64.pow(6 - u32::try_from(kept.len()).ok()?);
            rest = after;
        }
    }
    let of_day = (hours * 60 + minutes) * 60 + seconds;
    Some((of_day * US_PER_SECOND + us, rest))
}

/// Nothing, `Z`, `+HH`, `+HHMM`, `+HH:MM`.
fn offset_seconds(text: &str) -> Option<i64> {
    if text.is_empty() || text.eq_ignore_ascii_case("z") || text == "UTC" {
        return Some(0);
    }
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let hours = number(rest.get(..2)?, 2).filter(|hours| *hours <= 15)?;
    let minutes = rest.get(2..)?;
    let minutes = match minutes.strip_prefix(':').unwrap_or(minutes) {
        "" if minutes.is_empty() => 0,
        digits if digits.len() == 2 => number(digits, 2).filter(|minutes| *minutes < 60)?,
        _ => return None,
    };
    Some(sign * (hours * 60 + minutes) * 60)
}

fn number(digits: &str, length_max: usize) -> Option<i64> {
    let well_formed = (1..=length_max).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    well_formed.then(|| digits.parse().ok()).flatten()
}

/// `2026-01-05`; outside the calendar's years the plain count of days.
pub(crate) fn write_day(days: i32) -> String {
    let epoch = Date::constant(1970, 1, 1);
    let span = jiff::Span::new().try_days(days);
    match span.and_then(|span| epoch.checked_add(span)) {
        Ok(date) => date.to_string(),
        Err(_) => days.to_string(),
    }
}

/// `2026-01-05T12:00:00Z`, with a fraction where there is one.
pub(crate) fn write_moment(us: i64) -> String {
    match jiff::Timestamp::from_microsecond(us) {
        Ok(moment) => moment.to_string(),
        Err(_) => us.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_in_year_first_forms_are_read() {
        assert_eq!(day("1970-01-01"), Some(0));
        assert_eq!(day("2026-01-05"), Some(20_458));
        assert_eq!(day("2026/1/5"), day("2026-01-05"));
        assert_eq!(day("2026/01/05"), day("2026-01-05"));
        assert_eq!(day(" 1969-12-31 "), Some(-1));
        assert_eq!(day("2024-02-29"), Some(19_782));
    }

    #[test]
    fn doubtful_days_are_text() {
        for text in [
            "",
            "2026",
            "20260105",
            "2026-1-5",
            "05/01/2026",
            "2026-02-30",
            "2025-02-29",
            "2026-13-01",
            "2026-00-10",
            "0000-01-01",
            "2026-01-05x",
            "2026-01/05",
            "2026-01-05T10:00",
            "日本-01-05",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn moments_are_one_instant_however_written() {
        let noon = Some(1_767_614_400_000_000);
        for text in [
            "2026-01-05T12:00:00Z",
            "2026-01-05 12:00:00",
            "2026-01-05 12:00",
            "2026/1/5 12:00:00",
            "2026-01-05T20:00:00+08:00",
            "2026-01-05T20:00:00+0800",
            "2026-01-05 20:00:00 +08",
            "2026-01-05T07:30:00-04:30",
            "2026-01-05T12:00:00.000000000Z",
        ] {
            assert_eq!(moment(text), noon, "{text}");
        }
        assert_eq!(moment("1970-01-01T00:00:00.1234567Z"), Some(123_456));
        assert_eq!(moment("1970-01-02"), Some(86_400_000_000));
        for text in [
            "2026-01-05T24:00:00",
            "2026-01-05T12",
            "2026-01-05T12:60",
            "2026-01-05T12:00:00+8",
            "2026-01-05T12:00:00 CET",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for days in [-719_162, -1, 0, 20_458, 2_932_896] {
            assert_eq!(day(&write_day(days)), Some(days));
        }
        for us in [0, -1, 1_767_614_400_000_000, 1_767_614_400_123_456] {
            assert_eq!(moment(&write_moment(us)), Some(us));
        }
    }
}
