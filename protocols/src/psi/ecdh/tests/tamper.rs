//! The tamper sweep: every message dropped, doubled, swapped, cut, extended, flipped and replayed.

use super::super::messages::{BLINDED, EVALUATED, MASKED};
use super::*;
use crate::adversary::{Case, Effort, Frames, Scripted, Tampering, record, sweep};
use crate::channel::HEADER_BYTES;
use crate::fault::Broken;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What a semi-honest protocol cannot notice, by name. All of it makes the two transcripts differ, so the session finds it
/// at its closing unless the sender of the frame itself is the adversary, who might as well have changed its inputs.
fn unnoticeable(case: &Case) -> Option<&'static str> {
    let points = [BLINDED, MASKED, EVALUATED]
        .iter()
        .any(|kind| kind.number() == case.kind);
    match case.tampering {
        Tampering::Flip { bit } if points && bit >= 80 => Some("a point replaced by another point"),
        Tampering::ReplayOther if points => Some("a part of another session's points"),
        Tampering::SwapWithNext if case.deft && points => {
            Some("two parts of one list swapped and renumbered")
        }
        _ => None,
    }
}

/// The named manipulations that did change an answer.
fn swept(setup: &Setup, genuine: &Frames, other: &Frames) -> BTreeSet<&'static str> {
    let mut wrong = BTreeSet::new();
    let judge = |case: &Case, outcome: Outcome| {
        for fault in [
            outcome.receiver.as_ref().err(),
            outcome.sender.as_ref().err(),
        ]
        .into_iter()
        .flatten()
        {
            assert!(
                !matches!(fault, Fault::Transport(Broken::TimedOut { .. })),
                "{case:?} hung"
            );
            assert!(
                !matches!(fault, Fault::Caller(_) | Fault::Unlucky(_)),
                "{case:?} blamed us: {fault}"
            );
        }
        match outcome.receiver {
            Ok(answer) if !setup.is_right(&answer) => {
                let name = unnoticeable(case)
                    .unwrap_or_else(|| unreachable!("{case:?} gave a wrong answer"));
                assert!(
                    !outcome.totals[0].mirror(&outcome.totals[1]),
                    "{case:?} left no trace"
                );
                wrong.insert(name);
            }
            _ => {}
        }
    };
    sweep(Effort::Full, genuine, other, |ends| setup.run(ends), judge);
    wrong
}

fn frames_of(setup: &Setup, sid: u8) -> Frames {
    let mut setup = setup.clone();
    setup.terms.sid = SessionId::new([sid; 32]);
    let (frames, outcome) = record(|ends| setup.run(ends));
    assert!(setup.is_right(&outcome.receiver.expect("an honest run succeeds")));
    frames
}

fn sweep_mode(mode: Mode) -> BTreeSet<&'static str> {
    let setup = small(mode);
    swept(&setup, &frames_of(&setup, 0x5a), &frames_of(&setup, 0x5b))
}

#[test]
fn a_tampered_reveal_ends_in_a_fault_or_the_right_answer() {
    let expected = [
        "a part of another session's points",
        "a point replaced by another point",
        "two parts of one list swapped and renumbered",
    ];
    assert_eq!(sweep_mode(Mode::Reveal), BTreeSet::from(expected));
}

/// Swapped parts do not change a count.
#[test]
fn a_tampered_count_ends_in_a_fault_or_the_right_answer() {
    let expected = [
        "a part of another session's points",
        "a point replaced by another point",
    ];
    assert_eq!(sweep_mode(Mode::Count), BTreeSet::from(expected));
}

/// Frames with true headers and arbitrary bodies, after a genuine agreement: what a cheating peer can say at all.
fn inventions() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let kind = prop_oneof![4 => 0x0102_u16..=0x0104, 1 => any::<u16>()];
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..130),
        prop::collection::vec(0_u8..=1, 96..=96),
        prop::collection::vec(any::<u8>(), 96..=96),
    ];
    let frame = (kind, body).prop_map(|(kind, body)| {
        let length = (body.len() as u32).to_le_bytes();
        [&kind.to_le_bytes()[..], &[0; 4], &length, &body].concat()
    });
    prop::collection::vec(frame, 0..8)
}

proptest! {
    #[test]
    fn invented_frames_end_in_a_fault(mode in prop_oneof![Just(Mode::Reveal), Just(Mode::Count)], invented in inventions()) {
        let setup = small(mode);
        let (genuine, _) = record(|ends| setup.run(ends));
        for (peer, is_receiver) in [(1, true), (0, false)] {
            let mut lines = vec![genuine[peer][0].clone()];
            lines.extend(invented.iter().cloned());
            for (number, line) in lines.iter_mut().enumerate() {
                line[2..6].copy_from_slice(&(number as u32).to_le_bytes());
                prop_assert!(line.len() >= HEADER_BYTES);
            }
            let mut channel = Channel::new(Box::new(Scripted::recorded(&lines).0));
            let result = if is_receiver { setup.receive(&mut channel).map(drop) } else { setup.send(&mut channel) };
            prop_assert!(matches!(result, Err(Fault::Misbehaved(_) | Fault::Transport(Broken::Closed))));
        }
    }
}
