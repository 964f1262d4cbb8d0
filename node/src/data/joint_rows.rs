//! What one side brings to a blind join: for each id of a bucket its group code, and whole numbers that this side computes alone.
//!
//! Only ids that passed WHERE are there. NULL adds 0 to every sum, so a column has a number for every row.

use super::fault::defect;
use super::prepared::Prepared;
use entente_protocols::psi::Id;
use entente_wire::plan::SideColumn;
use entente_wire::problem::Problem;

/// One side's rows of one bucket, one row an id. Holds digests of ids and people's values: no `Debug`.
pub struct JointRows {
    /// No id stands twice.
    pub ids: Vec<Id>,
    /// Combined group codes; 0 where the side has no group key.
    pub codes: Vec<u32>,
    /// Numbers by column, then by row. Magnitudes are at most 2^126: measures have 64 bits.
    pub columns: Vec<Vec<i128>>,
}

impl Prepared {
    /// The rows of one of a job's `buckets` (see [`Self::bucket`]), with these columns. Threads may load buckets at the same time;
    /// memory is what the bucket takes.
    ///
    /// Errors: what was spilled cannot be read back as it was written (`Disk`).
    pub fn joint_rows(
        &self,
        buckets: u64,
        bucket: u64,
        columns: &[SideColumn],
    ) -> Result<JointRows, Problem> {
        let found = self.bucket(buckets, bucket)?;
        let place = |row: &u32| {
            let place = self.entered.place(*row);
            place.ok_or_else(|| defect("an id of a bucket has not entered"))
        };
        let places = found.rows.iter().map(place);
        let places: Vec<u32> = places.collect::<Result<_, _>>()?;
        let code = |place: &u32| match self.groups.is_empty() {
            true => Ok(0),
            false => self
                .group(*place)
                .ok_or_else(|| defect("an id has no group code")),
        };
        Ok(JointRows {
            codes: places.iter().map(code).collect::<Result<_, _>>()?,
            columns: columns
                .iter()
                .map(|column| self.column(*column, &places))
                .collect::<Result<_, _>>()?,
            ids: found.ids,
        })
    }

    fn column(&self, column: SideColumn, places: &[u32]) -> Result<Vec<i128>, Problem> {
        let measures = match column {
            SideColumn::Value { place } | SideColumn::Present { place } => [place, place],
            SideColumn::Square { place } => [place, place],
            SideColumn::Product { places } => places,
        };
        if measures.iter().any(|place| *place >= self.measures.len()) {
            return Err(defect("a column of the blind join names no measure"));
        }
        let number = |place: &u32| {
            let [one, other] = measures.map(|measure| self.measure(measure, *place));
            match column {
                SideColumn::Present { .. } => i128::from(one.is_some()),
                SideColumn::Value { .. } => one.map_or(0, i128::from),
                // 64 bits by 64 bits.
                SideColumn::Square { .. } | SideColumn::Product { .. } => one
                    .zip(other)
                    .map_or(0, |(one, other)| i128::from(one) * i128::from(other)),
            }
        };
        Ok(places.iter().map(number).collect())
    }
}
