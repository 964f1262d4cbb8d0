//! The local query: everything of a job that touches only this organisation's rows, before any protocol message.
//!
//! Order (product.md, "What SQL means here"): usable id → consent on all its rows → one row → WHERE → group codes and
//! measures. The file is read twice: once for the ids, which are spilled by bucket ([`super::id_pass`]) and reduced to one row
//! each ([`super::one_row`]), and once to answer the question for the chosen rows. Ids leave as 16-byte digests under the job's
//! own key.
//!
//! Memory grows with the file's rows by bits: those chosen, those that entered, those with one of several rows an id. What the
//! question keeps of each row that entered goes to disk for a blind join, which reads it bucket by bucket, once it does not fit
//! into the spill folder's room; while that is written, one piece of each partition of ids is in memory besides. For a table over
//! revealed ids it stays in memory: 4 bytes a group code, 8 and a bit a measure. A collapsed table is one batch while it is made,
//! with 4 bytes a row of the file ([`super::derived`]); its values then go the same way as a file's.

use super::derived;
use super::expression::Engine;
use super::facts::FactReader;
use super::fault::defect;
use super::file::{self, Chunk, Form, Part, Reading};
use super::id_pass::{IdPass, Published};
use super::manifest::Dataset;
use super::one_row::Reduction;
use super::open::{OpenDataset, not_an_id};
use super::prepared::Prepared;
use super::question::{Answers, Question};
use super::row_values::{Reads, RowValuesWriter};
use super::rows::{Ranks, RowSet};
use super::spill::SpillFolder;
use super::values::typed;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use entente_wire::names::OrgName;
use entente_wire::plan::{Plan, Side};
use entente_wire::problem::{Code, Problem};
use std::sync::Arc;

/// Told now and then while the file is read: rows done and rows to do, over all passes. A problem that it answers ends the
/// reading: nobody wants it any more.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64) -> Result<(), Problem>;

/// Runs the local query of `own`'s side of `plan`; what does not fit into memory goes to `spill`. Blocking; uses all cores.
///
/// Errors: the file changed or cannot be read; a value outside its public domain, or one that is not a finite number (E4006,
/// with the number of rows, never the value); the question does not fit the file's types; the disk is full.
pub fn prepare(
    open: &OpenDataset,
    plan: &Plan,
    own: &OrgName,
    digest_key: [u8; 32],
    spill: &SpillFolder,
    progress: Progress<'_>,
) -> Result<Prepared, Problem> {
    let side = plan
        .side(own)
        .ok_or_else(|| defect("a plan of others was given to a node"))?;
    prepare_side(open, (side, Reads::of(plan)), digest_key, spill, progress)
}

/// The same for one side, whose values are read so.
pub(super) fn prepare_side(
    open: &OpenDataset,
    (side, reads): (&Side, Reads),
    digest_key: [u8; 32],
    spill: &SpillFolder,
    progress: Progress<'_>,
) -> Result<Prepared, Problem> {
    check_side(open, side)?;
    let mut pass = Pass::new(open, progress);
    let reduction = chosen_rows(open, side, digest_key, spill, &mut pass)?;
    let engine = Engine::new();
    let (chosen, rows) = (&reduction.chosen, reduction.counts.rows);
    let values = RowValuesWriter::new(side, reads, (spill, &reduction.spill), chosen.len());
    let mut answers = Answers::new(side, rows, values);
    match &side.derived {
        None => rows_of_the_file(open, side, &engine, (chosen, &mut answers), &mut pass)?,
        Some(derived) => {
            let source = derived::Source {
                open,
                side,
                reduction: &reduction,
            };
            let collapsed = source.collapse(&engine, derived, &mut pass)?;
            let question = Question::new(&engine, side, &collapsed.table.schema())?;
            answers.add(question.answer(&collapsed.table, collapsed.rows)?)?;
        }
    }
    let answered = answers.finish()?;
    open.file.check_unchanged()?;
    Ok(Prepared {
        spill: reduction.spill,
        entered: Ranks::of(answered.rows),
        values: answered.values,
        counts: reduction.counts,
    })
}

fn check_side(open: &OpenDataset, side: &Side) -> Result<(), Problem> {
    let dataset = &open.dataset;
    if side.dataset != dataset.manifest.dataset {
        return Err(defect("a plan was given another dataset than its own"));
    }
    let registered = dataset
        .id(&side.id)
        .ok_or_else(|| not_an_id(dataset, &side.id))?;
    if registered.kind != side.id_kind {
        return Err(Problem::here(
            Code::DataChanged,
            format!(
                "the id column {} is registered as {}, and the job was planned with {}",
                side.id, registered.kind, side.id_kind
            ),
            "register and publish the dataset with one id kind, and submit the job again",
        ));
    }
    Ok(())
}

/// Counts rows over the passes of one local query.
pub(super) struct Pass<'a> {
    done: u64,
    total: u64,
    progress: Progress<'a>,
}

impl<'a> Pass<'a> {
    fn new(open: &OpenDataset, progress: Progress<'a>) -> Self {
        let total = open.dataset.manifest.rows.saturating_mul(2);
        Self {
            done: 0,
            total,
            progress,
        }
    }

    pub(super) fn read(&mut self, rows: u64) -> Result<(), Problem> {
        self.done += rows;
        (self.progress)(self.done.min(self.total), self.total)
    }
}

/// First pass: one row an id. Event tables keep all rows of an id, so they need consent only.
fn chosen_rows(
    open: &OpenDataset,
    side: &Side,
    key: [u8; 32],
    spill: &SpillFolder,
    pass: &mut Pass<'_>,
) -> Result<Reduction, Problem> {
    let OpenDataset {
        dataset,
        policy,
        file,
    } = open;
    let facts = match &side.derived {
        None => FactReader::new(dataset, policy, &side.id)?,
        Some(_) => FactReader::consent_only(dataset, policy)?,
    };
    let rows = dataset.manifest.rows;
    let mut ids = IdPass::new(&side.id, &side.id_kind, key, facts, (spill, rows));
    let places = dataset.places(&ids.columns());
    let reading = Reading::of(file, dataset, &places, Form::Typed);
    let read = |ids: &IdPass, part: Part<'_>| ids.read(part);
    file::sweep_parts(&reading, &mut ids, read, |ids, chunks, rows| {
        ids.add(chunks)?;
        pass.read(rows)
    })?;
    ids.reduce(Some(Published { file, dataset }))
}

/// All columns that questions can use, with their types.
pub(super) fn typed_schema(dataset: &Dataset) -> SchemaRef {
    let fields = dataset.columns.iter().filter_map(|column| {
        let data_type = typed::arrow_type(&column.storage)?;
        Some(Field::new(&column.name.0, data_type, true))
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Second pass: the question over the chosen rows.
fn rows_of_the_file(
    open: &OpenDataset,
    side: &Side,
    engine: &Engine,
    (chosen, answers): (&RowSet, &mut Answers<'_>),
    pass: &mut Pass<'_>,
) -> Result<(), Problem> {
    let OpenDataset { dataset, file, .. } = open;
    let columns = Question::columns(engine, side, &typed_schema(dataset))?;
    let places = dataset.places(&columns.iter().collect());
    if places.is_empty() {
        answers.add_all(chosen);
        return Ok(());
    }
    let reading = Reading::of(file, dataset, &places, Form::Typed).only(chosen);
    let question = Question::new(engine, side, &reading.schema())?;
    let ask = |_: &_, chunk: &Chunk| question.answer(&chunk.batch, chunk.rows());
    file::sweep(&reading, answers, ask, |answers, done, rows| {
        done.into_iter()
            .try_for_each(|answer| answers.add(answer))?;
        pass.read(rows)
    })
}
