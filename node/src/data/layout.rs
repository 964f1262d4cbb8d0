//! How a table is laid out: rows ordered and cut as ORDER BY and LIMIT say, numbers written with exactly their decimals.

use super::csv_out::CsvFile;
use super::fault::defect;
use super::values::exact;
use entente_wire::names::ColumnName;
use entente_wire::plan::{Display, GroupKey};
use entente_wire::problem::Problem;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::path::Path;

/// A result table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Output names.
    pub columns: Vec<ColumnName>,
    /// Rows as they are displayed.
    pub rows: Vec<Vec<Cell>>,
    /// Groups that are not shown because they are smaller than allowed.
    pub suppressed: u64,
}

/// One value of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Cell {
    /// A group's value.
    Text {
        /// As in the domain.
        text: String,
    },
    /// A number, exact, as text: `-12.50`.
    Number {
        /// Digits.
        text: String,
    },
    /// NULL.
    Null,
}

/// What stands in a cell, before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Text(&'a str),
    /// `units` × 10^-`scale`; of the decimals at least `keep` are written.
    Number {
        units: i128,
        scale: u8,
        keep: u8,
    },
    Null,
}

/// A column's head.
pub(super) struct Heading {
    pub(super) name: ColumnName,
    /// Its texts are whole numbers and ordered as such.
    pub(super) whole_numbers: bool,
}

/// Lays out `rows`, which stand in the order of the places in the domains: that order stays where ORDER BY does not tell two apart.
pub(super) fn lay_out(
    headings: Vec<Heading>,
    mut rows: Vec<Vec<Value<'_>>>,
    display: &Display,
    suppressed: u64,
) -> Result<Table, Problem> {
    order(&mut rows, &headings, display)?;
    let limit = display.limit.and_then(|limit| usize::try_from(limit).ok());
    rows.truncate(limit.unwrap_or(usize::MAX));
    let rows = rows
        .into_iter()
        .map(|row| row.into_iter().map(cell).collect());
    Ok(Table {
        rows: rows.collect(),
        columns: headings.into_iter().map(|heading| heading.name).collect(),
        suppressed,
    })
}

/// Whether a group key's values are whole numbers written as text, which are ordered as numbers. The planner's text of those begins with
/// CAST, that of no other key whose values could be digits.
pub(super) fn is_numeric_key(key: &GroupKey) -> bool {
    let all_whole = key.domain.iter().all(|value| value.parse::<i64>().is_ok());
    key.sql.0.starts_with("CAST(") && all_whole
}

/// NULL stands after all values, before them where descending.
fn order(
    rows: &mut [Vec<Value<'_>>],
    headings: &[Heading],
    display: &Display,
) -> Result<(), Problem> {
    for key in display.order_by.iter().rev() {
        let place = headings
            .iter()
            .position(|heading| heading.name == key.column);
        let place = place.ok_or_else(|| defect("ORDER BY names no output column"))?;
        let numeric = headings[place].whole_numbers;
        // Stable, so that the keys sorted by before break ties.
        rows.sort_by(|left, right| {
            let order = compare(&left[place], &right[place], numeric);
            if key.descending {
                order.reverse()
            } else {
                order
            }
        });
    }
    Ok(())
}

fn compare(left: &Value<'_>, right: &Value<'_>, numeric: bool) -> Ordering {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) if numeric => {
            left.parse::<i64>().ok().cmp(&right.parse::<i64>().ok())
        }
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
        // Numbers of one column have one scale.
        (Value::Number { units: left, .. }, Value::Number { units: right, .. }) => left.cmp(right),
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (Value::Text(_), Value::Number { .. }) => Ordering::Greater,
        (Value::Number { .. }, Value::Text(_)) => Ordering::Less,
    }
}

fn cell(value: Value<'_>) -> Cell {
    match value {
        Value::Text(text) => Cell::Text {
            text: text.to_owned(),
        },
        Value::Number { units, scale, keep } => Cell::Number {
            text: exact::write_trimmed(units, scale, keep),
        },
        Value::Null => Cell::Null,
    }
}

impl Table {
    /// Writes the shown rows as CSV, numbers with exactly their decimals, NULL as an empty field.
    pub fn write_csv(&self, out: &Path) -> Result<(), Problem> {
        let mut file = CsvFile::create(out)?;
        file.row(self.columns.iter().map(|name| Some(name.0.as_str())))?;
        for row in &self.rows {
            file.row(row.iter().map(|cell| match cell {
                Cell::Text { text } | Cell::Number { text } => Some(text.as_str()),
                Cell::Null => None,
            }))?;
        }
        file.finish()
    }
}
