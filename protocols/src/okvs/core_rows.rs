//! The rows that peeling leaves over, solved by elimination: first over their sparse columns, where coefficients are bits, then
//! what is still dependent over the dense columns, where they are field elements.

use super::value::Value;
use crate::block::Block;
use std::collections::BTreeMap;

/// Most rows that elimination takes on. Above it a bin counts as failed; below the peeling threshold a core of this size is
/// far rarer than 2^-λ₀, and a smaller one takes milliseconds.
const CORE_ROWS_MAX: usize = 2_048;

/// Why the core has no solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CoreError {
    /// Two rows are equal, so two keys are.
    DuplicateRow,
    /// More dependent rows than dense columns.
    Dependent,
}

/// One equation over what has to be *added* to the vector: columns that stay free add nothing.
struct Equation<V> {
    sparse: Vec<u64>,
    dense: Vec<V>,
    wanted: V,
}

impl<V: Value> Equation<V> {
    fn add(&mut self, other: &Self) {
        self.sparse
            .iter_mut()
            .zip(&other.sparse)
            .for_each(|(word, bits)| *word ^= bits);
        self.dense
            .iter_mut()
            .zip(&other.dense)
            .for_each(|(mine, theirs)| *mine ^= *theirs);
        self.wanted ^= other.wanted;
    }

    fn uses(&self, column: usize) -> bool {
        (self.sparse[column / 64] >> (column % 64)) & 1 == 1
    }

    fn first_column(&self) -> Option<usize> {
        let word = self.sparse.iter().position(|word| *word != 0)?;
        Some(word * 64 + self.sparse[word].trailing_zeros() as usize)
    }
}

/// The rows of a bin, and which of them are left over.
#[derive(Clone, Copy)]
pub(super) struct CoreRows<'a> {
    pub(super) columns: &'a [[u16; 3]],
    pub(super) elements: &'a [Block],
    pub(super) core: &'a [u16],
}

/// Changes `sparse` and `dense` so that every row of the core decodes to its value in `values`.
pub(super) fn solve<V: Value>(
    rows: CoreRows<'_>,
    values: &[V],
    sparse: &mut [V],
    dense: &mut [V],
) -> Result<(), CoreError> {
    refuse_equal_rows(rows)?;
    if rows.core.len() > CORE_ROWS_MAX {
        return Err(CoreError::Dependent);
    }
    let mut local: BTreeMap<u16, usize> = BTreeMap::new();
    for row in rows.core {
        for column in rows.columns[*row as usize] {
            let next = local.len();
            local.entry(column).or_insert(next);
        }
    }
    let mut open = equations(rows, values, sparse, dense, &local);
    let mut solved: Vec<(usize, Equation<V>)> = Vec::new();
    let mut gap = Vec::new();
    while let Some(equation) = open.pop() {
        let Some(column) = equation.first_column() else {
            gap.push(equation);
            continue;
        };
        let others = open
            .iter_mut()
            .chain(solved.iter_mut().map(|(_, other)| other));
        others
            .filter(|other| other.uses(column))
            .for_each(|other| other.add(&equation));
        solved.push((column, equation));
    }
    let added = solve_dense(gap, dense.len())?;
    for (column, addend) in dense.iter_mut().zip(&added) {
        *column ^= *addend;
    }
    let by_local: BTreeMap<usize, u16> = local
        .into_iter()
        .map(|(column, place)| (place, column))
        .collect();
    for (place, equation) in solved {
        let product = V::inner_product(&equation.dense, &added);
        sparse[by_local[&place] as usize] ^= equation.wanted ^ product;
    }
    Ok(())
}

fn refuse_equal_rows(rows: CoreRows<'_>) -> Result<(), CoreError> {
    let elements = rows.core.iter().map(|row| rows.elements[*row as usize].0);
    let mut elements: Vec<u128> = elements.collect();
    elements.sort_unstable();
    let equal = elements.windows(2).any(|pair| pair[0] == pair[1]);
    if equal {
        Err(CoreError::DuplicateRow)
    } else {
        Ok(())
    }
}

fn equations<V: Value>(
    rows: CoreRows<'_>,
    values: &[V],
    sparse: &[V],
    dense: &[V],
    local: &BTreeMap<u16, usize>,
) -> Vec<Equation<V>> {
    let words = local.len().div_ceil(64);
    rows.core
        .iter()
        .map(|row| {
            let row = *row as usize;
            let mut bits = vec![0u64; words];
            let powers = V::element(rows.elements[row]).powers(dense.len());
            let mut wanted = values[row] ^ V::inner_product(&powers, dense);
            for column in rows.columns[row] {
                let place = local[&column];
                bits[place / 64] |= 1 << (place % 64);
                wanted ^= sparse[column as usize];
            }
            Equation {
                sparse: bits,
                dense: powers,
                wanted,
            }
        })
        .collect()
}

/// Elimination over the field: what to add to the dense columns so that the equations without sparse columns hold.
fn solve_dense<V: Value>(mut open: Vec<Equation<V>>, columns: usize) -> Result<Vec<V>, CoreError> {
    let mut solved: Vec<(usize, Equation<V>)> = Vec::new();
    while let Some(mut equation) = open.pop() {
        let column = equation
            .dense
            .iter()
            .position(|c| *c != V::ZERO)
            .ok_or(CoreError::Dependent)?;
        let inverse = equation.dense[column].invert();
        scale(&mut equation, inverse);
        for other in open
            .iter_mut()
            .chain(solved.iter_mut().map(|(_, other)| other))
        {
            let factor = other.dense[column];
            for (mine, theirs) in other.dense.iter_mut().zip(&equation.dense) {
                *mine ^= factor.multiply(*theirs);
            }
            other.wanted ^= factor.multiply(equation.wanted);
        }
        solved.push((column, equation));
    }
    let mut added = vec![V::ZERO; columns];
    for (column, equation) in solved {
        added[column] = equation.wanted;
    }
    Ok(added)
}

fn scale<V: Value>(equation: &mut Equation<V>, factor: V) {
    equation
        .dense
        .iter_mut()
        .for_each(|c| *c = c.multiply(factor));
    equation.wanted = equation.wanted.multiply(factor);
}
