mod planes;
mod vectors;

use super::*;
use crate::block::Block;
use crate::field;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

fn random_blocks(seed: u64, count: usize) -> Vec<Block> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| Block((u128::from(rng.next_u64()) << 64) | u128::from(rng.next_u64())))
        .collect()
}

fn random_fill(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// A shape much smaller than the bounds allow, so that cores and gaps are common.
fn tight(keys: u64, sparse: u32, dense: u32) -> OkvsShape {
    OkvsShape {
        keys,
        bins: 1,
        capacity: keys as u32,
        sparse,
        dense,
    }
}

fn rows(shape: &OkvsShape, keys: &[Block]) -> Result<Rows, RowsError> {
    Rows::new(shape, Block(7), keys.iter().copied())
}

/// Encodes `values[i]` at the i-th key.
fn encoded(
    shape: &OkvsShape,
    keys: &[Block],
    values: &[Block],
    fill: Fill<'_, ChaCha20Rng>,
) -> Result<Vec<Block>, EncodeError> {
    let rows = rows(shape, keys).expect("within capacity");
    encode(shape, &rows, fill, |bin, wanted| {
        for (wanted, place) in wanted.iter_mut().zip(bin.places) {
            *wanted = values[*place as usize];
        }
    })
}

/// The value at each key, in the keys' order.
fn decoded<V: Value>(shape: &OkvsShape, keys: &[Block], vector: &[V]) -> Vec<V> {
    let rows = rows(shape, keys).expect("within capacity");
    let by_row = decode(shape, &rows, vector, |_, _| {});
    let mut values = vec![V::ZERO; keys.len()];
    for (value, place) in by_row.iter().zip(rows.places()) {
        values[*place as usize] = *value;
    }
    values
}

#[test]
fn a_key_that_stands_twice_is_refused_even_with_equal_values() {
    let mut keys = random_blocks(1, 5_000);
    keys[4_999] = keys[17];
    let shape = OkvsShape::new(5_000, 1);
    let values = vec![Block::ONE; 5_000];
    let refused = encoded(&shape, &keys, &values, Fill::Zero);
    assert_eq!(refused, Err(EncodeError::DuplicateKey));
}

#[test]
fn many_keys_that_stand_twice_are_still_duplicates_and_not_chance() {
    let mut keys = random_blocks(1, 5_000);
    keys.copy_within(..2_500, 2_500);
    let refused = encoded(&OkvsShape::new(5_000, 1), &keys, &keys, Fill::Zero);
    assert_eq!(refused, Err(EncodeError::DuplicateKey));
}

#[test]
fn another_number_of_keys_than_the_shape_is_refused() {
    let shape = OkvsShape::new(5_000, 1);
    let refused = rows(&shape, &random_blocks(1, 4_999)).err();
    assert_eq!(
        refused,
        Some(RowsError::WrongCount {
            got: 4_999,
            expected: 5_000
        })
    );
}

#[test]
fn an_overfull_bin_is_refused() {
    let shape = OkvsShape {
        keys: 1_000,
        bins: 2,
        capacity: 400,
        sparse: 600,
        dense: 3,
    };
    assert!(matches!(
        rows(&shape, &random_blocks(1, 1_000)).err(),
        Some(RowsError::BinOverflow { .. })
    ));
}

#[test]
fn more_dependent_rows_than_dense_columns_is_a_fault_not_a_wrong_vector() {
    let shape = tight(40, 20, 3);
    let keys = random_blocks(1, 40);
    let refused = encoded(&shape, &keys, &random_blocks(2, 40), Fill::Zero);
    assert_eq!(refused, Err(EncodeError::Dependent { bin: 0 }));
}

#[test]
fn a_forced_core_uses_the_dense_part() {
    // 22 rows over 20 sparse columns: at least two rows are dependent, and three dense columns carry them.
    let shape = tight(22, 20, 3);
    let keys = random_blocks(1, 22);
    let values = random_blocks(2, 22);
    let vector =
        encoded(&shape, &keys, &values, Fill::Zero).expect("the dense part takes two rows");
    assert!(vector[20..].iter().any(|column| *column != Block::ZERO));
    assert_eq!(decoded(&shape, &keys, &vector), values);
}

#[test]
fn two_random_fills_differ_and_both_decode() {
    let shape = OkvsShape::new(5_000, 1);
    let (keys, values) = (random_blocks(1, 5_000), random_blocks(2, 5_000));
    let [one, two] = [1, 2].map(|seed| {
        let fill = Fill::Random(&mut random_fill(seed));
        let vector = encoded(&shape, &keys, &values, fill).expect("solvable");
        assert_eq!(decoded(&shape, &keys, &vector), values);
        vector
    });
    assert!(
        one.iter().all(|block| *block != Block::ZERO),
        "every free place is filled"
    );
    assert!(
        one[shape.sparse as usize..] != two[shape.sparse as usize..],
        "dense places too"
    );
}

#[test]
fn several_bins_decode() {
    let count = 100_000;
    let shape = OkvsShape::new(count, 1);
    assert!(shape.bins > 1);
    let (keys, values) = (
        random_blocks(1, count as usize),
        random_blocks(2, count as usize),
    );
    let vector = encoded(&shape, &keys, &values, Fill::Zero).expect("solvable");
    assert_eq!(decoded(&shape, &keys, &vector), values);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tight_systems_decode_or_are_refused(seed: u64, keys in 1u64..60, slack in 0u32..20) {
        let shape = tight(keys, (keys as u32 + slack).max(3), 3);
        let (list, values) = (random_blocks(seed, keys as usize), random_blocks(!seed, keys as usize));
        if let Ok(vector) = encoded(&shape, &list, &values, Fill::Random(&mut random_fill(seed))) {
            prop_assert_eq!(decoded(&shape, &list, &vector), values);
        }
    }

    #[test]
    fn decoding_is_linear(seed: u64, scalar: u128) {
        let shape = OkvsShape::new(4_096, 1);
        let keys = random_blocks(seed, 4_096);
        let (a, b) = (random_blocks(seed ^ 1, shape.width()), random_blocks(seed ^ 2, shape.width()));
        let mut combined = a.clone();
        field::multiply_add(&mut combined, Block(scalar), &b);
        let mut expected = decoded(&shape, &keys, &a);
        field::multiply_add(&mut expected, Block(scalar), &decoded(&shape, &keys, &b));
        prop_assert_eq!(decoded(&shape, &keys, &combined), expected);
    }
}
