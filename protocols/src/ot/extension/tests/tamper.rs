//! The tamper sweep, in both modes, over two batches of transfers after one set-up.

use super::*;
use crate::adversary::{Effort, Ended, Ends, Frames, assert_only_unnoticed, both, record};
use crate::channel::Kind;
use crate::ot::base;

/// As many in each batch, so that a batch's messages fit in the other's place.
const TRANSFERS: usize = 140;

/// What the semi-honest extension cannot notice. In malicious mode all of it ends in a fault.
const UNNOTICEABLE: [(Kind, &str); 4] = [
    (
        base::POINTS,
        "another point gives another key, so another tree",
    ),
    (
        base::ANSWER,
        "another answer gives other keys, so other trees",
    ),
    (TREE_SUMS, "a sum that the sender takes gives other leaves"),
    (
        CORRECTIONS,
        "a choice that differs between instances gives a key that is neither",
    ),
];

type Batches<T> = Result<Vec<Vec<T>>, Fault>;

/// The receiver is on the left.
fn run_over(sid: SessionId, security: Security, ends: Ends) -> Ended {
    let batches = [choices(5, TRANSFERS), choices(6, TRANSFERS)];
    let receive = |channel: &mut Channel| -> Batches<Block> {
        let rng = &mut Prg::new(Block(2));
        let mut receiver = Receiver::set_up(channel, &sid, security, rng)?;
        let batches = batches.iter();
        batches
            .map(|batch| Ok(receiver.extend(channel, batch, rng)?.expose().clone()))
            .collect()
    };
    let send = |channel: &mut Channel| -> Batches<[Block; 2]> {
        let rng = &mut Prg::new(Block(1));
        let mut sender = Sender::set_up(channel, &sid, security, rng)?;
        (0..batches.len())
            .map(|_| Ok(sender.extend(channel, TRANSFERS, rng)?.expose().clone()))
            .collect()
    };
    let (chosen, pairs, totals) = both(ends, receive, send);
    let is_wrong = match (&chosen, &pairs) {
        (Ok(chosen), Ok(pairs)) => {
            let pairs = pairs.iter().flatten().zip(batches.iter().flatten());
            let of_pairs: Vec<Block> = pairs.map(|(pair, c)| pair[usize::from(*c)]).collect();
            chosen.concat() != of_pairs
        }
        _ => false,
    };
    Ended {
        faults: [chosen.err(), pairs.err()],
        totals,
        is_wrong,
    }
}

fn frames(sid: SessionId, security: Security) -> Frames {
    let (frames, ended) = record(|ends| run_over(sid, security, ends));
    assert!(ended.faults == [None, None] && !ended.is_wrong);
    frames
}

fn swept(security: Security, unnoticeable: &[(Kind, &str)]) {
    let (genuine, other) = (
        frames(SID, security),
        frames(SessionId::new([8; 32]), security),
    );
    let session = |ends: Ends| run_over(SID, security, ends);
    let effort = Effort::Sampled { body_bits: 6 };
    assert_only_unnoticed(effort, [&genuine, &other], session, unnoticeable);
}

#[test]
fn tampering_with_the_semi_honest_mode_gives_wrong_keys_only_where_it_is_listed() {
    swept(Security::SemiHonest, &UNNOTICEABLE);
}

#[test]
fn tampering_with_the_malicious_mode_ends_in_a_fault_or_the_right_keys() {
    swept(Security::Malicious, &[]);
}
