//! How the numbers of a joint table are written: decimals by what they are of, so that no more digits stand there than the numbers have.

use crate::data::fault::defect;
use crate::data::layout::Value;
use crate::data::statistics::Exact;
use crate::data::table::{AVERAGE_DECIMALS, NUMBER_DIGITS};
use crate::data::values::exact::digits_of;
use entente_wire::plan::{MeasureAt, Side, TableValue};
use entente_wire::problem::Problem;

/// Digits of a bar of error; more would claim to know the error better than a first-order rule does.
const ERROR_DIGITS: u32 = 3;
/// Decimals of a bar of error of whole numbers.
const ERROR_DECIMALS_MIN: u8 = 2;
/// Digits of a number of ids: fewer than 2^32.
const IDS_DIGITS: u32 = 10;

/// How a column's numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    /// The statistic comes in units of 10^-`scale`.
    pub(super) scale: i32,
    pub(super) decimals: u8,
    /// Of these at least so many are written.
    keep: u8,
}

/// How numbers of a kind are written; a group key has no form.
pub(super) fn form(sides: &[Side], what: &TableValue) -> Result<Option<Form>, Problem> {
    let measure = |side: usize, place: usize| {
        let side = sides.get(side);
        let measure = side.and_then(|side| side.measures.get(place));
        measure
            .map(|measure| Scaled {
                scale: measure.scale,
                cap: measure
                    .clip
                    .map(i64::unsigned_abs)
                    .into_iter()
                    .max()
                    .unwrap_or(0),
            })
            .ok_or_else(|| defect("a column names no measure"))
    };
    let at = |at: &MeasureAt| measure(at.side, at.place);
    Ok(Some(match what {
        TableValue::Group { .. } => return Ok(None),
        TableValue::CountAll | TableValue::Count { .. } => Form::of(0, 0, 0),
        TableValue::Sum { side, place } => {
            let x = measure(*side, *place)?;
            Form::of(x.scale.into(), x.scale, x.scale)
        }
        TableValue::Avg { side, place } | TableValue::StddevSamp { side, place } => {
            let x = measure(*side, *place)?;
            Form::of(x.scale.into(), x.scale + AVERAGE_DECIMALS, x.scale)
        }
        TableValue::VarSamp { side, place } => {
            let x = measure(*side, *place)?;
            let scale = 2 * x.scale;
            // At most n/(n − 1) ≤ 2 times the square of the cap.
            let largest = u128::from(x.cap) * u128::from(x.cap) * 2;
            Form::fitted(
                scale.into(),
                scale + AVERAGE_DECIMALS,
                scale,
                digits_of(largest),
            )
        }
        TableValue::Corr { .. } => Form::of(0, AVERAGE_DECIMALS, 0),
        TableValue::RegrSlope { y, x } => {
            let (y, x) = (at(y)?, at(x)?);
            let scale = i32::from(y.scale) - i32::from(x.scale);
            let decimals = y.scale + AVERAGE_DECIMALS + x.whole_digits();
            // x varies by a unit at least, so that no slope is above the number of ids times the largest y.
            Form::fitted(scale, decimals, 0, y.digits() + IDS_DIGITS)
        }
        TableValue::RegrIntercept { y, x } => {
            let (y, x) = (at(y)?, at(x)?);
            let digits = y.digits() + IDS_DIGITS + x.digits() + 1;
            Form::fitted(y.scale.into(), y.scale + AVERAGE_DECIMALS, y.scale, digits)
        }
    }))
}

/// A measure's largest magnitude, in units of 10^-`scale`.
#[derive(Clone, Copy)]
struct Scaled {
    scale: u8,
    cap: u64,
}

impl Scaled {
    fn digits(self) -> u32 {
        digits_of(self.cap.into())
    }

    /// Digits in front of the point.
    fn whole_digits(self) -> u8 {
        let whole = u128::from(self.cap) / 10_u128.pow(self.scale.into());
        digits_of(whole) as u8
    }
}

impl Form {
    pub(super) fn of(scale: i32, decimals: u8, keep: u8) -> Self {
        Self {
            scale,
            decimals,
            keep,
        }
    }

    /// With fewer decimals where a number of so many `digits` in units of 10^-`scale` would need more than 38.
    fn fitted(scale: i32, decimals: u8, keep: u8, digits: u32) -> Self {
        let whole = i64::from(digits) - i64::from(scale);
        let room = (i64::from(NUMBER_DIGITS) - whole.max(1)).max(0);
        let decimals = u8::try_from(room).map_or(decimals, |room| decimals.min(room));
        Self::of(scale, decimals, keep.min(decimals))
    }

    pub(super) fn error_decimals(self) -> u8 {
        self.decimals.max(ERROR_DECIMALS_MIN)
    }

    pub(super) fn number<'a>(self, exact: &Exact) -> Value<'a> {
        match exact.rounded(self.scale, self.decimals) {
            Some(units) => Value::Number {
                units,
                scale: self.decimals,
                keep: self.keep,
            },
            None => Value::Null,
        }
    }

    /// A standard error in the statistic's units.
    pub(super) fn error<'a>(self, error: f64) -> Value<'a> {
        let decimals = self.error_decimals();
        let units = error * 10_f64.powi(i32::from(decimals) - self.scale);
        if !units.is_finite() || units >= 10_f64.powi(NUMBER_DIGITS.into()) {
            return Value::Null;
        }
        // Not negative, and below 10^38.
        let units = units.round() as i128;
        let surplus = digits_of(units.unsigned_abs()).saturating_sub(ERROR_DIGITS);
        let unit = 10_i128.pow(surplus);
        Value::Number {
            units: (units + unit / 2) / unit * unit,
            scale: decimals,
            keep: 0,
        }
    }
}
