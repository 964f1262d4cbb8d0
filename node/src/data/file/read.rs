//! The rows of a dataset's file as Arrow batches, in file order.

use super::{DataFile, ROWS_MAX, changed, csv, parquet, too_many};
use crate::data::manifest::{Column, Format, Storage};
use crate::data::values::render;
use crate::data::values::typed;
use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use entente_wire::problem::Problem;
use std::sync::Arc;

/// What the columns of a batch hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The type that stands for the column's [`Storage`]: what questions are asked over.
    Typed,
    /// Text: in CSV the characters of the file, in Parquet the value as it is written.
    Text,
    /// As the file has it: text in CSV, native types in Parquet.
    Raw,
}

/// Batches of the columns asked for, in file order.
pub(super) struct Batches {
    file: Arc<DataFile>,
    rows: Rows,
    form: Form,
    storages: Vec<Storage>,
    schema: SchemaRef,
    rows_read: u64,
}

enum Rows {
    Csv(Box<csv::Rows>),
    Parquet(Box<parquet::Rows>),
}

/// Reads `file` with the columns at `places` (ascending, at least one) of all its `columns`.
pub(super) fn read(
    file: &Arc<DataFile>,
    format: Format,
    columns: &[Column],
    places: &[usize],
    form: Form,
) -> Result<Batches, Problem> {
    let rows = match format {
        Format::Csv { delimiter } => {
            let names: Vec<_> = columns.iter().map(|column| column.name.0.clone()).collect();
            let delimiter = u8::try_from(delimiter).unwrap_or(b',');
            Rows::Csv(Box::new(csv::rows(
                file,
                delimiter,
                &names,
                places.to_vec(),
            )?))
        }
        Format::Parquet => Rows::Parquet(Box::new(parquet::rows(file, places)?)),
    };
    let columns: Vec<&Column> = places
        .iter()
        .filter_map(|place| columns.get(*place))
        .collect();
    let fields = columns.iter().map(|column| {
        let data_type = match form {
            Form::Typed => typed::arrow_type(&column.storage).unwrap_or(DataType::Null),
            Form::Text | Form::Raw => DataType::Utf8,
        };
        Field::new(&column.name.0, data_type, true)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    Ok(Batches {
        file: Arc::clone(file),
        rows,
        form,
        storages: columns
            .iter()
            .map(|column| column.storage.clone())
            .collect(),
        schema,
        rows_read: 0,
    })
}

/// The header's names and, for Parquet, the native types.
pub(crate) fn native_columns(
    file: &DataFile,
    format: Format,
) -> Result<Vec<(String, DataType)>, Problem> {
    match format {
        Format::Csv { delimiter } => {
            let names = csv::header(file, u8::try_from(delimiter).unwrap_or(b','))?;
            Ok(names
                .into_iter()
                .map(|name| (name, DataType::Utf8))
                .collect())
        }
        Format::Parquet => {
            let schema = parquet::schema(file)?;
            let fields = schema.fields().iter();
            Ok(fields
                .map(|field| (field.name().clone(), field.data_type().clone()))
                .collect())
        }
    }
}

impl Batches {
    fn next_native(&mut self) -> Option<Result<RecordBatch, Problem>> {
        let file = &self.file;
        Some(match &mut self.rows {
            Rows::Csv(rows) => rows.next()?.map_err(|error| csv::explain(file, &error)),
            Rows::Parquet(rows) => rows.next(file)?,
        })
    }
}

/// Columns as the file has them, in the form asked for.
pub(super) fn convert(
    file: &DataFile,
    form: Form,
    is_text_file: bool,
    storages: &[&Storage],
    schema: &SchemaRef,
    native: RecordBatch,
) -> Result<RecordBatch, Problem> {
    if form == Form::Raw {
        return Ok(native);
    }
    if native.num_columns() != storages.len() {
        return Err(changed(file.path()));
    }
    let arrays = storages
        .iter()
        .zip(native.columns())
        .map(|(storage, array)| {
            convert_column(form, is_text_file, array, storage).ok_or_else(|| changed(file.path()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(native.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &rows)
        .map_err(|_| changed(file.path()))
}

/// `None` where a value does not fit: the file is not the registered one.
fn convert_column(
    form: Form,
    is_text_file: bool,
    array: &ArrayRef,
    storage: &Storage,
) -> Option<ArrayRef> {
    match (form, is_text_file) {
        (Form::Raw, _) | (Form::Text, true) => Some(Arc::clone(array)),
        (Form::Typed, true) => typed::from_text(array.as_string_opt::<i32>()?, storage).ok(),
        (Form::Typed, false) => typed::from_native(array, storage).ok(),
        (Form::Text, false) => {
            let typed = typed::from_native(array, storage).ok()?;
            render::texts(&typed).ok().map(render::shared)
        }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.next_native()? {
            Ok(batch) => batch,
            Err(problem) => return Some(Err(problem)),
        };
        self.rows_read += batch.num_rows() as u64;
        if self.rows_read > ROWS_MAX {
            return Some(Err(too_many(&self.file)));
        }
        let is_text_file = matches!(self.rows, Rows::Csv(_));
        let storages: Vec<&Storage> = self.storages.iter().collect();
        Some(convert(
            &self.file,
            self.form,
            is_text_file,
            &storages,
            &self.schema,
            batch,
        ))
    }
}
