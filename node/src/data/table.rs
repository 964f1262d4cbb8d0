//! A table over the receiver's own columns for the ids that matched: exact fixed point, small groups suppressed.
//!
//! Sums are 64-bit numbers added in 128 bits and written with exactly their decimals. AVG is the sum over COUNT(x), half away
//! from zero, with [`AVERAGE_DECIMALS`] more decimals than its measure. SUM and AVG of no value are NULL, as in SQL. A group
//! with fewer ids than `min_group` is not a row, never a zero: it is counted as suppressed, and so is a combination of the
//! public domains that nobody has, because a reader must not tell the two apart.

use super::csv_out::CsvFile;
use super::fault::defect;
use super::group;
use super::manifest::Storage;
use super::prepared::Prepared;
use super::rows::RowSet;
use super::values::exact;
use entente_wire::names::ColumnName;
use entente_wire::plan::{Display, GroupKey, Operator, Plan, Side, TableColumn, TableValue};
use entente_wire::problem::{Code, Problem};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::path::Path;

/// Decimals of an average beyond those of its measure; zeros among them are not written.
pub const AVERAGE_DECIMALS: u8 = 8;

/// Digits of sums and averages: 128 bits, in which both stay (see [`value`]).
const NUMBER_DIGITS: u8 = 38;

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

/// What is added up for one group.
#[derive(Clone)]
struct Sums {
    ids: u64,
    /// For each measure: how many values, and their sum.
    measures: Vec<(u64, i128)>,
}

/// One shown group.
struct Group<'a> {
    values: Vec<Option<&'a str>>,
    sums: &'a Sums,
}

/// The table of `plan` over the ids of the rows `matched` of `prepared`, which is the receiver's.
pub fn table(prepared: &Prepared, matched: &RowSet, plan: &Plan) -> Result<Table, Problem> {
    let Operator::Table {
        columns,
        min_group,
        display,
    } = &plan.operator
    else {
        return Err(defect("a plan without a table was to be tabulated"));
    };
    let (own, side) = own_side(plan)?;
    let sums = add_up(prepared, matched, side)?;
    let shown_at_least = (*min_group).max(1);
    let mut suppressed = 0;
    let mut groups = Vec::new();
    for (code, sums) in (0u32..).zip(&sums) {
        if sums.ids < shown_at_least {
            suppressed += 1;
            continue;
        }
        groups.push(Group {
            values: group::values_of(&side.groups, code),
            sums,
        });
    }
    order(&mut groups, columns, display, own, side)?;
    let limit = display.limit.and_then(|limit| usize::try_from(limit).ok());
    groups.truncate(limit.unwrap_or(usize::MAX));
    let rows = groups.iter().map(|group| {
        let cells = columns
            .iter()
            .map(|column| cell(group, &column.value, own, side));
        cells.collect::<Result<Vec<_>, _>>()
    });
    Ok(Table {
        columns: columns.iter().map(|column| column.name.clone()).collect(),
        rows: rows.collect::<Result<_, _>>()?,
        suppressed,
    })
}

/// The types of a table's columns, in the order of SELECT: groups are text, numbers are exact.
pub fn table_types(plan: &Plan, columns: &[TableColumn]) -> Result<Vec<Storage>, Problem> {
    let exact = |side: usize, place: usize, decimals: u8| {
        let side = plan.sides.get(side).ok_or_else(not_ours)?;
        let measure = side.measures.get(place).ok_or_else(not_ours)?;
        Ok(Storage::Decimal {
            precision: NUMBER_DIGITS,
            scale: measure.scale + decimals,
        })
    };
    let types = columns.iter().map(|column| match column.value {
        TableValue::Group { .. } => Ok(Storage::Text),
        TableValue::CountAll | TableValue::Count { .. } => Ok(Storage::Integer),
        TableValue::Sum { side, place } => exact(side, place, 0),
        TableValue::Avg { side, place } => exact(side, place, AVERAGE_DECIMALS),
    });
    types.collect()
}

fn own_side(plan: &Plan) -> Result<(usize, &Side), Problem> {
    let mut sides = plan.sides.iter().enumerate();
    sides
        .find(|(_, side)| side.org == plan.receiver)
        .ok_or_else(|| defect("the receiver is not a party of the plan"))
}

fn add_up(prepared: &Prepared, matched: &RowSet, side: &Side) -> Result<Vec<Sums>, Problem> {
    let cells = group::cells(&side.groups).ok_or_else(|| defect("a table has too many cells"))?;
    let empty = Sums {
        ids: 0,
        measures: vec![(0, 0); side.measures.len()],
    };
    let mut sums = vec![empty; cells as usize];
    for row in matched.iter() {
        let place = prepared.entered.place(row);
        let code = place.and_then(|place| match side.groups.is_empty() {
            true => Some((place, 0)),
            false => Some((place, prepared.group(place)?)),
        });
        let cell = code.and_then(|(place, code)| Some((place, sums.get_mut(code as usize)?)));
        let (place, cell) = cell.ok_or_else(|| defect("a matched id is not one of ours"))?;
        cell.ids += 1;
        for (value, (count, sum)) in prepared.measured(place).zip(&mut cell.measures) {
            if let Some(value) = value {
                *count += 1;
                *sum += i128::from(value);
            }
        }
    }
    Ok(sums)
}

/// What stands in a column, before it is written.
enum Value<'a> {
    Text(&'a str),
    Number { units: i128, scale: u8, keep: u8 },
    Null,
}

fn value<'a>(
    group: &Group<'a>,
    what: &TableValue,
    own: usize,
    side: &Side,
) -> Result<Value<'a>, Problem> {
    let whole = |count: u64| Value::Number {
        units: i128::from(count),
        scale: 0,
        keep: 0,
    };
    let measure = |of: usize, place: usize| {
        let sums = group.sums.measures.get(place).filter(|_| of == own);
        let scale = side.measures.get(place).map(|measure| measure.scale);
        sums.copied().zip(scale).ok_or_else(not_ours)
    };
    Ok(match *what {
        TableValue::Group { side: of, place } => {
            let value = group.values.get(place).filter(|_| of == own);
            value.ok_or_else(not_ours)?.map_or(Value::Null, Value::Text)
        }
        TableValue::CountAll => whole(group.sums.ids),
        TableValue::Count { side: of, place } => whole(measure(of, place)?.0.0),
        TableValue::Sum { side: of, place } => match measure(of, place)? {
            ((0, _), _) => Value::Null,
            ((_, sum), scale) => Value::Number {
                units: sum,
                scale,
                keep: scale,
            },
        },
        TableValue::Avg { side: of, place } => match measure(of, place)? {
            ((0, _), _) => Value::Null,
            ((count, sum), keep) => {
                // |sum| < 2^95 (32-bit rows of 64-bit values), times 10^8 < 2^122.
                let shifted = exact::rescale(sum, 0, AVERAGE_DECIMALS);
                Value::Number {
                    units: exact::divide(shifted, count),
                    scale: keep + AVERAGE_DECIMALS,
                    keep,
                }
            }
        },
    })
}

fn not_ours() -> Problem {
    Problem::request(
        Code::NotInThisVersion,
        "the table uses a partner's column, which needs the blind join, not available in this version",
        "ask for groups and aggregates over the receiver's own columns",
    )
}

fn cell(group: &Group<'_>, what: &TableValue, own: usize, side: &Side) -> Result<Cell, Problem> {
    Ok(match value(group, what, own, side)? {
        Value::Text(text) => Cell::Text {
            text: text.to_owned(),
        },
        Value::Number { units, scale, keep } => Cell::Number {
            text: exact::write_trimmed(units, scale, keep),
        },
        Value::Null => Cell::Null,
    })
}

/// By ORDER BY, then by the places in the domains. NULL stands after all values, before them where descending.
fn order(
    groups: &mut Vec<Group<'_>>,
    columns: &[TableColumn],
    display: &Display,
    own: usize,
    side: &Side,
) -> Result<(), Problem> {
    for key in display.order_by.iter().rev() {
        let column = columns.iter().find(|column| column.name == key.column);
        let column = column.ok_or_else(|| defect("ORDER BY names no output column"))?;
        let numeric = is_numeric_key(&column.value, side);
        let mut keyed = Vec::with_capacity(groups.len());
        for group in groups.drain(..) {
            keyed.push((value(&group, &column.value, own, side)?, group));
        }
        // Stable, so that the keys sorted by before break ties.
        keyed.sort_by(|(left, _), (right, _)| {
            let order = compare(left, right, numeric);
            if key.descending {
                order.reverse()
            } else {
                order
            }
        });
        groups.extend(keyed.into_iter().map(|(_, group)| group));
    }
    Ok(())
}

/// Whether a group key's values are whole numbers written as text, which are ordered as numbers.
fn is_numeric_key(what: &TableValue, side: &Side) -> bool {
    let TableValue::Group { place, .. } = what else {
        return false;
    };
    let whole = |key: &GroupKey| {
        let all_whole = key.domain.iter().all(|value| value.parse::<i64>().is_ok());
        key.sql.0.starts_with("CAST(") && all_whole
    };
    side.groups.get(*place).is_some_and(whole)
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
