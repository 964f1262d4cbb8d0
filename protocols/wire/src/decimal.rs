//! Exact decimal numbers as scaled integers. Amounts, caps and privacy losses never pass through floating point, so that what a
//! person wrote is what every party computes with.

/// Most decimals a scale can keep: 10^18 still fits 64 bits.
pub const SCALE_MAX: u8 = 18;

/// Why a text is not a number of a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// Not digits with at most one point.
    #[error("it is not a plain decimal number such as 12, -3 or 0.25")]
    Malformed,
    /// More decimals than the scale keeps.
    #[error("it has more than {scale} decimals")]
    TooFine {
        /// Decimals kept.
        scale: u8,
    },
    /// Does not fit 64 bits at this scale.
    #[error("it does not fit 64 bits with {scale} decimals")]
    TooLarge {
        /// Decimals kept.
        scale: u8,
    },
}

/// Whether `text` is written like a number: sign, digits, one point. Says nothing about its size.
pub fn looks_like_number(text: &str) -> bool {
    split(text).is_some()
}

/// `text` in units of 10^-`scale`, exactly; decimals that would be lost are an error, zeros are not lost.
pub fn parse(text: &str, scale: u8) -> Result<i64, DecimalError> {
    let (negative, whole, decimals) = split(text).ok_or(DecimalError::Malformed)?;
    let kept = usize::from(scale);
    let mut decimals = decimals.bytes().filter(|b| *b != b'_');
    let mut units: i128 = 0;
    for digit in whole.bytes().filter(|b| *b != b'_') {
        units = push(units, digit, scale)?;
    }
    for _ in 0..kept {
        units = push(units, decimals.next().unwrap_or(b'0'), scale)?;
    }
    if decimals.any(|digit| digit != b'0') {
        return Err(DecimalError::TooFine { scale });
    }
    let units = if negative { -units } else { units };
    i64::try_from(units).map_err(|_| DecimalError::TooLarge { scale })
}

/// `units` of 10^-`scale` as text, with exactly `scale` decimals.
pub fn render(units: i64, scale: u8) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let kept = usize::from(scale);
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = kept + 1);
    match digits.split_at_checked(digits.len() - kept) {
        Some((whole, decimals)) if kept > 0 => format!("{sign}{whole}.{decimals}"),
        _ => format!("{sign}{digits}"),
    }
}

fn push(units: i128, digit: u8, scale: u8) -> Result<i128, DecimalError> {
    let units = units * 10 + i128::from(digit - b'0');
    // One digit beyond 64 bits is enough to know; stopping here keeps the sum far from 128 bits.
    if units > i128::from(u64::MAX) {
        return Err(DecimalError::TooLarge { scale });
    }
    Ok(units)
}

/// Sign, whole digits and decimals; `_` may stand between digits.
fn split(text: &str) -> Option<(bool, &str, &str)> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, decimals) = match digits.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (digits, None),
    };
    let plain = |part: &str| {
        part.bytes().all(|b| b.is_ascii_digit() || b == b'_')
            && !part.is_empty()
            && !part.starts_with('_')
            && !part.ends_with('_')
            && !part.contains("__")
    };
    let valid = plain(whole) && decimals.is_none_or(plain);
    valid.then_some((negative, whole, decimals.unwrap_or("")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_person_wrote_is_kept_to_the_last_digit() {
        for (text, scale, units) in [
            ("8.0", 6, 8_000_000),
            ("0.1", 1, 1),
            ("100_000", 2, 10_000_000),
            ("-0.05", 2, -5),
            ("+1.500", 2, 150),
            ("0", 0, 0),
            ("007", 0, 7),
            ("9223372036854775807", 0, i64::MAX),
            ("-9.223372036854775808", 18, i64::MIN),
            // 0.1 + 0.2 in binary floating point would be 0.30000000000000004.
            ("0.300000000000000004", 18, 300_000_000_000_000_004),
        ] {
            assert_eq!(parse(text, scale), Ok(units), "{text}");
        }
    }

    #[test]
    fn nothing_is_rounded_and_nothing_wraps() {
        assert_eq!(parse("1.005", 2), Err(DecimalError::TooFine { scale: 2 }));
        let too_large = Err(DecimalError::TooLarge { scale: 0 });
        assert_eq!(parse("9223372036854775808", 0), too_large);
        assert_eq!(parse(&"9".repeat(100_000), 0), too_large);
        for text in [
            "", "-", ".", "1.", ".5", "1e3", "inf", "nan", "0x10", "1__0", "_1", "1_", "1_.0",
            "1.2.3", "١", "1,000", " 1", "--1", "+-1",
        ] {
            assert_eq!(parse(text, 2), Err(DecimalError::Malformed), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn rendering_and_parsing_are_inverse(units: i64, scale in 0..=SCALE_MAX) {
            prop_assert_eq!(parse(&render(units, scale), scale), Ok(units));
        }

        #[test]
        fn any_text_gives_a_number_or_an_error(text in ".{0,40}", scale in 0..=SCALE_MAX) {
            let _ = parse(&text, scale);
        }
    }
}
