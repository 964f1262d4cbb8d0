//! What one party brings to the protocol.

use super::fault::defect;
use super::one_row::Counts;
use super::row_values::RowValues;
use super::rows::{Ranks, RowSet};
use super::spill::Spill;
use entente_protocols::psi::Id;
use entente_wire::problem::Problem;

/// The ids that entered, each once, with what the question says of them. Ids lie by bucket, in memory or on disk, and so do the
/// values of a blind join's rows; those of a table over revealed ids lie in memory, in the order of the ids' rows in the file.
///
/// In memory for each row of the file: little more than a bit, for the rows that entered and their places. For each row that
/// entered nothing more, but for a table over revealed ids 4 bytes a group code and 8 bytes and a bit a measure. Holds digests of
/// ids and people's values: no `Debug`.
pub struct Prepared {
    pub(super) spill: Spill,
    /// The row of each id that entered; for a collapsed table the id's first row.
    pub(super) entered: Ranks,
    /// Group codes and measures of the rows that entered.
    pub(super) values: RowValues,
    /// What was left out before WHERE, and why.
    pub(super) counts: Counts,
}

/// Ids under the job's key, and each id's row in the file, counted from 0 without the header.
pub struct Bucket {
    /// No id stands twice.
    pub ids: Vec<Id>,
    /// For a collapsed table the id's first row.
    pub rows: Vec<u32>,
}

impl Prepared {
    /// How many ids entered.
    pub fn ids(&self) -> u64 {
        u64::from(self.entered.len())
    }

    /// What was left out before WHERE, and why.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The ids of one of a job's `buckets` (a power of two): those whose first log2(`buckets`) bits are the number `bucket`, first
    /// byte first. Threads may load buckets at the same time; memory is what the bucket takes.
    ///
    /// Errors: what was spilled cannot be read back as it was written (`Disk`).
    pub fn bucket(&self, buckets: u64, bucket: u64) -> Result<Bucket, Problem> {
        let mut found = Bucket {
            ids: Vec::new(),
            rows: Vec::new(),
        };
        self.spill.bucket(buckets, bucket, |record| {
            if self.entered.set().contains(record.row) {
                found.ids.push(Id::new(record.digest));
                found.rows.push(record.row);
            }
        })?;
        Ok(found)
    }

    /// All ids in file order, for protocols that hold a whole set in memory.
    pub fn all(&self) -> Result<Bucket, Problem> {
        let count = self.entered.len() as usize;
        let mut ids = vec![Id::new([0; 16]); count];
        let mut found = 0;
        self.spill.bucket(1, 0, |record| {
            if let Some(place) = self.entered.place(record.row) {
                ids[place as usize] = Id::new(record.digest);
                found += 1;
            }
        })?;
        if found != count {
            return Err(defect("an id that entered is not among those read"));
        }
        let rows = self.entered.set().iter().collect();
        Ok(Bucket { ids, rows })
    }

    /// An empty set of the file's rows, for those that match.
    pub fn row_set(&self) -> RowSet {
        RowSet::new(self.counts.rows)
    }
}
