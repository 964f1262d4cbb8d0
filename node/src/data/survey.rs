//! What a policy makes of a dataset: ids without consent, conflicting ids, and ids that can enter a job. Reads the whole file;
//! nothing but counts comes out.

use super::facts::FactReader;
use super::fault::defect;
use super::file::{self, DataFile, Form};
use super::manifest::Dataset;
use super::one_row::{Counts, Facts, Reduction, keyed};
use super::open::check_same;
use super::register::COUNTING_KEY;
use datafusion::arrow::array::{AsArray, RecordBatch};
use entente_wire::local::DatasetReport;
use entente_wire::names::ColumnName;
use entente_wire::policy::{IdKind, Policy};
use entente_wire::problem::Problem;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The report of a registered dataset; with a policy also what that policy leaves of its ids.
///
/// Errors: the file changed or cannot be read, or the policy names columns that are not there or cannot be what it says.
pub fn survey(dataset: &Dataset, policy: Option<&Policy>) -> Result<DatasetReport, Problem> {
    let mut report = dataset.report();
    let Some(policy) = policy else {
        return Ok(report);
    };
    let counts = count(dataset, policy)?;
    for (id, counts) in report.ids.iter_mut().zip(counts) {
        id.non_consenting_ids = Some(counts.non_consenting_ids);
        id.conflicting_ids = Some(counts.conflicting_ids);
        id.eligible_ids = Some(counts.eligible_ids);
    }
    Ok(report)
}

/// How many ids can enter a job joined on `id`: what a publication rounds up to its grid.
pub fn eligible_ids(dataset: &Dataset, policy: &Policy, id: &ColumnName) -> Result<u64, Problem> {
    let counts = count(dataset, policy)?;
    let mut ids = dataset.manifest.ids.iter().zip(counts);
    ids.find(|(registered, _)| registered.column == *id)
        .map(|(_, counts)| counts.eligible_ids)
        .ok_or_else(|| super::open::not_an_id(dataset, id))
}

/// Counts of every registered id column, in the manifest's order.
pub(crate) fn count(dataset: &Dataset, policy: &Policy) -> Result<Vec<Counts>, Problem> {
    let file = Arc::new(DataFile::open(&dataset.path)?);
    check_same(&file, dataset)?;
    let mut counters = dataset
        .manifest
        .ids
        .iter()
        .map(|id| {
            Ok(Counter {
                column: id.column.clone(),
                kind: id.kind.clone(),
                facts: FactReader::new(dataset, policy, &id.column)?,
                reduction: Reduction::new(),
            })
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    let mut needed: BTreeSet<&ColumnName> = BTreeSet::new();
    for counter in &counters {
        needed.insert(&counter.column);
        needed.extend(counter.facts.columns());
    }
    let places = dataset.places(&needed);
    let format = dataset.manifest.format;
    for batch in file::read(&file, format, &dataset.columns, &places, Form::Typed)? {
        let batch = batch?;
        for counter in &mut counters {
            counter.observe(&batch)?;
        }
    }
    file.check_unchanged()?;
    Ok(counters
        .iter()
        .map(|counter| counter.reduction.counts())
        .collect())
}

struct Counter {
    column: ColumnName,
    kind: IdKind,
    facts: FactReader,
    reduction: Reduction,
}

impl Counter {
    fn observe(&mut self, batch: &RecordBatch) -> Result<(), Problem> {
        let facts: Facts = self.facts.read(batch)?;
        let texts = batch
            .column_by_name(&self.column.0)
            .and_then(|array| array.as_string_opt::<i32>())
            .ok_or_else(|| defect("an id column was not read as text"))?;
        self.reduction
            .observe(&keyed(texts, &self.kind, &COUNTING_KEY), &facts);
        Ok(())
    }
}
