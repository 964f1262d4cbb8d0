//! The rows of an OKVS: keys spread over bins, and each key hashed to three distinct sparse columns and a field element.
//!
//! Only the keys are kept, grouped by bin. What is derived from them is derived again whenever a bin is worked on: two calls of
//! a pipelined cipher cost less than keeping 22 bytes a key in memory that no cache holds.

use crate::block::Block;
use crate::bounds::OkvsShape;
use crate::place_hash::{PlaceHash, scaled, three_places};
use std::ops::Range;

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

/// Keys, grouped by bin.
pub struct Rows {
    keys: Vec<Block>,
    places: Vec<u32>,
    ends: Vec<u32>,
    sparse: u32,
    layout: PlaceHash,
    element: PlaceHash,
}

/// The keys of one bin, in the order of their rows.
#[derive(Clone, Copy)]
pub struct Bin<'a> {
    /// The keys.
    pub keys: &'a [Block],
    /// Where in the caller's list each key stands.
    pub places: &'a [u32],
}

impl Rows {
    /// Lays out `keys` under `seed`, which both parties know and which is chosen after the keys are fixed.
    pub fn new(
        shape: &OkvsShape,
        seed: Block,
        keys: impl Iterator<Item = Block> + Clone,
    ) -> Result<Self, RowsError> {
        let rows = Self::laid_out(shape, seed, keys);
        let got = rows.keys.len() as u64;
        if got != shape.keys {
            let expected = shape.keys;
            return Err(RowsError::WrongCount { got, expected });
        }
        for (bin, keys) in (0..).zip(rows.bins()) {
            let load = keys.keys.len() as u32;
            if load > shape.capacity {
                return Err(RowsError::BinOverflow { bin, load });
            }
        }
        Ok(rows)
    }

    /// Rows at which a vector of this shape is only decoded: any number of keys, any load of a bin.
    pub fn for_decoding(
        shape: &OkvsShape,
        seed: Block,
        keys: impl Iterator<Item = Block> + Clone,
    ) -> Self {
        Self::laid_out(shape, seed, keys)
    }

    /// Two passes: count, then put every key where its bin begins.
    fn laid_out(shape: &OkvsShape, seed: Block, keys: impl Iterator<Item = Block> + Clone) -> Self {
        let layout = row_hash(seed, 0);
        let mut bin_of_key: Vec<u16> = Vec::with_capacity(keys.size_hint().0);
        let mut starts = vec![0u32; shape.bins as usize + 1];
        layout.each(keys.clone(), |hash| {
            let bin = bin_of(hash, shape.bins);
            starts[usize::from(bin) + 1] += 1;
            bin_of_key.push(bin);
        });
        for bin in 1..starts.len() {
            starts[bin] += starts[bin - 1];
        }
        let ends = starts[1..].to_vec();
        let mut by_bin = vec![Block::ZERO; bin_of_key.len()];
        let mut places = vec![0; bin_of_key.len()];
        for ((place, key), bin) in (0..).zip(keys).zip(bin_of_key) {
            let next = &mut starts[usize::from(bin)];
            by_bin[*next as usize] = key;
            places[*next as usize] = place;
            *next += 1;
        }
        Self {
            keys: by_bin,
            places,
            ends,
            sparse: shape.sparse,
            layout,
            element: row_hash(seed, 1),
        }
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Where in the caller's list the key of each row stands.
    pub fn places(&self) -> &[u32] {
        &self.places
    }

    /// The keys of each bin, one bin after the other.
    pub fn bins(&self) -> impl Iterator<Item = Bin<'_>> {
        self.bins_in(0..self.ends.len())
    }

    /// The keys of some bins.
    ///
    /// # Panics
    /// If there are not so many: a caller's defect.
    pub fn bins_in(&self, bins: Range<usize>) -> impl Iterator<Item = Bin<'_>> {
        bins.map(|bin| {
            let rows = self.rows_of(bin..bin + 1);
            Bin {
                keys: &self.keys[rows.clone()],
                places: &self.places[rows],
            }
        })
    }

    /// Which rows stand in some bins.
    ///
    /// # Panics
    /// If there are not so many: a caller's defect.
    pub fn rows_of(&self, bins: Range<usize>) -> Range<usize> {
        let end = |bins: usize| {
            bins.checked_sub(1)
                .map_or(0, |last| self.ends[last] as usize)
        };
        end(bins.start)..end(bins.end)
    }

    /// The sparse columns of a bin's rows.
    pub(super) fn columns(&self, keys: &[Block], columns: &mut Vec<[u16; 3]>) {
        columns.clear();
        columns.reserve(keys.len());
        self.layout.each(keys.iter().copied(), |hash| {
            columns.push(columns_of(hash, self.sparse));
        });
    }

    /// The field elements whose powers stand in the dense columns of a bin's rows.
    pub(super) fn elements(&self, keys: &[Block], elements: &mut Vec<Block>) {
        elements.resize(keys.len(), Block::ZERO);
        self.element.hash(keys, elements);
    }
}

/// The hash of the seed's rows, one for the layout and one for the elements.
fn row_hash(seed: Block, domain: u8) -> PlaceHash {
    let mut hasher = blake3::Hasher::new_derive_key("entente/1/okvs-row");
    hasher.update(&[domain]);
    hasher.update(&seed.to_bytes());
    let mut key = [0u8; 16];
    hasher.finalize_xof().fill(&mut key);
    PlaceHash::new(Block::from_bytes(key))
}

/// A shape has fewer than 2^16 bins: that many would hold 2^31 keys.
fn bin_of(hash: Block, bins: u32) -> u16 {
    scaled(hash.high() as u32, bins) as u16
}

/// Three distinct columns: a bin has fewer than 2^16.
fn columns_of(hash: Block, sparse: u32) -> [u16; 3] {
    let bits = [hash.low(), hash.low() >> 32, hash.high() >> 32];
    three_places(bits.map(|bits| bits as u32), sparse).map(|column| column as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_its_bin_with_its_place() {
        let shape = OkvsShape::new(100_000, 1);
        let keys: Vec<Block> = (0..100_000u128).map(|key| Block(key * key)).collect();
        let rows = Rows::new(&shape, Block(3), keys.iter().copied()).expect("within capacity");
        let mut seen = vec![false; keys.len()];
        for (number, bin) in rows.bins().enumerate() {
            for (key, place) in bin.keys.iter().zip(bin.places) {
                assert_eq!(keys[*place as usize], *key);
                let mut hash = Block::ZERO;
                row_hash(Block(3), 0).each([*key].into_iter(), |h| hash = h);
                assert_eq!(usize::from(bin_of(hash, shape.bins)), number);
                assert!(!std::mem::replace(&mut seen[*place as usize], true));
            }
        }
        assert!(seen.iter().all(|seen| *seen));
    }
}
