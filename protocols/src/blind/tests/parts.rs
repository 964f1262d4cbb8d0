//! Known answers under `vectors/blind_parts/`: the steps of a bucket by themselves, small enough that all their frames stand in full
//! but for the points and tree sums of the oblivious transfers' set-up; and where ids stand, which no message tells.

use super::steps::{Equality, GROUPED_BITS, GROUPS, Grouped, Multiplied, SELECTED_BITS, Selected};
use super::steps::{Outputs, Step};
use super::*;
use crate::blind::cuckoo::{Bins, Slot, Table as Cuckoo};
use crate::blind::ots::{prepared_at_receiver, prepared_at_sender};
use crate::blind::products::Widths;
use crate::blind::tally::Tally;
use crate::vectors::{self, Role, Told};
use serde_json::{Value, json};

const FOLDER: &str = "blind_parts";
/// Bytes of a frame up to which it stands in full.
const FRAME_BYTES_SHOWN: usize = 2_048;

enum Part {
    Equality(Equality),
    Selection(Selected),
    Products(Multiplied),
    Grouping(Grouped),
}

fn parts() -> [Part; 5] {
    // Equal, all bits different, and one.
    let equality = |by_tables| {
        Part::Equality(Equality {
            by_tables,
            bits: 56,
            strings: [
                vec![0x1234, 0xff_ffff_ffff_ffff, 1 << 55],
                vec![0x1234, 0, 0],
            ],
        })
    };
    [
        equality(false),
        equality(true),
        // A match by either's share, and none.
        Part::Selection(Selected {
            equal: [vec![true, false, true], vec![false, true, true]],
            hinted: [vec![5, 0xff_fff0, 77], vec![0xff_ffff, 17, 3]],
            own: vec![9, 0xffff, 8],
        }),
        Part::Products(Multiplied {
            widths: Widths {
                factor_bits: 5,
                moment_bits: 24,
            },
            factors: vec![-16, 15],
            words: [vec![3, 0xff_ffff], vec![4, 11]],
        }),
        Part::Grouping(Grouped {
            codes: vec![0, 1, 1, 0],
            masked_codes: vec![3, 0, 2, 1],
            masks: vec![1, 2, 0, 3],
            words: [
                vec![1, 10, 2, 20, 3, 30, 4, 40],
                vec![0, 0, 0xff_ffff, 5, 7, 8, 0, 1],
            ],
        }),
    ]
}

impl Part {
    fn step(&self) -> &dyn Step {
        match self {
            Self::Equality(step) => step,
            Self::Selection(step) => step,
            Self::Products(step) => step,
            Self::Grouping(step) => step,
        }
    }

    fn arguments(&self) -> Value {
        match self {
            Self::Equality(Equality { bits, strings, .. }) => {
                let strings = strings.each_ref().map(|list| texts(list));
                json!({ "bits": bits, "receiver_strings": strings[0], "sender_strings": strings[1] })
            }
            Self::Selection(Selected { equal, hinted, own }) => json!({
                "bits_of_count_hinted_and_own": SELECTED_BITS,
                "receiver_equal": equal[0],
                "receiver_hinted": hinted[0],
                "receiver_own": own,
                "sender_equal": equal[1],
                "sender_hinted": hinted[1],
            }),
            Self::Products(Multiplied {
                widths,
                factors,
                words,
            }) => json!({
                "factor_bits": widths.factor_bits,
                "moment_bits": widths.moment_bits,
                "receiver_factors": texts(factors),
                "receiver_words": words[0],
                "sender_words": words[1],
            }),
            Self::Grouping(Grouped {
                codes,
                masked_codes,
                masks,
                words,
            }) => json!({
                "groups": GROUPS,
                "moment_bits": GROUPED_BITS,
                "receiver_codes": codes,
                "receiver_masked_codes": masked_codes,
                "receiver_words": words[0],
                "sender_masks": masks,
                "sender_words": words[1],
            }),
        }
    }
}

fn texts<T: ToString>(numbers: &[T]) -> Vec<String> {
    numbers.iter().map(T::to_string).collect()
}

impl vectors::Run for Part {
    const FOLDER: &str = FOLDER;

    fn name(&self) -> &'static str {
        match self {
            Self::Equality(step) if step.by_tables => "equality_tables",
            Self::Equality(_) => "equality",
            Self::Selection(_) => "selection",
            Self::Products(_) => "products",
            Self::Grouping(_) => "grouping",
        }
    }

    fn inputs(&self) -> Value {
        let mut inputs = self.arguments();
        inputs["sid"] = json!(hex::encode(SID.as_bytes()));
        inputs["receiver_seed"] = json!(hex::encode(Block(2).to_bytes()));
        inputs["sender_seed"] = json!(hex::encode(Block(1).to_bytes()));
        inputs
    }

    fn told(&self) -> Told {
        Told::Frames(FRAME_BYTES_SHOWN)
    }

    fn role(&self, role: Role, channel: &mut Channel) -> Result<Value, Fault> {
        let mut tally = Tally::new(Transfers::Fast);
        self.step().count(&mut tally);
        let outputs: Outputs = match role {
            Role::Receiver => {
                let rng = &mut Prg::new(Block(2));
                let mut ots = prepared_at_receiver(&tally, channel, &SID, rng)?;
                self.step().receive(channel, &mut ots, rng)
            }
            Role::Sender => {
                let rng = &mut Prg::new(Block(1));
                let mut ots = prepared_at_sender(&tally, channel, &SID, rng)?;
                self.step().send(channel, &mut ots, rng)
            }
        };
        // Bits above those that count are nobody's.
        let words = outputs?
            .into_iter()
            .zip(self.step().widths().into_iter().cycle());
        let words = words.map(|(word, bits)| word & (u64::MAX >> (64 - bits)));
        Ok(json!(words.collect::<Vec<u64>>()))
    }
}

#[test]
fn both_roles_repeat_the_recorded_parts() {
    vectors::assert_good(&parts());
}

#[test]
fn recorded_outputs_add_up_to_what_each_part_is_for() {
    for part in parts() {
        let vector = vectors::read(FOLDER, vectors::Run::name(&part));
        let [r, s] = ["receiver_output", "sender_output"].map(|side| {
            let words: Vec<u64> = serde_json::from_value(vector[side].clone()).expect("words");
            words
        });
        assert_eq!(part.step().opened([&r, &s]), part.step().ideal());
    }
}

/// Ids under a joint seed: where each may stand, and where R puts it, or why it cannot.
fn cuckoo(name: &str) -> Value {
    let mut ids: Vec<Block> = (0..9)
        .map(|n| Block::from_bytes(*id(n).as_bytes()))
        .collect();
    let bins = match name {
        "bad_cuckoo_no_placement" => 3,
        _ => 12,
    };
    if name == "bad_cuckoo_id_twice" {
        ids[7] = ids[2];
    }
    let (receiver, sender) = (Block(0x11 << 64), Block(0x22));
    let all = Bins::new(&SID, receiver ^ sender, bins);
    let mut vector = json!({
        "sid": hex::encode(SID.as_bytes()),
        "receiver_seed_of_the_bins": hex::encode(receiver.to_bytes()),
        "sender_seed_of_the_bins": hex::encode(sender.to_bytes()),
        "bins": bins,
        "ids": vectors::blocks(&ids),
        "bins_of_ids": all.of(&ids),
    });
    match Cuckoo::new(&all, &ids) {
        Err(fault) => vector["fault"] = json!(fault.to_string()),
        Ok(table) => {
            let slots = table.slots().map(|slot| match slot {
                Some(Slot { id, function }) => json!([id, function]),
                None => Value::Null,
            });
            vector["table"] = slots.collect();
        }
    }
    vector
}

const CUCKOO: [&str; 3] = ["cuckoo", "bad_cuckoo_id_twice", "bad_cuckoo_no_placement"];

#[test]
fn ids_stand_where_it_is_recorded() {
    for name in CUCKOO {
        let expected = vectors::read(FOLDER, name);
        assert_eq!(name.starts_with("bad_"), expected.get("fault").is_some());
        assert_eq!(cuckoo(name), expected, "{name}");
        let portable = crate::simd::without_special_instructions(|| cuckoo(name));
        assert_eq!(portable, expected, "{name}, portable");
    }
}

/// Run by hand after a deliberate change of a step; the difference is then reviewed like code.
#[test]
#[ignore = "writes the vectors instead of testing them"]
fn rewrite_the_parts() {
    vectors::rewrite(&parts(), &[vec![], vec![], vec![], vec![], vec![]]);
    for name in CUCKOO {
        vectors::write(FOLDER, name, &cuckoo(name));
    }
}
