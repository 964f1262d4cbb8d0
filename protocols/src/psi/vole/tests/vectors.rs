//! Known answers under `vectors/psi_vole/`: in either mode with one reader, and in one with two. Six and seven ids, padded to the
//! smallest sets there are; where both read, S's to three more, so that the returned bits do not fill their last byte.

use super::*;
use crate::channel::Channel;
use crate::vectors::{self, BadCase, Change, Role, Run};
use serde_json::{Value, json};

struct Small(&'static str, Security, Readers);

const RUNS: [Small; 3] = [
    Small("semi_honest", Security::SemiHonest, Readers::ReceiverOnly),
    Small("malicious", Security::Malicious, Readers::ReceiverOnly),
    Small("both_read", Security::SemiHonest, Readers::Both),
];

/// S's size where both read: three tags more than whole bytes of bits.
const SENDER_SIZE_BOTH: u32 = bounds::SET_IDS_MIN as u32 + 3;

impl Small {
    fn setup(&self) -> Setup {
        match self.2 {
            Readers::ReceiverOnly => setup(6, 7, self.1),
            Readers::Both => setup(6, SENDER_SIZE_BOTH, self.1).read_by(Readers::Both),
        }
    }
}

/// R's numbers and S's: 3, 4 and 5 are common, at R's places 1, 3 and 4.
const NUMBERS: [&[u64]; 2] = [&[9, 3, 8, 5, 4, 7], &[4, 20, 5, 21, 22, 3, 23]];

fn ids_of(numbers: &[u64]) -> Vec<Id> {
    numbers
        .iter()
        .flat_map(|number| ids(*number..number + 1))
        .collect()
}

impl Run for Small {
    const FOLDER: &str = "psi_vole";

    fn name(&self) -> &'static str {
        self.0
    }

    fn inputs(&self) -> Value {
        let setup = self.setup();
        let ids = NUMBERS.map(|numbers| {
            let ids = ids_of(numbers).into_iter();
            ids.map(|id| hex::encode(id.as_bytes())).collect::<Vec<_>>()
        });
        let mut inputs = json!({
            "mode": vectors::mode(self.1),
            "sid": hex::encode(SID.as_bytes()),
            "padded_sizes": [setup.sizes().receiver(), setup.sizes().sender()],
            "buckets": 1,
            "receiver_ids": ids[0],
            "sender_ids": ids[1],
            "receiver_seed": hex::encode(Block(2).to_bytes()),
            "sender_seed": hex::encode(Block(1).to_bytes()),
        });
        if self.2 == Readers::Both {
            inputs["readers"] = json!("both");
        }
        inputs
    }

    fn role(&self, role: Role, channel: &mut Channel) -> Result<Value, Fault> {
        let (setup, ids) = (self.setup(), ids_of(NUMBERS[role as usize]));
        match role {
            Role::Receiver => {
                let rng = &mut Prg::new(Block(2));
                let common = receiver::reveal(channel, SID, &setup, &ids, rng)?;
                Ok(json!(common))
            }
            Role::Sender => {
                let rng = &mut Prg::new(Block(1));
                let common = sender::reveal(channel, SID, &setup, &ids, rng)?;
                Ok(match self.2 {
                    Readers::ReceiverOnly => Value::Null,
                    Readers::Both => json!(common),
                })
            }
        }
    }
}

/// What both modes refuse: lengths that were not agreed, tags that no honest S sends, and a conversation that changed.
fn semi_honest_cases() -> Vec<BadCase> {
    use Change::{BodyBytes, Flip, Gone, Put};
    use Role::{Receiver, Sender};
    let setup = setup(6, 7, Security::SemiHonest);
    let width = setup.tag_bytes;
    let (masked, tags) = ((MASKED, 0), (TAGS, 0));
    let all_tags = bounds::SET_IDS_MIN as usize * width;
    let all_masked = 16 * setup.vector_elements();
    vec![
        (
            "agreement_of_another_run",
            Receiver,
            (AGREEMENT.kind, 0),
            Flip(0, vec![1]),
        ),
        (
            "agreement_too_long",
            Sender,
            (AGREEMENT.kind, 0),
            BodyBytes(33),
        ),
        (
            "masked_vector_too_short",
            Sender,
            masked,
            BodyBytes(all_masked - 16),
        ),
        (
            "masked_vector_too_long",
            Sender,
            masked,
            BodyBytes(all_masked + 16),
        ),
        ("seed_missing", Sender, (SEED, 0), Gone),
        ("tags_too_few", Receiver, tags, BodyBytes(all_tags - width)),
        ("tags_too_many", Receiver, tags, BodyBytes(all_tags + width)),
        (
            "tags_out_of_order",
            Receiver,
            tags,
            Put(0, vec![0xff; width]),
        ),
        ("tag_twice", Receiver, tags, Put(0, vec![0; 2 * width])),
        ("tag_flipped", Receiver, tags, Flip(all_tags - 1, vec![1])),
        (
            "closing_flipped",
            Receiver,
            (CLOSING, 0),
            Flip(31, vec![0x80]),
        ),
        ("closing_missing", Receiver, (CLOSING, 0), Gone),
    ]
}

/// What the coin is bound by.
fn malicious_cases() -> Vec<BadCase> {
    use Change::{Flip, Gone, Put};
    use Role::Receiver;
    let (coin, tags) = ((COIN, 0), (TAGS, 0));
    vec![
        (
            "commitment_flipped",
            Receiver,
            (COIN_COMMITMENT, 0),
            Flip(0, vec![1]),
        ),
        ("coin_flipped", Receiver, coin, Flip(0, vec![1])),
        ("coin_mask_flipped", Receiver, coin, Flip(31, vec![0x80])),
        ("coin_missing", Receiver, coin, Gone),
        ("malicious_tag_twice", Receiver, tags, Put(0, vec![0; 32])),
        (
            "malicious_closing_flipped",
            Receiver,
            (CLOSING, 0),
            Flip(0, vec![1]),
        ),
    ]
}

/// What S refuses of what R returns.
fn both_read_cases() -> Vec<BadCase> {
    use Change::{BodyBytes, Flip, Gone, Put};
    use Role::Sender;
    let bytes = returned::bit_bytes(SENDER_SIZE_BOTH as usize);
    let (bits, closing) = ((RETURNED, 0), (RETURNED_CLOSING, 0));
    vec![
        ("returned_too_few", Sender, bits, BodyBytes(bytes - 1)),
        ("returned_too_many", Sender, bits, BodyBytes(bytes + 1)),
        ("returned_after_last", Sender, bits, Put(bytes - 1, vec![8])),
        ("returned_flipped", Sender, bits, Flip(0, vec![1])),
        ("returned_missing", Sender, bits, Gone),
        (
            "returned_closing_flipped",
            Sender,
            closing,
            Flip(31, vec![0x80]),
        ),
        ("returned_closing_missing", Sender, closing, Gone),
    ]
}

fn all_bad_cases() -> [Vec<BadCase>; 3] {
    [semi_honest_cases(), malicious_cases(), both_read_cases()]
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
