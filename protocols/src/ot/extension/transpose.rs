//! Turns 128 columns of 128 bits into 128 rows.

use crate::block::Block;

/// Transposes the bit matrix in place: afterwards bit i of `square[j]` is what bit j of `square[i]` was. Swaps ever smaller
/// squares off the diagonal; no branch or address depends on the bits.
pub(super) fn transpose(square: &mut [Block; 128]) {
    crate::simd::wide::run(|| {
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
    });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;

    #[test]
    fn every_bit_goes_to_its_mirror_place() {
        let mut square = [Block::ZERO; 128];
        Prg::new(Block(5)).fill_blocks(&mut square);
        let before = square;
        transpose(&mut square);
        for (i, before) in before.iter().enumerate() {
            for (j, after) in square.iter().enumerate() {
                assert_eq!((after.0 >> i) & 1, (before.0 >> j) & 1);
            }
        }
    }
}
