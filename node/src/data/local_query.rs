//! The local query: everything of a job that touches only this organisation's rows, before any protocol message.
//!
//! Order (product.md, "What SQL means here"): usable id → consent on all its rows → one row → WHERE → group codes and
//! measures. The file is read twice: once to choose one row an id ([`super::one_row`]), once to answer the question for the
//! chosen rows. Ids leave as 16-byte digests under the job's own key.
//!
//! Memory grows with different ids, not with rows. A bucketed path replaces [`chosen_rows`] and calls [`Question::answer`]
//! per bucket; nothing else knows that all ids are in memory at once.

use super::derived;
use super::expression::{Compiled, Engine};
use super::facts::FactReader;
use super::fault::defect;
use super::file::{self, Form};
use super::group::{self, Codes, Outside};
use super::manifest::Dataset;
use super::measure::{self, Unmeasurable};
use super::one_row::{Chosen, Counts, Facts, Reduction, keyed};
use super::open::{OpenDataset, not_an_id};
use super::values::typed;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, UInt32Array,
};
use datafusion::arrow::compute::{concat, filter_record_batch, take_record_batch};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use entente_protocols::psi::Id;
use entente_wire::names::ColumnName;
use entente_wire::plan::{GroupKey, Measure, Side};
use entente_wire::problem::{Code, Problem};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What one party brings to the protocol: parallel lists over the ids that entered, in the order of their rows in the file.
/// Holds digests of ids and people's values: no `Debug`.
pub struct Prepared {
    /// Ids, under the job's key.
    pub ids: Vec<Id>,
    /// Each id's row in the file, counted from 0 without the header; for a collapsed table the id's first row.
    pub rows: Vec<u32>,
    /// Each id's combined group code; empty where the side has no group key.
    pub groups: Vec<u32>,
    /// For each measure of the side, each id's value in units of 10^-scale; null where it has none.
    pub measures: Vec<Int64Array>,
    /// What was left out before WHERE, and why.
    pub counts: Counts,
}

/// Told now and then while the file is read: rows done and rows to do, over all passes.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// Runs one side's local query. Blocking; uses all cores for digests.
///
/// Errors: the file changed or cannot be read; a value outside its public domain, or one that is not a finite number (E4006,
/// with the number of rows, never the value); the question does not fit the file's types.
pub fn prepare(
    open: &OpenDataset,
    side: &Side,
    digest_key: [u8; 32],
    progress: Progress<'_>,
) -> Result<Prepared, Problem> {
    check_side(open, side)?;
    let mut pass = Pass::new(open, progress);
    let reduction = chosen_rows(open, side, &digest_key, &mut pass)?;
    let counts = reduction.counts();
    let engine = Engine::new();
    let answers = match &side.derived {
        None => {
            let question = Question::new(&engine, side, &typed_schema(&open.dataset))?;
            rows_of_the_file(open, question, &reduction.into_chosen(), &mut pass)?
        }
        Some(derived) => {
            let source = derived::Source {
                open,
                side,
                digest_key,
                reduction,
            };
            let collapsed = source.collapse(&engine, derived, &mut pass)?;
            let mut question = Question::new(&engine, side, &collapsed.table.schema())?;
            question.answer(&collapsed.table, &collapsed.chosen)?;
            question.finish()?
        }
    };
    open.file.check_unchanged()?;
    Ok(answers.with_counts(counts))
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

    pub(super) fn read(&mut self, rows: usize) {
        self.done += rows as u64;
        (self.progress)(self.done.min(self.total), self.total);
    }
}

/// First pass: one entry an id. Event tables keep all rows of an id, so they need consent only.
fn chosen_rows(
    open: &OpenDataset,
    side: &Side,
    key: &[u8; 32],
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
    let mut needed = facts.columns();
    needed.insert(&side.id);
    let places = dataset.places(&needed);
    let mut reduction = Reduction::new();
    let format = dataset.manifest.format;
    for batch in file::read(file, format, &dataset.columns, &places, Form::Typed)? {
        let batch = batch?;
        let facts: Facts = facts.read(&batch)?;
        reduction.observe(
            &keyed(id_texts(&batch, &side.id)?, &side.id_kind, key),
            &facts,
        );
        pass.read(batch.num_rows());
    }
    Ok(reduction)
}

/// The joined id's texts in a batch.
pub(super) fn id_texts<'a>(
    batch: &'a RecordBatch,
    id: &ColumnName,
) -> Result<&'a datafusion::arrow::array::StringArray, Problem> {
    batch
        .column_by_name(&id.0)
        .and_then(|array| array.as_string_opt::<i32>())
        .ok_or_else(|| defect("an id column was not read as text"))
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
    mut question: Question<'_>,
    chosen: &[Chosen],
    pass: &mut Pass<'_>,
) -> Result<Prepared, Problem> {
    let OpenDataset { dataset, file, .. } = open;
    let places = dataset.places(&question.columns.iter().collect());
    if places.is_empty() {
        question.take_all(chosen);
        return question.finish();
    }
    let batches = file::read(
        file,
        dataset.manifest.format,
        &dataset.columns,
        &places,
        Form::Typed,
    )?;
    question.recompile(batches.schema())?;
    let (mut rest, mut first_row) = (chosen, 0u32);
    for batch in batches {
        let batch = batch?;
        let rows = u32::try_from(batch.num_rows()).map_err(|_| defect("a batch is too long"))?;
        let end = first_row.saturating_add(rows);
        let (here, later) = rest.split_at(rest.partition_point(|chosen| chosen.row < end));
        let places: UInt32Array = here.iter().map(|chosen| chosen.row - first_row).collect();
        let batch = take_record_batch(&batch, &places)
            .map_err(|_| defect("chosen rows are not in their batch"))?;
        question.answer(&batch, here)?;
        (rest, first_row) = (later, end);
        pass.read(rows as usize);
    }
    question.finish()
}

/// WHERE, group keys and measures of one side, and what they gave so far.
struct Question<'a> {
    engine: &'a Engine,
    side: &'a Side,
    /// Columns that any expression uses.
    columns: BTreeSet<ColumnName>,
    filter: Option<Compiled>,
    groups: Vec<(&'a GroupKey, Codes<'a>, Compiled)>,
    measures: Vec<(&'a Measure, Compiled)>,
    found: Found,
}

#[derive(Default)]
struct Found {
    ids: Vec<Id>,
    rows: Vec<u32>,
    groups: Vec<u32>,
    measures: Vec<Vec<ArrayRef>>,
    outside: Vec<Outside>,
    not_finite: Vec<u64>,
}

impl<'a> Question<'a> {
    fn new(engine: &'a Engine, side: &'a Side, schema: &SchemaRef) -> Result<Self, Problem> {
        if group::cells(&side.groups).is_none() {
            return Err(Problem::request(
                Code::Question,
                "the group keys have more combinations than 32 bits can number",
                "group by fewer keys, or by keys with fewer values",
            ));
        }
        let mut question = Self {
            engine,
            side,
            columns: BTreeSet::new(),
            filter: None,
            groups: Vec::new(),
            measures: Vec::new(),
            found: Found {
                measures: side.measures.iter().map(|_| Vec::new()).collect(),
                outside: vec![Outside::default(); side.groups.len()],
                not_finite: vec![0; side.measures.len()],
                ..Found::default()
            },
        };
        question.recompile(schema)?;
        let expressions = side.filter.iter();
        let expressions = expressions.chain(side.groups.iter().map(|key| &key.sql));
        for sql in expressions.chain(side.measures.iter().map(|measure| &measure.sql)) {
            question
                .columns
                .extend(engine.columns(sql, schema, "an expression")?);
        }
        Ok(question)
    }

    /// Compiles for batches of `schema`, which holds all columns used.
    fn recompile(&mut self, schema: &SchemaRef) -> Result<(), Problem> {
        let (engine, side) = (self.engine, self.side);
        let filter = side.filter.as_ref();
        self.filter = filter
            .map(|sql| engine.compile(sql, schema, "WHERE"))
            .transpose()?;
        self.groups = side
            .groups
            .iter()
            .map(|key| {
                let what = format!("the group key {}", key.name);
                let codes =
                    Codes::new(key).ok_or_else(|| defect("a domain has too many values"))?;
                Ok((key, codes, engine.compile(&key.sql, schema, &what)?))
            })
            .collect::<Result<_, Problem>>()?;
        self.measures = side
            .measures
            .iter()
            .enumerate()
            .map(|(place, measure)| {
                let what = format!("measure {}", place + 1);
                Ok((measure, engine.compile(&measure.sql, schema, &what)?))
            })
            .collect::<Result<_, Problem>>()?;
        Ok(())
    }

    /// Where nothing is asked of the rows.
    fn take_all(&mut self, chosen: &[Chosen]) {
        self.found
            .ids
            .extend(chosen.iter().map(|chosen| Id::new(chosen.id)));
        self.found
            .rows
            .extend(chosen.iter().map(|chosen| chosen.row));
    }

    /// Takes in chosen rows; `batch` holds one row for each.
    fn answer(&mut self, batch: &RecordBatch, chosen: &[Chosen]) -> Result<(), Problem> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let (batch, chosen) = match &self.filter {
            Some(filter) => {
                let kept = filter.evaluate(batch)?;
                let kept = kept
                    .as_boolean_opt()
                    .ok_or_else(|| defect("a condition is not true or false"))?;
                let batch = filter_record_batch(batch, kept)
                    .map_err(|_| defect("a condition has another length than its rows"))?;
                (batch, kept_of(chosen, kept))
            }
            None => (batch.clone(), chosen.to_vec()),
        };
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.take_all(&chosen);
        self.take_groups(&batch)?;
        self.take_measures(&batch)
    }

    fn take_groups(&mut self, batch: &RecordBatch) -> Result<(), Problem> {
        if self.groups.is_empty() {
            return Ok(());
        }
        let mut combined = vec![0; batch.num_rows()];
        for ((key, codes, compiled), outside) in self.groups.iter().zip(&mut self.found.outside) {
            let values = compiled.evaluate(batch)?;
            let more = codes
                .append(&values, &mut combined)
                .map_err(|found| no_text(key, &found.0))?;
            outside.values += more.values;
            outside.nulls += more.nulls;
        }
        self.found.groups.append(&mut combined);
        Ok(())
    }

    fn take_measures(&mut self, batch: &RecordBatch) -> Result<(), Problem> {
        for (place, (definition, compiled)) in self.measures.iter().enumerate() {
            let values = compiled.evaluate(batch)?;
            let fixed = match measure::fixed_point(&values, definition) {
                Ok(fixed) => fixed,
                Err(Unmeasurable::NotFinite(rows)) => {
                    if let Some(count) = self.found.not_finite.get_mut(place) {
                        *count += rows;
                    }
                    continue;
                }
                Err(Unmeasurable::NotNumbers(found)) => return Err(no_number(place, &found)),
            };
            if let Some(arrays) = self.found.measures.get_mut(place) {
                arrays.push(Arc::new(fixed));
            }
        }
        Ok(())
    }

    /// What was found, unless a value was outside its domain or not finite.
    fn finish(self) -> Result<Prepared, Problem> {
        for (key, outside) in self.side.groups.iter().zip(&self.found.outside) {
            if *outside != Outside::default() {
                return Err(value_outside(key, *outside));
            }
        }
        let not_finite = self.found.not_finite.iter().enumerate();
        if let Some((place, rows)) = not_finite.into_iter().find(|(_, rows)| **rows > 0) {
            return Err(number_not_finite(place, *rows, self.side));
        }
        let measures = self.found.measures.iter().map(|arrays| joined(arrays));
        Ok(Prepared {
            measures: measures.collect::<Result<_, _>>()?,
            ids: self.found.ids,
            rows: self.found.rows,
            groups: self.found.groups,
            counts: Counts::default(),
        })
    }
}

impl Prepared {
    fn with_counts(self, counts: Counts) -> Self {
        Self { counts, ..self }
    }
}

/// The chosen rows for which a condition is true; NULL is not true.
fn kept_of(chosen: &[Chosen], kept: &BooleanArray) -> Vec<Chosen> {
    let rows = chosen.iter().zip(kept.iter());
    rows.filter(|(_, kept)| *kept == Some(true))
        .map(|(chosen, _)| *chosen)
        .collect()
}

fn joined(arrays: &[ArrayRef]) -> Result<Int64Array, Problem> {
    if arrays.is_empty() {
        return Ok(Int64Array::new_null(0));
    }
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    concat(&arrays)
        .ok()
        .and_then(|array| array.as_primitive_opt().cloned())
        .ok_or_else(|| defect("measures do not fit together"))
}

fn value_outside(key: &GroupKey, outside: Outside) -> Problem {
    let name = &key.name;
    let Outside { values, nulls } = outside;
    let what = match (values, nulls) {
        (0, nulls) => format!("{nulls} rows have no value for {name}, which is not nullable"),
        (values, 0) => format!("{values} rows have a value outside the public domain of {name}"),
        (values, nulls) => format!(
            "{values} rows have a value outside the public domain of {name}, and {nulls} have none although it is not nullable"
        ),
    };
    Problem::here(
        Code::ValueOutside,
        what,
        "add the values to the domain, say `nullable = true`, exclude the rows in WHERE, or repair the data",
    )
}

fn number_not_finite(place: usize, rows: u64, side: &Side) -> Problem {
    let sql = side
        .measures
        .get(place)
        .map_or("", |measure| &measure.sql.0);
    Problem::here(
        Code::ValueOutside,
        format!("{rows} rows have a value of {sql} that is NaN or infinite"),
        "replace such values by nothing in the file, or exclude the rows in WHERE",
    )
}

fn no_text(key: &GroupKey, found: &str) -> Problem {
    Problem::here(
        Code::Question,
        format!(
            "the group key {} gives values of type {found}, which have no text",
            key.name
        ),
        "group by text, whole numbers, true and false, or days",
    )
}

fn no_number(place: usize, found: &str) -> Problem {
    Problem::here(
        Code::ValueOutside,
        format!(
            "measure {} gives values of type {found}, which are no numbers",
            place + 1
        ),
        "measure a column of numbers; the dataset's report lists all types",
    )
}
