//! The table of a blind join or an aggregation, from the cells that were released.
//!
//! Cells lie by R's combined group code, then S's, whose codes are padded to a power of two: padding is nobody's and no cell at
//! all. A cell that was not released is counted as suppressed, whoever is or is not in it. Everything is computed exactly and
//! rounded once, half away from zero, to so many decimals, of which zeros at the end are not written:
//!
//! | column | decimals |
//! |---|---|
//! | COUNT | none |
//! | SUM | those of its measure |
//! | AVG, STDDEV_SAMP | [`super::AVERAGE_DECIMALS`] more than its measure |
//! | VAR_SAMP | [`super::AVERAGE_DECIMALS`] more than the square of its measure, fewer where 38 digits would not hold the largest |
//! | CORR | [`super::AVERAGE_DECIMALS`] |
//! | REGR_SLOPE | so many that the slope times the largest x has those of AVG(y), fewer likewise |
//! | REGR_INTERCEPT | those of AVG(y), fewer likewise |
//!
//! Where the table carries noise, each number has a column `_se` behind it: its standard error, of three digits. Noise can leave
//! a statistic without a value (see [`super::statistics`]) or with one of more than 38 digits: NULL.

mod form;

use super::fault::defect;
use super::group;
use super::layout::{Heading, Table, Value, is_numeric_key, lay_out};
use super::manifest::Storage;
use super::statistics::Sums;
use super::table::NUMBER_DIGITS;
use entente_wire::names::ColumnName;
use entente_wire::plan::{Aggregation, Joint, Operator, Plan, Side, TableColumn, TableValue};
use entente_wire::problem::Problem;
use form::{Form, form};
use std::collections::BTreeSet;

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

/// A column and how it is written; group keys have no form.
struct Column<'a> {
    named: &'a TableColumn,
    form: Option<Form>,
    /// The name of its bar of error.
    error: Option<ColumnName>,
}

/// The table of `plan`, which is one of a blind join.
pub fn joint_table(plan: &Plan, released: Released<'_>) -> Result<Table, Problem> {
    let (cells, suppressed) = shown(plan, released.cells)?;
    tabulated(
        &plan.sides,
        joint(plan)?,
        (cells, suppressed),
        released.errors,
    )
}

/// The table of an aggregation, whose cells lie by the combined group code of every party.
pub fn aggregation_table(plan: &Aggregation, released: Released<'_>) -> Result<Table, Problem> {
    if released.cells.len() as u64 != plan.cells() {
        return Err(defect("a table has other cells than the plan"));
    }
    let cells = (0_u32..).zip(released.cells);
    let shown = cells.filter_map(|(code, cell)| {
        let words = cell.as_deref()?;
        Some(Shown {
            codes: [code, 0],
            words,
        })
    });
    let shown: Vec<Shown<'_>> = shown.collect();
    let suppressed = (released.cells.len() - shown.len()) as u64;
    let side = plan.sides.get(..1).unwrap_or_default();
    tabulated(side, &plan.table, (shown, suppressed), released.errors)
}

fn tabulated(
    sides: &[Side],
    joint: &Joint,
    (cells, suppressed): (Vec<Shown<'_>>, u64),
    errors: Option<&[f64]>,
) -> Result<Table, Problem> {
    let columns = columns(sides, joint, errors.is_some())?;
    let rows = cells.into_iter().map(|Shown { codes, words }| {
        let sums = Sums::new(joint, words)?;
        let keys = [0, 1].map(|side| {
            let side = sides.get(side).zip(codes.get(side));
            side.map_or_else(Vec::new, |(side, code)| {
                group::values_of(&side.groups, *code)
            })
        });
        let mut row = Vec::with_capacity(2 * columns.len());
        for column in &columns {
            column.write(&keys, sums, errors, &mut row)?;
        }
        Ok(row)
    });
    let rows = rows.collect::<Result<_, Problem>>()?;
    let headings = columns.iter().flat_map(|column| column.headings(sides));
    lay_out(headings.collect(), rows, &joint.display, suppressed)
}

/// The types of a joint table's columns in its order, bars of error included: groups are text, numbers are exact.
pub fn joint_types(plan: &Plan, with_errors: bool) -> Result<Vec<Storage>, Problem> {
    types(&plan.sides, joint(plan)?, with_errors)
}

/// The same of an aggregation's table.
pub fn aggregation_types(plan: &Aggregation, with_errors: bool) -> Result<Vec<Storage>, Problem> {
    types(
        plan.sides.get(..1).unwrap_or_default(),
        &plan.table,
        with_errors,
    )
}

fn types(sides: &[Side], joint: &Joint, with_errors: bool) -> Result<Vec<Storage>, Problem> {
    let columns = columns(sides, joint, with_errors)?;
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
    sides: &[Side],
    joint: &'a Joint,
    with_errors: bool,
) -> Result<Vec<Column<'a>>, Problem> {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    names.extend(joint.columns.iter().map(|column| column.name.0.as_str()));
    let column = |named: &'a TableColumn| {
        let form = form(sides, &named.value)?;
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

impl Column<'_> {
    fn is_count(&self) -> bool {
        matches!(
            self.named.value,
            TableValue::CountAll | TableValue::Count { .. }
        )
    }

    fn headings(&self, sides: &[Side]) -> impl Iterator<Item = Heading> {
        let key = match self.named.value {
            TableValue::Group { side, place } => sides.get(side).zip(Some(place)),
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
