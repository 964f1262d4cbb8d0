//! The kernels for CPUs with VAES: half of the leaves at a time, each with as many vectors as there are registers for.

use super::{Aes, BITS, BLOCKS, Block, LEAVES, Sums};
use crate::simd::aes::ROUND_KEYS;
use crate::simd::aes::x86::{Width, load};
use std::arch::x86_64::*;

/// Each leaf's round keys.
pub(super) type Keys<'a> = [&'a [Block; ROUND_KEYS]; LEAVES];

/// All leaves' round keys, if all were made for the same wide kernel.
pub(super) fn keys(leaves: &[Aes; LEAVES]) -> Option<(Width, Keys<'_>)> {
    let (width, first) = leaves[0].wide_round_keys()?;
    let mut keys = [first; LEAVES];
    for (slot, leaf) in keys.iter_mut().zip(leaves) {
        let (own_width, own) = leaf.wide_round_keys()?;
        if own_width != width {
            return None;
        }
        *slot = own;
    }
    Some((width, keys))
}

/// # Safety
/// The CPU must have the `width`; `count` must be at most [`BLOCKS`].
pub(super) unsafe fn sum(width: Width, keys: &Keys<'_>, first: u64, count: usize, sums: Sums<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        match width {
            Width::Two => two::sum(keys, first, count, sums),
            Width::Four => four::sum(keys, first, count, sums),
        }
    }
}

/// Leaves whose streams are in registers at once.
const HALF: usize = LEAVES / 2;

macro_rules! kernels {
    ($name:ident, $features:literal, $vector:ty, $blocks:literal, $abreast:literal, $store:ident, $load:ident, $xor:ident,
         $round:ident, $last_round:ident, $broadcast:ident, $add:ident) => {
        mod $name {
            use super::*;

            /// Vectors of each stream worked on side by side.
            const ABREAST: usize = $abreast;
            const BATCH: usize = ABREAST * $blocks;

            /// # Safety
            /// `count` must be at most [`BLOCKS`].
            #[target_feature(enable = $features)]
            pub(super) unsafe fn sum(keys: &Keys<'_>, first: u64, count: usize, sums: Sums<'_>) {
                const { assert!(BLOCKS.is_multiple_of(BATCH), "batches fill the sums") };
                let numbers: [Block; BATCH] = std::array::from_fn(|i| Block(i as u128));
                let Sums { all, bits } = sums;
                for start in (0..count).step_by(BATCH) {
                    let base = $broadcast(load(Block(u128::from(first + start as u64))));
                    let mut counters = [base; ABREAST];
                    for (i, counter) in counters.iter_mut().enumerate() {
                        // SAFETY: `numbers` has a batch's blocks; the load is an unaligned one.
                        let steps: $vector =
                            unsafe { $load(numbers.as_ptr().cast::<$vector>().add(i)) };
                        // The high halves are zero, and a counter stays below 2^64.
                        *counter = $add(base, steps);
                    }
                    let zero = $broadcast(load(Block::ZERO));
                    let mut total = [zero; ABREAST];
                    let mut with_bit = [[zero; ABREAST]; BITS];
                    for keys in keys.as_chunks::<HALF>().0 {
                        let mut state = [[zero; ABREAST]; HALF];
                        for (state, keys) in state.iter_mut().zip(keys) {
                            let key = $broadcast(load(keys[0]));
                            for i in 0..ABREAST {
                                state[i] = $xor(counters[i], key);
                            }
                        }
                        for round in 1..ROUND_KEYS - 1 {
                            for (state, keys) in state.iter_mut().zip(keys) {
                                let key = $broadcast(load(keys[round]));
                                for i in 0..ABREAST {
                                    state[i] = $round(state[i], key);
                                }
                            }
                        }
                        for (state, keys) in state.iter_mut().zip(keys) {
                            let key = $broadcast(load(keys[ROUND_KEYS - 1]));
                            for i in 0..ABREAST {
                                state[i] = $last_round(state[i], key);
                            }
                        }
                        for i in 0..ABREAST {
                            let sum = |a: usize, b: usize| $xor(state[a][i], state[b][i]);
                            let pairs = [sum(0, 1), sum(2, 3), sum(4, 5), sum(6, 7)];
                            let odd = $xor(sum(1, 3), sum(5, 7));
                            let last_four = $xor(pairs[2], pairs[3]);
                            let all = $xor($xor(pairs[0], pairs[1]), last_four);
                            with_bit[0][i] = $xor(with_bit[0][i], odd);
                            with_bit[1][i] = $xor(with_bit[1][i], $xor(pairs[1], pairs[3]));
                            with_bit[2][i] = $xor(with_bit[2][i], last_four);
                            // What the second half adds to the total are the leaves whose number has the highest bit.
                            with_bit[3][i] = all;
                            total[i] = $xor(total[i], all);
                        }
                    }
                    for i in 0..ABREAST {
                        let place = start + i * $blocks;
                        // SAFETY: place + $blocks ≤ BLOCKS, as batches fill the sums; stores are unaligned ones.
                        unsafe {
                            let to: *mut $vector = all.as_mut_ptr().add(place).cast();
                            $store(to, total[i]);
                            for bit in 0..BITS {
                                let to: *mut $vector = bits[bit].as_mut_ptr().add(place).cast();
                                $store(to, with_bit[bit][i]);
                            }
                        }
                    }
                }
            }
        }
    };
}

kernels!(
    four,
    "avx512f,avx512bw,vaes,aes",
    __m512i,
    4,
    2,
    _mm512_storeu_si512,
    _mm512_loadu_si512,
    _mm512_xor_si512,
    _mm512_aesenc_epi128,
    _mm512_aesenclast_epi128,
    _mm512_broadcast_i32x4,
    _mm512_add_epi64
);
kernels!(
    two,
    "avx2,vaes,aes",
    __m256i,
    2,
    1,
    _mm256_storeu_si256,
    _mm256_loadu_si256,
    _mm256_xor_si256,
    _mm256_aesenc_epi128,
    _mm256_aesenclast_epi128,
    _mm256_broadcastsi128_si256,
    _mm256_add_epi64
);
