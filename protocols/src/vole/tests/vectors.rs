//! Known answers under `vectors/vole/`: two small chunks, in either mode.

use super::*;
use crate::vectors::{self, BadCase, Change, Role, Run};
use serde_json::{Value, json};

/// More than the smallest chunk has, so that a second one lives on the first.
const OUTPUTS: usize = 5_000;
const CHUNK_OUTPUTS: usize = 5_120;

struct TwoChunks(Security);

const RUNS: [TwoChunks; 2] = [
    TwoChunks(Security::SemiHonest),
    TwoChunks(Security::Malicious),
];

impl Run for TwoChunks {
    const FOLDER: &str = "vole";

    fn name(&self) -> &'static str {
        vectors::mode(self.0)
    }

    fn inputs(&self) -> Value {
        let setup = Setup::in_chunks(OUTPUTS, CHUNK_OUTPUTS, self.0);
        json!({
            "mode": vectors::mode(self.0),
            "sid": hex::encode(SID.as_bytes()),
            "outputs": OUTPUTS,
            "chunks": setup.chunks(),
            "chunk_outputs": setup.code().outputs(),
            "delta": hex::encode(DELTA.to_bytes()),
            "receiver_seed": hex::encode(Block(2).to_bytes()),
            "sender_seed": hex::encode(Block(1).to_bytes()),
        })
    }

    fn role(&self, role: Role, channel: &mut Channel) -> Result<Value, Fault> {
        let setup = Setup::in_chunks(OUTPUTS, CHUNK_OUTPUTS, self.0);
        match role {
            Role::Receiver => {
                let mut a = vec![Block::ZERO; OUTPUTS];
                let rng = &mut Prg::new(Block(2));
                let c = receiver::run(channel, &SID, &setup, &mut a, rng)?;
                let c = vectors::many_blocks(c.expose());
                Ok(json!({ "a": vectors::many_blocks(&a), "c": c }))
            }
            Role::Sender => {
                let rng = &mut Prg::new(Block(1));
                let b = sender::run(channel, &SID, &setup, &Secret::new(DELTA), rng)?;
                Ok(json!({ "b": vectors::many_blocks(b.expose()) }))
            }
        }
    }
}

/// Lengths that differ from the agreed ones.
fn semi_honest_cases() -> Vec<BadCase> {
    use Change::{BodyBytes, Gone};
    use Role::{Receiver, Sender};
    let (corrections, sums) = ((noisy::CORRECTIONS, 0), (TREE_SUMS, 0));
    let all_corrections = 16 * 128 * BASE;
    vec![
        (
            "base_corrections_too_few",
            Sender,
            corrections,
            BodyBytes(all_corrections - 16),
        ),
        (
            "base_corrections_too_many",
            Sender,
            corrections,
            BodyBytes(all_corrections + 16),
        ),
        ("sums_too_few", Receiver, sums, BodyBytes(sums_bytes() - 16)),
        (
            "differences_too_many",
            Receiver,
            (TREE_DIFFERENCES, 0),
            BodyBytes(16 * 321),
        ),
        (
            "sums_of_the_second_chunk_missing",
            Receiver,
            (TREE_SUMS, 1),
            Gone,
        ),
    ]
}

/// What the two checks are for, in either chunk.
fn malicious_cases() -> Vec<BadCase> {
    use Change::{BodyBytes, Flip, Gone};
    use Role::{Receiver, Sender};
    let (corrections, sums) = ((noisy::CORRECTIONS, 0), (TREE_SUMS, 0));
    let value = (CHECK_VALUE, 0);
    // The last set bit of Δ, whose corrections come first of all that count.
    let of_set_bit = 16 * BASE * DELTA.0.leading_zeros() as usize;
    let both_sums = [[1, 0, 0, 0, 0, 0, 0, 0], [0; 8]].concat().repeat(2);
    vec![
        (
            "base_correction_flipped",
            Sender,
            corrections,
            Flip(of_set_bit, vec![1]),
        ),
        (
            "base_response_sum_flipped",
            Sender,
            (noisy::RESPONSE, 0),
            Flip(0, vec![1]),
        ),
        (
            "base_response_share_flipped",
            Sender,
            (noisy::RESPONSE, 0),
            Flip(31, vec![0x80]),
        ),
        (
            "base_challenge_too_short",
            Receiver,
            (noisy::CHALLENGE, 0),
            BodyBytes(15),
        ),
        ("sum_flipped", Receiver, sums, Flip(0, both_sums.clone())),
        (
            "last_sum_flipped",
            Receiver,
            sums,
            Flip(sums_bytes() - 32, both_sums.clone()),
        ),
        (
            "difference_flipped",
            Receiver,
            (TREE_DIFFERENCES, 0),
            Flip(16 * 319, vec![1]),
        ),
        ("check_value_flipped", Receiver, value, Flip(0, vec![1])),
        (
            "sum_of_the_second_chunk_flipped",
            Receiver,
            (TREE_SUMS, 1),
            Flip(0, both_sums),
        ),
        (
            "check_value_of_the_second_chunk_flipped",
            Receiver,
            (CHECK_VALUE, 1),
            Flip(15, vec![0x80]),
        ),
        (
            "chosen_base_entry_too_long",
            Sender,
            (RECHOSEN, 0),
            BodyBytes(32),
        ),
        ("check_point_missing", Sender, (CHECK_POINT, 0), Gone),
    ]
}

/// Bytes of a chunk's sums, two a transfer.
fn sums_bytes() -> usize {
    let setup = Setup::in_chunks(OUTPUTS, CHUNK_OUTPUTS, Security::SemiHonest);
    32 * setup.transfers()
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
