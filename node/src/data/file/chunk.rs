//! Parts of a file on their way to rows: plain text is parsed when its rows are wanted, and only for those that are.

use super::plain::{Plain, Wanted};
use super::read::{Form, convert, read};
use super::reading::Reading;
use super::source::Raw;
use super::{csv, too_many};
use crate::data::fault::defect;
use crate::data::manifest::Format;
use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringArray, UInt32Array};
use datafusion::arrow::compute::{concat_batches, take_record_batch};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use entente_wire::problem::Problem;
use std::sync::Arc;

/// Some rows of a file that follow each other.
pub(crate) struct Chunk {
    /// The first of them.
    pub(crate) first_row: u32,
    /// How many there are.
    pub(crate) rows: u32,
    /// Which of them are in the batch, where not all were asked for.
    pub(crate) picked: Option<Vec<u32>>,
    /// Their columns.
    pub(crate) batch: RecordBatch,
}

impl Chunk {
    /// The rows in the batch, ascending.
    pub(crate) fn rows(&self) -> Vec<u32> {
        match &self.picked {
            Some(picked) => picked.clone(),
            None => (self.first_row..self.first_row.saturating_add(self.rows)).collect(),
        }
    }
}

/// Some rows of a file that follow each other and are not looked at yet.
pub(crate) struct Part<'a> {
    reading: &'a Reading<'a>,
    first_row: u32,
    rows: u32,
    body: Body,
}

impl<'a> Part<'a> {
    pub(super) fn new(
        reading: &'a Reading<'a>,
        first_row: u32,
        body: Body,
    ) -> Result<Self, Problem> {
        let rows = u32::try_from(body.rows()).map_err(|_| too_many(reading.file))?;
        Ok(Self {
            reading,
            first_row,
            rows,
            body,
        })
    }

    /// The first of them.
    pub(crate) fn first_row(&self) -> u32 {
        self.first_row
    }

    /// How many there are.
    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    /// The columns asked for.
    pub(crate) fn chunk(self) -> Result<Chunk, Failed> {
        let Self {
            reading,
            first_row,
            rows,
            body,
        } = self;
        let end = first_row.saturating_add(rows);
        let picked = reading
            .only
            .map(|only| only.within(first_row..end).collect::<Vec<u32>>());
        let native = match body {
            Body::Plain(plain) => {
                let only = reading.only.map(|only| (only, first_row));
                let arrays = plain.arrays(wanted(reading), only);
                let fields = reading
                    .wanted()
                    .map(|column| Field::new(&column.name.0, DataType::Utf8, true));
                let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
                RecordBatch::try_new(schema, arrays.ok_or(Failed::Odd)?)
                    .map_err(|_| defect("fields of one piece have different lengths"))?
            }
            Body::Native(batch) => match &picked {
                None => batch,
                Some(picked) => {
                    let places = picked.iter().map(|row| row - first_row);
                    take_record_batch(&batch, &UInt32Array::from_iter_values(places))
                        .map_err(|_| defect("picked rows are not in their piece"))?
                }
            },
        };
        let is_text = matches!(reading.format, Format::Csv { .. });
        let storages: Vec<_> = reading.wanted().map(|column| &column.storage).collect();
        let schema = reading.schema();
        let (file, form) = (reading.file, reading.form);
        Ok(Chunk {
            first_row,
            rows,
            picked,
            batch: convert(file, form, is_text, &storages, &schema, native)?,
        })
    }

    /// Gives the texts of each row asked for to `take`, in the order of the columns asked for; says how many rows there were.
    /// For columns that are texts.
    pub(crate) fn texts(self, mut take: impl FnMut(&[Option<&str>])) -> Result<u64, Failed> {
        let (reading, first_row) = (self.reading, self.first_row);
        if let Body::Plain(plain) = &self.body {
            let only = reading.only.map(|only| (only, first_row));
            return plain.each(wanted(reading), only, take).ok_or(Failed::Odd);
        }
        let batch = self.chunk()?.batch;
        let arrays = batch.columns().iter().map(|array| array.as_string_opt());
        let arrays: Option<Vec<&StringArray>> = arrays.collect();
        let arrays = arrays.ok_or_else(|| defect("a column was not read as text"))?;
        let mut fields = Vec::with_capacity(arrays.len());
        for row in 0..batch.num_rows() {
            fields.clear();
            fields.extend(
                arrays
                    .iter()
                    .map(|array| array.is_valid(row).then(|| array.value(row))),
            );
            take(&fields);
        }
        Ok(batch.num_rows() as u64)
    }
}

fn wanted<'a>(reading: &Reading<'a>) -> Wanted<'a> {
    Wanted {
        delimiter: reading.delimiter(),
        fields: reading.columns.len(),
        places: reading.places,
        check_all: !reading.known,
    }
}

/// A piece whose rows are counted.
pub(super) enum Body {
    Plain(Plain),
    Native(RecordBatch),
}

impl Body {
    pub(super) fn of(raw: Raw, reading: &Reading<'_>) -> Result<Self, Failed> {
        match raw {
            Raw::Text(piece) => match Plain::of(piece) {
                Ok(plain) => Ok(Self::Plain(plain)),
                Err(piece) => {
                    let names = reading.columns.iter().map(|column| &column.name.0);
                    let read = csv::piece(&piece, reading.delimiter(), names, reading.places);
                    read.map(Self::Native).map_err(|_| Failed::Odd)
                }
            },
            Raw::Native(batches) => {
                let schema = batches.first().map(RecordBatch::schema);
                let schema = schema.ok_or_else(|| defect("a piece has no batch"))?;
                concat_batches(&schema, &batches)
                    .map(Self::Native)
                    .map_err(|_| defect("batches of one file do not fit together").into())
            }
        }
    }

    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Plain(plain) => plain.rows(),
            Self::Native(batch) => batch.num_rows(),
        }
    }
}

/// Why a part gave no rows.
pub(crate) enum Failed {
    /// Something in a CSV file is not as it should be.
    Odd,
    Problem(Problem),
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Failed {
    /// For people. All readers of a file share one place in it, so this comes when nobody else reads.
    pub(super) fn told(self, reading: &Reading<'_>) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Odd => fault_of(reading),
        }
    }
}

/// Something in a CSV file is not as it should be: reads it from the beginning, record by record, to say what and where.
fn fault_of(reading: &Reading<'_>) -> Problem {
    let Reading {
        file,
        format,
        columns,
        places,
        ..
    } = *reading;
    let rows = match read(file, format, columns, places, Form::Raw) {
        Ok(rows) => rows,
        Err(problem) => return problem,
    };
    for batch in rows {
        if let Err(problem) = batch {
            return problem;
        }
    }
    defect("two readers of one file disagree")
}
