//! Oblivious key-value store (protocols.md §4; Raghuraman and Rindal, CCS'22): a vector that decodes to a chosen value at each
//! of its keys and to noise elsewhere, and shows nothing of its keys when the values are random.
//!
//! A key's *row* has three sparse columns and the powers 1..g of a field element in the dense ones; the value at a key is
//! the row times the vector. Keys are spread over bins of about 2^15, each a small linear system that works in the L2 cache
//! with 16-bit indices. Values are elements of GF(2^128) or GF(2^64), or of any number of words ([`Planes`]). Encoding peels
//! columns that only one row uses, solves what is left by elimination, and substitutes back.
//!
//! Who learns what: nobody receives anything here. Encoding and decoding touch memory at places that depend on the caller's own
//! keys, never on a peer's secret; that pattern stays inside the caller's process.

mod core_rows;
mod encode;
mod faults;
mod planes;
mod rows;
mod value;

pub(crate) use faults::Unencodable;

pub use encode::{EncodeError, Fill, encode};
pub use planes::{Planes, encode_planes};
pub use rows::{Bin, Rows, RowsError};
pub use value::Value;

use crate::bounds::OkvsShape;
use rayon::prelude::*;
use std::ops::Range;

/// Decodes at all keys of `rows`: one value a row, in the order of [`Rows::places`], each bin's handed to `change` while it is in
/// the cache.
///
/// # Panics
/// If `vector` is not of the shape's width: a caller's defect.
pub fn decode<V: Value>(
    shape: &OkvsShape,
    rows: &Rows,
    vector: &[V],
    change: impl Fn(Bin<'_>, &mut [V]) + Sync,
) -> Vec<V> {
    decode_bins(shape, rows, 0..shape.bins as usize, vector, change)
}

/// The same for some of the bins, whose part of the vector is given: the values of [`Rows::rows_of`] these bins.
///
/// # Panics
/// If `vector` is not as wide as these bins: a caller's defect.
pub fn decode_bins<V: Value>(
    shape: &OkvsShape,
    rows: &Rows,
    bins: Range<usize>,
    vector: &[V],
    change: impl Fn(Bin<'_>, &mut [V]) + Sync,
) -> Vec<V> {
    assert_eq!(
        vector.len(),
        bins.len() * shape.bin_width(),
        "the vector has the bins' width"
    );
    let mut values = vec![V::ZERO; rows.rows_of(bins.clone()).len()];
    let mut rest = values.as_mut_slice();
    let vectors = vector.chunks_exact(shape.bin_width());
    let mut bins: Vec<_> = rows
        .bins_in(bins)
        .zip(vectors)
        .map(|(bin, vector)| {
            let (part, later) = std::mem::take(&mut rest).split_at_mut(bin.keys.len());
            rest = later;
            (bin, vector, part)
        })
        .collect();
    let bins_a_task = bins.len().div_ceil(rayon::current_num_threads()).max(1);
    bins.par_chunks_mut(bins_a_task).for_each(|bins| {
        let (mut columns, mut elements) = (Vec::new(), Vec::new());
        for (bin, vector, values) in bins {
            let (sparse, dense) = vector.split_at(shape.sparse as usize);
            rows.columns(bin.keys, &mut columns);
            for (value, [a, b, c]) in values.iter_mut().zip(&columns) {
                *value = sparse[*a as usize] ^ sparse[*b as usize] ^ sparse[*c as usize];
            }
            rows.elements(bin.keys, &mut elements);
            V::add_polynomials(values, &elements, dense);
            change(*bin, values);
        }
    });
    values
}

#[cfg(test)]
mod tests;
