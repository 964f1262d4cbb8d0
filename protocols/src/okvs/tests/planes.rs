//! Values of one to five words: both fields, and both in one encoding.

use super::*;
use crate::field64;

fn random_planes(seed: u64, count: usize, words: usize) -> Planes {
    let mut planes = Planes::zero(count, words);
    for (plane, seed) in planes.pairs.iter_mut().zip(seed..) {
        *plane = random_blocks(seed, count);
    }
    if let Some(plane) = &mut planes.single {
        let blocks = random_blocks(seed ^ 0xff, count);
        *plane = blocks.iter().map(|block| block.low()).collect();
    }
    planes
}

fn encoded_planes(
    shape: &OkvsShape,
    keys: &[Block],
    values: &Planes,
    seed: u64,
) -> Result<Planes, EncodeError> {
    let rows = rows(shape, keys).expect("within capacity");
    let words = 2 * values.pairs.len() + usize::from(values.single.is_some());
    let (mut planes, bins) = (Planes::zero(0, words), 0..shape.bins as usize);
    encode_planes(
        shape,
        &rows,
        bins,
        values,
        &mut random_fill(seed),
        &mut planes,
    )?;
    Ok(planes)
}

/// The values at each key, in the keys' order.
fn decoded_planes(shape: &OkvsShape, keys: &[Block], vectors: &Planes) -> Planes {
    let pairs = vectors.pairs.iter();
    let single = vectors.single.as_deref();
    Planes {
        pairs: pairs.map(|plane| decoded(shape, keys, plane)).collect(),
        single: single.map(|plane| decoded(shape, keys, plane)),
    }
}

#[test]
fn values_of_any_number_of_words_decode_in_every_bin() {
    let (count, shape) = (50_000, OkvsShape::new(50_000, 1));
    assert!(shape.bins > 1);
    let keys = random_blocks(1, count);
    for words in 1..=5 {
        let values = random_planes(2, count, words);
        let vectors = encoded_planes(&shape, &keys, &values, 3).expect("solvable");
        assert!(decoded_planes(&shape, &keys, &vectors) == values, "{words}");
    }
}

#[test]
fn bins_encoded_and_decoded_in_parts_are_those_of_the_whole() {
    let (count, shape) = (200_000, OkvsShape::new(200_000, 1));
    let keys = random_blocks(1, count);
    let rows = rows(&shape, &keys).expect("within capacity");
    let values = random_planes(2, count, 3);
    let rng = &mut random_fill(3);
    let (mut seen, mut part) = (0, Planes::zero(0, 3));
    for bins in [0..1, 1..1, 1..4, 4..shape.bins as usize] {
        encode_planes(&shape, &rows, bins.clone(), &values, rng, &mut part).expect("solvable");
        let pairs = decode_bins(&shape, &rows, bins.clone(), &part.pairs[0], |_, _| {});
        let single = part.single.as_ref().expect("odd");
        let single = decode_bins(&shape, &rows, bins.clone(), single, |_, _| {});
        let places = &rows.places()[rows.rows_of(bins)];
        assert_eq!([pairs.len(), single.len()], [places.len(); 2]);
        for ((place, pair), word) in places.iter().zip(pairs).zip(single) {
            assert_eq!(values.pairs[0][*place as usize], pair);
            assert_eq!(values.single.as_ref().expect("odd")[*place as usize], word);
        }
        seen += places.len();
    }
    assert_eq!(seen, count);
}

#[test]
fn a_forced_core_uses_the_dense_part_of_every_plane() {
    let shape = tight(22, 20, 3);
    let (keys, values) = (random_blocks(1, 22), random_planes(2, 22, 3));
    let rows = rows(&shape, &keys).expect("within capacity");
    // Over a vector that starts as zero, a dense column that is not zero has been solved for.
    let single = encode(&shape, &rows, Fill::<ChaCha20Rng>::Zero, |bin, wanted| {
        let values = values.single.as_ref().expect("three words");
        for (wanted, place) in wanted.iter_mut().zip(bin.places) {
            *wanted = values[*place as usize];
        }
    });
    let single: Vec<u64> = single.expect("the dense part takes two rows");
    assert!(single[20..].iter().any(|column| *column != 0));
    let vectors = encoded_planes(&shape, &keys, &values, 3).expect("solvable");
    assert!(decoded_planes(&shape, &keys, &vectors) == values);
}

#[test]
fn two_random_fills_share_no_place_in_any_plane() {
    let shape = OkvsShape::new(5_000, 1);
    let (keys, values) = (random_blocks(1, 5_000), random_planes(2, 5_000, 3));
    let [one, two] = [1, 2].map(|seed| {
        let vectors = encoded_planes(&shape, &keys, &values, seed).expect("solvable");
        assert!(decoded_planes(&shape, &keys, &vectors) == values);
        vectors
    });
    // Free places are drawn, and places that a key determines hang on them.
    let differ = |one: &[u64], two: &[u64]| one.iter().zip(two).all(|(one, two)| one != two);
    assert!(differ(&one.single.expect("odd"), &two.single.expect("odd")));
    let pairs = one.pairs.iter().zip(&two.pairs);
    for (one, two) in pairs {
        let words = |blocks: &[Block]| blocks.iter().map(|block| block.low()).collect::<Vec<_>>();
        assert!(differ(&words(one), &words(two)));
    }
}

#[test]
fn a_key_that_stands_twice_is_refused_in_planes_too() {
    let mut keys = random_blocks(1, 5_000);
    keys[4_999] = keys[17];
    let shape = OkvsShape::new(5_000, 1);
    for words in [1, 2] {
        let refused = encoded_planes(&shape, &keys, &Planes::zero(5_000, words), 1);
        assert_eq!(refused.err(), Some(EncodeError::DuplicateKey));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tight_systems_of_several_planes_decode_or_are_refused(seed: u64, keys in 1u64..60, slack in 0u32..20, words in 1usize..4) {
        let shape = tight(keys, (keys as u32 + slack).max(3), 3);
        let list = random_blocks(seed, keys as usize);
        let values = random_planes(!seed, keys as usize, words);
        if let Ok(vectors) = encoded_planes(&shape, &list, &values, seed) {
            prop_assert!(decoded_planes(&shape, &list, &vectors) == values);
        }
    }

    #[test]
    fn decoding_words_is_linear(seed: u64, scalar: u64) {
        let shape = OkvsShape::new(4_096, 1);
        let keys = random_blocks(seed, 4_096);
        let vector = |seed| random_planes(seed, shape.width(), 1).single.expect("odd");
        let (a, b) = (vector(seed ^ 1), vector(seed ^ 2));
        let plus_scaled = |a: Vec<u64>, b: &[u64]| -> Vec<u64> {
            a.iter().zip(b).map(|(a, b)| a ^ field64::multiply(scalar, *b)).collect()
        };
        let expected = plus_scaled(decoded(&shape, &keys, &a), &decoded(&shape, &keys, &b));
        prop_assert_eq!(decoded(&shape, &keys, &plus_scaled(a, &b)), expected);
    }
}
