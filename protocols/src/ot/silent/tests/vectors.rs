//! Known answers under `vectors/silent_ot/`: two batches after one set-up, the second from two chunks.

use super::*;
use crate::vectors::{self, BadCase, Change, Role, Run, each_way};
use serde_json::{Value, json};

struct TwoBatches;

impl TwoBatches {
    fn steps() -> [Step; 2] {
        [(CHUNK, choices(11, CHUNK - 60)), (256, choices(12, 200))]
    }
}

impl Run for TwoBatches {
    const FOLDER: &str = "silent_ot";

    fn name(&self) -> &'static str {
        "two_batches"
    }

    fn inputs(&self) -> Value {
        let bits = |choices: Vec<bool>| {
            choices
                .iter()
                .map(|c| if *c { '1' } else { '0' })
                .collect::<String>()
        };
        let batches = Self::steps()
            .map(|(prepared, choices)| json!({ "prepared": prepared, "choices": bits(choices) }));
        json!({
            "sid": hex::encode(SID.as_bytes()),
            "chunk": CHUNK,
            "batches": batches,
            "receiver_seed": hex::encode(Block(2).to_bytes()),
            "sender_seed": hex::encode(Block(1).to_bytes()),
        })
    }

    fn role(&self, role: Role, channel: &mut Channel) -> Result<Value, Fault> {
        let (setup, steps) = (Arc::new(Setup::new(0)), Self::steps());
        let many = |keys: Vec<Block>| vectors::many_blocks(&keys);
        match role {
            Role::Receiver => {
                let batches = receive(channel, &SID, &setup, &steps)?;
                Ok(batches.into_iter().map(many).collect())
            }
            Role::Sender => {
                let batches = send(channel, &SID, &setup, &steps)?;
                Ok(batches
                    .into_iter()
                    .map(|pairs| many(pairs.into_flattened()))
                    .collect())
            }
        }
    }
}

fn cases() -> Vec<BadCase> {
    use Role::{Receiver, Sender};
    let each = [
        each_way!("tree_sums", Receiver, (TREE_SUMS, 0)),
        each_way!("tree_sums_of_the_second_chunk", Receiver, (TREE_SUMS, 1)),
        each_way!("choices", Sender, (CHOICES, 0)),
        each_way!("choices_of_the_second_batch", Sender, (CHOICES, 1)),
    ];
    let mut cases: Vec<BadCase> = each.into_iter().flatten().collect();
    let base = (crate::ot::extension::CORRECTIONS, 0);
    cases.push(("base_corrections_missing", Sender, base, Change::Gone));
    cases
}

#[test]
fn both_roles_repeat_the_recorded_run() {
    vectors::assert_good(&[TwoBatches]);
}

#[test]
fn bad_messages_end_in_their_fault() {
    vectors::assert_bad(&[TwoBatches], &[cases()]);
}

/// Run by hand after a deliberate change of the protocol; the difference is then reviewed like code.
#[test]
#[ignore = "writes the vectors instead of testing them"]
fn rewrite_the_vectors() {
    vectors::rewrite(&[TwoBatches], &[cases()]);
}
