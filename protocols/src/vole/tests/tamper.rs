//! The tamper sweep, in both modes, over the base VOLE and two chunks, of which the second lives on outputs of the first.

use super::*;
use crate::adversary::{Effort, Ended, Ends, Frames, assert_only_unnoticed, both, record};
use crate::ot::{base, extension};

/// More than one of the smallest chunks has, after the first has fed the second.
const OUTPUTS: usize = 9_000;
const CHUNK_OUTPUTS: usize = 5_120;

/// What the semi-honest mode cannot notice. In malicious mode all of it ends in a fault.
pub(crate) const UNNOTICEABLE: [(Kind, &str); 7] = [
    (
        base::POINTS,
        "another point gives another key, so other streams or another tree",
    ),
    (base::ANSWER, "another answer gives other keys"),
    (
        noisy::CORRECTIONS,
        "a correction for a set bit of Δ hides another value",
    ),
    (
        extension::TREE_SUMS,
        "a sum that the sender takes gives other leaves",
    ),
    (
        extension::CORRECTIONS,
        "choices that differ between instances give no key of a sum",
    ),
    (
        TREE_SUMS,
        "a sum that the receiver takes gives other leaves",
    ),
    (TREE_DIFFERENCES, "a difference is the noise's share"),
];

/// The receiver is on the left.
fn run_over(sid: SessionId, setup: &Setup, ends: Ends) -> Ended {
    let mut a = vec![Block::ZERO; OUTPUTS];
    let receive = |channel: &mut Channel| {
        receiver::run(channel, &sid, setup, &mut a, &mut Prg::new(Block(2)))
    };
    let delta = Secret::new(DELTA);
    let send =
        |channel: &mut Channel| sender::run(channel, &sid, setup, &delta, &mut Prg::new(Block(1)));
    let (c, b, totals) = both(ends, receive, send);
    let is_wrong = match (&c, &b) {
        (Ok(c), Ok(b)) => {
            let mut expected = b.expose().to_vec();
            field::multiply_add(&mut expected, DELTA, &a);
            c.expose()[..] != expected
        }
        _ => false,
    };
    Ended {
        faults: [c.err(), b.err()],
        totals,
        is_wrong,
    }
}

fn frames(sid: SessionId, setup: &Setup) -> Frames {
    let (frames, ended) = record(|ends| run_over(sid, setup, ends));
    assert!(ended.faults == [None, None] && !ended.is_wrong);
    frames
}

fn swept(security: Security, unnoticeable: &[(Kind, &str)]) {
    let setup = Setup::in_chunks(OUTPUTS, CHUNK_OUTPUTS, security);
    assert_eq!(setup.chunks(), 2);
    let (genuine, other) = (frames(SID, &setup), frames(SessionId::new([8; 32]), &setup));
    let session = |ends: Ends| run_over(SID, &setup, ends);
    let effort = Effort::Sampled { body_bits: 2 };
    assert_only_unnoticed(effort, [&genuine, &other], session, unnoticeable);
}

#[test]
fn tampering_with_the_semi_honest_mode_breaks_the_relation_only_where_it_is_listed() {
    swept(Security::SemiHonest, &UNNOTICEABLE);
}

#[test]
fn tampering_with_the_malicious_mode_ends_in_a_fault_or_keeps_the_relation() {
    swept(Security::Malicious, &[]);
}
