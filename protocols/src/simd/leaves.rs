//! Sums of the streams of a small tree's leaves: what oblivious-transfer extension spends most of its time on.
//!
//! Leaf y of sixteen has the stream AES_y(0) ‖ AES_y(1) ‖ …. Wanted are the sum of all streams and, for each of the four bits of y,
//! the sum of those where it is set. The kernel keeps the sixteen streams in registers and folds them there: a sum over
//! pairs leaves eight values, of which every second one has the next bit set, and so on.
//!
//! All kernels run in time independent of keys and streams.

use super::aes::Aes;
use crate::block::Block;

/// Leaves of a tree.
pub(crate) const LEAVES: usize = 16;
/// Bits of a leaf's number.
pub(crate) const BITS: usize = 4;
/// Most blocks of each stream that one call sums.
pub(crate) const BLOCKS: usize = 32;

/// Sums over the leaves of a tree, block by block.
pub(crate) struct Sums<'a> {
    /// Of all streams.
    pub(crate) all: &'a mut [Block; BLOCKS],
    /// Of those whose number has the bit.
    pub(crate) bits: &'a mut [[Block; BLOCKS]; BITS],
}

/// Replaces the first `count` blocks of each sum by those of the streams from block `first` on; what comes behind them is of no use. The
/// first leaf's stream is in the sum of all alone.
///
/// # Panics
/// If `count` is more than [`BLOCKS`]: a caller's defect.
pub(crate) fn sum(leaves: &[Aes; LEAVES], first: u64, count: usize, sums: Sums<'_>) {
    assert!(count <= BLOCKS, "no more blocks than there is room for");
    #[cfg(target_arch = "x86_64")]
    if let Some((width, keys)) = x86::keys(leaves) {
        // SAFETY: the leaves' kernels were chosen for this CPU, which so has the width.
        unsafe { x86::sum(width, &keys, first, count, sums) };
        return;
    }
    portable::sum(leaves, first, count, sums);
}

mod portable {
    use super::{Aes, BLOCKS, Block, LEAVES, Sums};

    pub(super) fn sum(leaves: &[Aes; LEAVES], first: u64, count: usize, sums: Sums<'_>) {
        sums.all[..count].fill(Block::ZERO);
        sums.bits
            .iter_mut()
            .for_each(|sum| sum[..count].fill(Block::ZERO));
        for (number, leaf) in leaves.iter().enumerate() {
            let mut stream: [Block; BLOCKS] =
                std::array::from_fn(|i| Block(u128::from(first) + i as u128));
            leaf.encrypt(&mut stream[..count]);
            add(&mut sums.all[..count], &stream);
            for (bit, sum) in sums.bits.iter_mut().enumerate() {
                if (number >> bit) & 1 == 1 {
                    add(&mut sum[..count], &stream);
                }
            }
        }
    }

    fn add(sum: &mut [Block], stream: &[Block]) {
        sum.iter_mut()
            .zip(stream)
            .for_each(|(sum, block)| *sum ^= *block);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;
    use proptest::prelude::*;

    type Values = ([Block; BLOCKS], [[Block; BLOCKS]; BITS]);

    fn by(sum: impl FnOnce(Sums<'_>)) -> Values {
        let mut all = [Block(7); BLOCKS];
        let mut bits = [[Block(9); BLOCKS]; BITS];
        sum(Sums {
            all: &mut all,
            bits: &mut bits,
        });
        (all, bits)
    }

    fn assert_agree(count: usize, values: &Values, expected: &Values) {
        assert_eq!(values.0[..count], expected.0[..count]);
        for (values, expected) in values.1.iter().zip(&expected.1) {
            assert_eq!(values[..count], expected[..count]);
        }
    }

    proptest! {
        #[test]
        fn every_kernel_agrees_with_the_portable_twin(seed: u128, first in 0..u64::MAX / 2, count in 0..=BLOCKS) {
            let mut prg = Prg::new(Block(seed));
            let leaves: [Aes; LEAVES] = std::array::from_fn(|_| Aes::new(prg.blocks(1)[0]));
            let expected = by(|sums| portable::sum(&leaves, first, count, sums));
            assert_agree(count, &by(|sums| sum(&leaves, first, count, sums)), &expected);
            #[cfg(target_arch = "x86_64")]
            if let Some((_, keys)) = x86::keys(&leaves) {
                for width in crate::simd::aes::x86::all_widths() {
                    // SAFETY: this CPU has the width.
                    let sums = by(|sums| unsafe { x86::sum(width, &keys, first, count, sums) });
                    assert_agree(count, &sums, &expected);
                }
            }
        }
    }

    #[test]
    fn a_sum_is_that_of_the_streams_with_its_bit() {
        let seeds = Prg::new(Block(3)).blocks(LEAVES);
        let leaves: [Aes; LEAVES] = std::array::from_fn(|leaf| Aes::new(seeds[leaf]));
        let (all, bits) = by(|sums| sum(&leaves, 5, 3, sums));
        for place in 0..3 {
            let of = |wanted: fn(usize, usize) -> bool, bit: usize| {
                let streams = seeds
                    .iter()
                    .enumerate()
                    .filter(|(number, _)| wanted(*number, bit));
                let blocks = streams.map(|(_, seed)| Prg::new(*seed).blocks(8)[5 + place]);
                blocks.fold(Block::ZERO, |sum, block| sum ^ block)
            };
            assert_eq!(all[place], of(|_, _| true, 0));
            for (bit, sums) in bits.iter().enumerate() {
                assert_eq!(sums[place], of(|number, bit| (number >> bit) & 1 == 1, bit));
            }
        }
    }
}
