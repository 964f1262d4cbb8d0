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
pub use rows::{Rows, RowsError};

use crate::block::Block;
use crate::bounds::OkvsShape;
use crate::field;
use rayon::prelude::*;

/// Decodes at all keys of `rows`: one value a key, in the order the keys were given.
///
/// # Panics
/// If `vector` is not of the shape's width or `values` not as long as the keys: a caller's defect.
pub fn decode(shape: &OkvsShape, rows: &Rows, vector: &[Block], values: &mut [Block]) {
    assert_eq!(
        vector.len(),
        shape.width(),
        "the vector has the shape's width"
    );
    assert_eq!(values.len(), rows.len(), "one value a key");
    let mut by_row = vec![Block::ZERO; rows.len()];
    let bins = rows.split_by_bin(&mut by_row);
    bins.into_par_iter()
        .zip(vector.par_chunks_exact(shape.bin_width()))
        .for_each(|((bin, decoded), vector)| {
            let (sparse, dense) = vector.split_at(shape.sparse as usize);
            dense_products(bin.dense, dense, decoded);
            for (value, [a, b, c]) in decoded.iter_mut().zip(bin.columns) {
                *value ^= sparse[*a as usize] ^ sparse[*b as usize] ^ sparse[*c as usize];
            }
        });
    for (value, place) in by_row.iter().zip(rows.places()) {
        values[*place as usize] = *value;
    }
}

/// For each row's element d: Σ d^k·dense[k−1], by Horner's rule over all rows at once.
fn dense_products(elements: &[Block], dense: &[Block], products: &mut [Block]) {
    products.fill(Block::ZERO);
    if dense.iter().all(|column| *column == Block::ZERO) {
        // An encoder that left the dense part empty; the encoded vector is public or its owner's.
        return;
    }
    for column in dense.iter().rev() {
        products.iter_mut().for_each(|product| *product ^= *column);
        field::horner_step(products, elements, Block::ZERO);
    }
}

#[cfg(test)]
mod tests;
