//! Encoding: peel, eliminate, substitute back, bin by bin.

use super::core_rows::{self, CoreError, CoreRows};
use super::rows::{Bin, Rows};
use super::value::Value;
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

/// A vector of the shape's width that decodes, at each key of `rows`, to the value that `values` writes for it. `values` is
/// called bin by bin.
pub fn encode<V: Value, R: CryptoRng>(
    shape: &OkvsShape,
    rows: &Rows,
    fill: Fill<'_, R>,
    values: impl Fn(Bin<'_>, &mut [V]) + Sync,
) -> Result<Vec<V>, EncodeError> {
    let mut vector = vec![V::ZERO; shape.width()];
    if let Fill::Random(rng) = fill {
        V::fill_random(&mut vector, rng);
    }
    let vectors = vector.chunks_exact_mut(shape.bin_width());
    let mut bins: Vec<_> = rows.bins().zip(vectors).collect();
    bin_by_bin(
        0,
        &mut bins,
        |working: &mut (Space, Vec<V>), (keys, vector)| {
            let (space, wanted) = working;
            space.lay_out(shape, rows, *keys);
            wanted.clear();
            wanted.resize(keys.keys.len(), V::ZERO);
            values(*keys, wanted);
            space.solve(shape, rows, *keys, wanted, vector)
        },
    )?;
    Ok(vector)
}

/// Encodes bins, the first of this number, in as many tasks as there are threads. One task's bins share their working memory: fresh pages cost more than
/// the work on them.
pub(super) fn bin_by_bin<W: Default, T: Send>(
    first: usize,
    bins: &mut [T],
    encode: impl Fn(&mut W, &mut T) -> Result<(), CoreError> + Sync,
) -> Result<(), EncodeError> {
    let bins_a_task = bins.len().div_ceil(rayon::current_num_threads()).max(1);
    let tasks = bins.par_chunks_mut(bins_a_task).enumerate();
    tasks.try_for_each(|(task, bins)| {
        let mut working = W::default();
        for (bin, item) in (first + task * bins_a_task..).zip(bins) {
            encode(&mut working, item).map_err(|error| match error {
                CoreError::DuplicateRow => EncodeError::DuplicateKey,
                CoreError::Dependent => EncodeError::Dependent { bin: bin as u32 },
            })?;
        }
        Ok(())
    })
}

/// The structure of one bin after the other: where its rows have entries, and in which order they are solved.
#[derive(Default)]
pub(super) struct Space {
    columns: Vec<[u16; 3]>,
    elements: Vec<Block>,
    peeling: Peeling,
}

impl Space {
    /// Turns to a bin: what follows is for any number of vectors over its rows.
    pub(super) fn lay_out(&mut self, shape: &OkvsShape, rows: &Rows, bin: Bin<'_>) {
        rows.columns(bin.keys, &mut self.columns);
        self.elements.clear();
        self.peeling.run(&self.columns, shape.sparse as usize);
    }

    /// Makes one vector of the bin decode to `wanted`, whose values are changed.
    pub(super) fn solve<V: Value>(
        &mut self,
        shape: &OkvsShape,
        rows: &Rows,
        bin: Bin<'_>,
        wanted: &mut [V],
        vector: &mut [V],
    ) -> Result<(), CoreError> {
        let (sparse, dense) = vector.split_at_mut(shape.sparse as usize);
        let core = &self.peeling.core;
        // The dense part is only needed where peeling leaves something over, or where it does not start as zero.
        if !core.is_empty() || dense.iter().any(|column| *column != V::ZERO) {
            if self.elements.is_empty() {
                rows.elements(bin.keys, &mut self.elements);
            }
            let core_rows = CoreRows {
                columns: &self.columns,
                elements: &self.elements,
                core,
            };
            core_rows::solve(core_rows, wanted, sparse, dense)?;
            V::add_polynomials(wanted, &self.elements, dense);
        }
        for (row, column) in self.peeling.order.iter().rev() {
            let [a, b, c] = self.columns[*row as usize];
            let decoded = sparse[a as usize] ^ sparse[b as usize] ^ sparse[c as usize];
            sparse[*column as usize] ^= decoded ^ wanted[*row as usize];
        }
        Ok(())
    }
}

/// Rows in the order in which they lost their last rival for a column, and the rows that never did: the 2-core.
#[derive(Default)]
struct Peeling {
    /// For each column: how many rows use it, and the exclusive or of their numbers, which is the number when one is left.
    users: Vec<(u16, u16)>,
    single: Vec<u16>,
    in_core: Vec<bool>,
    /// (row, the column it alone used).
    order: Vec<(u16, u16)>,
    core: Vec<u16>,
}

impl Peeling {
    fn run(&mut self, rows: &[[u16; 3]], columns: usize) {
        self.clear(rows.len(), columns);
        for (row, columns) in rows.iter().enumerate() {
            for column in columns {
                let user = &mut self.users[*column as usize];
                user.0 += 1;
                user.1 ^= row as u16;
            }
        }
        let once = self
            .users
            .iter()
            .enumerate()
            .filter(|(_, user)| user.0 == 1);
        self.single.extend(once.map(|(column, _)| column as u16));
        while let Some(column) = self.single.pop() {
            let (count, row) = self.users[column as usize];
            if count != 1 {
                continue;
            }
            self.order.push((row, column));
            self.in_core[row as usize] = false;
            for column in rows[row as usize] {
                let user = &mut self.users[column as usize];
                user.0 -= 1;
                user.1 ^= row;
                if user.0 == 1 {
                    self.single.push(column);
                }
            }
        }
        if self.order.len() < rows.len() {
            let core = self.in_core.iter().enumerate().filter(|(_, core)| **core);
            self.core.extend(core.map(|(row, _)| row as u16));
        }
    }

    fn clear(&mut self, rows: usize, columns: usize) {
        self.users.clear();
        self.users.resize(columns, (0, 0));
        self.in_core.clear();
        self.in_core.resize(rows, true);
        self.single.clear();
        self.order.clear();
        self.order.reserve(rows);
        self.core.clear();
    }
}
