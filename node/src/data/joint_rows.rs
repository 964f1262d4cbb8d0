//! What one side brings to a blind join: for each id of a bucket its group code, and whole numbers that this side computes alone.
//!
//! Only ids that passed WHERE are there. NULL adds 0 to every sum, so a column has a number for every row. A bucket's values come
//! from memory by place, or from the disk next to its ids: a partition's values stand in the order of its ids that entered.

use super::fault::defect;
use super::prepared::Prepared;
use super::row_values::{RowValues, ValuesInMemory};
use super::spill::{Record, SpilledValues};
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

/// The bucket that is asked for.
#[derive(Clone, Copy)]
struct Asked<'a> {
    buckets: u64,
    bucket: u64,
    columns: &'a [SideColumn],
}

impl Prepared {
    /// The rows of one of a job's `buckets` (see [`Self::bucket`]), with these columns. Threads may load buckets at the same time;
    /// memory is what the bucket takes, and its partition where there are more buckets than partitions.
    ///
    /// Errors: what was spilled cannot be read back as it was written (`Disk`).
    pub fn joint_rows(
        &self,
        buckets: u64,
        bucket: u64,
        columns: &[SideColumn],
    ) -> Result<JointRows, Problem> {
        let measures = self.values.measures();
        let mut named = columns.iter().flat_map(|column| measures_of(*column));
        if named.any(|place| place >= measures) {
            return Err(defect("a column of the blind join names no measure"));
        }
        let asked = Asked {
            buckets,
            bucket,
            columns,
        };
        match &self.values {
            RowValues::InMemory(values) => self.rows_in_memory(asked, values),
            RowValues::Spilled(values) => self.spilled_rows(asked, values),
        }
    }

    fn rows_in_memory(
        &self,
        asked: Asked<'_>,
        values: &ValuesInMemory,
    ) -> Result<JointRows, Problem> {
        let mut rows = JointRows::new(asked.columns);
        let mut complete = true;
        self.spill.bucket(asked.buckets, asked.bucket, |record| {
            let Some(place) = self.entered.place(record.row) else {
                return;
            };
            match values.group(place) {
                Some(code) => rows.push(record, code, asked.columns, |measure| {
                    values.measure(measure, place)
                }),
                None => complete = false,
            }
        })?;
        match complete {
            true => Ok(rows),
            false => Err(defect("an id has no group code")),
        }
    }

    fn spilled_rows(&self, asked: Asked<'_>, values: &SpilledValues) -> Result<JointRows, Problem> {
        let misfit = || defect("a partition has not as many values as ids");
        let (ids, layout) = (self.spill.layout(), values.layout());
        let share = self.spill.share(asked.buckets, asked.bucket)?;
        let mut rows = JointRows::new(asked.columns);
        for place in share.places() {
            let (records, values) = (self.spill.partition(place)?, values.partition(place)?);
            let mut values = values.chunks_exact(layout.width());
            let entered = |record: &Record| self.entered.set().contains(record.row);
            for record in ids.read(&records).filter(entered) {
                let value = values.next().ok_or_else(misfit)?;
                if share.holds(&record) {
                    rows.push(&record, layout.code(value), asked.columns, |measure| {
                        layout.measure(value, measure)
                    });
                }
            }
            if values.next().is_some() {
                return Err(misfit());
            }
        }
        Ok(rows)
    }
}

impl JointRows {
    fn new(columns: &[SideColumn]) -> Self {
        Self {
            ids: Vec::new(),
            codes: Vec::new(),
            columns: vec![Vec::new(); columns.len()],
        }
    }

    fn push(
        &mut self,
        record: &Record,
        code: u32,
        columns: &[SideColumn],
        measure: impl Fn(usize) -> Option<i64>,
    ) {
        self.ids.push(Id::new(record.digest));
        self.codes.push(code);
        for (column, numbers) in columns.iter().zip(&mut self.columns) {
            numbers.push(number(*column, &measure));
        }
    }
}

/// The measures that a column is made of; one of them stands twice where it is one.
fn measures_of(column: SideColumn) -> [usize; 2] {
    match column {
        SideColumn::Value { place } | SideColumn::Present { place } => [place, place],
        SideColumn::Square { place } => [place, place],
        SideColumn::Product { places } => places,
    }
}

fn number(column: SideColumn, measure: impl Fn(usize) -> Option<i64>) -> i128 {
    let [one, other] = measures_of(column).map(measure);
    match column {
        SideColumn::Present { .. } => i128::from(one.is_some()),
        SideColumn::Value { .. } => one.map_or(0, i128::from),
        // 64 bits by 64 bits.
        SideColumn::Square { .. } | SideColumn::Product { .. } => one
            .zip(other)
            .map_or(0, |(one, other)| i128::from(one) * i128::from(other)),
    }
}
