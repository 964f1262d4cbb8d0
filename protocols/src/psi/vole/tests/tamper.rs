//! The tamper sweep, in both modes and for one reader and for two: neither party ever takes a wrong answer, as the other's
//! closing binds it to the conversation.

use super::*;
use crate::adversary::{Case, Effort, Ended, Ends, Frames, Tampering};
use crate::adversary::{assert_only_unnoticed, both, record, tampered};

/// The receiver is on the left. Ids 4..10 are common: at R the places from 4 on, at S the first.
fn run_over(sid: SessionId, setup: &Setup, ends: Ends) -> Ended {
    let (mine, theirs) = (ids(0..10), ids(4..16));
    let receive =
        |channel: &mut _| receiver::reveal(channel, sid, setup, &mine, &mut Prg::new(Block(2)));
    let send =
        |channel: &mut _| sender::reveal(channel, sid, setup, &theirs, &mut Prg::new(Block(1)));
    let (common, returned, totals) = both(ends, receive, send);
    let right_at_sender: &[u32] = match setup.readers {
        Readers::ReceiverOnly => &[],
        Readers::Both => &[0, 1, 2, 3, 4, 5],
    };
    let is_wrong = |answer: &Result<Vec<u32>, Fault>, right: &[u32]| {
        answer.as_ref().is_ok_and(|answer| answer != right)
    };
    Ended {
        is_wrong: is_wrong(&common, &[4, 5, 6, 7, 8, 9]) || is_wrong(&returned, right_at_sender),
        faults: [common.err(), returned.err()],
        totals,
    }
}

fn frames(sid: SessionId, setup: &Setup) -> Frames {
    let (frames, ended) = record(|ends| run_over(sid, setup, ends));
    assert!(ended.faults == [None, None] && !ended.is_wrong);
    frames
}

/// Places of the frames of a kind.
fn places(frames: &[Vec<u8>], kind: u16) -> Vec<usize> {
    let of_kind = |frame: &usize| frames[*frame].starts_with(&kind.to_le_bytes());
    (0..frames.len()).filter(of_kind).collect()
}

fn swept(security: Security, readers: Readers) {
    let setup = setup(10, 12, security).read_by(readers);
    let (genuine, other) = (frames(SID, &setup), frames(SessionId::new([8; 32]), &setup));
    let returned = usize::from(readers == Readers::Both);
    for kind in [RETURNED, RETURNED_CLOSING] {
        let swept = places(&genuine[0], kind.number()).len();
        assert_eq!(swept, returned, "{}", kind.name());
    }
    let session = |ends: Ends| run_over(SID, &setup, ends);
    let effort = Effort::Sampled { body_bits: 2 };
    assert_only_unnoticed(effort, [&genuine, &other], session, &[]);
}

#[test]
fn tampering_with_the_semi_honest_mode_ends_in_a_fault_or_the_right_answer() {
    swept(Security::SemiHonest, Readers::ReceiverOnly);
}

#[test]
fn tampering_with_the_malicious_mode_ends_in_a_fault_or_the_right_answer() {
    swept(Security::Malicious, Readers::ReceiverOnly);
}

#[test]
fn tampering_with_the_semi_honest_mode_gives_neither_of_two_readers_a_wrong_answer() {
    swept(Security::SemiHonest, Readers::Both);
}

#[test]
fn tampering_with_the_malicious_mode_gives_neither_of_two_readers_a_wrong_answer() {
    swept(Security::Malicious, Readers::Both);
}

/// Lists of more than two parts, of which two have equal lengths: neither kind nor number nor length shows that they were swapped.
#[test]
fn parts_of_one_list_swapped_doubled_or_dropped_end_in_a_fault() {
    for security in [Security::SemiHonest, Security::Malicious] {
        let setup = setup(110_000, 220_000, security);
        let session = |ends: Ends| run_over(SID, &setup, ends);
        let (genuine, _) = record(session);
        for (side, kind) in [(0, MASKED.number()), (1, TAGS.number())] {
            let parts = places(&genuine[side], kind);
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
