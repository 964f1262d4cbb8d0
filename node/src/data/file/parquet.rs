//! Parquet: read column by column, only those asked for. What a file claims about itself is checked by reading it.

use super::{BATCH_ROWS, DataFile, malformed};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use datafusion::parquet::errors::ParquetError;
use entente_wire::problem::Problem;
use std::fs::File;

/// Batches of native columns.
pub(super) type Rows = ParquetRecordBatchReader;

/// Types of all top-level columns.
pub(super) fn schema(file: &DataFile) -> Result<SchemaRef, Problem> {
    Ok(open(file)?.schema().clone())
}

/// All rows with the top-level columns at `places`, in file order.
pub(super) fn rows(file: &DataFile, places: &[usize]) -> Result<Rows, Problem> {
    let builder = open(file)?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().copied());
    builder
        .with_projection(mask)
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(|error| explain(file, &error))
}

fn open(file: &DataFile) -> Result<ParquetRecordBatchReaderBuilder<File>, Problem> {
    ParquetRecordBatchReaderBuilder::try_new(file.from_start()?)
        .map_err(|error| explain(file, &error))
}

fn explain(file: &DataFile, error: &ParquetError) -> Problem {
    let what = match error {
        ParquetError::EOF(_) => "the Parquet file ends too early",
        ParquetError::NYI(_) => "the Parquet file uses a feature that is not supported",
        _ => "the Parquet file is damaged or was not written to its end",
    };
    damaged(file, what)
}

/// A batch could not be read.
pub(super) fn damaged(file: &DataFile, what: &str) -> Problem {
    malformed(
        file.path(),
        what,
        "write it again; check that the writer closed it; use snappy or no compression",
    )
}
