//! The tamper sweep, in both modes: R never takes a wrong answer, as S's closing binds it to the conversation. S has no answer.

use super::*;
use crate::adversary::{Effort, Ended, Ends, Frames, assert_only_unnoticed, both, record};

/// The receiver is on the left. Ids 4..10 are common.
fn run_over(sid: SessionId, setup: &Setup, ends: Ends) -> Ended {
    let (mine, theirs) = (ids(0..10), ids(4..16));
    let receive =
        |channel: &mut _| receiver::reveal(channel, sid, setup, &mine, &mut Prg::new(Block(2)));
    let send =
        |channel: &mut _| sender::reveal(channel, sid, setup, &theirs, &mut Prg::new(Block(1)));
    let (common, sent, totals) = both(ends, receive, send);
    Ended {
        is_wrong: common
            .as_ref()
            .is_ok_and(|common| *common != [4, 5, 6, 7, 8, 9]),
        faults: [common.err(), sent.err()],
        totals,
    }
}

fn frames(sid: SessionId, setup: &Setup) -> Frames {
    let (frames, ended) = record(|ends| run_over(sid, setup, ends));
    assert!(ended.faults == [None, None] && !ended.is_wrong);
    frames
}

fn swept(security: Security) {
    let setup = setup(10, 12, security);
    let (genuine, other) = (frames(SID, &setup), frames(SessionId::new([8; 32]), &setup));
    let session = |ends: Ends| run_over(SID, &setup, ends);
    let effort = Effort::Sampled { body_bits: 2 };
    assert_only_unnoticed(effort, [&genuine, &other], session, &[]);
}

#[test]
fn tampering_with_the_semi_honest_mode_ends_in_a_fault_or_the_right_answer() {
    swept(Security::SemiHonest);
}

#[test]
fn tampering_with_the_malicious_mode_ends_in_a_fault_or_the_right_answer() {
    swept(Security::Malicious);
}
