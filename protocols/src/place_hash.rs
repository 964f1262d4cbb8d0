//! From a key to its places in a table: AES under a key of the table's own, as `AES_k(x) ⊕ x`, which is not invertible without x and
//! pseudo-random in k; and three distinct places from its bits.

use crate::block::Block;
use crate::simd::aes::Aes;

/// Keys hashed in one call of the cipher: enough to fill its pipeline, small enough for the stack.
const BATCH: usize = 64;

/// The hash of one table.
pub(crate) struct PlaceHash {
    cipher: Aes,
}

impl PlaceHash {
    /// Under a key that only this table has.
    pub(crate) fn new(key: Block) -> Self {
        Self {
            cipher: Aes::new(key),
        }
    }

    /// Hands each key's hash on, in order.
    #[inline]
    pub(crate) fn each(&self, mut keys: impl Iterator<Item = Block>, mut take: impl FnMut(Block)) {
        loop {
            let mut batch = [Block::ZERO; BATCH];
            let mut count = 0;
            for (key, slot) in keys.by_ref().take(BATCH).zip(&mut batch) {
                *slot = key;
                count += 1;
            }
            let mut hashes = [Block::ZERO; BATCH];
            let hashes = &mut hashes[..count];
            self.cipher.encrypt_and_add(&batch[..count], hashes);
            hashes.iter().for_each(|hash| take(*hash));
            if count < BATCH {
                return;
            }
        }
    }

    /// Writes the hash of each key.
    pub(crate) fn hash(&self, keys: &[Block], hashes: &mut [Block]) {
        self.cipher.encrypt_and_add(keys, hashes);
    }
}

/// Maps 32 uniform bits to `0..range`, each value with probability 1/range up to 2^-32.
#[inline]
pub(crate) fn scaled(bits: u32, range: u32) -> u32 {
    ((u64::from(bits) * u64::from(range)) >> 32) as u32
}

/// Three distinct places below `range`, which is at least 3, from uniform bits: the second is drawn from all but the first, the third
/// from all but both, without a branch.
#[inline]
pub(crate) fn three_places(bits: [u32; 3], range: u32) -> [u32; 3] {
    let a = scaled(bits[0], range);
    let b = scaled(bits[1], range - 1);
    let b = b + u32::from(b >= a);
    let c = scaled(bits[2], range - 2);
    let c = c + u32::from(c >= a.min(b));
    let c = c + u32::from(c >= a.max(b));
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All outcomes of three draws over all ranges up to 6, each as likely as every other.
    #[test]
    fn every_three_places_are_equally_likely() {
        for range in 3..=6u32 {
            let mut seen = std::collections::BTreeMap::new();
            let draws = |count: u32| {
                // The middle of the interval that is mapped to each value.
                (0..count).map(move |i| ((u64::from(2 * i + 1) << 31) / u64::from(count)) as u32)
            };
            for a in draws(range) {
                for b in draws(range - 1) {
                    for c in draws(range - 2) {
                        *seen.entry(three_places([a, b, c], range)).or_insert(0) += 1;
                    }
                }
            }
            assert_eq!(seen.len() as u32, range * (range - 1) * (range - 2));
            assert!(seen.values().all(|times| *times == 1));
        }
    }

    proptest! {
        #[test]
        fn three_places_are_distinct_and_in_range(bits: [u32; 3], range in 3u32..) {
            let [a, b, c] = three_places(bits, range);
            prop_assert!(a != b && b != c && a != c);
            prop_assert!([a, b, c].iter().all(|place| *place < range));
        }
    }
}
