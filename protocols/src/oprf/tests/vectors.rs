//! Known answers under `vectors/oprf/`: as many keys as the smallest set has, in either mode.

use super::*;
use crate::vectors::{self, BadCase, Change, Role, Run};
use serde_json::{Value, json};

struct Smallest(Security);

const RUNS: [Smallest; 2] = [
    Smallest(Security::SemiHonest),
    Smallest(Security::Malicious),
];

const KEYS: usize = 4_096;

impl Run for Smallest {
    const FOLDER: &str = "oprf";

    fn name(&self) -> &'static str {
        vectors::mode(self.0)
    }

    fn inputs(&self) -> Value {
        json!({
            "mode": vectors::mode(self.0),
            "sid": hex::encode(SID.as_bytes()),
            "keys": KEYS,
            "buckets": 1,
            "key_seed": hex::encode(Block(1).to_bytes()),
            "other_key_seed": hex::encode(Block(4).to_bytes()),
            "receiver_seed": hex::encode(Block(2).to_bytes()),
            "sender_seed": hex::encode(Block(1).to_bytes()),
        })
    }

    fn role(&self, role: Role, channel: &mut Channel) -> Result<Value, Fault> {
        let setup = Setup::new(KEYS as u64, 1, self.0);
        let mine = keys(1, KEYS);
        match role {
            Role::Receiver => {
                let rng = &mut Prg::new(Block(2));
                let values = receiver::run(channel, &SID, &setup, &mine, rng)?;
                Ok(json!({ "at_keys": vectors::many_blocks(values.expose()) }))
            }
            Role::Sender => {
                let rng = &mut Prg::new(Block(1));
                let evaluator = sender::run(channel, &SID, &setup, rng)?;
                let [at_keys, elsewhere] = [mine, keys(4, KEYS)]
                    .map(|keys| vectors::many_blocks(evaluator.evaluate(&keys).expose()));
                Ok(json!({ "at_keys": at_keys, "at_other_keys": elsewhere }))
            }
        }
    }
}

fn bad_cases() -> [Vec<BadCase>; 2] {
    use Change::{BodyBytes, Gone};
    use Role::Sender;
    let masked = 16 * Setup::new(KEYS as u64, 1, Security::SemiHonest).vector_elements();
    [
        vec![
            ("seed_too_long", Sender, (SEED, 0), BodyBytes(32)),
            ("seed_missing", Sender, (SEED, 0), Gone),
            (
                "masked_vector_too_short",
                Sender,
                (MASKED, 0),
                BodyBytes(masked - 16),
            ),
            (
                "masked_vector_too_long",
                Sender,
                (MASKED, 0),
                BodyBytes(masked + 16),
            ),
        ],
        vec![("masked_vector_missing", Sender, (MASKED, 0), Gone)],
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
