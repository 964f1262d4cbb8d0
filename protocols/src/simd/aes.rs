//! AES-128 encryption of many blocks: under one key, and each under a key of its own.
//!
//! The `aes` crate is the portable twin and the reference. It uses the same instructions, but hands blocks over through calls
//! that its compiler does not inline; here a whole batch stays in registers. All kernels run in time independent of keys and blocks.

use crate::block::Block;
use aes::Aes128Enc;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use zeroize::Zeroize;

pub(super) const ROUND_KEYS: usize = 11;

/// Blocks hashed at a time without a wide kernel: they stay in the first cache.
const HASH_BATCH: usize = 64;

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

    /// All round keys, where the CPU has a wide kernel to take them.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn wide_round_keys(&self) -> Option<(x86::Width, &[Block; ROUND_KEYS])> {
        self.width.map(|width| (width, &self.round_keys))
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

    /// Writes `AES(x) ⊕ x` with `x = input ⊕ base ⊕ i` for input number i, counted from zero.
    ///
    /// # Panics
    /// If there are not as many outputs as inputs: a caller's defect.
    pub(crate) fn hash_numbered(&self, inputs: &[Block], base: Block, outputs: &mut [Block]) {
        assert_eq!(inputs.len(), outputs.len(), "as many outputs as inputs");
        let (mut inputs, mut outputs, mut done) = (inputs, outputs, 0);
        #[cfg(target_arch = "x86_64")]
        if let Some(width) = self.width {
            let (whole, rest) = inputs.as_chunks();
            let (whole_outputs, rest_outputs) = outputs.as_chunks_mut();
            // SAFETY: `widest` has seen this width on this CPU.
            unsafe { x86::hash_numbered(width, &self.round_keys, whole, base, whole_outputs) };
            done = whole.as_flattened().len();
            (inputs, outputs) = (rest, rest_outputs);
        }
        for (inputs, outputs) in inputs
            .chunks(HASH_BATCH)
            .zip(outputs.chunks_mut(HASH_BATCH))
        {
            let mut cells = [Block::ZERO; HASH_BATCH];
            let cells = &mut cells[..inputs.len()];
            for (cell, input) in cells.iter_mut().zip(inputs) {
                *cell = *input ^ base ^ Block(done as u128);
                done += 1;
            }
            self.encrypt_and_add(cells, outputs);
        }
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

/// Whether a stream is added to words or taken away. Public: it must not depend on a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Plus,
    Minus,
}

impl Aes {
    /// Adds the stream `AES(first) ‖ AES(first + 1) ‖ …`, read as words of 64 bits, to `words` modulo 2^64, or takes it away. Half of a block
    /// that is left over is not used.
    ///
    /// # Panics
    /// If the stream would run past block 2^64: a caller's defect.
    pub(crate) fn add_stream(&self, first: u64, words: &mut [u64], sign: Sign) {
        let blocks = words.len().div_ceil(2) as u64;
        assert!(first.checked_add(blocks).is_some(), "numbers fit 64 bits");
        let (mut words, mut first) = (words, first);
        #[cfg(target_arch = "x86_64")]
        if let Some(width) = self.width {
            let (whole, rest) = words.as_chunks_mut();
            // SAFETY: `widest` has seen this width on this CPU.
            unsafe {
                match sign {
                    Sign::Plus => x86::add_stream::<false>(width, &self.round_keys, first, whole),
                    Sign::Minus => x86::add_stream::<true>(width, &self.round_keys, first, whole),
                }
            };
            first += whole.as_flattened().len() as u64 / 2;
            words = rest;
        }
        for words in words.chunks_mut(2 * HASH_BATCH) {
            let mut cells = [Block::ZERO; HASH_BATCH];
            let cells = &mut cells[..words.len().div_ceil(2)];
            for cell in cells.iter_mut() {
                *cell = Block(u128::from(first));
                first += 1;
            }
            self.encrypt(cells);
            for (pair, cell) in words.chunks_mut(2).zip(cells.iter()) {
                for (word, stream) in pair.iter_mut().zip([cell.low(), cell.high()]) {
                    *word = match sign {
                        Sign::Plus => word.wrapping_add(stream),
                        Sign::Minus => word.wrapping_sub(stream),
                    };
                }
            }
            cells.zeroize();
        }
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
pub(super) mod x86;

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
        fn an_added_stream_is_the_encrypted_counter(key: u128, first in 0..u64::MAX / 2, words in prop::collection::vec(any::<u64>(), 0..300)) {
            let streams: Vec<u64> = (0..words.len().div_ceil(2) as u64).flat_map(|i| {
                let mut cell = [Block(u128::from(first + i))];
                portable::encrypt(&portable::cipher(Block(key)), &mut cell);
                [cell[0].low(), cell[0].high()]
            }).collect();
            let expected: Vec<u64> = words.iter().zip(&streams).map(|(word, stream)| word.wrapping_add(*stream)).collect();
            let check = |aes: &Aes| {
                let mut sums = words.clone();
                aes.add_stream(first, &mut sums, Sign::Plus);
                prop_assert_eq!(&sums, &expected);
                aes.add_stream(first, &mut sums, Sign::Minus);
                prop_assert_eq!(&sums, &words);
                Ok(())
            };
            check(&Aes::new(Block(key)))?;
            check(&crate::simd::without_special_instructions(|| Aes::new(Block(key))))?;
            #[cfg(target_arch = "x86_64")]
            for width in x86::all_widths() {
                let mut aes = Aes::new(Block(key));
                aes.width = Some(width);
                check(&aes)?;
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
