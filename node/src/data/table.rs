//! A table over the receiver's own columns for the ids that matched: exact fixed point, small groups suppressed.
//!
//! Sums are 64-bit numbers added in 128 bits and written with exactly their decimals. AVG is the sum over COUNT(x), half away
//! from zero, with [`AVERAGE_DECIMALS`] more decimals than its measure. SUM and AVG of no value are NULL, as in SQL. A group
//! with fewer ids than `min_group` is not a row, never a zero: it is counted as suppressed, and so is a combination of the
//! public domains that nobody has, because a reader must not tell the two apart.

use super::fault::defect;
use super::group;
use super::layout::{Heading, Table, Value, is_numeric_key, lay_out};
use super::manifest::Storage;
use super::prepared::Prepared;
use super::rows::RowSet;
use super::values::exact;
use entente_wire::plan::{Operator, Plan, Side, TableColumn, TableValue};
use entente_wire::problem::Problem;

/// Decimals of an average beyond those of its measure; zeros among them are not written.
pub const AVERAGE_DECIMALS: u8 = 8;

/// Digits of sums and averages: 128 bits, in which both stay (see [`value`]).
pub(super) const NUMBER_DIGITS: u8 = 38;

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
    let rows = groups.iter().map(|group| {
        let values = columns
            .iter()
            .map(|column| value(group, &column.value, own, side));
        values.collect::<Result<Vec<_>, _>>()
    });
    let headings = columns.iter().map(|column| Heading {
        name: column.name.clone(),
        whole_numbers: is_numeric(&column.value, side),
    });
    lay_out(
        headings.collect(),
        rows.collect::<Result<_, _>>()?,
        display,
        suppressed,
    )
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
    let types = columns.iter().map(|column| match &column.value {
        TableValue::Group { .. } => Ok(Storage::Text),
        TableValue::CountAll | TableValue::Count { .. } => Ok(Storage::Integer),
        TableValue::Sum { side, place } => exact(*side, *place, 0),
        TableValue::Avg { side, place } => exact(*side, *place, AVERAGE_DECIMALS),
        _ => Err(joint_only()),
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
    let values = prepared.values.by_place()?;
    for row in matched.iter() {
        let place = prepared.entered.place(row);
        let code = place.and_then(|place| Some((place, values.group(place)?)));
        let cell = code.and_then(|(place, code)| Some((place, sums.get_mut(code as usize)?)));
        let (place, cell) = cell.ok_or_else(|| defect("a matched id is not one of ours"))?;
        cell.ids += 1;
        for (value, (count, sum)) in values.measured(place).zip(&mut cell.measures) {
            if let Some(value) = value {
                *count += 1;
                *sum += i128::from(value);
            }
        }
    }
    Ok(sums)
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
        _ => return Err(joint_only()),
    })
}

fn not_ours() -> Problem {
    defect("a table after a reveal names another party's column")
}

fn joint_only() -> Problem {
    defect("a table after a reveal has a column that only the blind join computes")
}

fn is_numeric(what: &TableValue, side: &Side) -> bool {
    let TableValue::Group { place, .. } = what else {
        return false;
    };
    side.groups.get(*place).is_some_and(is_numeric_key)
}
