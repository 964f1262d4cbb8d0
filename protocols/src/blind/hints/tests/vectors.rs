//! Known answers under `vectors/blind_hints/`: six and seven ids, padded to the smallest sets there are; hints of one word, whose target
//! is all there is, and of three.

use super::*;
use crate::vectors::{self, BadCase, Change, Role, Run};
use serde_json::{Value, json};

/// Name, bits of a code, and of each word.
struct Small(&'static str, u32, &'static [u32]);

const RUNS: [Small; 2] = [
    Small("target_alone", 0, &[]),
    Small("code_and_words", 3, &[40, 64]),
];

/// R's numbers and S's: 3, 4 and 5 are common.
const NUMBERS: [&[u64]; 2] = [&[9, 3, 8, 5, 4, 7], &[4, 20, 5, 21, 22, 3, 23]];

fn ids_of(numbers: &[u64]) -> Vec<Id> {
    let each = numbers.iter();
    each.flat_map(|number| ids(*number..number + 1)).collect()
}

impl Small {
    fn layout(&self) -> Layout {
        Layout::new(self.2.to_vec())
    }

    fn setup(&self) -> Setup {
        setup(6, 7, self.1, &self.layout())
    }

    fn columns(&self) -> Columns<u64> {
        columns(NUMBERS[1].len(), self.1, &self.layout())
    }
}

/// Everything of all bins, by its hash.
fn told(values: &BinValues) -> Value {
    let bins = 0..values.bins();
    let mut hasher = blake3::Hasher::new();
    for target in values.targets(bins.clone()) {
        hasher.update(&target.to_le_bytes());
    }
    for code in values.codes(bins.clone()) {
        hasher.update(&code.to_le_bytes());
    }
    for share in values.shares::<u64>(bins.clone()) {
        hasher.update(&share.to_le_bytes());
    }
    json!({ "bins": bins.len(), "blake3_of_targets_codes_shares": hasher.finalize().to_hex().as_str() })
}

impl Run for Small {
    const FOLDER: &str = "blind_hints";

    fn name(&self) -> &'static str {
        self.0
    }

    fn inputs(&self) -> Value {
        let (setup, columns) = (self.setup(), self.columns());
        let ids = NUMBERS.map(|numbers| {
            let ids = ids_of(numbers).into_iter();
            ids.map(|id| hex::encode(id.as_bytes())).collect::<Vec<_>>()
        });
        json!({
            "sid": hex::encode(SID.as_bytes()),
            "padded_sizes": [setup.sizes().receiver(), setup.sizes().sender()],
            "buckets": 1,
            "bins": setup.bins(),
            "target_bits": setup.target_bits(),
            "code_bits": self.1,
            "word_bits": self.2,
            "receiver_ids": ids[0],
            "sender_ids": ids[1],
            "sender_codes": columns.codes,
            "sender_words": columns.words,
            "receiver_seed": hex::encode(Block(2).to_bytes()),
            "sender_seed": hex::encode(Block(1).to_bytes()),
        })
    }

    fn role(&self, role: Role, channel: &mut Channel) -> Result<Value, Fault> {
        let (setup, columns) = (self.setup(), self.columns());
        let ids = ids_of(NUMBERS[role as usize]);
        match role {
            Role::Receiver => {
                let rng = &mut Prg::new(Block(2));
                let (table, values) = receiver::run(channel, &SID, &setup, &ids, rng)?;
                let of_ids = &table.by_id()[..ids.len()];
                Ok(json!({ "bin_and_function_of_ids": of_ids, "values": told(&values) }))
            }
            Role::Sender => {
                let inputs = Inputs {
                    ids: &ids,
                    codes: &columns.codes,
                    words: &columns.words,
                };
                let rng = &mut Prg::new(Block(1));
                let values = sender::run(channel, &SID, &setup, inputs, rng)?;
                Ok(json!({ "values": told(&values) }))
            }
        }
    }
}

/// Lengths that were not agreed, of hints of one word and of three.
fn bad_cases() -> [Vec<BadCase>; 2] {
    use Change::{BodyBytes, Gone};
    use Role::{Receiver, Sender};
    let words = RUNS[0].setup().shape.width();
    let hints = (HINTS, 0);
    [
        vec![
            ("bin_seed_too_short", Receiver, (BIN_SEED, 0), BodyBytes(15)),
            ("bin_seed_too_long", Sender, (BIN_SEED, 0), BodyBytes(17)),
            ("hint_seed_missing", Receiver, (HINT_SEED, 0), Gone),
            ("hints_too_few", Receiver, hints, BodyBytes(8 * words - 8)),
            ("hints_too_many", Receiver, hints, BodyBytes(8 * words + 8)),
        ],
        vec![
            ("hints_of_one_word", Receiver, hints, BodyBytes(8 * words)),
            ("second_plane_missing", Receiver, (HINTS, 1), Gone),
            (
                "second_plane_of_two_words",
                Receiver,
                (HINTS, 1),
                BodyBytes(16 * words),
            ),
        ],
    ]
}

#[test]
fn both_roles_repeat_the_recorded_runs() {
    vectors::assert_good(&RUNS);
}

#[test]
fn bad_messages_end_in_their_fault() {
    vectors::assert_bad(&RUNS, &bad_cases());
}

/// Run by hand after a deliberate change of the protocol; the difference is then reviewed like code.
#[test]
#[ignore = "writes the vectors instead of testing them"]
fn rewrite_the_vectors() {
    vectors::rewrite(&RUNS, &bad_cases());
}
