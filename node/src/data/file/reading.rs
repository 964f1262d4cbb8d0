//! What a pass over a file reads: which columns, in which form, of which rows.

use super::DataFile;
use super::read::Form;
use super::split::PIECE_BYTES;
use crate::data::manifest::{Column, Dataset, Format};
use crate::data::rows::RowSet;
use crate::data::values::typed;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::sync::Arc;

/// What is read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(super) file: &'a Arc<DataFile>,
    pub(super) format: Format,
    pub(super) columns: &'a [Column],
    pub(super) places: &'a [usize],
    pub(super) form: Form,
    pub(super) only: Option<&'a RowSet>,
    pub(super) known: bool,
    pub(super) piece_bytes: usize,
}

impl<'a> Reading<'a> {
    /// A first look at a file, with the columns at `places` (ascending, at least one) of all its `columns`.
    pub(crate) fn first(
        file: &'a Arc<DataFile>,
        format: Format,
        columns: &'a [Column],
        places: &'a [usize],
        form: Form,
    ) -> Self {
        Self {
            file,
            format,
            columns,
            places,
            form,
            only: None,
            known: false,
            piece_bytes: PIECE_BYTES,
        }
    }

    /// A dataset's file whose hash was found to be the registered one.
    pub(crate) fn of(
        file: &'a Arc<DataFile>,
        dataset: &'a Dataset,
        places: &'a [usize],
        form: Form,
    ) -> Self {
        let known = true;
        Self {
            known,
            ..Self::first(
                file,
                dataset.manifest.format,
                &dataset.columns,
                places,
                form,
            )
        }
    }

    /// Reads these rows only.
    pub(crate) fn only(self, rows: &'a RowSet) -> Self {
        Self {
            only: Some(rows),
            ..self
        }
    }

    /// The schema of [`Form::Typed`] and [`Form::Text`] chunks.
    pub(crate) fn schema(&self) -> SchemaRef {
        let fields = self.wanted().map(|column| {
            let data_type = match self.form {
                Form::Typed => typed::arrow_type(&column.storage).unwrap_or(DataType::Null),
                Form::Text | Form::Raw => DataType::Utf8,
            };
            Field::new(&column.name.0, data_type, true)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    pub(super) fn wanted(&self) -> impl Iterator<Item = &'a Column> + use<'a> {
        let columns = self.columns;
        self.places.iter().filter_map(|place| columns.get(*place))
    }

    pub(super) fn delimiter(&self) -> u8 {
        match self.format {
            Format::Csv { delimiter } => u8::try_from(delimiter).unwrap_or(b','),
            Format::Parquet => b',',
        }
    }
}
