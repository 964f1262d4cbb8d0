//! Values of several words a key, as *planes*: one vector for every two words, over GF(2^128), and one for a last odd word, over
//! GF(2^64). The rows are the same in all of them, so what is peeled once is solved for each.

use super::encode::{EncodeError, Space, bin_by_bin};
use super::rows::{Bin, Rows};
use super::value::Value;
use crate::block::Block;
use crate::bounds::OkvsShape;
use rand_core::CryptoRng;
use std::ops::Range;

/// Values of a fixed number of words, plane by plane. Word 0 is the low half of the first plane's block, word 1 its high half.
#[derive(Clone, PartialEq, Eq)]
pub struct Planes {
    /// Two words each.
    pub pairs: Vec<Vec<Block>>,
    /// The last word, where their number is odd.
    pub single: Option<Vec<u64>>,
}

impl Planes {
    /// `count` values of `words` words, all zero.
    pub fn zero(count: usize, words: usize) -> Self {
        Self {
            pairs: vec![vec![Block::ZERO; count]; words / 2],
            single: (words % 2 == 1).then(|| vec![0; count]),
        }
    }

    /// So many values, all random, in the memory of those before.
    fn fill_random(&mut self, count: usize, rng: &mut impl CryptoRng) {
        for plane in &mut self.pairs {
            plane.resize(count, Block::ZERO);
            Value::fill_random(plane, rng);
        }
        if let Some(plane) = &mut self.single {
            plane.resize(count, 0);
            Value::fill_random(plane, rng);
        }
    }

    /// Sets two words of one plane of a value, or the low one as its last; nothing where there is no such plane.
    ///
    /// # Panics
    /// If there is no such value: a caller's defect.
    #[inline]
    pub fn set(&mut self, plane: usize, value: usize, words: Block) {
        match (self.pairs.get_mut(plane), &mut self.single) {
            (Some(pairs), _) => pairs[value] = words,
            (None, Some(single)) => single[value] = words.low(),
            (None, None) => {}
        }
    }

    /// Adds words where [`Self::set`] would set them.
    ///
    /// # Panics
    /// If there is no such value: a caller's defect.
    #[inline]
    pub fn add(&mut self, plane: usize, value: usize, words: Block) {
        match (self.pairs.get_mut(plane), &mut self.single) {
            (Some(pairs), _) => pairs[value] ^= words,
            (None, Some(single)) => single[value] ^= words.low(),
            (None, None) => {}
        }
    }
}

/// Makes `planes`, of as many words as the values, the part of some bins of planes of the shape's width: they decode ([`super::decode_bins`]), at each key of these bins, to the
/// key's value in `values`, which are those of all keys in the order in which they were given. Every place that no key determines,
/// dense ones too, is fresh randomness: this is for vectors that are sent as they are.
///
/// # Panics
/// If there are not as many values as keys, other planes than theirs, or not so many bins: a caller's defect.
pub fn encode_planes(
    shape: &OkvsShape,
    rows: &Rows,
    bins: Range<usize>,
    values: &Planes,
    rng: &mut impl CryptoRng,
    planes: &mut Planes,
) -> Result<(), EncodeError> {
    let is_single = [&values.single, &planes.single].map(Option::is_some);
    assert!(values.pairs.len() == planes.pairs.len() && is_single[0] == is_single[1]);
    planes.fill_random(bins.len() * shape.bin_width(), rng);
    let numbers = bins.clone();
    let mut bins: Vec<PlanesOfBin<'_>> = rows.bins_in(bins).map(PlanesOfBin::new).collect();
    for (plane, values) in planes.pairs.iter_mut().zip(&values.pairs) {
        let vectors = plane.chunks_exact_mut(shape.bin_width());
        for (bin, vector) in bins.iter_mut().zip(vectors) {
            bin.pairs.push((vector, values));
        }
    }
    if let (Some(plane), Some(values)) = (&mut planes.single, &values.single) {
        let vectors = plane.chunks_exact_mut(shape.bin_width());
        for (bin, vector) in bins.iter_mut().zip(vectors) {
            bin.single = Some((vector, values));
        }
    }
    bin_by_bin(numbers.start, &mut bins, |working: &mut Working, bin| {
        working.space.lay_out(shape, rows, bin.keys);
        for (vector, values) in &mut bin.pairs {
            gather(&mut working.pairs, bin.keys.places, values);
            working
                .space
                .solve(shape, rows, bin.keys, &mut working.pairs, vector)?;
        }
        if let Some((vector, values)) = &mut bin.single {
            gather(&mut working.single, bin.keys.places, values);
            working
                .space
                .solve(shape, rows, bin.keys, &mut working.single, vector)?;
        }
        Ok(())
    })
}

/// One bin of each plane, and all values of that plane.
struct PlanesOfBin<'a> {
    keys: Bin<'a>,
    pairs: Vec<(&'a mut [Block], &'a [Block])>,
    single: Option<(&'a mut [u64], &'a [u64])>,
}

impl<'a> PlanesOfBin<'a> {
    fn new(keys: Bin<'a>) -> Self {
        Self {
            keys,
            pairs: Vec::new(),
            single: None,
        }
    }
}

/// Working memory for one bin after the other.
#[derive(Default)]
struct Working {
    space: Space,
    pairs: Vec<Block>,
    single: Vec<u64>,
}

fn gather<V: Value>(wanted: &mut Vec<V>, places: &[u32], values: &[V]) {
    wanted.clear();
    wanted.extend(places.iter().map(|place| values[*place as usize]));
}
