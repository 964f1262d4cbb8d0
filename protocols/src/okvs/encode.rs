//! Encoding: peel, eliminate, substitute back, bin by bin.

use super::core_rows::{self, CoreError};
use super::dense_products;
use super::rows::{BinRows, Rows};
use crate::block::Block;
use crate::bounds::OkvsShape;
use rand_core::CryptoRng;
use rayon::prelude::*;

/// Why a vector cannot be encoded. Ends the job; nothing is retried on the same keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A key stands twice in the caller's list.
    #[error("a key stands twice")]
    DuplicateKey,
    /// The rows are not independent: a statistical accident, bounded by λ₀.
    #[error("the rows of bin {bin} are not independent")]
    Dependent {
        /// Which bin.
        bin: u32,
    },
}

/// What stands in places that no key determines.
pub enum Fill<'a, R: CryptoRng> {
    /// Zero: where the vector is masked before anyone sees it.
    Zero,
    /// Fresh randomness: where it is sent as it is.
    Random(&'a mut R),
}

/// A vector of the shape's width that decodes to `values[i]` at the i-th key of `rows`.
///
/// # Panics
/// If there are not as many values as keys: a caller's defect.
pub fn encode<R: CryptoRng>(
    shape: &OkvsShape,
    rows: &Rows,
    values: &[Block],
    fill: Fill<'_, R>,
) -> Result<Vec<Block>, EncodeError> {
    assert_eq!(values.len(), rows.len(), "one value a key");
    let mut vector = vec![Block::ZERO; shape.width()];
    if let Fill::Random(rng) = fill {
        for block in &mut vector {
            let mut bytes = [0u8; 16];
            rng.fill_bytes(&mut bytes);
            *block = Block::from_bytes(bytes);
        }
    }
    let bins = rows.bins();
    vector
        .par_chunks_exact_mut(shape.bin_width())
        .zip(bins)
        .enumerate()
        .try_for_each(|(bin, (vector, rows))| {
            let solved = encode_bin(shape, rows, values, vector);
            solved.map_err(|error| match error {
                CoreError::DuplicateRow => EncodeError::DuplicateKey,
                CoreError::Dependent => EncodeError::Dependent { bin: bin as u32 },
            })
        })?;
    Ok(vector)
}

fn encode_bin(
    shape: &OkvsShape,
    rows: BinRows<'_>,
    values: &[Block],
    vector: &mut [Block],
) -> Result<(), CoreError> {
    let (sparse, dense) = vector.split_at_mut(shape.sparse as usize);
    let peeled = Peeled::new(rows.columns, sparse.len());
    let mut wanted: Vec<Block> = rows
        .places
        .iter()
        .map(|place| values[*place as usize])
        .collect();
    core_rows::solve(rows, &peeled.core, &wanted, sparse, dense)?;
    let mut products = vec![Block::ZERO; wanted.len()];
    dense_products(rows.dense, dense, &mut products);
    for (value, product) in wanted.iter_mut().zip(&products) {
        *value ^= *product;
    }
    for (row, column) in peeled.order.iter().rev() {
        let [a, b, c] = rows.columns[*row as usize];
        let decoded = sparse[a as usize] ^ sparse[b as usize] ^ sparse[c as usize];
        sparse[*column as usize] ^= decoded ^ wanted[*row as usize];
    }
    Ok(())
}

/// Rows in the order in which they lost their last rival for a column, and the rows that never did: the 2-core.
struct Peeled {
    /// (row, the column it alone used).
    order: Vec<(u16, u16)>,
    core: Vec<u16>,
}

impl Peeled {
    fn new(rows: &[[u16; 3]], columns: usize) -> Self {
        // For each column: how many rows use it, and the exclusive or of their numbers, which is the number when one is left.
        let mut users = vec![(0u16, 0u16); columns];
        for (row, columns) in rows.iter().enumerate() {
            for column in columns {
                let user = &mut users[*column as usize];
                user.0 += 1;
                user.1 ^= row as u16;
            }
        }
        let mut single: Vec<u16> = (0..columns)
            .filter(|c| users[*c].0 == 1)
            .map(|c| c as u16)
            .collect();
        let mut order = Vec::with_capacity(rows.len());
        let mut in_core = vec![true; rows.len()];
        while let Some(column) = single.pop() {
            let (count, row) = users[column as usize];
            if count != 1 {
                continue;
            }
            order.push((row, column));
            in_core[row as usize] = false;
            for column in rows[row as usize] {
                let user = &mut users[column as usize];
                user.0 -= 1;
                user.1 ^= row;
                if user.0 == 1 {
                    single.push(column);
                }
            }
        }
        let core = (0..rows.len())
            .filter(|row| in_core[*row])
            .map(|row| row as u16)
            .collect();
        Self { order, core }
    }
}
