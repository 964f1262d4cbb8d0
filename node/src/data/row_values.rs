//! Group codes and measures of the rows that entered: in memory, where each is found by its place, or on disk by partition, where
//! they are read along with a partition's ids.

use super::fault::defect;
use super::spill::{Spill, SpillFolder, SpilledValues, SpillingValues, ValueLayout};
use datafusion::arrow::array::{Array, AsArray, Int64Array};
use datafusion::arrow::compute::concat;
use entente_wire::plan::{Operator, Plan, Side};
use entente_wire::problem::Problem;

/// How the values are read later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// Any row at any time: a table over revealed ids.
    ByPlace,
    /// Bucket by bucket: the blind join.
    ByBucket,
}

/// What the question says of the rows that entered. Holds people's values: no `Debug`.
pub(super) enum RowValues {
    InMemory(ValuesInMemory),
    Spilled(SpilledValues),
}

/// Values in file order.
pub(super) struct ValuesInMemory {
    /// Each entered row's combined group code; empty where the side has no group key.
    groups: Vec<u32>,
    /// For each measure of the side, each entered row's value in units of 10^-scale; null where it has none.
    measures: Vec<Int64Array>,
}

/// Values on their way, in file order.
pub(super) enum RowValuesWriter<'a> {
    InMemory {
        groups: Vec<u32>,
        measures: Vec<Vec<Int64Array>>,
    },
    Spilled(SpillingValues<'a>),
}

impl Reads {
    /// What the plan's operator needs.
    pub(super) fn of(plan: &Plan) -> Self {
        match &plan.operator {
            Operator::Joint(_) => Self::ByBucket,
            _ => Self::ByPlace,
        }
    }
}

impl<'a> RowValuesWriter<'a> {
    /// For at most `rows` rows whose ids are in `ids`. Goes to disk where it may and where memory has no room for it.
    pub(super) fn new(
        side: &Side,
        reads: Reads,
        (folder, ids): (&SpillFolder, &'a Spill),
        rows: u64,
    ) -> Self {
        let layout = ValueLayout {
            code: !side.groups.is_empty(),
            measures: side.measures.len(),
        };
        let bytes = rows.saturating_mul(layout.width() as u64);
        // Nothing at all has room everywhere: records on disk are never empty.
        match reads == Reads::ByBucket && bytes > folder.memory_bytes() {
            true => Self::Spilled(SpillingValues::new(folder, layout, ids)),
            false => Self::InMemory {
                groups: Vec::new(),
                measures: vec![Vec::new(); layout.measures],
            },
        }
    }

    /// Adds the values of `rows`, which follow those added before.
    pub(super) fn add(
        &mut self,
        rows: &[u32],
        mut groups: Vec<u32>,
        measures: Vec<Int64Array>,
    ) -> Result<(), Problem> {
        match self {
            Self::InMemory {
                groups: all_groups,
                measures: all_measures,
            } => {
                all_groups.append(&mut groups);
                for (all, array) in all_measures.iter_mut().zip(measures) {
                    all.push(array);
                }
                Ok(())
            }
            Self::Spilled(values) => values.add(rows, &groups, &measures),
        }
    }

    /// All rows are in.
    pub(super) fn finish(self) -> Result<RowValues, Problem> {
        Ok(match self {
            Self::InMemory { groups, measures } => {
                let measures = measures.iter().map(|arrays| joined(arrays));
                RowValues::InMemory(ValuesInMemory {
                    groups,
                    measures: measures.collect::<Result<_, _>>()?,
                })
            }
            Self::Spilled(values) => RowValues::Spilled(values.finish()?),
        })
    }
}

impl RowValues {
    /// How many measures the side has.
    pub(super) fn measures(&self) -> usize {
        match self {
            Self::InMemory(values) => values.measures.len(),
            Self::Spilled(values) => values.layout().measures,
        }
    }

    /// For who looks rows up by their place.
    pub(super) fn by_place(&self) -> Result<&ValuesInMemory, Problem> {
        match self {
            Self::InMemory(values) => Ok(values),
            Self::Spilled(_) => Err(defect("values that lie by bucket were looked up by row")),
        }
    }
}

impl ValuesInMemory {
    /// The group code of the id at a place in file order; 0 where the side has no group key, `None` where the place has no id.
    pub(super) fn group(&self, place: u32) -> Option<u32> {
        match self.groups.is_empty() {
            true => Some(0),
            false => self.groups.get(place as usize).copied(),
        }
    }

    /// Measures of the id at a place in file order.
    pub(super) fn measured(&self, place: u32) -> impl Iterator<Item = Option<i64>> + '_ {
        (0..self.measures.len()).map(move |measure| self.measure(measure, place))
    }

    /// One measure of the id at a place in file order; `None` where it has no value.
    pub(super) fn measure(&self, measure: usize, place: u32) -> Option<i64> {
        let (values, place) = (self.measures.get(measure)?, place as usize);
        let there = place < values.len() && values.is_valid(place);
        there.then(|| values.value(place))
    }
}

fn joined(arrays: &[Int64Array]) -> Result<Int64Array, Problem> {
    if arrays.is_empty() {
        return Ok(Int64Array::new_null(0));
    }
    let arrays: Vec<&dyn Array> = arrays.iter().map(|array| array as &dyn Array).collect();
    concat(&arrays)
        .ok()
        .and_then(|array| array.as_primitive_opt().cloned())
        .ok_or_else(|| defect("measures do not fit together"))
}
