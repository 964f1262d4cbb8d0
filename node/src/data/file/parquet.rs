//! Parquet: read column by column, only those asked for. What a file claims about itself is checked by reading it.
//!
//! The reader panics on some damaged files (it asserts what the footer should say). Each call is caught and becomes a problem
//! of the file; nothing of the reader is used after that.

use super::{BATCH_ROWS, DataFile, malformed};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use datafusion::parquet::errors::ParquetError;
use entente_wire::problem::Problem;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Batches of native columns; ends after the first error.
pub(super) struct Rows {
    reader: Option<ParquetRecordBatchReader>,
}

impl Rows {
    pub(super) fn next(&mut self, file: &DataFile) -> Option<Result<RecordBatch, Problem>> {
        let mut reader = self.reader.take()?;
        let read = catch_unwind(AssertUnwindSafe(move || {
            let batch = reader.next();
            (reader, batch)
        }));
        match read {
            Ok((reader, batch)) => {
                let batch = batch?;
                self.reader = batch.is_ok().then_some(reader);
                Some(batch.map_err(|_| damaged(file, DAMAGED_INSIDE)))
            }
            Err(_) => Some(Err(damaged(file, DAMAGED_INSIDE))),
        }
    }
}

const DAMAGED_INSIDE: &str = "the Parquet file is damaged inside";

/// Types of all top-level columns.
pub(super) fn schema(file: &DataFile) -> Result<SchemaRef, Problem> {
    Ok(open(file)?.schema().clone())
}

/// All rows with the top-level columns at `places`, in file order.
pub(super) fn rows(file: &DataFile, places: &[usize]) -> Result<Rows, Problem> {
    let builder = open(file)?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().copied());
    let build = || {
        builder
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .build()
    };
    let reader = caught(file, build)?;
    Ok(Rows {
        reader: Some(reader),
    })
}

fn open(file: &DataFile) -> Result<ParquetRecordBatchReaderBuilder<File>, Problem> {
    let start = file.at_start()?;
    caught(file, || ParquetRecordBatchReaderBuilder::try_new(start))
}

fn caught<T>(
    file: &DataFile,
    step: impl FnOnce() -> Result<T, ParquetError>,
) -> Result<T, Problem> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(outcome) => outcome.map_err(|error| explain(file, &error)),
        Err(_) => Err(damaged(file, DAMAGED_INSIDE)),
    }
}

fn explain(file: &DataFile, error: &ParquetError) -> Problem {
    let what = match error {
        ParquetError::EOF(_) => "the Parquet file ends too early",
        ParquetError::NYI(_) => "the Parquet file uses a feature that is not supported",
        _ => "the Parquet file is damaged or was not written to its end",
    };
    damaged(file, what)
}

fn damaged(file: &DataFile, what: &str) -> Problem {
    malformed(
        file.path(),
        what,
        "write it again; check that the writer closed it; use snappy or no compression",
    )
}
