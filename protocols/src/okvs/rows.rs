//! The rows of an OKVS: each key hashed to a bin, three distinct sparse columns and a field element, grouped by bin.

use crate::block::Block;
use crate::bounds::OkvsShape;
use aes::Aes128Enc;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use rayon::prelude::*;

/// Keys hashed in one call of the cipher: enough to fill its pipeline, small enough for the stack.
const BATCH: usize = 64;
/// Keys hashed by one task.
const TASK_KEYS: usize = 1 << 14;

/// Why keys cannot be laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowsError {
    /// Another number of keys than the shape is for.
    #[error("{got} keys for a shape of {expected}")]
    WrongCount {
        /// Keys given.
        got: u64,
        /// Keys the shape is for.
        expected: u64,
    },
    /// A bin got more keys than its capacity: a statistical accident, bounded by λ₀.
    #[error("bin {bin} got {load} keys, more than its capacity")]
    BinOverflow {
        /// Which bin.
        bin: u32,
        /// Keys that fell into it.
        load: u32,
    },
}

/// Hashed keys, grouped by bin.
pub struct Rows {
    columns: Vec<[u16; 3]>,
    dense: Vec<Block>,
    places: Vec<u32>,
    ends: Vec<u32>,
}

/// The rows of one bin.
#[derive(Clone, Copy)]
pub(super) struct BinRows<'a> {
    /// Three distinct sparse columns a row.
    pub(super) columns: &'a [[u16; 3]],
    /// The field element whose powers stand in the dense columns.
    pub(super) dense: &'a [Block],
    /// Where in the caller's list the row's key stands.
    pub(super) places: &'a [u32],
}

impl Rows {
    /// Hashes `keys` under `seed`, which both parties know and which is chosen after the keys are fixed.
    pub fn new(shape: &OkvsShape, seed: Block, keys: &[Block]) -> Result<Self, RowsError> {
        if keys.len() as u64 != shape.keys {
            return Err(RowsError::WrongCount {
                got: keys.len() as u64,
                expected: shape.keys,
            });
        }
        Self::laid_out(shape, seed, keys, shape.capacity)
    }

    /// Rows at which a vector of this shape is only decoded: any number of keys, any load of a bin.
    pub fn for_decoding(shape: &OkvsShape, seed: Block, keys: &[Block]) -> Result<Self, RowsError> {
        Self::laid_out(shape, seed, keys, u32::MAX)
    }

    fn laid_out(
        shape: &OkvsShape,
        seed: Block,
        keys: &[Block],
        capacity: u32,
    ) -> Result<Self, RowsError> {
        let layout = KeyedHash::new(seed, 0).hash_all(keys);
        let elements = KeyedHash::new(seed, 1).hash_all(keys);
        let mut starts = vec![0u32; shape.bins as usize + 1];
        for hash in &layout {
            starts[bin_of(*hash, shape.bins) + 1] += 1;
        }
        if let Some(bin) = (0..shape.bins).find(|bin| starts[*bin as usize + 1] > capacity) {
            return Err(RowsError::BinOverflow {
                bin,
                load: starts[bin as usize + 1],
            });
        }
        for bin in 0..shape.bins as usize {
            starts[bin + 1] += starts[bin];
        }
        let ends = starts[1..].to_vec();
        let mut rows = Self {
            columns: vec![[0; 3]; keys.len()],
            dense: vec![Block::ZERO; keys.len()],
            places: vec![0; keys.len()],
            ends,
        };
        for (place, (hash, element)) in layout.iter().zip(&elements).enumerate() {
            let next = &mut starts[bin_of(*hash, shape.bins)];
            let row = *next as usize;
            *next += 1;
            rows.columns[row] = columns_of(*hash, shape.sparse);
            rows.dense[row] = *element;
            rows.places[row] = place as u32;
        }
        Ok(rows)
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn places(&self) -> &[u32] {
        &self.places
    }

    pub(super) fn bins(&self) -> Vec<BinRows<'_>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| {
                let range = start as usize..*end as usize;
                BinRows {
                    columns: &self.columns[range.clone()],
                    dense: &self.dense[range.clone()],
                    places: &self.places[range],
                }
            })
            .collect()
    }

    /// Each bin's rows with the part of `by_row` that belongs to them.
    pub(super) fn split_by_bin<'a>(
        &'a self,
        mut by_row: &'a mut [Block],
    ) -> Vec<(BinRows<'a>, &'a mut [Block])> {
        let mut parts = Vec::with_capacity(self.ends.len());
        for bin in self.bins() {
            let (part, rest) = by_row.split_at_mut(bin.places.len());
            parts.push((bin, part));
            by_row = rest;
        }
        parts
    }
}

/// AES under a key derived from the seed, as `AES_k(x) ⊕ x`: not invertible without x, pseudo-random in k.
struct KeyedHash {
    cipher: Aes128Enc,
}

impl KeyedHash {
    fn new(seed: Block, domain: u8) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("entente/1/okvs-row");
        hasher.update(&[domain]);
        hasher.update(&seed.to_bytes());
        let mut key = [0u8; 16];
        hasher.finalize_xof().fill(&mut key);
        Self {
            cipher: Aes128Enc::new(&key.into()),
        }
    }

    fn hash_all(&self, keys: &[Block]) -> Vec<Block> {
        let mut hashes = vec![Block::ZERO; keys.len()];
        let tasks = hashes
            .par_chunks_mut(TASK_KEYS)
            .zip(keys.par_chunks(TASK_KEYS));
        tasks.for_each(|(hashes, keys)| {
            for (hashes, keys) in hashes.chunks_mut(BATCH).zip(keys.chunks(BATCH)) {
                let mut buffer = [aes::Block::default(); BATCH];
                for (cell, key) in buffer.iter_mut().zip(keys) {
                    *cell = key.to_bytes().into();
                }
                self.cipher.encrypt_blocks(&mut buffer[..keys.len()]);
                for ((hash, cell), key) in hashes.iter_mut().zip(buffer).zip(keys) {
                    *hash = Block::from_bytes(cell.into()) ^ *key;
                }
            }
        });
        hashes
    }
}

/// Maps 32 uniform bits to `0..range`, each value with probability 1/range up to 2^-32.
fn scaled(bits: u32, range: u32) -> u32 {
    (u64::from(bits) * u64::from(range) >> 32) as u32
}

fn bin_of(hash: Block, bins: u32) -> usize {
    scaled(hash.high() as u32, bins) as usize
}

/// Three distinct columns: the second is drawn from all but the first, the third from all but both, without a branch.
fn columns_of(hash: Block, sparse: u32) -> [u16; 3] {
    let a = scaled(hash.low() as u32, sparse);
    let b = scaled((hash.low() >> 32) as u32, sparse - 1);
    let b = b + u32::from(b >= a);
    let c = scaled((hash.high() >> 32) as u32, sparse - 2);
    let c = c + u32::from(c >= a.min(b));
    let c = c + u32::from(c >= a.max(b));
    [a as u16, b as u16, c as u16]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn columns_of_a_row_are_distinct(hash: u128, sparse in 3u32..70) {
            let [a, b, c] = columns_of(Block(hash), sparse);
            prop_assert!(a != b && b != c && a != c);
            prop_assert!([a, b, c].iter().all(|column| u32::from(*column) < sparse));
        }
    }
}
