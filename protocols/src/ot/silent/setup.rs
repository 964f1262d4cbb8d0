//! Sizes of silent transfers, from how many there will be; public and the same at both parties.

use super::super::extension;
use crate::channel::vector_bytes;
use crate::security::Security;
use crate::vole::code::{self, Code};

/// Noise places a chunk: see the module's text.
pub const NOISE: usize = 256;
/// Most outputs a chunk: its vectors stay in the last cache, and its trees take a fifth of a byte an output.
const CHUNK_OUTPUTS_MAX: usize = 1 << 18;
/// Fewest outputs a chunk: 32 places a part.
const CHUNK_OUTPUTS_MIN: usize = 16 * NOISE;
/// Words of 128 choices in a frame.
pub(super) const FRAME_WORDS: usize = 512;
/// Transfers of a word.
pub(super) const WORD: usize = 128;

/// What both parties make silent transfers with, in either direction.
pub struct Setup {
    code: Code,
}

impl Setup {
    /// For about so many transfers: not many more are made than that. Half trees need parts of 2^d places, so a chunk has a power of two.
    pub fn new(transfers: usize) -> Self {
        let chunk = (transfers / 4).max(1).next_power_of_two();
        Self::in_chunks(chunk.clamp(CHUNK_OUTPUTS_MIN, CHUNK_OUTPUTS_MAX))
    }

    /// In chunks of so many outputs.
    fn in_chunks(outputs: usize) -> Self {
        Self {
            code: Code::new(outputs, code::seed(code::NAME_OVER_BITS)),
        }
    }

    pub(super) fn code(&self) -> &Code {
        &self.code
    }

    /// Transfers a chunk.
    pub(super) fn outputs(&self) -> usize {
        self.code.outputs()
    }

    /// Places of a part: leaves of its tree.
    pub(super) fn part_places(&self) -> usize {
        2 * self.outputs() / NOISE
    }

    /// Levels of a tree.
    pub(super) fn depth(&self) -> usize {
        self.part_places().trailing_zeros() as usize
    }

    /// Correlated transfers that a chunk takes.
    pub(super) fn base_transfers(&self) -> usize {
        NOISE * self.depth()
    }

    /// Sums that S sends for a chunk: one a level, but none for the first.
    pub(super) fn sums(&self) -> usize {
        NOISE * (self.depth() - 1)
    }

    /// Chunks that are missing where `left` transfers are left and `transfers` are wanted.
    pub(super) fn missing(&self, left: usize, transfers: usize) -> usize {
        transfers.saturating_sub(left).div_ceil(self.outputs())
    }
}

/// Bytes of one call for `transfers` transfers, both directions, without what was said when they were prepared.
pub fn bytes(transfers: usize) -> u64 {
    let words = transfers.div_ceil(WORD);
    let frames = (0..words)
        .step_by(FRAME_WORDS)
        .map(|start| vector_bytes(FRAME_WORDS.min(words - start), 16));
    frames.sum()
}

/// How many transfers a call for so many uses up: whole words.
pub fn used(transfers: usize) -> usize {
    transfers.next_multiple_of(WORD)
}

/// Adds up what one direction says beside its calls.
pub struct Account<'a> {
    setup: &'a Setup,
    left: usize,
    bytes: u64,
}

impl<'a> Account<'a> {
    /// After the set-up.
    pub fn new(setup: &'a Setup) -> Self {
        Self {
            setup,
            left: 0,
            bytes: extension::set_up_bytes(Security::SemiHonest),
        }
    }

    /// Prepares so many transfers and uses them up.
    pub fn prepare_and_use(&mut self, transfers: usize) {
        let chunks = self.setup.missing(self.left, transfers);
        let base = chunks * self.setup.base_transfers();
        self.bytes += extension::bytes(base, Security::SemiHonest)
            + vector_bytes(chunks * self.setup.sums(), 16);
        self.left = self.left + chunks * self.setup.outputs() - transfers;
    }

    /// Bytes so far, both directions.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}
