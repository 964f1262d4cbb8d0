//! Exact decimals: reading them from text and from floating point, changing their scale, writing them.
//!
//! A number is `units` × 10^-`scale`. Rounding is half away from zero. A floating-point value counts as the shortest decimal
//! that reads back as it, which is what every table, spreadsheet and database prints: 1.005 is 1.005, not
//! 1.00499999999999989….

use std::fmt::Write as _;

/// Most significant digits of an exact decimal; what Arrow's `Decimal128` holds.
pub(crate) const DIGITS_MAX: u32 = 38;
/// Largest power of ten in an exponent that is read; beyond it no value fits [`DIGITS_MAX`] anyway.
const EXPONENT_MAX: i32 = 400;

/// A decimal as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    /// Signed digits without the point.
    pub(crate) units: i128,
    /// How many of them stand after the point; negative for trailing zeros before it.
    pub(crate) scale: i32,
}

impl Number {
    /// Digits before the point that the value needs.
    pub(crate) fn whole_digits(self) -> u32 {
        let digits = digits_of(self.units.unsigned_abs());
        if self.units == 0 {
            return 1;
        }
        u32::try_from(i64::from(digits) - i64::from(self.scale))
            .unwrap_or(0)
            .max(1)
    }

    /// Digits after the point that the value needs.
    pub(crate) fn fraction_digits(self) -> u32 {
        u32::try_from(self.scale).unwrap_or(0)
    }

    /// In units of 10^-`scale`, half away from zero; saturates where 128 bits end, which every clip is far inside of.
    pub(crate) fn at_scale(self, scale: u8) -> i128 {
        rescale(self.units, self.scale, scale)
    }
}

/// What a text that looks like a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numeric {
    /// A whole number without point or exponent.
    Whole(Number),
    /// Has a point or an exponent.
    Fraction(Number),
    /// NaN or an infinity.
    NotFinite,
}

/// Reads a number as data files write it: `-12`, `12.50`, `.5`, `1.5e-7`; spaces around it are padding.
///
/// Not numbers, on purpose, because they are codes or need a guess: leading zeros (`007`), a leading plus (`+86…`), thousands
/// separators, `12E4` without point or sign in the exponent, more than 38 digits.
pub(crate) fn read(text: &str) -> Option<Numeric> {
    let text = text.trim_ascii().as_bytes();
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    match rest {
        [b'0', b'0'..=b'9', ..] => return None,
        [b'0'..=b'9' | b'.', ..] => {}
        _ => return is_not_finite(rest).then_some(Numeric::NotFinite),
    }
    let mut digits = Digits::default();
    let whole = digits.take(rest)?;
    let rest = rest.get(whole..)?;
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => {
            let fraction = digits.take(rest)?;
            (
                Some(fraction).filter(|digits| *digits > 0)?,
                rest.get(fraction..)?,
            )
        }
        rest if whole > 0 => (0, rest),
        _ => return None,
    };
    let shift = match rest {
        [] => 0,
        [b'e' | b'E', exponent @ ..] => read_exponent(exponent, fraction > 0)?,
        _ => return None,
    };
    let units = i128::try_from(digits.units()).ok()?;
    let number = Number {
        units: if negative { -units } else { units },
        scale: i32::try_from(fraction).ok()? - shift,
    };
    Some(match (fraction, rest) {
        (0, []) => Numeric::Whole(number),
        _ => Numeric::Fraction(number),
    })
}

fn is_not_finite(text: &[u8]) -> bool {
    ["nan", "inf", "infinity"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
}

/// Decimal digits as a number, at most [`DIGITS_MAX`] of them from the first that is not zero. The first 18 are added up in
/// 64 bits: nearly all numbers end there.
#[derive(Default)]
struct Digits {
    low: u64,
    high: u128,
    count: u32,
}

impl Digits {
    /// Takes digits from the beginning of `text` and says how many; `None` where there are too many.
    fn take(&mut self, text: &[u8]) -> Option<usize> {
        const LOW_DIGITS: u32 = 18;
        let mut taken = 0;
        for byte in text {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            taken += 1;
            if self.count == 0 && digit == 0 {
                continue;
            }
            if self.count < LOW_DIGITS {
                self.low = self.low * 10 + u64::from(digit);
            } else if self.count < DIGITS_MAX {
                let before = if self.count == LOW_DIGITS {
                    u128::from(self.low)
                } else {
                    self.high
                };
                self.high = before * 10 + u128::from(digit);
            } else {
                return None;
            }
            self.count += 1;
        }
        Some(taken)
    }

    fn units(&self) -> u128 {
        if self.high > 0 {
            self.high
        } else {
            u128::from(self.low)
        }
    }
}

fn read_exponent(text: &[u8], has_point: bool) -> Option<i32> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (Some(-1), digits),
        [b'+', digits @ ..] => (Some(1), digits),
        digits => (None, digits),
    };
    if sign.is_none() && !has_point {
        return None;
    }
    let mut value = Digits::default();
    if digits.is_empty() || value.take(digits)? != digits.len() {
        return None;
    }
    let value = i32::try_from(value.units()).ok();
    let value = value.filter(|value| *value <= EXPONENT_MAX)?;
    Some(sign.unwrap_or(1) * value)
}

/// The shortest decimal that reads back as `value`; `None` for NaN and infinities.
pub(crate) fn of_f64(value: f64) -> Option<Number> {
    of_scientific(value.is_finite(), format_args!("{value:e}"))
}

/// The shortest decimal that reads back as `value`; `None` for NaN and infinities.
pub(crate) fn of_f32(value: f32) -> Option<Number> {
    of_scientific(value.is_finite(), format_args!("{value:e}"))
}

fn of_scientific(finite: bool, written: std::fmt::Arguments<'_>) -> Option<Number> {
    if !finite {
        return None;
    }
    let mut text = String::with_capacity(32);
    text.write_fmt(written).ok()?;
    let (mantissa, exponent) = text.split_once('e')?;
    let shift: i32 = exponent.parse().ok()?;
    match read(mantissa)? {
        Numeric::Whole(number) | Numeric::Fraction(number) => Some(Number {
            units: number.units,
            scale: number.scale - shift,
        }),
        Numeric::NotFinite => None,
    }
}

/// `units` × 10^-`from` in units of 10^-`to`, half away from zero, saturating.
pub(crate) fn rescale(units: i128, from: i32, to: u8) -> i128 {
    let shift = i32::from(to) - from;
    let power = 10i128.checked_pow(shift.unsigned_abs());
    match (shift >= 0, power) {
        (true, Some(power)) => units.saturating_mul(power),
        (true, None) => units.signum().saturating_mul(i128::MAX),
        (false, Some(power)) => {
            let (quotient, rest) = (units / power, (units % power).unsigned_abs());
            // rest < power, so twice the rest fits 129 bits; compared by subtraction to stay inside 128.
            let up = rest >= power.unsigned_abs() - rest;
            quotient + if up { units.signum() } else { 0 }
        }
        (false, None) => 0,
    }
}

/// `numerator` / `denominator`, half away from zero. The denominator is a count, above zero.
pub(crate) fn divide(numerator: i128, denominator: u64) -> i128 {
    let denominator = i128::from(denominator.max(1));
    let (quotient, rest) = (numerator / denominator, (numerator % denominator).abs());
    let up = rest >= denominator - rest;
    quotient + if up { numerator.signum() } else { 0 }
}

/// Writes `units` × 10^-`scale` with exactly `scale` decimals.
pub(crate) fn write(units: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let digits = units.unsigned_abs().to_string();
    let sign = if units < 0 { "-" } else { "" };
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// As [`write`], without zeros at the end of the fraction beyond `keep` decimals.
pub(crate) fn write_trimmed(units: i128, scale: u8, keep: u8) -> String {
    let text = write(units, scale);
    let surplus = usize::from(scale.saturating_sub(keep));
    let zeros = text.bytes().rev().take_while(|byte| *byte == b'0').count();
    let text = &text[..text.len() - zeros.min(surplus)];
    text.strip_suffix('.').unwrap_or(text).to_owned()
}

/// Decimal digits of a number; 0 has one.
pub(crate) fn digits_of(value: u128) -> u32 {
    value.checked_ilog10().map_or(1, |log| log + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // tests: a failure is the point
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str, scale: u8) -> Option<i128> {
        match read(text)? {
            Numeric::Whole(number) | Numeric::Fraction(number) => Some(number.at_scale(scale)),
            Numeric::NotFinite => None,
        }
    }

    #[test]
    fn halves_round_away_from_zero() {
        for (text, scale, units) in [
            ("1.005", 2, 101),
            ("-1.005", 2, -101),
            ("1.0049999999999999999999999", 2, 100),
            ("2.5", 0, 3),
            ("-2.5", 0, -3),
            ("0.5", 0, 1),
            ("0.49", 0, 0),
            ("7", 3, 7000),
            ("1.5e3", 0, 1500),
            ("1.5e-3", 3, 2),
            ("1.4e-3", 3, 1),
            (".5", 1, 5),
            (" 12.50 ", 2, 1250),
            (
                "99999999999999999999999999999999999999",
                0,
                10i128.pow(38) - 1,
            ),
        ] {
            assert_eq!(at(text, scale), Some(units), "{text}");
        }
    }

    #[test]
    fn codes_and_guesses_are_not_numbers() {
        for text in [
            "",
            "-",
            ".",
            "1.",
            "007",
            "-01",
            "00.5",
            "+5",
            "1,234",
            "12E4",
            "1e",
            "1e5",
            "0x10",
            "1_000",
            "１２",
            "--1",
            "1.5e",
            "1.5e+-3",
            "1.5e9999",
            "999999999999999999999999999999999999999",
            "1.2.3",
            "e5",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn not_finite_is_told_from_text() {
        for text in ["NaN", "nan", "inf", "-inf", "Infinity", "-Infinity"] {
            assert_eq!(read(text), Some(Numeric::NotFinite), "{text}");
        }
        assert_eq!(read("infinite"), None);
    }

    #[test]
    fn floating_point_counts_as_its_shortest_decimal() {
        assert_eq!(of_f64(1.005).unwrap().at_scale(2), 101);
        assert_eq!(of_f64(-2.675).unwrap().at_scale(2), -268);
        assert_eq!(of_f32(0.1).unwrap().at_scale(9), 100_000_000);
        assert_eq!(of_f64(1e300).unwrap().at_scale(2), i128::MAX);
        assert_eq!(of_f64(-1e300).unwrap().at_scale(2), -i128::MAX);
        assert_eq!(of_f64(5e-324).unwrap().at_scale(18), 0);
        assert_eq!(of_f64(-0.0).unwrap().at_scale(2), 0);
        assert_eq!(of_f64(f64::NAN), None);
        assert_eq!(of_f64(f64::INFINITY), None);
    }

    #[test]
    fn decimals_are_written_with_all_their_places() {
        for (units, scale, text) in [
            (0, 2, "0.00"),
            (-5, 2, "-0.05"),
            (12345, 2, "123.45"),
            (-7, 0, "-7"),
            (i128::MIN, 0, "-170141183460469231731687303715884105728"),
        ] {
            assert_eq!(write(units, scale), text);
        }
        assert_eq!(write_trimmed(5_025_000_000, 8, 2), "50.25");
        assert_eq!(write_trimmed(5_000_000_000, 8, 2), "50.00");
        assert_eq!(write_trimmed(5_000_000_000, 8, 0), "50");
        assert_eq!(write_trimmed(3_333_333_333, 8, 2), "33.33333333");
    }

    #[test]
    fn digits_needed_are_counted_on_both_sides_of_the_point() {
        for (text, whole, fraction) in [
            ("0", 1, 0),
            ("123.45", 3, 2),
            ("0.00012", 1, 5),
            ("1.5e3", 4, 0),
            ("1.5e-3", 1, 4),
            ("-99.9", 2, 1),
        ] {
            let (Numeric::Whole(n) | Numeric::Fraction(n)) = read(text).unwrap() else {
                continue;
            };
            assert_eq!(
                (n.whole_digits(), n.fraction_digits()),
                (whole, fraction),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(units in any::<i64>(), scale in 0u8..=18) {
            prop_assert_eq!(at(&write(i128::from(units), scale), scale), Some(i128::from(units)));
        }

        #[test]
        fn rounding_errs_by_at_most_half_a_unit(units in any::<i64>(), from in 0i32..20, to in 0u8..20) {
            let rounded = rescale(i128::from(units), from, to);
            let back = rescale(rounded, i32::from(to), from.max(i32::from(to)) as u8);
            let exact = rescale(i128::from(units), from, from.max(i32::from(to)) as u8);
            let unit = 10i128.pow((from - i32::from(to)).max(0) as u32);
            prop_assert!((back - exact).abs() * 2 <= unit);
        }
    }
}
