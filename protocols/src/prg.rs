//! Stretching a short seed: AES-128 in counter mode.
//!
//! The stream is `AES_seed(0) ‖ AES_seed(1) ‖ …`, counters and blocks little endian: pseudo-random as long as AES is a
//! pseudo-random permutation and a seed yields far fewer than 2^64 blocks.

use crate::block::Block;
use crate::simd::aes::Aes;
use rand_core::{TryCryptoRng, TryRng, utils};
use std::convert::Infallible;
use zeroize::Zeroize;

/// Blocks handed to the cipher at once: fills the pipeline of the widest implementation and stays in the first cache.
const BATCH: usize = 64;
/// Bytes kept for reads smaller than a batch.
const KEPT_BYTES: usize = 128;

/// A pseudo-random stream. Also a `CryptoRng`, so that a seed can stand in for a generator.
pub struct Prg {
    cipher: Aes,
    counter: u128,
    kept: [u8; KEPT_BYTES],
    used: usize,
}

impl Prg {
    /// The stream of `seed`. A seed is used for one stream only.
    pub fn new(seed: Block) -> Self {
        Self {
            cipher: Aes::new(seed),
            counter: 0,
            kept: [0; KEPT_BYTES],
            used: KEPT_BYTES,
        }
    }

    /// The next `blocks.len()` blocks of the stream.
    pub fn fill_blocks(&mut self, blocks: &mut [Block]) {
        if self.used < KEPT_BYTES {
            for block in blocks {
                let mut bytes = [0; 16];
                self.fill(&mut bytes);
                *block = Block::from_bytes(bytes);
            }
            return;
        }
        // In pieces, so that the counters are still in the first cache when the cipher takes them.
        for blocks in blocks.chunks_mut(BATCH) {
            for block in blocks.iter_mut() {
                *block = Block(self.counter);
                self.counter = self.counter.wrapping_add(1);
            }
            self.cipher.encrypt(blocks);
        }
    }

    /// Replaces each number by the block that stands at that place of the stream, whatever has been read.
    pub fn blocks_at(&self, numbers: &mut [Block]) {
        self.cipher.encrypt(numbers);
    }

    /// The next `count` blocks as a vector.
    pub fn blocks(&mut self, count: usize) -> Vec<Block> {
        let mut blocks = vec![Block::ZERO; count];
        self.fill_blocks(&mut blocks);
        blocks
    }

    /// The next bytes of the stream.
    pub fn fill(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            if self.used == KEPT_BYTES && bytes.len() >= KEPT_BYTES {
                let whole = bytes.len().min(16 * BATCH) / 16 * 16;
                let (now, later) = bytes.split_at_mut(whole);
                let mut stream = [Block::ZERO; BATCH];
                self.fill_blocks(&mut stream[..whole / 16]);
                now.chunks_exact_mut(16)
                    .zip(stream)
                    .for_each(|(out, block)| out.copy_from_slice(&block.to_bytes()));
                bytes = later;
                continue;
            }
            if self.used == KEPT_BYTES {
                self.refill();
            }
            let count = bytes.len().min(KEPT_BYTES - self.used);
            let (now, later) = bytes.split_at_mut(count);
            now.copy_from_slice(&self.kept[self.used..self.used + count]);
            self.used += count;
            bytes = later;
        }
    }

    fn refill(&mut self) {
        let mut stream = [Block::ZERO; KEPT_BYTES / 16];
        self.fill_blocks(&mut stream);
        for (kept, block) in self.kept.chunks_exact_mut(16).zip(stream) {
            kept.copy_from_slice(&block.to_bytes());
        }
        self.used = 0;
    }
}

impl Drop for Prg {
    /// The cipher wipes its own keys.
    fn drop(&mut self) {
        self.kept.zeroize();
    }
}

impl TryRng for Prg {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Prg {}

#[cfg(test)]
mod tests {
    use super::*;
    use aes::Aes128Enc;
    use aes::cipher::{BlockCipherEncrypt, KeyInit};
    use proptest::prelude::*;
    use rand_core::Rng;

    /// AES-128 of the zero block under the zero key, as in NIST's known-answer tests.
    const ZERO_OF_ZERO: u128 = 0x66e9_4bd4_ef8a_2c3b_884c_fa59_ca34_2b2e;

    fn reference(seed: Block, count: usize) -> Vec<u8> {
        let cipher = Aes128Enc::new(&seed.to_bytes().into());
        let encrypt = |counter: u128| {
            let mut block = counter.to_le_bytes().into();
            cipher.encrypt_block(&mut block);
            block
        };
        (0..count.div_ceil(16) as u128)
            .flat_map(encrypt)
            .take(count)
            .collect()
    }

    #[test]
    fn the_stream_starts_with_the_published_block() {
        assert_eq!(
            Prg::new(Block::ZERO).blocks(1)[0].to_bytes(),
            ZERO_OF_ZERO.to_be_bytes()
        );
    }

    #[test]
    fn generator_words_are_the_stream_little_endian() {
        let mut bytes = [0; 12];
        Prg::new(Block(5)).fill(&mut bytes);
        let mut prg = Prg::new(Block(5));
        let words = [
            prg.next_u32().to_le_bytes(),
            prg.next_u32().to_le_bytes(),
            prg.next_u32().to_le_bytes(),
        ];
        assert_eq!(words.as_flattened(), bytes);
    }

    #[test]
    fn blocks_at_their_places_are_those_read_in_order() {
        let in_order = Prg::new(Block(5)).blocks(300);
        let places = [299, 0, 7, 7, 100];
        let mut blocks = places.map(|place| Block(place as u128));
        Prg::new(Block(5)).blocks_at(&mut blocks);
        assert_eq!(blocks, places.map(|place: usize| in_order[place]));
    }

    proptest! {
        #[test]
        fn the_stream_is_the_same_however_it_is_read(seed: u128, reads in prop::collection::vec((0_usize..3000, any::<bool>()), 0..12)) {
            let mut prg = Prg::new(Block(seed));
            let mut read = Vec::new();
            for (bytes, as_blocks) in reads {
                if as_blocks {
                    read.extend(prg.blocks(bytes / 16).into_iter().flat_map(Block::to_bytes));
                } else {
                    let mut out = vec![0; bytes];
                    prg.fill(&mut out);
                    read.extend(out);
                }
            }
            prop_assert_eq!(&read, &reference(Block(seed), read.len()));
        }
    }
}
