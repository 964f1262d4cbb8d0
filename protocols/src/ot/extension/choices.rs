//! Choice bits, packed 128 a word.

use crate::block::Block;
use crate::secret::Secret;
use rand_core::CryptoRng;

/// Bits that say which key of each transfer is wanted: bit i of word w is that of transfer 128·w + i.
#[derive(Clone, Copy)]
pub struct Choices<'a> {
    words: &'a [u128],
    count: usize,
}

impl<'a> Choices<'a> {
    /// The first `count` bits of `words`.
    ///
    /// # Panics
    /// If there are not exactly as many words as hold `count` bits: a caller's defect.
    pub fn new(words: &'a [u128], count: usize) -> Self {
        assert_eq!(
            words.len(),
            count.div_ceil(128),
            "as many words as the bits need"
        );
        Self { words, count }
    }

    /// How many transfers these are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// As blocks, bits behind the last one random, so that a transfer nobody asked for shows nothing; in malicious mode behind one random word
    /// that masks the check.
    pub(in crate::ot) fn filled(
        &self,
        with_mask: bool,
        rng: &mut impl CryptoRng,
    ) -> Secret<Vec<Block>> {
        let mut filled = Secret::new(Vec::with_capacity(self.words.len() + 1));
        let words = filled.expose_mut();
        if with_mask {
            words.push(Block::random(rng));
        }
        for (place, word) in self.words.iter().enumerate() {
            let used = (self.count - 128 * place).min(128);
            let unused = u128::MAX.checked_shl(used as u32).unwrap_or(0);
            words.push(Block((word & !unused) | (Block::random(rng).0 & unused)));
        }
        filled
    }
}

/// Packs bits for [`Choices::new`]; wiped when dropped.
pub fn pack(bits: &[bool]) -> Secret<Vec<u128>> {
    let word = |bits: &[bool]| {
        let bits = bits.iter().rev();
        bits.fold(0, |word, bit| (word << 1) | u128::from(*bit))
    };
    Secret::new(bits.chunks(128).map(word).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;

    #[test]
    fn bits_keep_their_places_and_the_rest_is_filled_at_random() {
        let bits: Vec<bool> = (0..300).map(|i| i % 7 == 3 || i > 290).collect();
        let packed = pack(&bits);
        let packed = packed.expose();
        for (i, bit) in bits.iter().enumerate() {
            assert_eq!((packed[i / 128] >> (i % 128)) & 1 == 1, *bit);
        }
        let filled = |seed, mask| {
            let choices = Choices::new(packed, 300);
            choices
                .filled(mask, &mut Prg::new(Block(seed)))
                .expose()
                .clone()
        };
        let (one, other) = (filled(1, false), filled(2, true));
        assert_eq!(one.len(), 3);
        assert_eq!(other.len(), 4);
        assert_eq!(one[..2], other[1..3]);
        let last = [one[2].0, other[3].0];
        assert_eq!(last.map(|word| word & ((1 << 44) - 1)), [packed[2]; 2]);
        assert_ne!(last[0], last[1]);
    }
}
