//! A released result as Parquet: the CSV file read back, each column brought to the type it has in the dataset.
//!
//! The CSV file stays the result that was released and whose digest is in the journal; this is a copy in another form, made when
//! somebody asks for it. A column of text keeps every character. Other types keep the value, not how it was written: `TRUE` is
//! true, `1.5` in a column with three places is 1.500, and a moment is UTC to the microsecond.

use super::fault::defect;
use super::file::BATCH_ROWS;
use super::manifest::Storage;
use super::result_records::{Field as Name, RecordFault, Records};
use super::values::typed;
use datafusion::arrow::array::{RecordBatch, StringBuilder};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;
use entente_wire::problem::{Code, Problem};
use entente_wire::publication::ColumnType;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;
use std::sync::Arc;

/// Characters of a batch after which the next begins, however few rows it has: bounds memory where texts are long.
const BATCH_BYTES_MAX: usize = 16 << 20;
/// Encoded bytes after which a row group is written out: bounds memory where rows are many.
const ROW_GROUP_BYTES_MAX: usize = 64 << 20;

/// Writes the result file `csv`, whose columns have these types, to `out` as Parquet. Memory stays bounded whatever the size.
///
/// Errors: a value has no form in its column's type (E4006), or a disk fails (E4002, E8004).
pub fn write_parquet(csv: &Path, types: &[Storage], out: impl Write + Send) -> Result<(), Problem> {
    let file = File::open(csv).map_err(|error| unreadable(csv, &error))?;
    let mut records = Records::new(BufReader::new(file));
    let schema = {
        let header = records.next().map_err(|fault| broken(csv, fault))?;
        Arc::new(schema(&header.unwrap_or_default(), types)?)
    };
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    let mut writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties.build()))
        .map_err(|error| unwritable(&error))?;
    loop {
        let mut texts = Texts::new(types.len());
        let more = texts.fill(&mut records, csv)?;
        let batch = texts.typed(&schema, types)?;
        writer.write(&batch).map_err(|error| unwritable(&error))?;
        if writer.memory_size() > ROW_GROUP_BYTES_MAX {
            writer.flush().map_err(|error| unwritable(&error))?;
        }
        if !more {
            break;
        }
    }
    let written = writer.close().map_err(|error| unwritable(&error));
    written.map(drop)
}

fn schema(header: &[Name<'_>], types: &[Storage]) -> Result<Schema, Problem> {
    if header.len() != types.len() {
        return Err(defect("a result has other columns than types"));
    }
    let fields = header.iter().zip(types).map(|(name, storage)| {
        let arrow =
            typed::arrow_type(storage).ok_or_else(|| defect("a result column has no type"))?;
        Ok(Field::new(name.as_deref().unwrap_or_default(), arrow, true))
    });
    Ok(Schema::new(fields.collect::<Result<Vec<_>, Problem>>()?))
}

/// Some records, column by column, as the file has them.
struct Texts {
    columns: Vec<StringBuilder>,
    rows: usize,
    bytes: usize,
}

impl Texts {
    fn new(columns: usize) -> Self {
        let columns = (0..columns).map(|_| StringBuilder::new()).collect();
        Self {
            columns,
            rows: 0,
            bytes: 0,
        }
    }

    /// Takes records until the batch is full; whether the file may hold more.
    fn fill(
        &mut self,
        records: &mut Records<BufReader<File>>,
        csv: &Path,
    ) -> Result<bool, Problem> {
        while self.rows < BATCH_ROWS && self.bytes < BATCH_BYTES_MAX {
            let Some(fields) = records.next().map_err(|fault| broken(csv, fault))? else {
                return Ok(false);
            };
            if fields.len() != self.columns.len() {
                return Err(broken(csv, RecordFault::Malformed));
            }
            for (field, column) in fields.iter().zip(&mut self.columns) {
                self.bytes += field.as_deref().map_or(0, str::len);
                column.append_option(field.as_deref());
            }
            self.rows += 1;
        }
        Ok(true)
    }

    fn typed(mut self, schema: &Arc<Schema>, types: &[Storage]) -> Result<RecordBatch, Problem> {
        let columns = self.columns.iter_mut().zip(types).zip(schema.fields());
        let columns = columns.map(|((texts, storage), field)| {
            typed::from_text(&texts.finish(), storage).map_err(|_| misfit(field.name(), storage))
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        RecordBatch::try_new(Arc::clone(schema), columns)
            .map_err(|_| defect("columns of a result do not fit together"))
    }
}

/// Says the column and its type, never the value.
fn misfit(column: &str, storage: &Storage) -> Problem {
    let column_type = storage.column_type().unwrap_or(ColumnType::Text);
    Problem::here(
        Code::ValueOutside,
        format!("a value of column {column} has no form in Parquet as {column_type}"),
        "take the result as CSV: --out FILE.csv",
    )
}

fn broken(csv: &Path, fault: RecordFault) -> Problem {
    match fault {
        RecordFault::Io(error) => unreadable(csv, &error),
        RecordFault::Malformed => defect("a released result is not CSV as it was written"),
    }
}

fn unreadable(csv: &Path, error: &io::Error) -> Problem {
    Problem::here(
        Code::FileUnreadable,
        format!("the result file {} cannot be read: {error}", csv.display()),
        "restore it from a backup, or submit the job again",
    )
}

fn unwritable(error: &ParquetError) -> Problem {
    let io = match error {
        ParquetError::External(error) => error.downcast_ref::<io::Error>(),
        _ => None,
    };
    match io {
        Some(error) => Problem::here(
            Code::Disk,
            format!("the result cannot be written as Parquet: {error}"),
            "check free space of the home folder, or take the result as CSV",
        ),
        None => defect("the result does not fit into Parquet"),
    }
}
