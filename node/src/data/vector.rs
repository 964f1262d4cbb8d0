//! What one party brings to an aggregation: its own table, each sum of each cell as a whole number, over its own rows and nobody else's.

use super::fault::defect;
use super::local_query::{Progress, prepare_side};
use super::open::OpenDataset;
use super::prepared::Prepared;
use super::row_values::Reads;
use super::spill::SpillFolder;
use entente_wire::names::OrgName;
use entente_wire::plan::{Aggregation, Moment, MomentKind, SideColumn};
use entente_wire::problem::Problem;

/// Ids that are added up in memory at a time.
const BUCKET_IDS: u64 = 1 << 20;

/// A party's table. Holds sums over people: no `Debug`.
pub struct Vector {
    /// By moment, then by group code.
    pub words: Vec<i64>,
    /// Ids that are in it.
    pub ids: u64,
}

/// Runs the local query of `own`'s side of `plan` and adds it up. `digest_key` is fresh and stays here: ids are told apart by it, and
/// forgotten. Blocking; uses all cores.
///
/// Errors: as [`super::prepare`].
pub fn vector(
    open: &OpenDataset,
    plan: &Aggregation,
    own: &OrgName,
    digest_key: [u8; 32],
    spill: &SpillFolder,
    progress: Progress<'_>,
) -> Result<Vector, Problem> {
    let side = plan
        .side(own)
        .ok_or_else(|| defect("a plan of others was given to a node"))?;
    let reads = (side, Reads::ByBucket);
    let prepared = prepare_side(open, reads, digest_key, spill, progress)?;
    let ids = prepared.ids();
    let words = added_up(&prepared, plan)?;
    Ok(Vector { words, ids })
}

fn added_up(prepared: &Prepared, plan: &Aggregation) -> Result<Vec<i64>, Problem> {
    let moments: Vec<Option<SideColumn>> = plan
        .table
        .moments
        .iter()
        .map(column)
        .collect::<Result<_, _>>()?;
    let columns: Vec<SideColumn> = moments.iter().copied().flatten().collect();
    let cells = usize::try_from(plan.cells()).map_err(|_| too_large())?;
    let mut sums = vec![0_i128; cells * moments.len()];
    let buckets = prepared.ids().div_ceil(BUCKET_IDS).next_power_of_two();
    for bucket in 0..buckets {
        let rows = prepared.joint_rows(buckets, bucket, &columns)?;
        let mut columns = rows.columns.iter();
        for (of_moment, column) in sums.chunks_exact_mut(cells).zip(&moments) {
            let numbers = match column {
                Some(_) => columns.next(),
                None => None,
            };
            add(of_moment, &rows.codes, numbers.map(Vec::as_slice))?;
        }
    }
    // Caps and numbers of ids were proven to fit before anybody approved.
    let word = |sum| i64::try_from(sum).map_err(|_| too_large());
    sums.into_iter().map(word).collect()
}

/// The column behind a moment; none counts the ids.
fn column(moment: &Moment) -> Result<Option<SideColumn>, Problem> {
    match &moment.what {
        MomentKind::Ids => Ok(None),
        MomentKind::One { side: 0, column } => Ok(Some(*column)),
        MomentKind::One { .. } | MomentKind::Both { .. } => {
            Err(defect("an aggregation adds up another party's column"))
        }
    }
}

/// Adds each row's number to its cell, or 1 where the rows themselves are counted.
fn add(cells: &mut [i128], codes: &[u32], numbers: Option<&[i128]>) -> Result<(), Problem> {
    for (row, code) in codes.iter().enumerate() {
        let number = match numbers {
            Some(numbers) => numbers.get(row).copied(),
            None => Some(1),
        };
        let cell = cells.get_mut(*code as usize).zip(number);
        let (cell, number) = cell.ok_or_else(|| defect("a row has no cell in the table"))?;
        *cell = cell.checked_add(number).ok_or_else(too_large)?;
    }
    Ok(())
}

fn too_large() -> Problem {
    defect("a sum is larger than its plan allows")
}
