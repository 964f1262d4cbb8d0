//! The tamper sweep, in both modes: R never takes a wrong answer, as S's closing binds it to the conversation. S has no answer.

use super::*;
use crate::adversary::{Case, Effort, Ended, Ends, Frames, Tampering};
use crate::adversary::{assert_only_unnoticed, both, record, tampered};

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

/// Lists of more than two parts, of which two have equal lengths: neither kind nor number nor length shows that they were swapped.
#[test]
fn parts_of_one_list_swapped_doubled_or_dropped_end_in_a_fault() {
    for security in [Security::SemiHonest, Security::Malicious] {
        let setup = setup(110_000, 220_000, security);
        let session = |ends: Ends| run_over(SID, &setup, ends);
        let (genuine, _) = record(session);
        for (side, kind) in [(0, MASKED.number()), (1, TAGS.number())] {
            let parts: Vec<usize> = (0..genuine[side].len())
                .filter(|frame| genuine[side][*frame].starts_with(&kind.to_le_bytes()))
                .collect();
            assert!(parts.len() > 2, "{} parts", parts.len());
            for tampering in [Tampering::SwapWithNext, Tampering::Double, Tampering::Drop] {
                let case = Case {
                    side,
                    frame: parts[0],
                    kind,
                    tampering,
                    deft: true,
                };
                let ended = session(tampered(&case, &Frames::default()));
                assert!(ended.faults[0].is_some(), "{security:?}, {case:?}");
            }
        }
    }
}
