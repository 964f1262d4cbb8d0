//! From what the protocol told this party to the file that its people read.

use super::joint::standard_errors;
use super::kept::Kept;
use crate::data::{self, Cell, OpenDataset, Released, Shown, Storage, Table};
use entente_wire::names::{ColumnName, OrgName};
use entente_wire::plan::{Operator, Plan};
use entente_wire::problem::{Code, Problem};
use std::path::Path;
use std::sync::Arc;

/// What the protocol told this party.
pub(super) enum Learned {
    /// Rows of ours that the partner has too.
    Common(Arc<Kept>),
    /// How many.
    Count(u64),
    /// The cells of a blind join's table that were released, as `data::Released` has them.
    Cells(Vec<Option<Vec<i128>>>),
    /// Nothing: the other party receives.
    Nothing,
}

/// What was written.
pub(super) struct Written {
    /// Rows without the header.
    pub(super) rows: u64,
    /// Groups not shown because they are smaller than allowed.
    pub(super) suppressed_groups: u64,
    /// Types of the columns, in the file's order.
    pub(super) types: Vec<Storage>,
}

/// Writes what was learned for `own`'s people.
pub(super) fn write(
    own: &OrgName,
    open: &OpenDataset,
    plan: &Plan,
    learned: &Learned,
    out: &Path,
) -> Result<Written, Problem> {
    let (table, types) = match (learned, &plan.operator) {
        (Learned::Common(kept), Operator::Reveal { readers, display }) => {
            let reads = readers.get(own).ok_or_else(misfit)?;
            let shown = Shown {
                columns: &reads.columns,
                star: reads.star,
                display,
            };
            return Ok(Written {
                rows: data::write_rows(open, &kept.common, shown, out)?,
                suppressed_groups: 0,
                types: data::row_types(open, shown)?,
            });
        }
        (Learned::Common(kept), Operator::Table { columns, .. }) => (
            data::table(&kept.prepared, &kept.common, plan)?,
            data::table_types(plan, columns)?,
        ),
        (Learned::Cells(cells), Operator::Joint(joint)) => {
            let errors = standard_errors(joint);
            let released = Released {
                cells,
                errors: errors.as_deref(),
            };
            (
                data::joint_table(plan, released)?,
                data::joint_types(plan, errors.is_some())?,
            )
        }
        (Learned::Count(count), Operator::Overlap { name, min_group }) => {
            (overlap(name, *count, *min_group), vec![Storage::Integer])
        }
        _ => return Err(misfit()),
    };
    table.write_csv(out)?;
    Ok(Written {
        rows: table.rows.len() as u64,
        suppressed_groups: table.suppressed,
        types,
    })
}

fn misfit() -> Problem {
    let what = "the protocol and the plan do not fit each other";
    Problem::here(Code::Defect, what, "report this with the node's log")
}

/// A table of one number, or of none where it is smaller than allowed.
fn overlap(name: &ColumnName, count: u64, min_group: u64) -> Table {
    let shown = count >= min_group;
    let number = Cell::Number {
        text: count.to_string(),
    };
    Table {
        columns: vec![name.clone()],
        rows: if shown {
            vec![vec![number]]
        } else {
            Vec::new()
        },
        suppressed: u64::from(!shown),
    }
}
