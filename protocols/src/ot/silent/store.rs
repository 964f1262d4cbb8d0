//! The rows of one chunk, handed out once each.

use super::setup::{Setup, WORD};
use crate::block::Block;
use crate::fault::{Fault, Misuse};
use crate::ot::extension::PIECE;
use crate::secret::Secret;

/// Places of a chunk; after the code the first half of them are rows.
pub(super) struct Store {
    places: Secret<Box<[Block]>>,
    outputs: usize,
    used: usize,
}

impl Store {
    /// With no rows.
    pub(super) fn new(setup: &Setup) -> Self {
        let outputs = setup.outputs();
        Self {
            places: Secret::new(vec![Block::ZERO; 2 * outputs].into_boxed_slice()),
            outputs,
            used: outputs,
        }
    }

    /// Rows left of this chunk.
    pub(super) fn left(&self) -> usize {
        self.outputs - self.used
    }

    /// All places, to be filled for the next chunk and compressed; then all its rows are there.
    pub(super) fn refill(&mut self, setup: &Setup, fill: impl FnOnce(&mut [Block])) {
        let places = self.places.expose_mut();
        fill(places);
        setup.code().compress_bits(places);
        self.used = 0;
    }

    /// The next rows: as many as are left, a piece's worth and up to `words` words, whichever is least.
    pub(super) fn take(&mut self, words: usize) -> &[Block] {
        let start = self.used;
        self.used += (WORD * words).min(PIECE).min(self.outputs - start);
        &self.places.expose()[start..self.used]
    }

    /// # Errors
    /// If so many transfers were not prepared, of which `left` are there or can be expanded.
    pub(super) fn check(left: usize, transfers: usize) -> Result<(), Fault> {
        match transfers <= left {
            true => Ok(()),
            false => Err(Misuse::TooMany {
                what: "silent transfers before more are prepared",
                max: left,
                got: transfers,
            }
            .into()),
        }
    }
}
