//! The result of a reveal: the receiver's own rows of the ids that matched, with the columns asked for, as the file has them.

use super::csv_out::{self, CsvFile};
use super::facts::{unknown_column, usable};
use super::fault::defect;
use super::file::{self, Chunk, Form, Part, Reading};
use super::manifest::Storage;
use super::open::OpenDataset;
use super::rows::RowSet;
use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringArray, UInt32Array};
use datafusion::arrow::compute::{
    SortColumn, SortOptions, concat_batches, lexsort_to_indices, take_record_batch,
};
use entente_wire::names::ColumnName;
use entente_wire::plan::Display;
use entente_wire::problem::Problem;
use std::collections::BTreeSet;
use std::path::Path;

/// What of the rows is shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Columns of the result.
    pub columns: &'a [ColumnName],
    /// Written as `a.*`: the columns stand in the file's order, whatever the order of `columns`.
    pub star: bool,
    /// Order and cut.
    pub display: &'a Display,
}

/// Writes these rows of the file to `out` and says how many were written. Values are the characters of the file, the id's too.
/// Without ORDER BY rows stand in file order; with it, the result is held in memory, NULL after all values (before them where
/// descending), as PostgreSQL does.
pub fn write_rows(
    open: &OpenDataset,
    rows: &RowSet,
    shown: Shown<'_>,
    out: &Path,
) -> Result<u64, Problem> {
    let columns = laid_out(open, shown)?;
    let mut result = CsvFile::create(out)?;
    result.row(columns.iter().map(|name| Some(name.0.as_str())))?;
    let written = if shown.display.order_by.is_empty() {
        let limit = shown.display.limit.unwrap_or(u64::MAX);
        let first = rows.first(limit, open.dataset.manifest.rows);
        in_file_order(open, first.as_ref().unwrap_or(rows), &columns, &mut result)?
    } else {
        ordered(open, rows, &columns, shown.display, &mut result)?
    };
    open.file.check_unchanged()?;
    result.finish()?;
    Ok(written)
}

/// The types of the result's columns, in its order: those of the dataset.
pub fn row_types(open: &OpenDataset, shown: Shown<'_>) -> Result<Vec<Storage>, Problem> {
    let columns = laid_out(open, shown)?;
    let types = columns
        .iter()
        .map(|name| Ok(usable(&open.dataset, name)?.clone()));
    types.collect()
}

/// The columns in the order of the result; each is in the file.
fn laid_out(open: &OpenDataset, shown: Shown<'_>) -> Result<Vec<ColumnName>, Problem> {
    for name in shown.columns {
        usable(&open.dataset, name)?;
    }
    if !shown.star {
        return Ok(shown.columns.to_vec());
    }
    let asked: BTreeSet<&ColumnName> = shown.columns.iter().collect();
    let in_file = open.dataset.columns.iter().map(|column| &column.name);
    Ok(in_file
        .filter(|name| asked.contains(name))
        .cloned()
        .collect())
}

fn in_file_order(
    open: &OpenDataset,
    rows: &RowSet,
    columns: &[ColumnName],
    result: &mut CsvFile,
) -> Result<u64, Problem> {
    let places = open.dataset.places(&columns.iter().collect());
    let reading = Reading::of(&open.file, &open.dataset, &places, Form::Text).only(rows);
    let order = order_of(open, &places, columns)?;
    let mut written = 0;
    let lines = |_: &_, part: Part<'_>| {
        let mut lines = Vec::new();
        let rows = part.texts(|fields| {
            csv_out::line(&mut lines, order.iter().map(|place| fields[*place]));
        })?;
        Ok((rows, lines))
    };
    file::sweep_parts(&reading, result, lines, |result, done, _| {
        for (rows, lines) in done {
            result.lines(&lines)?;
            written += rows;
        }
        Ok(())
    })?;
    Ok(written)
}

/// For each column of the result, its place among those read.
fn order_of(
    open: &OpenDataset,
    places: &[usize],
    columns: &[ColumnName],
) -> Result<Vec<usize>, Problem> {
    let name_at = |place: &usize| open.dataset.columns.get(*place).map(|column| &column.name);
    let place_of = |name| places.iter().position(|place| name_at(place) == Some(name));
    let order = columns.iter().map(place_of).collect::<Option<Vec<usize>>>();
    order.ok_or_else(|| defect("a result column was not read"))
}

fn ordered(
    open: &OpenDataset,
    rows: &RowSet,
    columns: &[ColumnName],
    display: &Display,
    result: &mut CsvFile,
) -> Result<u64, Problem> {
    let texts = matching(open, rows, columns.iter().collect(), Form::Text)?;
    let keys = display.order_by.iter().map(|key| &key.column);
    let keys = matching(open, rows, keys.collect(), Form::Typed)?;
    let sort: Vec<SortColumn> = display
        .order_by
        .iter()
        .map(|key| {
            let values = keys
                .column_by_name(&key.column.0)
                .ok_or_else(|| unknown_column(&open.dataset, &key.column))?;
            Ok(SortColumn {
                values: values.clone(),
                options: Some(SortOptions {
                    descending: key.descending,
                    nulls_first: key.descending,
                }),
            })
        })
        .collect::<Result<_, Problem>>()?;
    let limit = display.limit.and_then(|limit| usize::try_from(limit).ok());
    let order = stable_order(sort, limit)?;
    let texts =
        take_record_batch(&texts, &order).map_err(|_| defect("rows cannot be put in order"))?;
    let mut lines = Vec::new();
    csv_lines(&texts, columns, &mut lines)?;
    result.lines(&lines)?;
    Ok(texts.num_rows() as u64)
}

/// Sorts with the file's order as the last key, so that equal rows stand as they stood.
fn stable_order(mut sort: Vec<SortColumn>, limit: Option<usize>) -> Result<UInt32Array, Problem> {
    let rows = sort.first().map_or(0, |column| column.values.len());
    let rows = u32::try_from(rows).map_err(|_| defect("a result has too many rows"))?;
    sort.push(SortColumn {
        values: std::sync::Arc::new(UInt32Array::from_iter_values(0..rows)),
        options: None,
    });
    lexsort_to_indices(&sort, limit).map_err(|_| defect("rows cannot be put in order"))
}

/// The rows of a batch as they stand in the result.
fn csv_lines(
    batch: &RecordBatch,
    columns: &[ColumnName],
    lines: &mut Vec<u8>,
) -> Result<(), Problem> {
    let arrays: Vec<&StringArray> = columns
        .iter()
        .map(|name| batch.column_by_name(&name.0)?.as_string_opt::<i32>())
        .collect::<Option<_>>()
        .ok_or_else(|| defect("a result column was not read as text"))?;
    for row in 0..batch.num_rows() {
        csv_out::line(
            lines,
            arrays
                .iter()
                .map(|array| array.is_valid(row).then(|| array.value(row))),
        );
    }
    Ok(())
}

/// The rows asked for, all at once.
fn matching(
    open: &OpenDataset,
    rows: &RowSet,
    columns: BTreeSet<&ColumnName>,
    form: Form,
) -> Result<RecordBatch, Problem> {
    let places = open.dataset.places(&columns);
    let reading = Reading::of(&open.file, &open.dataset, &places, form).only(rows);
    let mut batches = Vec::new();
    let read = |_: &_, chunk: &Chunk| Ok(chunk.batch.clone());
    file::sweep(&reading, &mut batches, read, |batches, done, _| {
        batches.extend(done);
        Ok(())
    })?;
    concat_batches(&reading.schema(), &batches).map_err(|_| defect("batches do not fit together"))
}
