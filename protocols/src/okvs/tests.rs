use super::*;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

fn random_blocks(seed: u64, count: usize) -> Vec<Block> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| Block(u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64())))
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

fn decodes(shape: &OkvsShape, keys: &[Block], values: &[Block], vector: &[Block]) -> bool {
    let rows = Rows::new(shape, Block(7), keys).expect("the same keys as encoded");
    let mut decoded = vec![Block::ZERO; keys.len()];
    decode(shape, &rows, vector, &mut decoded);
    decoded == values
}

#[test]
fn a_key_that_stands_twice_is_refused_even_with_equal_values() {
    let mut keys = random_blocks(1, 5_000);
    keys[4_999] = keys[17];
    let shape = OkvsShape::new(5_000, 1);
    let rows = Rows::new(&shape, Block(7), &keys).expect("a duplicate is seen at encoding");
    let values = vec![Block::ONE; 5_000];
    let refused = encode(&shape, &rows, &values, Fill::<ChaCha20Rng>::Zero);
    assert_eq!(refused, Err(EncodeError::DuplicateKey));
}

#[test]
fn another_number_of_keys_than_the_shape_is_refused() {
    let shape = OkvsShape::new(5_000, 1);
    let refused = Rows::new(&shape, Block(7), &random_blocks(1, 4_999)).err();
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
        Rows::new(&shape, Block(7), &random_blocks(1, 1_000)).err(),
        Some(RowsError::BinOverflow { .. })
    ));
}

#[test]
fn more_dependent_rows_than_dense_columns_is_a_fault_not_a_wrong_vector() {
    let shape = tight(40, 20, 3);
    let keys = random_blocks(1, 40);
    let rows = Rows::new(&shape, Block(7), &keys).expect("one bin holds all");
    let refused = encode(
        &shape,
        &rows,
        &random_blocks(2, 40),
        Fill::<ChaCha20Rng>::Zero,
    );
    assert_eq!(refused, Err(EncodeError::Dependent { bin: 0 }));
}

#[test]
fn a_forced_core_uses_the_dense_part() {
    // 22 rows over 20 sparse columns: at least two rows are dependent, and three dense columns carry them.
    let shape = tight(22, 20, 3);
    let keys = random_blocks(1, 22);
    let values = random_blocks(2, 22);
    let rows = Rows::new(&shape, Block(7), &keys).expect("one bin holds all");
    let vector = encode(&shape, &rows, &values, Fill::<ChaCha20Rng>::Zero)
        .expect("the dense part takes two rows");
    assert!(vector[20..].iter().any(|column| *column != Block::ZERO));
    assert!(decodes(&shape, &keys, &values, &vector));
}

#[test]
fn two_random_fills_differ_and_both_decode() {
    let shape = OkvsShape::new(5_000, 1);
    let (keys, values) = (random_blocks(1, 5_000), random_blocks(2, 5_000));
    let rows = Rows::new(&shape, Block(7), &keys).expect("one bin holds all");
    let one = encode(&shape, &rows, &values, Fill::Random(&mut random_fill(1))).expect("solvable");
    let two = encode(&shape, &rows, &values, Fill::Random(&mut random_fill(2))).expect("solvable");
    assert!(decodes(&shape, &keys, &values, &one) && decodes(&shape, &keys, &values, &two));
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
    let rows = Rows::new(&shape, Block(7), &keys).expect("within capacity");
    let vector = encode(&shape, &rows, &values, Fill::<ChaCha20Rng>::Zero).expect("solvable");
    assert!(decodes(&shape, &keys, &values, &vector));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tight_systems_decode_or_are_refused(seed: u64, keys in 1u64..60, slack in 0u32..20) {
        let shape = tight(keys, (keys as u32 + slack).max(3), 3);
        let (list, values) = (random_blocks(seed, keys as usize), random_blocks(!seed, keys as usize));
        let rows = Rows::new(&shape, Block(7), &list).expect("one bin holds all");
        if let Ok(vector) = encode(&shape, &rows, &values, Fill::Random(&mut random_fill(seed))) {
            prop_assert!(decodes(&shape, &list, &values, &vector));
        }
    }

    #[test]
    fn decoding_is_linear(seed: u64, scalar: u128) {
        let shape = OkvsShape::new(4_096, 1);
        let rows = Rows::new(&shape, Block(7), &random_blocks(seed, 4_096)).expect("one bin holds all");
        let (a, b) = (random_blocks(seed ^ 1, shape.width()), random_blocks(seed ^ 2, shape.width()));
        let mut combined = a.clone();
        field::multiply_add(&mut combined, Block(scalar), &b);
        let decoded = |vector: &[Block]| {
            let mut values = vec![Block::ZERO; 4_096];
            decode(&shape, &rows, vector, &mut values);
            values
        };
        let mut expected = decoded(&a);
        field::multiply_add(&mut expected, Block(scalar), &decoded(&b));
        prop_assert_eq!(decoded(&combined), expected);
    }
}
