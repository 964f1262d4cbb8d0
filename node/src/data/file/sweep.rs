//! A pass over all rows of a file on all cores: pieces are read one after another, parsed and worked on side by side, and what
//! comes of them is handed over in file order.

use super::plain::{Plain, Wanted};
use super::read::{Form, convert, read};
use super::split::{PIECE_BYTES, Piece, Splitter, Uncut};
use super::{DataFile, ROWS_MAX, csv, malformed, parquet, unreadable};
use crate::data::fault::defect;
use crate::data::manifest::{Column, Dataset, Format};
use crate::data::rows::RowSet;
use crate::data::values::typed;
use datafusion::arrow::array::{RecordBatch, UInt32Array};
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use entente_wire::problem::Problem;
use rayon::prelude::*;
use std::fs::File;
use std::sync::Arc;

/// Pieces that are worked on at a time, for each core.
const PIECES_PER_CORE: usize = 2;
/// Batches of a Parquet file that make one piece.
const BATCHES_PER_PIECE: usize = 4;

/// What is read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    file: &'a Arc<DataFile>,
    format: Format,
    columns: &'a [Column],
    places: &'a [usize],
    form: Form,
    only: Option<&'a RowSet>,
    known: bool,
    piece_bytes: usize,
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

    fn wanted(&self) -> impl Iterator<Item = &'a Column> + use<'a> {
        let columns = self.columns;
        self.places.iter().filter_map(|place| columns.get(*place))
    }

    fn delimiter(&self) -> u8 {
        match self.format {
            Format::Csv { delimiter } => u8::try_from(delimiter).unwrap_or(b','),
            Format::Parquet => b',',
        }
    }
}

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

/// Reads all rows. `work` is given each chunk, on any thread; `take` puts what came of consecutive chunks, in file order, into
/// `state`, and is told the number of rows they stand for.
///
/// Errors: the first in file order; what was taken before it is of no use then.
pub(crate) fn sweep<S: Sync, T: Send>(
    reading: &Reading<'_>,
    state: &mut S,
    work: impl Fn(&S, &Chunk) -> Result<T, Problem> + Sync,
    mut take: impl FnMut(&mut S, Vec<T>, u64) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut source = Source::open(reading)?;
    let mut first_row = 0u64;
    let mut wave = source.wave();
    loop {
        let here = std::mem::take(&mut wave.pieces);
        if here.is_empty() {
            return wave.ended.map_err(|failed| failed.told(reading));
        }
        let (next, sized) = rayon::join(
            || match &wave.ended {
                // What follows an error or the end is nothing.
                Err(_) => None,
                Ok(()) => Some(source.wave()),
            },
            || {
                here.into_par_iter()
                    .map(|raw| Sized::of(raw, reading))
                    .collect::<Vec<_>>()
            },
        );
        let mut numbered = Vec::with_capacity(sized.len());
        let begin = first_row;
        for sized in sized {
            let sized = sized.map_err(|failed| failed.told(reading))?;
            let begins = u32::try_from(first_row).map_err(|_| too_many(reading.file))?;
            first_row += sized.rows() as u64;
            if first_row > ROWS_MAX {
                return Err(too_many(reading.file));
            }
            numbered.push((begins, sized));
        }
        let seen: &S = state;
        let done: Vec<_> = numbered
            .into_par_iter()
            .map(|(begins, sized)| Ok(work(seen, &sized.chunk(reading, begins)?)?))
            .collect();
        let done = done.into_iter().collect::<Result<Vec<T>, Failed>>();
        let done = done.map_err(|failed| failed.told(reading))?;
        take(state, done, first_row - begin)?;
        match next {
            Some(next) => wave = next,
            None => return wave.ended.map_err(|failed| failed.told(reading)),
        }
    }
}

fn too_many(file: &DataFile) -> Problem {
    malformed(
        file.path(),
        &format!("it has more than {ROWS_MAX} rows"),
        "split it into several datasets",
    )
}

/// Where pieces come from.
enum Source<'a> {
    Csv(&'a Reading<'a>, Splitter<File>),
    Parquet(&'a Reading<'a>, Box<parquet::Rows>),
}

/// A piece as it was read.
enum Raw {
    Text(Piece),
    Native(Vec<RecordBatch>),
}

/// Pieces to be worked on together, and whether reading on makes sense.
struct Wave {
    pieces: Vec<Raw>,
    ended: Result<(), Failed>,
}

impl<'a> Source<'a> {
    fn open(reading: &'a Reading<'a>) -> Result<Self, Problem> {
        Ok(match reading.format {
            Format::Csv { .. } => {
                let (input, delimiter) = (reading.file.at_start()?, reading.delimiter());
                Self::Csv(
                    reading,
                    Splitter::new(input, delimiter, reading.piece_bytes),
                )
            }
            Format::Parquet => {
                let rows = parquet::rows(reading.file, reading.places)?;
                Self::Parquet(reading, Box::new(rows))
            }
        })
    }

    fn wave(&mut self) -> Wave {
        let count = rayon::current_num_threads() * PIECES_PER_CORE;
        let mut pieces = Vec::with_capacity(count);
        while pieces.len() < count {
            match self.piece() {
                Ok(Some(piece)) => pieces.push(piece),
                Ok(None) => break,
                Err(problem) => {
                    let ended = Err(problem);
                    return Wave { pieces, ended };
                }
            }
        }
        Wave {
            pieces,
            ended: Ok(()),
        }
    }

    fn piece(&mut self) -> Result<Option<Raw>, Failed> {
        match self {
            Self::Csv(reading, splitter) => match splitter.next() {
                None => Ok(None),
                Some(Ok(piece)) => Ok(Some(Raw::Text(piece))),
                Some(Err(Uncut::Odd)) => Err(Failed::Odd),
                Some(Err(Uncut::Unread(error))) => {
                    Err(unreadable(reading.file.path(), &error.kind().to_string()).into())
                }
            },
            Self::Parquet(reading, rows) => {
                let mut batches = Vec::with_capacity(BATCHES_PER_PIECE);
                while batches.len() < BATCHES_PER_PIECE {
                    match rows.next(reading.file) {
                        Some(batch) => batches.push(batch?),
                        None => break,
                    }
                }
                Ok(Some(batches)
                    .filter(|batches| !batches.is_empty())
                    .map(Raw::Native))
            }
        }
    }
}

/// A piece whose rows are counted.
enum Sized {
    Plain(Plain),
    Native(RecordBatch),
}

impl Sized {
    fn of(raw: Raw, reading: &Reading<'_>) -> Result<Self, Failed> {
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
                datafusion::arrow::compute::concat_batches(&schema, &batches)
                    .map(Self::Native)
                    .map_err(|_| defect("batches of one file do not fit together").into())
            }
        }
    }

    fn rows(&self) -> usize {
        match self {
            Self::Plain(plain) => plain.rows(),
            Self::Native(batch) => batch.num_rows(),
        }
    }

    fn chunk(self, reading: &Reading<'_>, first_row: u32) -> Result<Chunk, Failed> {
        let rows = u32::try_from(self.rows()).map_err(|_| too_many(reading.file))?;
        let end = first_row.saturating_add(rows);
        let picked = reading
            .only
            .map(|only| only.within(first_row..end).collect::<Vec<u32>>());
        let native = match self {
            Self::Plain(plain) => {
                let wanted = Wanted {
                    delimiter: reading.delimiter(),
                    fields: reading.columns.len(),
                    places: reading.places,
                    check_all: !reading.known,
                };
                let only = reading.only.map(|only| (only, first_row));
                let arrays = plain.fields(wanted, only);
                let arrays = arrays.ok_or(Failed::Odd)?;
                let fields = reading
                    .wanted()
                    .map(|column| Field::new(&column.name.0, DataType::Utf8, true));
                let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
                RecordBatch::try_new(schema, arrays)
                    .map_err(|_| defect("fields of one piece have different lengths"))?
            }
            Self::Native(batch) => match &picked {
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
        Ok(Chunk {
            first_row,
            rows,
            picked,
            batch: convert(
                reading.file,
                reading.form,
                is_text,
                &storages,
                &reading.schema(),
                native,
            )?,
        })
    }
}

/// Why a piece gave no chunk.
enum Failed {
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
    fn told(self, reading: &Reading<'_>) -> Problem {
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

#[cfg(test)]
mod tests;
