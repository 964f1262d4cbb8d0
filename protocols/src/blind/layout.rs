//! How rows of words travel: each word in as many bytes as its sum needs, no more.
//!
//! A word whose sum is proven to fit b bits takes ⌈b/8⌉ bytes, the low ones of whatever the sender has in memory. So on the wire
//! everything is arithmetic modulo 2^(8·⌈b/8⌉), a multiple of the 2^b that counts: every string of bytes is the encoding of a row, and
//! what was uniform in memory is uniform on the wire. What was received has zeros above its bytes; nobody may read those bits
//! of a share.

use super::word::Word;

/// Widths of the words of a row, fixed by the plan and public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    bits: Vec<u32>,
    bytes_a_row: usize,
}

impl Layout {
    /// One width in bits a word.
    ///
    /// # Panics
    /// If a width is zero or above 128: a caller's defect.
    pub fn new(bits: Vec<u32>) -> Self {
        let within = bits.iter().all(|bits| (1..=128).contains(bits));
        assert!(within, "a word has 1 to 128 bits");
        let bytes_a_row = bits.iter().map(|bits| bits.div_ceil(8) as usize).sum();
        Self { bits, bytes_a_row }
    }

    /// The width of each word.
    pub fn bits(&self) -> &[u32] {
        &self.bits
    }

    /// Words of a row.
    pub fn words(&self) -> usize {
        self.bits.len()
    }

    /// Bytes of a row on the wire.
    pub fn bytes_a_row(&self) -> usize {
        self.bytes_a_row
    }

    /// Rows of `groups` such rows side by side.
    #[must_use]
    pub fn repeated(&self, groups: usize) -> Self {
        Self::new(self.bits.repeat(groups))
    }

    /// Rows of the chosen words, in that order.
    ///
    /// # Panics
    /// If there is no such word: a caller's defect.
    #[must_use]
    pub fn only(&self, words: &[usize]) -> Self {
        Self::new(words.iter().map(|&word| self.bits[word]).collect())
    }

    /// Whole rows as bytes.
    ///
    /// # Panics
    /// If `words` are not whole rows: a caller's defect.
    pub fn encode<W: Word>(&self, words: &[W]) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode_onto(words, &mut bytes);
        bytes
    }

    /// Appends whole rows to `bytes`.
    ///
    /// # Panics
    /// If `words` are not whole rows: a caller's defect.
    pub fn encode_onto<W: Word>(&self, words: &[W], bytes: &mut Vec<u8>) {
        let rows = self.rows_of(words.len());
        let mut at = bytes.len();
        let end = at + rows * self.bytes_a_row;
        // Each word is written whole and overwritten by the next from where its own bytes end: one copy of a fixed length.
        bytes.resize(end + FULL, 0);
        for row in words.chunks_exact(self.words().max(1)) {
            for (word, bits) in row.iter().zip(&self.bits) {
                word.write(&mut bytes[at..at + FULL]);
                at += bits.div_ceil(8) as usize;
            }
        }
        bytes.truncate(end);
    }

    /// The words of whole rows. `None` if `bytes` are not exactly `rows` rows.
    pub fn decode<W: Word>(&self, bytes: &[u8], rows: usize) -> Option<Vec<W>> {
        if bytes.len() != rows.checked_mul(self.bytes_a_row)? {
            return None;
        }
        let mut words = vec![W::ZERO; rows * self.words()];
        self.decode_into(bytes, &mut words);
        Some(words)
    }

    /// Reads whole rows into `words`, of bytes that have their length already.
    ///
    /// # Panics
    /// If `words` are not whole rows, or `bytes` not theirs: a caller's defect.
    pub fn decode_into<W: Word>(&self, bytes: &[u8], words: &mut [W]) {
        let rows = self.rows_of(words.len());
        assert_eq!(bytes.len(), rows * self.bytes_a_row, "the rows' bytes");
        let mut rest = bytes;
        for row in words.chunks_exact_mut(self.words().max(1)) {
            for (word, bits) in row.iter_mut().zip(&self.bits) {
                let own = bits.div_ceil(8) as usize;
                // Whole where there is enough: one read of a fixed length, and what is not the word's own cut off.
                *word = match rest.first_chunk::<FULL>() {
                    Some(full) => {
                        let all = u128::from_le_bytes(*full);
                        W::from_u128(all & (u128::MAX >> (8 * (FULL - own))))
                    }
                    None => W::read(&rest[..own]),
                };
                rest = &rest[own..];
            }
        }
    }

    /// # Panics
    /// If `words` are not whole rows.
    fn rows_of(&self, words: usize) -> usize {
        let a_row = self.words().max(1);
        assert!(words.is_multiple_of(a_row), "whole rows");
        words / a_row
    }
}

/// Bytes of the widest word.
const FULL: usize = 16;
/// What [`Layout::encode_onto`] takes behind the rows while it writes: with that much capacity more it does not move what is there.
pub const SPARE_BYTES: usize = FULL;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_row_takes_the_bytes_of_its_widths() {
        let layout = Layout::new(vec![1, 8, 9, 64, 127]);
        assert_eq!(layout.bytes_a_row(), 1 + 1 + 2 + 8 + 16);
        assert_eq!(layout.repeated(3).bytes_a_row(), 3 * 28);
        assert_eq!(layout.only(&[3, 0]), Layout::new(vec![64, 1]));
        assert!(layout.repeated(0).encode::<u64>(&[]).is_empty());
    }

    #[test]
    fn words_stand_little_endian_one_after_the_other() {
        let layout = Layout::new(vec![9, 24]);
        let bytes = layout.encode(&[0x0102_0304_u64, 0xa1a2_a3a4, 5, u64::MAX]);
        assert_eq!(bytes, [4, 3, 0xa4, 0xa3, 0xa2, 5, 0, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn other_lengths_are_refused() {
        let layout = Layout::new(vec![9, 24]);
        for length in [0, 4, 6, 9, 11] {
            assert_eq!(layout.decode::<u64>(&vec![0; length], 2), None);
        }
        assert_eq!(layout.decode::<u64>(&[1; 10], usize::MAX), None);
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written_modulo_whole_bytes(bits in prop::collection::vec(1..=128_u32, 1..6), numbers in prop::collection::vec(any::<u128>(), 0..40)) {
            let layout = Layout::new(bits);
            let rows = numbers.len() / layout.words();
            let words = &numbers[..rows * layout.words()];
            let read = layout.decode::<u128>(&layout.encode(words), rows).expect("whole rows");
            prop_assert_eq!(read.len(), words.len());
            for (i, (read, word)) in read.iter().zip(words).enumerate() {
                let bits = 8 * layout.bits()[i % layout.words()].div_ceil(8);
                let mask = u128::MAX.checked_shl(bits).map_or(u128::MAX, |m| !m);
                prop_assert_eq!(*read, word & mask);
            }
            let low: Vec<u64> = words.iter().map(|word| *word as u64).collect();
            let narrow = layout.decode::<u64>(&layout.encode(&low), rows).expect("whole rows");
            for (i, (read, word)) in narrow.iter().zip(&low).enumerate() {
                let bits = 8 * layout.bits()[i % layout.words()].div_ceil(8);
                prop_assert_eq!(*read, word & u64::MAX.checked_shl(bits).map_or(u64::MAX, |m| !m));
            }
        }
    }
}
