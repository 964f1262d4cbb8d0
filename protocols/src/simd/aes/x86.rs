//! The kernels for CPUs with VAES, two or four blocks a register.

use super::{Block, ROUND_KEYS};
use std::arch::x86_64::*;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::simd) enum Width {
    Two,
    Four,
}

/// The widest kernel for this CPU.
#[inline]
pub(super) fn widest() -> Option<Width> {
    let vaes = crate::simd::special_instructions()
        && is_x86_feature_detected!("aes")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("vaes");
    if vaes && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
        Some(Width::Four)
    } else if vaes && is_x86_feature_detected!("avx2") {
        Some(Width::Two)
    } else {
        None
    }
}

/// What the key schedule adds in each round: x^(i−1) in GF(2^8).
const ROUND_CONSTANTS: [i32; ROUND_KEYS - 1] = [1, 2, 4, 8, 16, 32, 64, 128, 0x1b, 0x36];
/// In every column: the last column's bytes, rotated by one.
const LAST_ROTATED: i32 = 0x0c0f_0e0d;

#[inline(always)]
pub(in crate::simd) fn load(block: Block) -> __m128i {
    // SAFETY: both types are 16 plain bytes, little end first.
    unsafe { std::mem::transmute::<u128, __m128i>(block.0) }
}

#[inline(always)]
fn store(vector: __m128i) -> Block {
    // SAFETY: both types are 16 plain bytes, little end first.
    Block(unsafe { std::mem::transmute::<__m128i, u128>(vector) })
}

/// All round keys of a key.
#[target_feature(enable = "aes,ssse3")]
pub(super) fn round_keys(key: Block) -> [Block; ROUND_KEYS] {
    let mut keys = [key; ROUND_KEYS];
    let mut key = load(key);
    for (slot, constant) in keys[1..].iter_mut().zip(ROUND_CONSTANTS) {
        let last = _mm_shuffle_epi8(key, _mm_set1_epi32(LAST_ROTATED));
        // All columns are equal, so the cipher's row shift moves nothing and only its S-box acts.
        let substituted = _mm_aesenclast_si128(last, _mm_set1_epi32(constant));
        key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
        key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
        key = _mm_xor_si128(key, substituted);
        *slot = store(key);
    }
    keys
}

/// Blocks that are numbered at a time.
pub(super) const NUMBERED: usize = 32;

/// 0, 1, 2, … as blocks.
static NUMBERS: [Block; NUMBERED] = {
    let mut numbers = [Block::ZERO; NUMBERED];
    let mut i = 0;
    while i < NUMBERED {
        numbers[i] = Block(i as u128);
        i += 1;
    }
    numbers
};

/// `to[i] = AES(x) ⊕ x` with `x = from[i] ⊕ base ⊕ i`, for [`NUMBERED`] blocks.
///
/// # Safety
/// The CPU must have the `width`.
pub(super) unsafe fn hash_numbered(
    width: Width,
    keys: &[Block; ROUND_KEYS],
    from: &[[Block; NUMBERED]],
    base: Block,
    to: &mut [[Block; NUMBERED]],
) {
    // SAFETY: the caller's promise.
    unsafe {
        match width {
            Width::Two => two::hash_numbered(keys, from, base, to),
            Width::Four => four::hash_numbered(keys, from, base, to),
        }
    }
}

/// Adds the words of `AES(first)`, `AES(first + 1)`, … to `words`, or takes them away if `SUBTRACT`. The last number fits 64 bits.
///
/// # Safety
/// The CPU must have the `width`.
pub(super) unsafe fn add_stream<const SUBTRACT: bool>(
    width: Width,
    keys: &[Block; ROUND_KEYS],
    first: u64,
    words: &mut [[u64; 2 * NUMBERED]],
) {
    // SAFETY: the caller's promise.
    unsafe {
        match width {
            Width::Two => two::add_stream::<SUBTRACT>(keys, first, words),
            Width::Four => four::add_stream::<SUBTRACT>(keys, first, words),
        }
    }
}

/// `to[i] = AES(from[i])`, plus `from[i]` if `ADD`.
///
/// # Safety
/// The CPU must have the `width`; `from` and `to` must be valid for `count` blocks, and be equal or not overlap.
pub(super) unsafe fn encrypt<const ADD: bool>(
    width: Width,
    keys: &[Block; ROUND_KEYS],
    from: *const Block,
    to: *mut Block,
    count: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        match width {
            Width::Two => two::encrypt::<ADD>(keys, from, to, count),
            Width::Four => four::encrypt::<ADD>(keys, from, to, count),
        }
    }
}

/// # Safety
/// The CPU must have the `width`.
pub(super) unsafe fn encrypt_each_and_add(width: Width, keys: &mut [Block], blocks: &[Block]) {
    // SAFETY: the caller's promise.
    unsafe {
        match width {
            Width::Two => two::encrypt_each_and_add(keys, blocks),
            Width::Four => four::encrypt_each_and_add(keys, blocks),
        }
    }
}

/// The kernels for one vector width: the same text for both.
macro_rules! kernels {
    ($name:ident, $features:literal, $vector:ty, $blocks:literal, $load:ident, $store:ident, $xor:ident, $round:ident,
         $last_round:ident, $broadcast:ident, $shuffle:ident, $shift_bytes:ident, $set:ident, $add_words:ident, $subtract_words:ident) => {
        mod $name {
            use super::*;

            /// Vectors worked on side by side, so that the pipeline of the AES unit is full.
            const ABREAST: usize = 8;
            const BATCH: usize = ABREAST * $blocks;

            /// # Safety
            /// As for [`super::encrypt`].
            #[target_feature(enable = $features)]
            pub(super) unsafe fn encrypt<const ADD: bool>(
                keys: &[Block; ROUND_KEYS],
                from: *const Block,
                to: *mut Block,
                count: usize,
            ) {
                let keys = keys.map(|key| $broadcast(load(key)));
                let whole = count / BATCH * BATCH;
                for start in (0..whole).step_by(BATCH) {
                    // SAFETY: start + BATCH ≤ count, for which both pointers are valid.
                    unsafe { batch::<ADD>(&keys, from.add(start), to.add(start)) };
                }
                if whole < count {
                    let mut rest = [Block::ZERO; BATCH];
                    let left = count - whole;
                    // SAFETY: the rest is shorter than a batch and within what the pointers are valid for; `rest` is ours.
                    unsafe {
                        std::ptr::copy_nonoverlapping(from.add(whole), rest.as_mut_ptr(), left);
                        let few = left.div_ceil($blocks);
                        partial::<ADD>(&keys, rest.as_mut_ptr(), few);
                        std::ptr::copy_nonoverlapping(rest.as_ptr(), to.add(whole), left);
                    }
                }
            }

            /// # Safety
            /// `from` and `to` must be valid for a batch, and be equal or not overlap.
            #[target_feature(enable = $features)]
            #[inline]
            unsafe fn batch<const ADD: bool>(
                keys: &[$vector; ROUND_KEYS],
                from: *const Block,
                to: *mut Block,
            ) {
                let from: *const $vector = from.cast();
                let to: *mut $vector = to.cast();
                // SAFETY: a batch has ABREAST vectors; loads and stores are unaligned ones.
                unsafe {
                    let mut state: [$vector; ABREAST] = [$broadcast(load(Block::ZERO)); ABREAST];
                    for (i, state) in state.iter_mut().enumerate() {
                        *state = $xor($load(from.add(i)), keys[0]);
                    }
                    for key in &keys[1..ROUND_KEYS - 1] {
                        for state in &mut state {
                            *state = $round(*state, *key);
                        }
                    }
                    for (i, state) in state.into_iter().enumerate() {
                        let mut last = keys[ROUND_KEYS - 1];
                        if ADD {
                            last = $xor(last, $load(from.add(i)));
                        }
                        $store(to.add(i), $last_round(state, last));
                    }
                }
            }

            #[target_feature(enable = $features)]
            pub(super) fn hash_numbered(
                keys: &[Block; ROUND_KEYS],
                from: &[[Block; NUMBERED]],
                base: Block,
                to: &mut [[Block; NUMBERED]],
            ) {
                const {
                    assert!(
                        NUMBERED.is_multiple_of(BATCH),
                        "batches fill what is numbered"
                    )
                };
                let keys = keys.map(|key| $broadcast(load(key)));
                for (place, (from, to)) in from.iter().zip(to).enumerate() {
                    let base = $broadcast(load(base ^ Block((place * NUMBERED) as u128)));
                    for start in (0..NUMBERED).step_by(BATCH) {
                        // SAFETY: start + BATCH ≤ NUMBERED; loads and stores are unaligned ones.
                        unsafe {
                            let from: *const $vector = from.as_ptr().add(start).cast();
                            let numbers: *const $vector = NUMBERS.as_ptr().add(start).cast();
                            let to: *mut $vector = to.as_mut_ptr().add(start).cast();
                            let mut input = [base; ABREAST];
                            let mut state = [base; ABREAST];
                            for i in 0..ABREAST {
                                let number = $xor(base, $load(numbers.add(i)));
                                input[i] = $xor($load(from.add(i)), number);
                                state[i] = $xor(input[i], keys[0]);
                            }
                            for key in &keys[1..ROUND_KEYS - 1] {
                                for state in &mut state {
                                    *state = $round(*state, *key);
                                }
                            }
                            for i in 0..ABREAST {
                                let last = $xor(input[i], keys[ROUND_KEYS - 1]);
                                $store(to.add(i), $last_round(state[i], last));
                            }
                        }
                    }
                }
            }

            #[target_feature(enable = $features)]
            pub(super) fn add_stream<const SUBTRACT: bool>(
                keys: &[Block; ROUND_KEYS],
                first: u64,
                words: &mut [[u64; 2 * NUMBERED]],
            ) {
                let keys = keys.map(|key| $broadcast(load(key)));
                for (place, words) in (0u64..).zip(words) {
                    let base = first + place * NUMBERED as u64;
                    let base = $broadcast(load(Block(u128::from(base))));
                    for start in (0..NUMBERED).step_by(BATCH) {
                        // SAFETY: start + BATCH ≤ NUMBERED, and a block is two words; loads and stores are unaligned ones.
                        unsafe {
                            let numbers: *const $vector = NUMBERS.as_ptr().add(start).cast();
                            let to: *mut $vector = words.as_mut_ptr().add(2 * start).cast();
                            let mut state = [base; ABREAST];
                            for i in 0..ABREAST {
                                // Only the low halves count: the last number fits one.
                                let number = $add_words(base, $load(numbers.add(i)));
                                state[i] = $xor(number, keys[0]);
                            }
                            for key in &keys[1..ROUND_KEYS - 1] {
                                for state in &mut state {
                                    *state = $round(*state, *key);
                                }
                            }
                            for (i, state) in state.into_iter().enumerate() {
                                let stream = $last_round(state, keys[ROUND_KEYS - 1]);
                                let word = $load(to.add(i));
                                let sum = match SUBTRACT {
                                    true => $subtract_words(word, stream),
                                    false => $add_words(word, stream),
                                };
                                $store(to.add(i), sum);
                            }
                        }
                    }
                }
            }

            /// Few vectors in place, one after the other.
            ///
            /// # Safety
            /// `blocks` must be valid for `vectors` vectors.
            #[target_feature(enable = $features)]
            #[inline]
            unsafe fn partial<const ADD: bool>(
                keys: &[$vector; ROUND_KEYS],
                blocks: *mut Block,
                vectors: usize,
            ) {
                let blocks: *mut $vector = blocks.cast();
                for i in 0..vectors {
                    // SAFETY: i < vectors; loads and stores are unaligned ones.
                    unsafe {
                        let input = $load(blocks.add(i));
                        let mut state = $xor(input, keys[0]);
                        for key in &keys[1..ROUND_KEYS - 1] {
                            state = $round(state, *key);
                        }
                        let mut last = keys[ROUND_KEYS - 1];
                        if ADD {
                            last = $xor(last, input);
                        }
                        $store(blocks.add(i), $last_round(state, last));
                    }
                }
            }

            #[target_feature(enable = $features)]
            pub(super) fn encrypt_each_and_add(keys: &mut [Block], blocks: &[Block]) {
                for (keys, blocks) in keys.chunks_mut(BATCH).zip(blocks.chunks(BATCH)) {
                    let mut under = [Block::ZERO; BATCH];
                    under[..keys.len()].copy_from_slice(keys);
                    let mut cells = [Block::ZERO; BATCH];
                    cells[..blocks.len()].copy_from_slice(blocks);
                    each(&mut under, &cells);
                    keys.copy_from_slice(&under[..keys.len()]);
                }
            }

            /// Each vector of keys goes through the schedule while its blocks go through the cipher.
            #[target_feature(enable = $features)]
            #[inline]
            fn each(keys: &mut [Block; BATCH], blocks: &[Block; BATCH]) {
                let to: *mut $vector = keys.as_mut_ptr().cast();
                let from: *const $vector = blocks.as_ptr().cast();
                let rotated = $set(LAST_ROTATED);
                // SAFETY: a batch has ABREAST vectors; loads and stores are unaligned ones.
                unsafe {
                    let mut key = [rotated; ABREAST];
                    let mut state = [rotated; ABREAST];
                    for i in 0..ABREAST {
                        key[i] = $load(to.add(i));
                        state[i] = $xor($load(from.add(i)), key[i]);
                    }
                    for (round, constant) in (1..).zip(ROUND_CONSTANTS) {
                        let constant = $set(constant);
                        for i in 0..ABREAST {
                            // As in `round_keys`.
                            let added = $last_round($shuffle(key[i], rotated), constant);
                            let doubled = $xor(key[i], $shift_bytes::<4>(key[i]));
                            key[i] = $xor(added, $xor(doubled, $shift_bytes::<8>(doubled)));
                            state[i] = match round < ROUND_KEYS - 1 {
                                true => $round(state[i], key[i]),
                                false => {
                                    let last = $xor(key[i], $load(from.add(i)));
                                    $last_round(state[i], last)
                                }
                            };
                        }
                    }
                    for (i, state) in state.into_iter().enumerate() {
                        $store(to.add(i), state);
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
    _mm512_loadu_si512,
    _mm512_storeu_si512,
    _mm512_xor_si512,
    _mm512_aesenc_epi128,
    _mm512_aesenclast_epi128,
    _mm512_broadcast_i32x4,
    _mm512_shuffle_epi8,
    _mm512_bslli_epi128,
    _mm512_set1_epi32,
    _mm512_add_epi64,
    _mm512_sub_epi64
);
kernels!(
    two,
    "avx2,vaes,aes",
    __m256i,
    2,
    _mm256_loadu_si256,
    _mm256_storeu_si256,
    _mm256_xor_si256,
    _mm256_aesenc_epi128,
    _mm256_aesenclast_epi128,
    _mm256_broadcastsi128_si256,
    _mm256_shuffle_epi8,
    _mm256_bslli_epi128,
    _mm256_set1_epi32,
    _mm256_add_epi64,
    _mm256_sub_epi64
);

#[cfg(test)]
pub(in crate::simd) fn all_widths() -> Vec<Width> {
    match widest() {
        None => vec![],
        Some(Width::Two) => vec![Width::Two],
        Some(Width::Four) => vec![Width::Two, Width::Four],
    }
}
