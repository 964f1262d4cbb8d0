//! How a policy's rules and a dataset's values fit: counts for a policy check, taken before anything is published. Only rows
//! that give consent are looked at; others never enter a job.

use super::facts::{Consent, consents};
use super::fault::defect;
use super::file::{self, Chunk, DataFile, Form, Reading};
use super::manifest::Dataset;
use super::measure::{self, Unmeasurable};
use super::open::check_same;
use super::values::render;
use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use entente_wire::names::ColumnName;
use entente_wire::plan::{Measure, SqlText};
use entente_wire::policy::{ColumnPolicy, Policy};
use entente_wire::problem::Problem;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Review {
    /// Rows whose consent column says neither yes nor no.
    pub(crate) unclear_consents: u64,
    /// By published column.
    pub(crate) columns: BTreeMap<ColumnName, ColumnReview>,
}

/// What was counted in one published column, over rows with consent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ColumnReview {
    /// Rows without a value.
    pub(crate) nulls: u64,
    /// Values that the domain does not list.
    pub(crate) outside: u64,
    /// Of these, values that it would list without the white space around them.
    pub(crate) padded: u64,
    /// Values of the domain that no row has.
    pub(crate) unused: u64,
    /// Numbers that the clip changes.
    pub(crate) clipped: u64,
    /// NaN and infinities under a clip.
    pub(crate) not_finite: u64,
}

/// Counts. Columns that are not there or cannot be used are left out: what is wrong with them needs no reading.
pub(crate) fn review(dataset: &Dataset, policy: &Policy) -> Result<Review, Problem> {
    let file = Arc::new(DataFile::open(&dataset.path)?);
    check_same(&file, dataset)?;
    let usable = |name: &ColumnName| {
        let column = dataset.column(name);
        column.is_some_and(|column| column.storage.column_type().is_some())
    };
    let consent = policy.consent.as_ref().filter(|name| usable(name));
    let counters: Vec<Counter<'_>> = policy
        .columns
        .iter()
        .filter(|(name, _)| usable(name))
        .map(|(name, rules)| Counter::new(name, rules))
        .collect();
    let mut needed: BTreeSet<&ColumnName> = counters.iter().map(|counter| counter.name).collect();
    needed.extend(consent);
    let places = dataset.places(&needed);
    let mut review = Counters {
        unclear_consents: 0,
        columns: counters,
    };
    if !places.is_empty() {
        let reading = Reading::of(&file, dataset, &places, Form::Typed);
        let blank = review.again();
        let count = |_: &Counters<'_>, chunk: &Chunk| {
            let (batch, unclear_consents) = consenting(&chunk.batch, consent)?;
            let mut counters = Counters {
                unclear_consents,
                ..blank.again()
            };
            for counter in &mut counters.columns {
                counter.count(&batch)?;
            }
            Ok(counters)
        };
        file::sweep(&reading, &mut review, count, |review, more, _| {
            more.into_iter().for_each(|more| review.join(more));
            Ok(())
        })?;
    }
    file.check_unchanged()?;
    Ok(Review {
        unclear_consents: review.unclear_consents,
        columns: review.columns.into_iter().map(Counter::finish).collect(),
    })
}

/// What was counted so far.
struct Counters<'a> {
    unclear_consents: u64,
    columns: Vec<Counter<'a>>,
}

impl<'a> Counters<'a> {
    /// Counters of the same that have counted nothing.
    fn again(&self) -> Self {
        Self {
            unclear_consents: 0,
            columns: self.columns.iter().map(Counter::again).collect(),
        }
    }

    /// Adds what was counted in other rows.
    fn join(&mut self, other: Self) {
        self.unclear_consents += other.unclear_consents;
        for (counter, other) in self.columns.iter_mut().zip(other.columns) {
            counter.join(other);
        }
    }
}

/// The rows that give consent, and how many say neither yes nor no.
fn consenting(
    batch: &RecordBatch,
    consent: Option<&ColumnName>,
) -> Result<(RecordBatch, u64), Problem> {
    let Some(array) = consent.and_then(|name| batch.column_by_name(&name.0)) else {
        return Ok((batch.clone(), 0));
    };
    let consents = consents(array);
    let unclear = consents.iter().filter(|said| **said == Consent::Unclear);
    let unclear = unclear.count() as u64;
    let given = consents.iter().map(|said| Some(*said == Consent::Given));
    filter_record_batch(batch, &given.collect::<BooleanArray>())
        .map(|batch| (batch, unclear))
        .map_err(|_| defect("a mask has another length than its rows"))
}

struct Counter<'a> {
    name: &'a ColumnName,
    /// The place of each value of the domain.
    domain: Option<Arc<HashMap<&'a str, usize>>>,
    /// By place, whether some row has it.
    used: Vec<bool>,
    measure: Option<Measure>,
    found: ColumnReview,
}

impl<'a> Counter<'a> {
    fn new(name: &'a ColumnName, rules: &'a ColumnPolicy) -> Self {
        let domain = rules.domain.as_ref();
        Self {
            name,
            domain: domain.map(|values| {
                let places = values.iter().map(String::as_str).zip(0..);
                Arc::new(places.collect())
            }),
            used: vec![false; domain.map_or(0, Vec::len)],
            measure: rules.clip.zip(rules.scale).map(|(clip, scale)| Measure {
                sql: SqlText(String::new()),
                clip,
                scale,
            }),
            found: ColumnReview::default(),
        }
    }

    /// A counter of the same that has counted nothing.
    fn again(&self) -> Self {
        Self {
            name: self.name,
            domain: self.domain.clone(),
            used: vec![false; self.used.len()],
            measure: self.measure.clone(),
            found: ColumnReview::default(),
        }
    }

    /// Adds what was counted in other rows.
    fn join(&mut self, other: Self) {
        for (used, other) in self.used.iter_mut().zip(other.used) {
            *used |= other;
        }
        self.found.nulls += other.found.nulls;
        self.found.outside += other.found.outside;
        self.found.padded += other.found.padded;
        self.found.clipped += other.found.clipped;
        self.found.not_finite += other.found.not_finite;
    }

    fn count(&mut self, batch: &RecordBatch) -> Result<(), Problem> {
        let array = batch
            .column_by_name(&self.name.0)
            .ok_or_else(|| defect("a published column was not read"))?;
        self.found.nulls += array.logical_null_count() as u64;
        self.count_domain(array);
        self.count_clip(array);
        Ok(())
    }

    fn count_domain(&mut self, array: &ArrayRef) {
        let Some(domain) = &self.domain else {
            return;
        };
        let Ok(texts) = render::texts(array) else {
            return;
        };
        for text in texts.iter().flatten() {
            match domain.get(text) {
                Some(place) => self.used[*place] = true,
                None => {
                    self.found.outside += 1;
                    self.found.padded += u64::from(domain.contains_key(text.trim()));
                }
            }
        }
    }

    fn count_clip(&mut self, array: &ArrayRef) {
        let Some(clip) = &self.measure else {
            return;
        };
        let free = Measure {
            clip: [i64::MIN, i64::MAX],
            ..clip.clone()
        };
        match measure::fixed_point(array, &free) {
            Ok(values) => {
                let [low, high] = clip.clip;
                let beyond = |value: &i64| !(low..=high).contains(value);
                self.found.clipped += values.iter().flatten().filter(beyond).count() as u64;
            }
            Err(Unmeasurable::NotFinite(rows)) => self.found.not_finite += rows,
            Err(Unmeasurable::NotNumbers(_)) => {}
        }
    }

    fn finish(self) -> (ColumnName, ColumnReview) {
        let unused = self.used.iter().filter(|used| !**used).count() as u64;
        let found = ColumnReview {
            unused,
            ..self.found
        };
        (self.name.clone(), found)
    }
}
