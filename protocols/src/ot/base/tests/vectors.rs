//! Known answers under `vectors/base_ot/`.

use super::*;
use crate::channel::Element;
use crate::vectors::{self, BadCase, Change, Role, Run};
use serde_json::{Value, json};

struct Four;

const CHOICES: [bool; 4] = [true, false, false, true];

impl Run for Four {
    const FOLDER: &str = "base_ot";

    fn name(&self) -> &'static str {
        "four"
    }

    fn inputs(&self) -> Value {
        json!({
            "sid": hex::encode(SID.as_bytes()),
            "choices": CHOICES,
            "receiver_seed": hex::encode(Block(1).to_bytes()),
            "sender_seed": hex::encode(Block(2).to_bytes()),
        })
    }

    fn role(&self, role: Role, channel: &mut Channel) -> Result<Value, Fault> {
        match role {
            Role::Receiver => {
                let keys = receive(channel, &SID, &CHOICES, &mut Prg::new(Block(1)))?;
                Ok(vectors::blocks(keys.expose()))
            }
            Role::Sender => {
                let pairs = send(channel, &SID, CHOICES.len(), &mut Prg::new(Block(2)))?;
                Ok(vectors::pairs(pairs.expose()))
            }
        }
    }
}

fn bad_cases() -> Vec<BadCase> {
    use Change::{BodyBytes, Gone, Header, Put};
    use Role::{Receiver, Sender};
    let points = (POINTS, 0);
    let answer = (ANSWER, 0);
    let all = 32 * 2 * CHOICES.len();
    vec![
        ("points_identity", Sender, points, Put(0, vec![0; 32])),
        (
            "points_not_canonical",
            Sender,
            points,
            Put(all - 32, vec![0xff; 32]),
        ),
        ("points_too_few", Sender, points, BodyBytes(all - 32)),
        ("points_too_many", Sender, points, BodyBytes(all + 32)),
        ("points_of_another_kind", Sender, points, Header(0, vec![2])),
        ("points_out_of_sequence", Sender, points, Header(2, vec![1])),
        (
            "points_stating_another_length",
            Sender,
            points,
            Header(6, vec![0xff]),
        ),
        ("points_missing", Sender, points, Gone),
        ("answer_identity", Receiver, answer, Put(0, vec![0; 32])),
        (
            "answer_not_canonical",
            Receiver,
            answer,
            Put(0, vec![0xff; 32]),
        ),
        ("answer_too_long", Receiver, answer, BodyBytes(64)),
        ("answer_missing", Receiver, answer, Gone),
    ]
}

#[test]
fn both_roles_repeat_the_recorded_run() {
    vectors::assert_good(&[Four]);
}

#[test]
fn bad_messages_end_in_their_fault() {
    vectors::assert_bad(&[Four], &[bad_cases()]);
}

#[test]
fn bad_encodings_of_rfc9496_are_refused() {
    let bad = vectors::read("ecdh", "bad_rfc9496_a2");
    for case in bad["cases"].as_array().expect("a list") {
        let encoding = vectors::bytes(&case["encoding"]);
        assert!(Point::decode(&encoding).is_err(), "{}", case["why"]);
    }
}

/// Run by hand after a deliberate change of the protocol; the difference is then reviewed like code.
#[test]
#[ignore = "writes the vectors instead of testing them"]
fn rewrite_the_vectors() {
    vectors::rewrite(&[Four], &[bad_cases()]);
}
