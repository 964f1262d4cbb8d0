//! What a party has of each bin of R's table, packed, and unpacked for the bins that are asked for.

use super::super::word::Word;
use super::Format;
use crate::block::Block;
use crate::prg::Prg;
use crate::secret::Secret;
use std::ops::Range;

/// Masks that are drawn at a time: fills the cipher's pipeline and stays on the stack.
pub(super) const BATCH: usize = 64;

/// A target, a code and shares for every bin, all of it uniformly random; wiped when dropped.
pub struct BinValues {
    format: Format,
    bins: usize,
    source: Source,
}

enum Source {
    /// R's, as they have been put together: a row a bin.
    Packed(Secret<Vec<u64>>),
    /// S's.
    Masks(Box<Masks>),
}

impl BinValues {
    pub(super) fn of_receiver(format: &Format, bins: u32, packed: Secret<Vec<u64>>) -> Self {
        Self {
            format: format.clone(),
            bins: bins as usize,
            source: Source::Packed(packed),
        }
    }

    pub(super) fn of_sender(format: &Format, bins: u32, masks: Box<Masks>) -> Self {
        Self {
            format: format.clone(),
            bins: bins as usize,
            source: Source::Masks(masks),
        }
    }

    /// How many bins there are.
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// The targets of some bins: R's t'_b or S's t_b.
    ///
    /// # Panics
    /// If there are not so many bins, here and below: a caller's defect.
    pub fn targets(&self, bins: Range<usize>) -> Vec<u128> {
        self.unpacked(bins, Format::targets)
    }

    /// Of some bins R's codes h'_b = h ⊕ s_b or S's masks s_b, of the code's bits.
    pub fn codes(&self, bins: Range<usize>) -> Vec<u32> {
        self.unpacked(bins, Format::codes)
    }

    /// Shares of S's words in some bins, row by row: S's w_b, or R's v − w_b. Each is below two to the power of the word's bits.
    pub fn shares<W: Word>(&self, bins: Range<usize>) -> Vec<W> {
        self.unpacked(bins, Format::numbers)
    }

    fn unpacked<T>(&self, bins: Range<usize>, unpack: impl Fn(&Format, &[u64]) -> T) -> T {
        assert!(bins.end <= self.bins, "there are as many bins");
        match &self.source {
            Source::Packed(packed) => {
                unpack(&self.format, self.format.some_rows(packed.expose(), bins))
            }
            Source::Masks(masks) => {
                let packed = masks.packed(&self.format, bins);
                unpack(&self.format, packed.expose())
            }
        }
    }

    /// All rows, packed.
    #[cfg(test)]
    pub(super) fn rows(&self) -> Vec<u64> {
        self.unpacked(0..self.bins, |_, packed| packed.to_vec())
    }
}

/// S's random masks of all bins: two words at a time from a stream, in whatever order, which costs less than to fetch them from a
/// table that no cache holds. Random in every bit, those of no field too: a bit that were the same in all hints would show R a match.
pub(super) struct Masks {
    stream: Prg,
    /// Planes of a row: its words, two by two.
    planes: usize,
}

impl Masks {
    /// Under a seed that nothing else is drawn from.
    pub(super) fn new(format: &Format, seed: Block) -> Self {
        Self {
            stream: Prg::new(seed),
            planes: format.words().div_ceil(2),
        }
    }

    /// Two words of the masks of up to [`BATCH`] bins.
    #[inline]
    pub(super) fn plane(&self, plane: usize, bins: impl Iterator<Item = usize>) -> [Block; BATCH] {
        let mut masks = [Block::ZERO; BATCH];
        let mut count = 0;
        for (mask, bin) in masks.iter_mut().zip(bins) {
            *mask = Block((bin * self.planes + plane) as u128);
            count += 1;
        }
        self.stream.blocks_at(&mut masks[..count]);
        masks
    }

    fn packed(&self, format: &Format, bins: Range<usize>) -> Secret<Vec<u64>> {
        let mut packed = Secret::new(format.room(bins.len()));
        for plane in 0..self.planes {
            let mut row = 0;
            for first in bins.clone().step_by(BATCH) {
                let batch = first..bins.end.min(first + BATCH);
                for mask in &self.plane(plane, batch.clone())[..batch.len()] {
                    format.set_pair(packed.expose_mut(), row, plane, mask.0);
                    row += 1;
                }
            }
        }
        packed
    }
}
