//! Known answers under `vectors/okvs/`. What two parties must agree on is decoding; which of the many solutions encoding finds is this
//! program's own matter, and told so that a change of it is seen.

use super::*;
use crate::prg::Prg;
use crate::vectors;
use serde_json::{Value, json};

const FOLDER: &str = "okvs";

/// Shape, whether free places are random, and how many of the last keys repeat the first ones.
type Case = (&'static str, OkvsShape, bool, usize);

const ROW_SEED: Block = Block(7);

fn good_cases() -> [Case; 4] {
    [
        // More rows than sparse columns: the dense part carries two.
        ("forced_core", tight(22, 20, 3), false, 0),
        ("random_fill", tight(22, 20, 3), true, 0),
        ("smallest_set", OkvsShape::new(4_096, 1), false, 0),
        ("several_bins", OkvsShape::new(50_000, 1), true, 0),
    ]
}

fn bad_cases() -> [Case; 4] {
    [
        ("bad_key_twice", OkvsShape::new(4_096, 1), false, 1),
        (
            "bad_many_keys_twice",
            OkvsShape::new(4_096, 1),
            false,
            2_048,
        ),
        ("bad_more_rows_than_columns", tight(40, 20, 3), false, 0),
        ("bad_bin_over_its_capacity", overfull(), false, 0),
    ]
}

fn overfull() -> OkvsShape {
    OkvsShape {
        bins: 2,
        capacity: 10,
        ..tight(22, 20, 3)
    }
}

/// Few in full, many by their hash.
fn told(blocks: &[Block]) -> Value {
    match blocks.len() <= 32 {
        true => vectors::blocks(blocks),
        false => vectors::many_blocks(blocks),
    }
}

fn vector_of((_, shape, random, twice): &Case) -> Value {
    let count = shape.keys as usize;
    let mut keys = Prg::new(Block(1)).blocks(count);
    keys.copy_within(..*twice, count - twice);
    let values = Prg::new(Block(2)).blocks(count);
    let rng = &mut Prg::new(Block(3));
    let fill = if *random {
        Fill::Random(rng)
    } else {
        Fill::Zero
    };
    let outcome = Rows::new(shape, ROW_SEED, keys.iter().copied())
        .map_err(|error| error.to_string())
        .and_then(|rows| {
            let encoded = encode(shape, &rows, fill, |bin, wanted| {
                let values = bin.places.iter().map(|place| values[*place as usize]);
                wanted
                    .iter_mut()
                    .zip(values)
                    .for_each(|(wanted, value)| *wanted = value);
            });
            encoded.map_err(|error| error.to_string())
        });
    let mut vector = json!({
        "shape": {
            "keys": shape.keys, "bins": shape.bins, "capacity": shape.capacity,
            "sparse": shape.sparse, "dense": shape.dense,
        },
        "row_seed": hex::encode(ROW_SEED.to_bytes()),
        "keys": told(&keys),
        "key_seed": hex::encode(Block(1).to_bytes()),
        "last_keys_that_repeat_the_first": twice,
        "values": told(&values),
        "value_seed": hex::encode(Block(2).to_bytes()),
    });
    if *random {
        vector["fill_seed"] = json!(hex::encode(Block(3).to_bytes()));
    }
    match outcome {
        Err(error) => vector["error"] = json!(error),
        Ok(encoded) => {
            // At the keys themselves, at other keys, and of a vector that nobody encoded.
            let others = Prg::new(Block(4)).blocks(count);
            let random = Prg::new(Block(5)).blocks(shape.width());
            assert_eq!(decoded(shape, &keys, &encoded), values);
            vector["encoded"] = told(&encoded);
            vector["vector_seed"] = json!(hex::encode(Block(5).to_bytes()));
            vector["vector_decoded_at_keys"] = told(&decoded(shape, &keys, &random));
            vector["other_key_seed"] = json!(hex::encode(Block(4).to_bytes()));
            vector["encoded_decoded_at_other_keys"] =
                told(&decoded_anywhere(shape, &others, &encoded));
        }
    }
    vector
}

/// Where the keys need not fit the bins.
fn decoded_anywhere(shape: &OkvsShape, keys: &[Block], vector: &[Block]) -> Vec<Block> {
    let rows = Rows::for_decoding(shape, ROW_SEED, keys.iter().copied());
    let by_row = decode(shape, &rows, vector, |_, _| {});
    let mut values = vec![Block::ZERO; keys.len()];
    for (value, place) in by_row.iter().zip(rows.places()) {
        values[*place as usize] = *value;
    }
    values
}

#[test]
fn vectors_are_encoded_and_decoded_as_recorded() {
    for case in good_cases() {
        let expected = vectors::read(FOLDER, case.0);
        assert!(expected.get("encoded").is_some(), "{}", case.0);
        assert_eq!(vector_of(&case), expected, "{}", case.0);
        let portable = crate::simd::without_special_instructions(|| vector_of(&case));
        assert_eq!(portable, expected, "{}, portable", case.0);
    }
}

#[test]
fn bad_keys_are_refused_as_recorded() {
    for case in bad_cases() {
        let expected = vectors::read(FOLDER, case.0);
        assert!(expected.get("error").is_some(), "{}", case.0);
        assert_eq!(vector_of(&case), expected, "{}", case.0);
    }
}

/// Run by hand after a deliberate change of the encoding; the difference is then reviewed like code.
#[test]
#[ignore = "writes the vectors instead of testing them"]
fn rewrite_the_vectors() {
    for case in good_cases().iter().chain(&bad_cases()) {
        vectors::write(FOLDER, case.0, &vector_of(case));
    }
}
