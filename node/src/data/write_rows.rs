//! The result of a reveal: the receiver's own rows of the ids that matched, with the columns asked for, as the file has them.

use super::csv_out::CsvFile;
use super::facts::{unknown_column, usable};
use super::fault::defect;
use super::file::{self, Form};
use super::open::OpenDataset;
use datafusion::arrow::array::{AsArray, BooleanArray, RecordBatch, StringArray, UInt32Array};
use datafusion::arrow::compute::{
    SortColumn, SortOptions, concat_batches, filter_record_batch, lexsort_to_indices,
    take_record_batch,
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

/// Writes the file's rows with these numbers (of [`super::Prepared::rows`], in any order) to `out` and says how many were
/// written. Values are the characters of the file, the id's too. Without ORDER BY rows stand in file order; with it, the
/// result is held in memory, NULL after all values (before them where descending), as PostgreSQL does.
pub fn write_rows(
    open: &OpenDataset,
    rows: &[u32],
    shown: Shown<'_>,
    out: &Path,
) -> Result<u64, Problem> {
    let columns = laid_out(open, shown)?;
    let rows: BTreeSet<u32> = rows.iter().copied().collect();
    let mut result = CsvFile::create(out)?;
    result.row(columns.iter().map(|name| Some(name.0.as_str())))?;
    let limit = shown.display.limit.unwrap_or(u64::MAX);
    let written = if shown.display.order_by.is_empty() {
        in_file_order(open, &rows, &columns, limit, &mut result)?
    } else {
        ordered(open, &rows, &columns, shown.display, &mut result)?
    };
    open.file.check_unchanged()?;
    result.finish()?;
    Ok(written)
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
    rows: &BTreeSet<u32>,
    columns: &[ColumnName],
    limit: u64,
    result: &mut CsvFile,
) -> Result<u64, Problem> {
    let mut written = 0;
    for batch in Matching::read(open, rows, columns.iter().collect(), Form::Text)? {
        let batch = batch?;
        let count = usize::try_from(limit - written).unwrap_or(usize::MAX);
        let batch = batch.slice(0, batch.num_rows().min(count));
        write_batch(&batch, columns, result)?;
        written += batch.num_rows() as u64;
        if written == limit {
            break;
        }
    }
    Ok(written)
}

fn ordered(
    open: &OpenDataset,
    rows: &BTreeSet<u32>,
    columns: &[ColumnName],
    display: &Display,
    result: &mut CsvFile,
) -> Result<u64, Problem> {
    let texts = Matching::read(open, rows, columns.iter().collect(), Form::Text)?.all()?;
    let keys = display.order_by.iter().map(|key| &key.column);
    let keys = Matching::read(open, rows, keys.collect(), Form::Typed)?.all()?;
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
    write_batch(&texts, columns, result)?;
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

fn write_batch(
    batch: &RecordBatch,
    columns: &[ColumnName],
    result: &mut CsvFile,
) -> Result<(), Problem> {
    let arrays: Vec<&StringArray> = columns
        .iter()
        .map(|name| batch.column_by_name(&name.0)?.as_string_opt::<i32>())
        .collect::<Option<_>>()
        .ok_or_else(|| defect("a result column was not read as text"))?;
    for row in 0..batch.num_rows() {
        result.row(arrays.iter().map(|array| {
            use datafusion::arrow::array::Array;
            array.is_valid(row).then(|| array.value(row))
        }))?;
    }
    Ok(())
}

/// Batches of the rows asked for.
struct Matching<'a> {
    batches: file::Batches,
    rows: &'a BTreeSet<u32>,
    first_row: u32,
}

impl<'a> Matching<'a> {
    fn read(
        open: &OpenDataset,
        rows: &'a BTreeSet<u32>,
        columns: BTreeSet<&ColumnName>,
        form: Form,
    ) -> Result<Self, Problem> {
        let dataset = &open.dataset;
        let places = dataset.places(&columns);
        let batches = file::read(
            &open.file,
            dataset.manifest.format,
            &dataset.columns,
            &places,
            form,
        )?;
        Ok(Self {
            batches,
            rows,
            first_row: 0,
        })
    }

    fn all(self) -> Result<RecordBatch, Problem> {
        let schema = self.batches.schema().clone();
        let batches = self.collect::<Result<Vec<_>, _>>()?;
        concat_batches(&schema, &batches).map_err(|_| defect("batches do not fit together"))
    }
}

impl Iterator for Matching<'_> {
    type Item = Result<RecordBatch, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.batches.next()? {
            Ok(batch) => batch,
            Err(problem) => return Some(Err(problem)),
        };
        let begin = self.first_row;
        let end = begin.saturating_add(u32::try_from(batch.num_rows()).unwrap_or(u32::MAX));
        self.first_row = end;
        let mut kept = vec![false; batch.num_rows()];
        for row in self.rows.range(begin..end) {
            if let Some(kept) = kept.get_mut((row - begin) as usize) {
                *kept = true;
            }
        }
        let kept = BooleanArray::from(kept);
        Some(
            filter_record_batch(&batch, &kept)
                .map_err(|_| defect("a mask has another length than its rows")),
        )
    }
}
