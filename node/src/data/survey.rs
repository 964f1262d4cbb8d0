//! What a policy makes of a dataset: ids without consent, conflicting ids, and ids that can enter a job. Reads the whole file;
//! nothing but counts comes out.

use super::facts::FactReader;
use super::file::{self, DataFile, Form, Part, Reading};
use super::id_pass::{COUNTING_KEY, ChunkIds, IdPass, Published};
use super::manifest::Dataset;
use super::one_row::Counts;
use super::open::check_same;
use super::spill::SpillFolder;
use entente_wire::local::DatasetReport;
use entente_wire::names::ColumnName;
use entente_wire::policy::Policy;
use entente_wire::problem::Problem;
use std::sync::Arc;

/// The report of a registered dataset; with a policy also what that policy leaves of its ids.
///
/// Errors: the file changed or cannot be read, the disk is full, or the policy names columns that are not there or cannot be
/// what it says.
pub fn survey(
    dataset: &Dataset,
    policy: Option<&Policy>,
    spill: &SpillFolder,
) -> Result<DatasetReport, Problem> {
    let mut report = dataset.report();
    let Some(policy) = policy else {
        return Ok(report);
    };
    let counts = count(dataset, policy, spill)?;
    for (id, counts) in report.ids.iter_mut().zip(counts) {
        id.non_consenting_ids = Some(counts.non_consenting_ids);
        id.conflicting_ids = Some(counts.conflicting_ids);
        id.eligible_ids = Some(counts.eligible_ids);
    }
    Ok(report)
}

/// How many ids can enter a job joined on `id`: what a publication rounds up to its grid.
pub fn eligible_ids(
    dataset: &Dataset,
    policy: &Policy,
    id: &ColumnName,
    spill: &SpillFolder,
) -> Result<u64, Problem> {
    let counts = count(dataset, policy, spill)?;
    let mut ids = dataset.manifest.ids.iter().zip(counts);
    ids.find(|(registered, _)| registered.column == *id)
        .map(|(_, counts)| counts.eligible_ids)
        .ok_or_else(|| super::open::not_an_id(dataset, id))
}

/// Counts of every registered id column, in the manifest's order.
fn count(dataset: &Dataset, policy: &Policy, spill: &SpillFolder) -> Result<Vec<Counts>, Problem> {
    let file = Arc::new(DataFile::open(&dataset.path)?);
    check_same(&file, dataset)?;
    let rows = dataset.manifest.rows;
    let mut passes = dataset
        .manifest
        .ids
        .iter()
        .map(|id| {
            let facts = FactReader::new(dataset, policy, &id.column)?;
            let room = (spill, rows);
            Ok(IdPass::new(&id.column, &id.kind, COUNTING_KEY, facts, room))
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    let needed = passes.iter().flat_map(IdPass::columns);
    let places = dataset.places(&needed.collect());
    let reading = Reading::of(&file, dataset, &places, Form::Typed);
    let read = |passes: &Vec<IdPass>, part: Part<'_>| {
        if let [only] = passes.as_slice() {
            return Ok(vec![only.read(part)?]);
        }
        let chunk = part.chunk()?;
        let ids = passes.iter().map(|pass| pass.read_chunk(&chunk));
        Ok(ids.collect::<Result<Vec<ChunkIds>, Problem>>()?)
    };
    file::sweep_parts(&reading, &mut passes, read, |passes, chunks, _| {
        let mut chunks: Vec<_> = chunks.into_iter().map(Vec::into_iter).collect();
        for pass in passes {
            pass.add(chunks.iter_mut().filter_map(Iterator::next).collect())?;
        }
        Ok(())
    })?;
    let published = Published {
        file: &file,
        dataset,
    };
    let counts = passes
        .into_iter()
        .map(|pass| Ok(pass.reduce(Some(published))?.counts))
        .collect::<Result<Vec<_>, Problem>>()?;
    file.check_unchanged()?;
    Ok(counts)
}
