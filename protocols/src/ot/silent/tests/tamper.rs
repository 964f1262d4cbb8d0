//! The tamper sweep, over two batches of transfers after one set-up.

use super::*;
use crate::adversary::{Effort, Ended, Ends, Frames, assert_only_unnoticed, record};
use crate::channel::Kind;
use crate::ot::{base, extension};

/// What this semi-honest protocol cannot notice.
const UNNOTICEABLE: [(Kind, &str); 6] = [
    (
        base::POINTS,
        "another point gives another key, so another tree",
    ),
    (
        base::ANSWER,
        "another answer gives other keys, so other trees",
    ),
    (
        extension::TREE_SUMS,
        "a sum that the sender takes gives other leaves",
    ),
    (
        extension::CORRECTIONS,
        "another choice gives other rows, so other trees",
    ),
    (
        TREE_SUMS,
        "a sum that the receiver takes gives other leaves",
    ),
    (CHOICES, "another choice gives the other key"),
];

/// The receiver is on the left. Both batches are alike, so that a batch's messages fit in the other's place.
fn run_over(sid: SessionId, ends: Ends) -> Ended {
    let setup = Arc::new(Setup::new(0));
    let steps = [5, 6].map(|seed| (CHUNK, choices(seed, CHUNK)));
    let (chosen, pairs, totals) = both(
        ends,
        |channel| receive(channel, &sid, &setup, &steps),
        |channel| send(channel, &sid, &setup, &steps),
    );
    let is_wrong = match (&chosen, &pairs) {
        (Ok(chosen), Ok(pairs)) => {
            let choices = steps.iter().flat_map(|(_, choices)| choices);
            let of_pairs = pairs.iter().flatten().zip(choices);
            let of_pairs: Vec<Block> = of_pairs.map(|(pair, c)| pair[usize::from(*c)]).collect();
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

fn frames(sid: SessionId) -> Frames {
    let (frames, ended) = record(|ends| run_over(sid, ends));
    assert!(ended.faults == [None, None] && !ended.is_wrong);
    frames
}

#[test]
fn tampering_gives_wrong_keys_only_where_it_is_listed() {
    let (genuine, other) = (frames(SID), frames(SessionId::new([8; 32])));
    let session = |ends: Ends| run_over(SID, ends);
    let effort = Effort::Sampled { body_bits: 3 };
    assert_only_unnoticed(effort, [&genuine, &other], session, &UNNOTICEABLE);
}
