//! Known answers under `vectors/ot_extension/`: two batches after one set-up, in either mode.

use super::*;
use crate::ot::base;
use crate::vectors::{self, BadCase, Change, Role, Run};
use serde_json::{Value, json};

/// Choices of each batch; the tweaks of the second go on where those of the first end.
const BATCHES: [&[bool]; 2] = [&[true, false, false, true, true], &[false, true, true]];

struct TwoBatches(Security);

const RUNS: [TwoBatches; 2] = [
    TwoBatches(Security::SemiHonest),
    TwoBatches(Security::Malicious),
];

impl Run for TwoBatches {
    const FOLDER: &str = "ot_extension";

    fn name(&self) -> &'static str {
        vectors::mode(self.0)
    }

    fn inputs(&self) -> Value {
        json!({
            "mode": vectors::mode(self.0),
            "sid": hex::encode(SID.as_bytes()),
            "choices": BATCHES,
            "receiver_seed": hex::encode(Block(2).to_bytes()),
            "sender_seed": hex::encode(Block(1).to_bytes()),
        })
    }

    fn role(&self, role: Role, channel: &mut Channel) -> Result<Value, Fault> {
        let batches = BATCHES.iter();
        match role {
            Role::Receiver => {
                let rng = &mut Prg::new(Block(2));
                let mut receiver = Receiver::set_up(channel, &SID, self.0, rng)?;
                let mut keys = |choices: &&[bool]| {
                    let keys = receiver.extend(channel, choices, rng)?;
                    Ok(vectors::blocks(keys.expose()))
                };
                batches.map(&mut keys).collect()
            }
            Role::Sender => {
                let rng = &mut Prg::new(Block(1));
                let mut sender = Sender::set_up(channel, &SID, self.0, rng)?;
                let mut pairs = |choices: &&[bool]| {
                    let pairs = sender.extend(channel, choices.len(), rng)?;
                    Ok(vectors::pairs(pairs.expose()))
                };
                batches.map(&mut pairs).collect()
            }
        }
    }
}

/// A bit of each of two neighbouring blocks, of which a role uses one.
fn one_bit_of_both() -> Vec<u8> {
    [[1, 0, 0, 0, 0, 0, 0, 0], [0; 8]].concat().repeat(2)
}

/// Lengths that differ from the agreed ones, and a point that is none.
fn semi_honest_cases() -> Vec<BadCase> {
    use Change::{BodyBytes, Gone, Put};
    use Role::{Receiver, Sender};
    let corrections = (CORRECTIONS, 0);
    vec![
        (
            "points_identity",
            Receiver,
            (base::POINTS, 0),
            Put(0, vec![0; 32]),
        ),
        ("sums_too_few", Sender, (TREE_SUMS, 0), BodyBytes(16 * 255)),
        (
            "corrections_too_few",
            Sender,
            corrections,
            BodyBytes(16 * 31),
        ),
        (
            "corrections_too_many",
            Sender,
            corrections,
            BodyBytes(16 * 33),
        ),
        (
            "corrections_of_the_second_batch_missing",
            Sender,
            (CORRECTIONS, 1),
            Gone,
        ),
    ]
}

/// What the two checks are for.
fn malicious_cases() -> Vec<BadCase> {
    use Change::{BodyBytes, Flip, Gone, Put};
    use Role::{Receiver, Sender};
    let proofs = (TREE_PROOFS, 0);
    vec![
        (
            "answer_of_other_base_keys",
            Sender,
            (base::ANSWER, 0),
            Put(0, generator()),
        ),
        (
            "sums_flipped",
            Sender,
            (TREE_SUMS, 0),
            Flip(0, one_bit_of_both()),
        ),
        ("proof_sum_flipped", Sender, proofs, Flip(0, vec![1])),
        ("proof_hash_flipped", Sender, proofs, Flip(63, vec![0x80])),
        ("proofs_too_few", Sender, proofs, BodyBytes(32 * 63)),
        (
            "correction_flipped",
            Sender,
            (CORRECTIONS, 0),
            Flip(16 * 5, vec![1]),
        ),
        (
            "response_choices_flipped",
            Sender,
            (RESPONSE, 0),
            Flip(0, vec![1]),
        ),
        (
            "response_column_flipped",
            Sender,
            (RESPONSE, 1),
            Flip(16 * 128, vec![1]),
        ),
        (
            "response_too_short",
            Sender,
            (RESPONSE, 0),
            BodyBytes(16 * 128),
        ),
        (
            "challenge_too_long",
            Receiver,
            (CHALLENGE, 0),
            BodyBytes(17),
        ),
        ("challenge_missing", Receiver, (CHALLENGE, 0), Gone),
    ]
}

/// The encoding of ristretto255's generator: a genuine point that nobody drew.
fn generator() -> Vec<u8> {
    let point = curve25519_dalek::constants::RISTRETTO_BASEPOINT_COMPRESSED;
    point.as_bytes().to_vec()
}

fn all_bad_cases() -> [Vec<BadCase>; 2] {
    [semi_honest_cases(), malicious_cases()]
}

#[test]
fn both_roles_repeat_the_recorded_runs() {
    vectors::assert_good(&RUNS);
}

#[test]
fn bad_messages_end_in_their_fault() {
    vectors::assert_bad(&RUNS, &all_bad_cases());
}

/// Run by hand after a deliberate change of the protocol; the difference is then reviewed like code.
#[test]
#[ignore = "writes the vectors instead of testing them"]
fn rewrite_the_vectors() {
    vectors::rewrite(&RUNS, &all_bad_cases());
}
