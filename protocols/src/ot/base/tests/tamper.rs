//! The tamper sweep. Endemic OT has one mode: what it can refuse it refuses in both.

use super::*;
use crate::adversary::{Effort, Ended, Ends, Frames, assert_only_unnoticed, both, record};

const CHOICES: [bool; 4] = [true, false, false, true];

/// What base OT cannot notice: any point is a genuine one. Who uses the keys notices that they differ.
const UNNOTICEABLE: [(Kind, &str); 2] = [
    (POINTS, "a transfer's point replaced by another point"),
    (ANSWER, "the answer replaced by another point"),
];

/// The receiver is on the left.
fn run(sid: SessionId, ends: Ends) -> Ended {
    let receive = |channel: &mut Channel| receive(channel, &sid, &CHOICES, &mut Prg::new(Block(1)));
    let send = |channel: &mut Channel| send(channel, &sid, CHOICES.len(), &mut Prg::new(Block(2)));
    let (chosen, pairs, totals) = both(ends, receive, send);
    let is_wrong = match (&chosen, &pairs) {
        (Ok(chosen), Ok(pairs)) => {
            let of_pairs = pairs.expose().iter().zip(CHOICES);
            let of_pairs: Vec<Block> = of_pairs.map(|(pair, c)| pair[usize::from(c)]).collect();
            chosen.expose() != &of_pairs
        }
        _ => false,
    };
    Ended {
        faults: [chosen.err(), pairs.err()],
        totals,
        is_wrong,
    }
}

fn frames(sid: SessionId) -> Frames {
    let (frames, ended) = record(|ends| run(sid, ends));
    assert!(ended.faults == [None, None] && !ended.is_wrong);
    frames
}

#[test]
fn tampering_ends_in_a_fault_or_in_keys_that_differ_where_it_is_listed() {
    let (genuine, other) = (frames(SID), frames(SessionId::new([8; 32])));
    let session = |ends: Ends| run(SID, ends);
    assert_only_unnoticed(Effort::Full, [&genuine, &other], session, &UNNOTICEABLE);
}
