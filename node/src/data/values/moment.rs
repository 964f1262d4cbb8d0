//! Days and moments as data files write them, and back.
//!
//! Read are `2026-01-05`, `2026/1/5`, and a day with a time, `T` or a space between them, seconds and a fraction optional,
//! with or without an offset. A moment without an offset counts as UTC; fractions beyond microseconds are cut. Forms with
//! the day or the month first are text: 03/04/2026 has two readings.

use jiff::civil::Date;

const US_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// Years outside this are typing errors or placeholders that no calendar function handles alike.
const YEARS: std::ops::RangeInclusive<i64> = 1..=9999;
/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

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
    let bytes = text.as_bytes();
    let [y1, y2, y3, y4, separator @ (b'-' | b'/'), ..] = bytes else {
        return None;
    };
    let year = digits(&[*y1, *y2, *y3, *y4])?;
    let (month_digits, month) = leading_digits(bytes.get(5..)?)?;
    let day_begins = 5 + month_digits + 1;
    if bytes.get(day_begins - 1) != Some(separator) {
        return None;
    }
    let (day_digits, day) = leading_digits(bytes.get(day_begins..)?)?;
    // With dashes only the full form: 2026-1-5 is as often a code as a day.
    if *separator == b'-' && (month_digits, day_digits) != (2, 2) {
        return None;
    }
    if !YEARS.contains(&year) || !(1..=12).contains(&month) || day < 1 || day > days_of(year, month)
    {
        return None;
    }
    let rest = text.get(day_begins + day_digits..)?;
    Some((i32::try_from(days_since_1970(year, month, day)).ok()?, rest))
}

/// One or two digits at the beginning, and that no third follows.
fn leading_digits(bytes: &[u8]) -> Option<(usize, i64)> {
    let digit = |place: usize| bytes.get(place).filter(|byte| byte.is_ascii_digit());
    match (digit(0), digit(1), digit(2)) {
        (Some(one), Some(two), None) => Some((2, digits(&[*one, *two])?)),
        (Some(one), None, _) => Some((1, digits(&[*one])?)),
        _ => None,
    }
}

fn digits(bytes: &[u8]) -> Option<i64> {
    let mut value = 0;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(value)
}

/// Days of a month of the Gregorian calendar.
fn days_of(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01, for years above 0: years are counted from March, so that the leap day comes last, and 153 days
/// are five months from there.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year_from_march = if month > 2 { year } else { year - 1 };
    let month_from_march = (month + 9) % 12;
    let leap_days = year_from_march / 4 - year_from_march / 100 + year_from_march / 400;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    year_from_march * 365 + leap_days + day_of_year - DAYS_TO_1970
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
    fn every_day_of_four_centuries_is_the_calendars() {
        let mut date = Date::constant(1799, 12, 31);
        let first = day(&date.to_string()).expect("a day");
        for passed in 0..=150_000 {
            assert_eq!(day(&date.to_string()), Some(first + passed), "{date}");
            date = date.tomorrow().expect("the calendar goes on");
        }
        assert_eq!(write_day(first), "1799-12-31");
        for text in ["1900-02-29", "2100-02-29", "2023-04-31"] {
            assert_eq!(day(text), None, "{text}");
        }
        assert_eq!(day("2000-02-29"), Some(11_016));
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
