mod tamper;
mod vectors;

use super::*;
use crate::channel::{Channel, memory_pair};
use crate::fault::{Fault, Malformed, Misbehaviour};
use crate::prg::Prg;

const SID: SessionId = SessionId::new([9; 32]);

fn run(choices: Vec<bool>, receiver_sid: SessionId) -> (Vec<[Block; 2]>, Vec<Block>) {
    let (mut to_sender, mut to_receiver) = memory_pair();
    let count = choices.len();
    let receiver = std::thread::spawn(move || {
        receive(
            &mut to_sender,
            &receiver_sid,
            &choices,
            &mut Prg::new(Block(1)),
        )
    });
    let pairs = send(&mut to_receiver, &SID, count, &mut Prg::new(Block(2))).expect("honest");
    let chosen = receiver.join().expect("no panic").expect("honest");
    (pairs.expose().clone(), chosen.expose().clone())
}

fn sender_meets(points: [[u8; 32]; 2]) -> Fault {
    let (mut channel, mut to_sender): (Channel, Channel) = memory_pair();
    let mut body = Raw(points[0]);
    let cheater = std::thread::spawn(move || {
        let first = body;
        body = Raw(points[1]);
        channel.send_part(POINTS, &[first, body])
    });
    let fault = send(&mut to_sender, &SID, 1, &mut Prg::new(Block(2)))
        .err()
        .expect("refused");
    cheater.join().expect("no panic").expect("sent");
    fault
}

#[derive(Clone, Copy)]
struct Raw([u8; 32]);
impl crate::channel::Element for Raw {
    const BYTES: usize = 32;
    fn encode(&self, body: &mut Vec<u8>) {
        body.extend_from_slice(&self.0);
    }
    fn decode(_: &[u8]) -> Result<Self, Malformed> {
        Err(Malformed::Forbidden {
            what: "reading raw bytes",
        })
    }
}

#[test]
fn the_identity_is_refused() {
    let fault = sender_meets([[0; 32]; 2]);
    let why = Malformed::Forbidden {
        what: "the identity point",
    };
    assert_eq!(
        fault,
        Misbehaviour::Malformed {
            message: "base OT points",
            why
        }
        .into()
    );
}

#[test]
fn a_point_that_is_not_canonical_is_refused() {
    let fault = sender_meets([[0xff; 32]; 2]);
    let why = Malformed::NotCanonical {
        what: "a ristretto255 point",
    };
    assert_eq!(
        fault,
        Misbehaviour::Malformed {
            message: "base OT points",
            why
        }
        .into()
    );
}

#[test]
fn the_receiver_gets_the_chosen_key_and_not_the_other() {
    let choices: Vec<bool> = (0..20).map(|i| i % 3 == 0).collect();
    let (pairs, chosen) = run(choices.clone(), SID);
    for (i, choice) in choices.iter().enumerate() {
        assert_eq!(chosen[i], pairs[i][usize::from(*choice)]);
        assert_ne!(chosen[i], pairs[i][usize::from(!*choice)]);
    }
}

#[test]
fn sessions_do_not_share_keys() {
    let (pairs, chosen) = run(vec![false, true], SessionId::new([8; 32]));
    assert!(pairs.as_flattened().iter().all(|key| !chosen.contains(key)));
}
