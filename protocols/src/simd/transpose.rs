//! Turns columns of bits into rows: 128 columns into rows of 128 bits, and a square in place.
//!
//! No branch or address depends on the bits.

use crate::block::Block;

/// Words of 128 rows that are turned at a time: a register's worth of each column.
pub(crate) const WORDS: usize = 4;
/// Rows of so many words.
pub(crate) const ROWS: usize = 128 * WORDS;

/// Row j of the result has as bit c what bit j of column c was, for the words of each column from `first` on.
///
/// # Panics
/// If a column ends before `first + WORDS`: a caller's defect.
pub(crate) fn rows<const N: usize>(
    columns: &[[Block; N]; 128],
    first: usize,
    rows: &mut [Block; ROWS],
) {
    assert!(first + WORDS <= N, "the words are there");
    #[cfg(target_arch = "x86_64")]
    if x86::available() {
        // SAFETY: `available` has just seen what the kernel needs on this CPU; the words are there.
        unsafe { x86::rows(columns.as_flattened().as_ptr().add(first), N, rows) };
        return;
    }
    portable::rows(columns, first, rows);
}

/// Transposes a bit matrix in place: afterwards bit i of `square[j]` is what bit j of `square[i]` was.
pub(crate) fn square(square: &mut [Block; 128]) {
    super::wide::run(|| portable::square(square));
}

mod portable {
    use super::{Block, WORDS};

    pub(super) fn rows<const N: usize>(
        columns: &[[Block; N]; 128],
        first: usize,
        rows: &mut [Block; super::ROWS],
    ) {
        for (word, rows) in (first..first + WORDS).zip(rows.as_chunks_mut().0) {
            for (cell, column) in rows.iter_mut().zip(columns) {
                *cell = column[word];
            }
            super::square(rows);
        }
    }

    /// Swaps ever smaller squares off the diagonal.
    #[inline(always)]
    pub(super) fn square(square: &mut [Block; 128]) {
        let mut low = square.map(Block::low);
        let mut high = square.map(Block::high);
        for i in 0..64 {
            std::mem::swap(&mut high[i], &mut low[i + 64]);
        }
        for half in [&mut low, &mut high] {
            let (upper, lower) = half.split_at_mut(64);
            quarter(upper);
            quarter(lower);
        }
        for ((block, low), high) in square.iter_mut().zip(low).zip(high) {
            *block = Block((u128::from(high) << 64) | u128::from(low));
        }
    }

    /// Transposes 64 words of 64 bits.
    #[inline(always)]
    fn quarter(words: &mut [u64]) {
        let mut mask = 0x0000_0000_ffff_ffffu64;
        let mut distance = 32;
        while distance > 0 {
            for pair in words.chunks_exact_mut(2 * distance) {
                let (upper, lower) = pair.split_at_mut(distance);
                for (a, b) in upper.iter_mut().zip(lower) {
                    let moved = ((*a >> distance) ^ *b) & mask;
                    *a ^= moved << distance;
                    *b ^= moved;
                }
            }
            distance /= 2;
            mask ^= mask << distance;
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;

    #[test]
    fn every_bit_goes_to_its_mirror_place() {
        let mut turned = [Block::ZERO; 128];
        Prg::new(Block(5)).fill_blocks(&mut turned);
        let before = turned;
        square(&mut turned);
        for (i, before) in before.iter().enumerate() {
            for (j, after) in turned.iter().enumerate() {
                assert_eq!((after.0 >> i) & 1, (before.0 >> j) & 1);
            }
        }
    }

    #[test]
    fn bit_j_of_every_column_makes_row_j_in_every_kernel() {
        const N: usize = 7;
        let mut columns = [[Block::ZERO; N]; 128];
        Prg::new(Block(6)).fill_blocks(columns.as_flattened_mut());
        for first in 0..=N - WORDS {
            let mut turned = [Block::ZERO; ROWS];
            rows(&columns, first, &mut turned);
            for (j, row) in turned.iter().enumerate() {
                for (c, column) in columns.iter().enumerate() {
                    let bit = (column[first + j / 128].0 >> (j % 128)) & 1;
                    assert_eq!((row.0 >> c) & 1, bit, "row {j}, column {c}");
                }
            }
            let mut again = [Block::ONE; ROWS];
            portable::rows(&columns, first, &mut again);
            assert_eq!(turned, again);
        }
    }
}
