//! AES-128 encryption of many blocks: under one key, and each under a key of its own.
//!
//! The `aes` crate is the portable twin and the reference. It uses the same instructions, but hands blocks over through calls
//! that its compiler does not inline; here a whole batch stays in registers. All kernels run in time independent of keys and blocks.

use crate::block::Block;
use aes::Aes128Enc;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use zeroize::Zeroize;

const ROUND_KEYS: usize = 11;

/// AES-128 under one key; wiped when dropped.
pub(crate) struct Aes {
    portable: Aes128Enc,
    /// The kernel that the cipher was made for and stays with.
    #[cfg(target_arch = "x86_64")]
    width: Option<x86::Width>,
    /// Only there for the wide kernels, otherwise zero.
    #[cfg(target_arch = "x86_64")]
    round_keys: [Block; ROUND_KEYS],
}

impl Aes {
    pub(crate) fn new(key: Block) -> Self {
        #[cfg(target_arch = "x86_64")]
        let width = x86::widest();
        Self {
            portable: portable::cipher(key),
            #[cfg(target_arch = "x86_64")]
            round_keys: match width {
                // SAFETY: whatever kernel there is needs AES instructions, and `widest` has just seen them on this CPU.
                Some(_) => unsafe { x86::round_keys(key) },
                None => [Block::ZERO; ROUND_KEYS],
            },
            #[cfg(target_arch = "x86_64")]
            width,
        }
    }

    /// Replaces each block by its encryption.
    pub(crate) fn encrypt(&self, blocks: &mut [Block]) {
        #[cfg(target_arch = "x86_64")]
        if let Some(width) = self.width {
            let count = blocks.len();
            let first = blocks.as_mut_ptr();
            // SAFETY: `widest` has seen this width on this CPU; both pointers are to the same `count` blocks.
            unsafe { x86::encrypt::<false>(width, &self.round_keys, first, first, count) };
            return;
        }
        portable::encrypt(&self.portable, blocks);
    }

    /// Writes `AES(input) ⊕ input` for each of `inputs`: not invertible without the input.
    ///
    /// # Panics
    /// If there are not as many outputs as inputs: a caller's defect.
    pub(crate) fn encrypt_and_add(&self, inputs: &[Block], outputs: &mut [Block]) {
        assert_eq!(inputs.len(), outputs.len(), "as many outputs as inputs");
        #[cfg(target_arch = "x86_64")]
        if let Some(width) = self.width {
            let (from, to) = (inputs.as_ptr(), outputs.as_mut_ptr());
            // SAFETY: `widest` has seen this width on this CPU; both slices have this many blocks.
            unsafe { x86::encrypt::<true>(width, &self.round_keys, from, to, inputs.len()) };
            return;
        }
        outputs.copy_from_slice(inputs);
        portable::encrypt(&self.portable, outputs);
        let pairs = outputs.iter_mut().zip(inputs);
        pairs.for_each(|(output, input)| *output ^= *input);
    }
}

impl Drop for Aes {
    /// The portable cipher wipes its own keys.
    fn drop(&mut self) {
        #[cfg(target_arch = "x86_64")]
        self.round_keys.zeroize();
    }
}

/// Replaces each key by the encryption of its block under it, plus the block.
///
/// # Panics
/// If there are not as many keys as blocks: a caller's defect.
pub(crate) fn encrypt_each_and_add(keys: &mut [Block], blocks: &[Block]) {
    assert_eq!(keys.len(), blocks.len(), "a key for every block");
    #[cfg(target_arch = "x86_64")]
    if let Some(width) = x86::widest() {
        // SAFETY: `widest` has just seen this width on this CPU.
        unsafe { x86::encrypt_each_and_add(width, keys, blocks) };
        return;
    }
    portable::encrypt_each_and_add(keys, blocks);
}

mod portable {
    use super::{Aes128Enc, Block, BlockCipherEncrypt, KeyInit};

    /// Blocks handed to the cipher at once: fills the pipeline of the widest implementation and stays in the first cache.
    const BATCH: usize = 64;

    pub(super) fn cipher(key: Block) -> Aes128Enc {
        Aes128Enc::new(&key.to_bytes().into())
    }

    pub(super) fn encrypt(cipher: &Aes128Enc, blocks: &mut [Block]) {
        for blocks in blocks.chunks_mut(BATCH) {
            let mut cells = [aes::Block::default(); BATCH];
            let cells = &mut cells[..blocks.len()];
            for (cell, block) in cells.iter_mut().zip(blocks.iter()) {
                *cell = block.to_bytes().into();
            }
            cipher.encrypt_blocks(cells);
            for (block, cell) in blocks.iter_mut().zip(cells) {
                *block = Block::from_bytes((*cell).into());
            }
        }
    }

    pub(super) fn encrypt_each_and_add(keys: &mut [Block], blocks: &[Block]) {
        for (key, block) in keys.iter_mut().zip(blocks) {
            let mut cell = block.to_bytes().into();
            cipher(*key).encrypt_block(&mut cell);
            *key = Block::from_bytes(cell.into()) ^ *block;
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Block, ROUND_KEYS};
    use std::arch::x86_64::*;

    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(super) enum Width {
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
    fn load(block: Block) -> __m128i {
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
         $last_round:ident, $broadcast:ident, $shuffle:ident, $shift_bytes:ident, $set:ident) => {
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
                        let mut state: [$vector; ABREAST] =
                            [$broadcast(load(Block::ZERO)); ABREAST];
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
        _mm512_set1_epi32
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
        _mm256_set1_epi32
    );

    #[cfg(test)]
    pub(super) fn all_widths() -> Vec<Width> {
        match widest() {
            None => vec![],
            Some(Width::Two) => vec![Width::Two],
            Some(Width::Four) => vec![Width::Two, Width::Four],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn blocks(words: &[u128]) -> Vec<Block> {
        words.iter().map(|word| Block(*word)).collect()
    }

    proptest! {
        #[test]
        fn one_key_agrees_with_the_portable_twin(key: u128, words in prop::collection::vec(any::<u128>(), 0..150)) {
            let (aes, inputs) = (Aes::new(Block(key)), blocks(&words));
            let mut expected = inputs.clone();
            portable::encrypt(&portable::cipher(Block(key)), &mut expected);
            let mut encrypted = inputs.clone();
            aes.encrypt(&mut encrypted);
            prop_assert_eq!(&encrypted, &expected);
            let mut added = vec![Block::ZERO; inputs.len()];
            aes.encrypt_and_add(&inputs, &mut added);
            for i in 0..inputs.len() {
                prop_assert_eq!(added[i], expected[i] ^ inputs[i]);
            }
            #[cfg(target_arch = "x86_64")]
            for width in x86::all_widths() {
                let mut encrypted = inputs.clone();
                let first = encrypted.as_mut_ptr();
                // SAFETY: this CPU has the width, and both pointers are to all of `encrypted`.
                unsafe { x86::encrypt::<false>(width, &aes.round_keys, first, first, inputs.len()) };
                prop_assert_eq!(&encrypted, &expected);
            }
        }

        #[test]
        fn keys_of_their_own_agree_with_the_portable_twin(words in prop::collection::vec(any::<(u128, u128)>(), 0..80)) {
            let keys: Vec<Block> = words.iter().map(|(key, _)| Block(*key)).collect();
            let inputs: Vec<Block> = words.iter().map(|(_, input)| Block(*input)).collect();
            let mut expected = keys.clone();
            portable::encrypt_each_and_add(&mut expected, &inputs);
            let mut encrypted = keys.clone();
            encrypt_each_and_add(&mut encrypted, &inputs);
            prop_assert_eq!(&encrypted, &expected);
            #[cfg(target_arch = "x86_64")]
            for width in x86::all_widths() {
                let mut encrypted = keys.clone();
                // SAFETY: this CPU has the width.
                unsafe { x86::encrypt_each_and_add(width, &mut encrypted, &inputs) };
                prop_assert_eq!(&encrypted, &expected);
            }
        }
    }
}
