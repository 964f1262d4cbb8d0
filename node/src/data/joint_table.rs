//! The table of a blind join, from the cells that were released.
//!
//! Cells lie by R's combined group code, then S's, whose codes are padded to a power of two: padding is nobody's and no cell at
//! all. A cell that was not released is counted as suppressed, whoever is or is not in it. Everything is computed exactly and
//! rounded once, half away from zero, to so many decimals, of which zeros at the end are not written:
//!
//! | column | decimals |
//! |---|---|
//! | COUNT | none |
//! | SUM | those of its measure |
//! | AVG, STDDEV_SAMP | [`AVERAGE_DECIMALS`] more than its measure |
//! | VAR_SAMP | [`AVERAGE_DECIMALS`] more than the square of its measure, fewer where 38 digits would not hold the largest |
//! | CORR | [`AVERAGE_DECIMALS`] |
//! | REGR_SLOPE | so many that the slope times the largest x has those of AVG(y), fewer likewise |
//! | REGR_INTERCEPT | those of AVG(y), fewer likewise |
//!
//! Where the table carries noise, each number has a column `_se` behind it: its standard error, of three digits. Noise can leave
//! a statistic without a value (see [`super::statistics`]) or with one of more than 38 digits: NULL.

use super::fault::defect;
use super::group;
use super::layout::{Heading, Table, Value, is_numeric_key, lay_out};
use super::manifest::Storage;
use super::statistics::{Exact, Sums};
use super::table::{AVERAGE_DECIMALS, NUMBER_DIGITS};
use super::values::exact::digits_of;
use entente_wire::names::ColumnName;
use entente_wire::plan::{Joint, MeasureAt, Operator, Plan, Side, TableColumn, TableValue};
use entente_wire::problem::Problem;
use std::collections::BTreeSet;

/// Digits of a bar of error; more would claim to know the error better than a first-order rule does.
const ERROR_DIGITS: u32 = 3;
/// Decimals of a bar of error of whole numbers.
const ERROR_DECIMALS_MIN: u8 = 2;
/// Digits of a number of ids: fewer than 2^32.
const IDS_DIGITS: u32 = 10;

/// What was released of a table.
#[derive(Clone, Copy)]
pub struct Released<'a> {
    /// Cells by R's group code, then S's, padding included; of each, one word a moment, or nothing where it is suppressed. Words of
    /// moments that are not opened are not looked at.
    pub cells: &'a [Option<Vec<i128>>],
    /// The standard error of the noise in each moment of a cell; `None` where the table is exact.
    pub errors: Option<&'a [f64]>,
}

/// A cell that was released.
struct Shown<'a> {
    /// Group codes by side.
    codes: [u32; 2],
    words: &'a [i128],
}

/// How a column's numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    /// The statistic comes in units of 10^-`scale`.
    scale: i32,
    decimals: u8,
    /// Of these at least so many are written.
    keep: u8,
}

/// A column and how it is written; group keys have no form.
struct Column<'a> {
    named: &'a TableColumn,
    form: Option<Form>,
    /// The name of its bar of error.
    error: Option<ColumnName>,
}

/// The table of `plan`, which is one of a blind join.
pub fn joint_table(plan: &Plan, released: Released<'_>) -> Result<Table, Problem> {
    let joint = joint(plan)?;
    let columns = columns(plan, joint, released.errors.is_some())?;
    let (cells, suppressed) = shown(plan, released.cells)?;
    let rows = cells.into_iter().map(|Shown { codes, words }| {
        let sums = Sums::new(joint, words)?;
        let keys = [0, 1].map(|side| group::values_of(&plan.sides[side].groups, codes[side]));
        let mut row = Vec::with_capacity(2 * columns.len());
        for column in &columns {
            column.write(&keys, sums, released.errors, &mut row)?;
        }
        Ok(row)
    });
    let rows = rows.collect::<Result<_, Problem>>()?;
    let headings = columns.iter().flat_map(|column| column.headings(plan));
    lay_out(headings.collect(), rows, &joint.display, suppressed)
}

/// The types of a joint table's columns in its order, bars of error included: groups are text, numbers are exact.
pub fn joint_types(plan: &Plan, with_errors: bool) -> Result<Vec<Storage>, Problem> {
    let columns = columns(plan, joint(plan)?, with_errors)?;
    let types = columns.iter().flat_map(|column| {
        let decimal = |scale| Storage::Decimal {
            precision: NUMBER_DIGITS,
            scale,
        };
        let own = match column.form {
            None => Storage::Text,
            Some(Form { decimals: 0, .. }) if column.is_count() => Storage::Integer,
            Some(form) => decimal(form.decimals),
        };
        let error = column.form.filter(|_| column.error.is_some());
        std::iter::once(own).chain(error.map(|form| decimal(form.error_decimals())))
    });
    Ok(types.collect())
}

fn joint(plan: &Plan) -> Result<&Joint, Problem> {
    match &plan.operator {
        Operator::Joint(joint) => Ok(joint),
        _ => Err(defect("a plan without a joint table was to be tabulated")),
    }
}

/// The cells that are shown, in the order of the places in the domains of the first side and then of
/// the second; and how many are not.
fn shown<'a>(
    plan: &Plan,
    cells: &'a [Option<Vec<i128>>],
) -> Result<(Vec<Shown<'a>>, u64), Problem> {
    let receiver = plan.sides.iter().position(|side| side.org == plan.receiver);
    let receiver = receiver.ok_or_else(|| defect("the receiver is not a party of the plan"))?;
    let padded = plan.groups();
    let codes = |side: &Side| {
        group::cells(&side.groups).ok_or_else(|| defect("a side has too many group codes"))
    };
    let sizes = [codes(&plan.sides[0])?, codes(&plan.sides[1])?];
    if cells.len() as u64 != padded.cells() {
        return Err(defect("a table has other cells than the plan"));
    }
    let (mut found, mut suppressed) = (Vec::new(), 0);
    for first in 0..sizes[0] {
        for second in 0..sizes[1] {
            let codes = [first, second];
            let (of_receiver, of_sender) = (codes[receiver], codes[1 - receiver]);
            let place = u64::from(of_receiver) * padded.sender + u64::from(of_sender);
            match cells.get(place as usize) {
                Some(Some(words)) => found.push(Shown { codes, words }),
                _ => suppressed += 1,
            }
        }
    }
    Ok((found, suppressed))
}

fn columns<'a>(
    plan: &Plan,
    joint: &'a Joint,
    with_errors: bool,
) -> Result<Vec<Column<'a>>, Problem> {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    names.extend(joint.columns.iter().map(|column| column.name.0.as_str()));
    let column = |named: &'a TableColumn| {
        let form = form(plan, &named.value)?;
        let error = (with_errors && form.is_some()).then(|| {
            let mut name = format!("{}_se", named.name.0);
            // The question may have such a column itself; its own names are all different, so these are too.
            while names.contains(name.as_str()) {
                name.push('_');
            }
            ColumnName(name)
        });
        Ok(Column { named, form, error })
    };
    joint.columns.iter().map(column).collect()
}

fn form(plan: &Plan, what: &TableValue) -> Result<Option<Form>, Problem> {
    let measure = |side: usize, place: usize| {
        let side = plan.sides.get(side);
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
    fn of(scale: i32, decimals: u8, keep: u8) -> Self {
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

    fn error_decimals(self) -> u8 {
        self.decimals.max(ERROR_DECIMALS_MIN)
    }

    fn number<'a>(self, exact: &Exact) -> Value<'a> {
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
    fn error<'a>(self, error: f64) -> Value<'a> {
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

impl Column<'_> {
    fn is_count(&self) -> bool {
        matches!(
            self.named.value,
            TableValue::CountAll | TableValue::Count { .. }
        )
    }

    fn headings(&self, plan: &Plan) -> impl Iterator<Item = Heading> {
        let key = match self.named.value {
            TableValue::Group { side, place } => plan.sides.get(side).zip(Some(place)),
            _ => None,
        };
        let key = key.and_then(|(side, place)| side.groups.get(place));
        let own = Heading {
            name: self.named.name.clone(),
            whole_numbers: key.is_some_and(is_numeric_key),
        };
        let error = self.error.clone().map(|name| Heading {
            name,
            whole_numbers: false,
        });
        std::iter::once(own).chain(error)
    }

    /// Puts the column's values of one cell behind the others. `keys`: values of each side's group keys.
    fn write<'a>(
        &self,
        keys: &[Vec<Option<&'a str>>; 2],
        sums: Sums<'_>,
        errors: Option<&[f64]>,
        row: &mut Vec<Value<'a>>,
    ) -> Result<(), Problem> {
        let what = &self.named.value;
        if let TableValue::Group { side, place } = what {
            let value = keys.get(*side).and_then(|keys| keys.get(*place));
            let value = value.ok_or_else(|| defect("a column names no group key"))?;
            row.push(value.map_or(Value::Null, Value::Text));
            return Ok(());
        }
        let form = self.form.ok_or_else(|| defect("a number has no form"))?;
        let exact = sums.exact(what)?;
        let number = exact.map_or(Value::Null, |exact| form.number(&exact));
        row.push(number);
        if let Some(errors) = errors {
            let error = sums.error(what, errors)?;
            let error = error.filter(|_| number != Value::Null);
            row.push(error.map_or(Value::Null, |error| form.error(error)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
