//! Pieces of a file, read one after another.

use super::chunk::Failed;
use super::reading::Reading;
use super::split::{Piece, Splitter, Uncut};
use super::{parquet, unreadable};
use crate::data::manifest::Format;
use datafusion::arrow::array::RecordBatch;
use entente_wire::problem::Problem;
use std::fs::File;

/// Pieces that are worked on at a time, for each core.
const PIECES_PER_CORE: usize = 2;
/// Batches of a Parquet file that make one piece.
const BATCHES_PER_PIECE: usize = 4;

/// Where pieces come from.
pub(super) enum Source<'a> {
    Csv(&'a Reading<'a>, Splitter<File>),
    Parquet(&'a Reading<'a>, Box<parquet::Rows>),
}

/// A piece as it was read.
pub(super) enum Raw {
    Text(Piece),
    Native(Vec<RecordBatch>),
}

/// Pieces to be worked on together, and whether reading on makes sense.
pub(super) struct Wave {
    pub(super) pieces: Vec<Raw>,
    pub(super) ended: Result<(), Failed>,
}

impl<'a> Source<'a> {
    pub(super) fn open(reading: &'a Reading<'a>) -> Result<Self, Problem> {
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

    pub(super) fn wave(&mut self) -> Wave {
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
