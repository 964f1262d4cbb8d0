//! WHERE, group keys and measures of one side, asked of chosen rows.

use super::expression::{Compiled, Engine};
use super::fault::defect;
use super::group::{self, Codes, Outside};
use super::measure::{self, Unmeasurable};
use super::row_values::{RowValues, RowValuesWriter};
use super::rows::RowSet;
use datafusion::arrow::array::{AsArray, Int64Array, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::SchemaRef;
use entente_wire::names::ColumnName;
use entente_wire::plan::{GroupKey, Measure, Side};
use entente_wire::problem::{Code, Problem};
use std::collections::BTreeSet;

/// One side's question, ready for batches of one schema. Threads may ask it at the same time.
pub(super) struct Question<'a> {
    filter: Option<Compiled>,
    groups: Vec<(&'a GroupKey, Codes<'a>, Compiled)>,
    measures: Vec<(&'a Measure, Compiled)>,
}

/// What it said of some rows: lists over those that pass WHERE.
#[derive(Default)]
pub(super) struct Answer {
    rows: Vec<u32>,
    groups: Vec<u32>,
    measures: Vec<Int64Array>,
    outside: Vec<Outside>,
    not_finite: Vec<u64>,
}

/// What it said of all rows so far, in file order.
pub(super) struct Answers<'a> {
    side: &'a Side,
    rows: RowSet,
    values: RowValuesWriter<'a>,
    outside: Vec<Outside>,
    not_finite: Vec<u64>,
}

/// What it said in the end.
pub(super) struct Answered {
    pub(super) rows: RowSet,
    pub(super) values: RowValues,
}

impl<'a> Question<'a> {
    /// The columns of `schema` that it uses.
    pub(super) fn columns(
        engine: &Engine,
        side: &Side,
        schema: &SchemaRef,
    ) -> Result<BTreeSet<ColumnName>, Problem> {
        let keys = side.groups.iter().map(|key| &key.sql);
        let measures = side.measures.iter().map(|measure| &measure.sql);
        let mut columns = BTreeSet::new();
        for sql in side.filter.iter().chain(keys).chain(measures) {
            columns.extend(engine.columns(sql, schema, "an expression")?);
        }
        Ok(columns)
    }

    /// For batches of `schema`, which holds all columns used.
    pub(super) fn new(
        engine: &Engine,
        side: &'a Side,
        schema: &SchemaRef,
    ) -> Result<Self, Problem> {
        if group::cells(&side.groups).is_none() {
            return Err(Problem::request(
                Code::Question,
                "the group keys have more combinations than 32 bits can number",
                "group by fewer keys, or by keys with fewer values",
            ));
        }
        let filter = side.filter.as_ref();
        let group = |key: &'a GroupKey| {
            let what = format!("the group key {}", key.name);
            let codes = Codes::new(key).ok_or_else(|| defect("a domain has too many values"))?;
            Ok((key, codes, engine.compile(&key.sql, schema, &what)?))
        };
        let measure = |(place, measure): (usize, &'a Measure)| {
            let what = format!("measure {}", place + 1);
            Ok((measure, engine.compile(&measure.sql, schema, &what)?))
        };
        Ok(Self {
            filter: filter
                .map(|sql| engine.compile(sql, schema, "WHERE"))
                .transpose()?,
            groups: side
                .groups
                .iter()
                .map(group)
                .collect::<Result<_, Problem>>()?,
            measures: (side.measures.iter().enumerate())
                .map(measure)
                .collect::<Result<_, Problem>>()?,
        })
    }

    /// Asks about `rows`; `batch` holds each one's columns.
    pub(super) fn answer(&self, batch: &RecordBatch, rows: Vec<u32>) -> Result<Answer, Problem> {
        let mut answer = Answer {
            outside: vec![Outside::default(); self.groups.len()],
            not_finite: vec![0; self.measures.len()],
            ..Answer::default()
        };
        let batch = match &self.filter {
            Some(filter) if batch.num_rows() > 0 => {
                let passes = filter.evaluate(batch)?;
                let passes = passes
                    .as_boolean_opt()
                    .ok_or_else(|| defect("a condition is not true or false"))?;
                let kept = rows.into_iter().zip(passes);
                // NULL is not true.
                let kept = kept.filter(|(_, passes)| *passes == Some(true));
                answer.rows = kept.map(|(row, _)| row).collect();
                filter_record_batch(batch, passes)
                    .map_err(|_| defect("a condition has another length than its rows"))?
            }
            _ => {
                answer.rows = rows;
                batch.clone()
            }
        };
        if batch.num_rows() > 0 {
            self.find_groups(&batch, &mut answer)?;
            self.find_measures(&batch, &mut answer)?;
        }
        Ok(answer)
    }

    fn find_groups(&self, batch: &RecordBatch, answer: &mut Answer) -> Result<(), Problem> {
        if self.groups.is_empty() {
            return Ok(());
        }
        answer.groups = vec![0; batch.num_rows()];
        for ((key, codes, compiled), outside) in self.groups.iter().zip(&mut answer.outside) {
            let values = compiled.evaluate(batch)?;
            *outside = codes
                .append(&values, &mut answer.groups)
                .map_err(|found| no_text(key, &found.0))?;
        }
        Ok(())
    }

    fn find_measures(&self, batch: &RecordBatch, answer: &mut Answer) -> Result<(), Problem> {
        for (place, (definition, compiled)) in self.measures.iter().enumerate() {
            let values = compiled.evaluate(batch)?;
            let fixed = match measure::fixed_point(&values, definition) {
                Ok(fixed) => fixed,
                Err(Unmeasurable::NotFinite(rows)) => {
                    answer.not_finite[place] += rows;
                    Int64Array::new_null(batch.num_rows())
                }
                Err(Unmeasurable::NotNumbers(found)) => return Err(no_number(place, &found)),
            };
            answer.measures.push(fixed);
        }
        Ok(())
    }
}

impl<'a> Answers<'a> {
    /// For a file of `rows` rows, with their values to `values`.
    pub(super) fn new(side: &'a Side, rows: u64, values: RowValuesWriter<'a>) -> Self {
        Self {
            side,
            rows: RowSet::new(rows),
            values,
            outside: vec![Outside::default(); side.groups.len()],
            not_finite: vec![0; side.measures.len()],
        }
    }

    /// Where nothing is asked of the rows.
    pub(super) fn add_all(&mut self, rows: &RowSet) {
        rows.iter().for_each(|row| self.rows.insert(row));
    }

    /// Takes in what was said of rows after all others.
    ///
    /// Errors: values cannot be spilled (`Disk`).
    pub(super) fn add(&mut self, answer: Answer) -> Result<(), Problem> {
        self.rows.insert_all(&answer.rows);
        self.values
            .add(&answer.rows, answer.groups, answer.measures)?;
        for (all, more) in self.outside.iter_mut().zip(answer.outside) {
            all.values += more.values;
            all.nulls += more.nulls;
        }
        for (all, more) in self.not_finite.iter_mut().zip(answer.not_finite) {
            *all += more;
        }
        Ok(())
    }

    /// What was said, unless a value was outside its domain or not finite.
    pub(super) fn finish(self) -> Result<Answered, Problem> {
        for (key, outside) in self.side.groups.iter().zip(&self.outside) {
            if *outside != Outside::default() {
                return Err(value_outside(key, *outside));
            }
        }
        let mut not_finite = self.not_finite.iter().enumerate();
        if let Some((place, rows)) = not_finite.find(|(_, rows)| **rows > 0) {
            return Err(number_not_finite(place, *rows, self.side));
        }
        Ok(Answered {
            rows: self.rows,
            values: self.values.finish()?,
        })
    }
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
