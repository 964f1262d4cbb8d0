//! Oblivious key-value store (protocols.md §4; Raghuraman and Rindal, CCS'22): a vector that decodes to a chosen value at each
//! of its keys and to noise elsewhere, and shows nothing of its keys when the values are random.
//!
//! A key's *row* has three sparse columns and the powers 1..g of a field element in the dense ones; the value at a key is
//! the row times the vector. Keys are spread over bins of about 2^15, each a small linear system that works in the L2 cache
//! with 16-bit indices. Encoding peels columns that only one row uses, solves what is left by elimination, and substitutes
//! back.
//!
//! Who learns what: nobody receives anything here. Encoding and decoding touch memory at places that depend on the caller's own
//! keys, never on a peer's secret; that pattern stays inside the caller's process.

mod core_rows;
mod encode;
mod rows;

pub use encode::{EncodeError, Fill, encode};
pub use rows::{Bin, Rows, RowsError};

use crate::block::Block;
use crate::bounds::OkvsShape;
use crate::field;
use rayon::prelude::*;

/// Decodes at all keys of `rows`: one value a row, in the order of [`Rows::places`], each bin's handed to `change` while it is in
/// the cache.
///
/// # Panics
/// If `vector` is not of the shape's width: a caller's defect.
pub fn decode(
    shape: &OkvsShape,
    rows: &Rows,
    vector: &[Block],
    change: impl Fn(Bin<'_>, &mut [Block]) + Sync,
) -> Vec<Block> {
    assert_eq!(
        vector.len(),
        shape.width(),
        "the vector has the shape's width"
    );
    let mut values = vec![Block::ZERO; rows.len()];
    let mut rest = values.as_mut_slice();
    let mut bins = Vec::with_capacity(shape.bins as usize);
    for (bin, vector) in rows.bins().zip(vector.chunks_exact(shape.bin_width())) {
        let (part, later) = rest.split_at_mut(bin.keys.len());
        rest = later;
        bins.push((bin, vector, part));
    }
    let bins_a_task = bins.len().div_ceil(rayon::current_num_threads());
    bins.par_chunks_mut(bins_a_task).for_each(|bins| {
        let (mut columns, mut elements) = (Vec::new(), Vec::new());
        for (bin, vector, values) in bins {
            let (sparse, dense) = vector.split_at(shape.sparse as usize);
            rows.columns(bin.keys, &mut columns);
            for (value, [a, b, c]) in values.iter_mut().zip(&columns) {
                *value = sparse[*a as usize] ^ sparse[*b as usize] ^ sparse[*c as usize];
            }
            rows.elements(bin.keys, &mut elements);
            field::add_polynomials(values, &elements, dense);
            change(*bin, values);
        }
    });
    values
}

#[cfg(test)]
mod tests;
