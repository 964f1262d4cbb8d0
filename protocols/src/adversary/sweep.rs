//! Every manipulation of every frame, and what may come of it.

use super::{Case, Ends, Frames, SWEEP_DEADLINE, Tampered, Tampering};
use crate::block::Block;
use crate::channel::{HEADER_BYTES, Kind, Totals, memory_transports};
use crate::fault::{Broken, Fault};
use crate::prg::Prg;
use rand_core::Rng;
use std::collections::BTreeSet;

/// How many of the conceivable manipulations a sweep tries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Every bit of a header, one bit of each byte of a body, every earlier frame in place of a later one, all of it clumsily
    /// and deftly.
    Full,
    /// Where frames are long and runs take milliseconds. Flipped are one bit of the header, one of the body's first and last byte
    /// each, and as many others as are named, drawn from a fixed seed. In place of a frame come the one before it and the last of
    /// its own kind. Everything else is done deftly and one thing clumsily, as it is the channel that sees clumsiness,
    /// and its own tests flip every bit of a header.
    Sampled { body_bits: usize },
}

/// What came of a run whose answer the caller has already compared with the right one.
pub(crate) struct Ended {
    pub(crate) faults: [Option<Fault>; 2],
    pub(crate) totals: [Totals; 2],
    /// Set where an answer was given and was not the right one.
    pub(crate) is_wrong: bool,
}

/// Runs `session` once for every tampering of every frame, and hands each case with its result to `judge`. `genuine` are
/// the frames of an untampered run, `other` those of another session.
pub(crate) fn sweep<R>(
    effort: Effort,
    genuine: &Frames,
    other: &Frames,
    session: impl Fn(Ends) -> R,
    judge: impl FnMut(&Case, R),
) {
    sweep_from([0; 2], effort, [genuine, other], session, judge);
}

fn sweep_from<R>(
    first: [usize; 2],
    effort: Effort,
    [genuine, other]: [&Frames; 2],
    session: impl Fn(Ends) -> R,
    mut judge: impl FnMut(&Case, R),
) {
    for (side, frames) in genuine.iter().enumerate() {
        for (frame, bytes) in frames.iter().enumerate().skip(first[side]) {
            for (tampering, deft) in tamperings(effort, &frames[..=frame]) {
                let case = Case {
                    side,
                    frame,
                    kind: kind(bytes),
                    tampering,
                    deft,
                };
                judge(&case, session(tampered(&case, other)));
            }
        }
    }
}

/// A line on which one thing is done to one frame.
pub(crate) fn tampered(case: &Case, other: &Frames) -> Ends {
    let (left, right) = memory_transports(SWEEP_DEADLINE);
    let script = |at| (at == case.side).then(|| (case.clone(), other.clone()));
    [
        Box::new(Tampered::new(left, script(0))),
        Box::new(Tampered::new(right, script(1))),
    ]
}

/// Sweeps, and asserts that each run ends in a fault, without a hang and without blaming the side that met it, or in the right
/// answer. `unnoticeable` names the messages, and why, whose body a peer or a broken line can change without a fault and
/// with a wrong answer; each of them must occur, so that the list does not grow longer than the truth. All of it makes
/// the two transcripts differ, which a session finds at its closing.
pub(crate) fn assert_only_unnoticed(
    effort: Effort,
    frames: [&Frames; 2],
    session: impl Fn(Ends) -> Ended,
    unnoticeable: &[(Kind, &str)],
) {
    assert_only_unnoticed_from([0; 2], effort, frames, session, unnoticeable);
}

/// The same for the frames of each side from a place on, where those before it are swept elsewhere.
pub(crate) fn assert_only_unnoticed_from(
    first: [usize; 2],
    effort: Effort,
    [genuine, other]: [&Frames; 2],
    session: impl Fn(Ends) -> Ended,
    unnoticeable: &[(Kind, &str)],
) {
    let mut unnoticed = BTreeSet::new();
    let judge = |case: &Case, ended: Ended| {
        for fault in ended.faults.iter().flatten() {
            assert!(
                !matches!(fault, Fault::Transport(Broken::TimedOut { .. })),
                "{case:?} hung"
            );
            assert!(
                !matches!(fault, Fault::Caller(_) | Fault::Unlucky(_)),
                "{case:?} blamed us: {fault}"
            );
        }
        if ended.is_wrong {
            assert!(
                case.may_change_bodies_only(),
                "{case:?} gave a wrong answer although the channel could see it"
            );
            assert!(
                !ended.totals[0].mirror(&ended.totals[1]),
                "{case:?} left no trace"
            );
            let named = unnoticeable.iter().find(|(k, _)| k.number() == case.kind);
            let (kind, _) = named.unwrap_or_else(|| unreachable!("{case:?} gave a wrong answer"));
            unnoticed.insert(kind.name());
        }
    };
    sweep_from(first, effort, [genuine, other], session, judge);
    for (kind, why) in unnoticeable {
        let name = kind.name();
        assert!(unnoticed.contains(name), "{name} is always noticed: {why}");
    }
}

fn kind(frame: &[u8]) -> u16 {
    u16::from_le_bytes([frame[0], frame[1]])
}

/// What is done to the last of `frames`, and whether deftly.
fn tamperings(effort: Effort, frames: &[Vec<u8>]) -> Vec<(Tampering, bool)> {
    let whole = [
        Tampering::Drop,
        Tampering::Double,
        Tampering::SwapWithNext,
        Tampering::Cut,
        Tampering::Extend,
    ];
    let replays = replayed(effort, frames).into_iter();
    let replays: Vec<_> = replays
        .map(|frame| Tampering::ReplayEarlier { frame })
        .collect();
    let clumsy: Vec<Tampering> = match effort {
        Effort::Full => whole.iter().chain(&replays).cloned().collect(),
        Effort::Sampled { .. } => vec![whole[frames.len() % whole.len()].clone()],
    };
    let flips = flipped_bits(effort, frames).into_iter();
    let clumsy = flips
        .map(|bit| Tampering::Flip { bit })
        .chain(clumsy)
        .map(|tampering| (tampering, false));
    // A frame of another session has the header that is due: there is nothing to be deft about.
    let deft = whole
        .into_iter()
        .chain([Tampering::ReplayOther])
        .chain(replays);
    clumsy
        .chain(deft.map(|tampering| (tampering, true)))
        .collect()
}

fn flipped_bits(effort: Effort, frames: &[Vec<u8>]) -> BTreeSet<usize> {
    let length = frames.last().map_or(0, Vec::len);
    let Effort::Sampled { body_bits } = effort else {
        let body = (HEADER_BYTES..length).map(|byte| 8 * byte + byte % 8);
        return (0..8 * HEADER_BYTES).chain(body).collect();
    };
    // The seed is the frame's place and length: every run of the sweep flips the same bits.
    let mut rng = Prg::new(Block(((frames.len() as u128) << 64) | length as u128));
    let mut bit_of = |bytes: std::ops::Range<usize>| {
        let bits = (8 * bytes.len()) as u64;
        8 * bytes.start + ((u64::from(rng.next_u32()) * bits) >> 32) as usize
    };
    let mut bits = BTreeSet::from([bit_of(0..HEADER_BYTES)]);
    if length > HEADER_BYTES {
        let ends = [HEADER_BYTES..HEADER_BYTES + 1, length - 1..length];
        bits.extend(ends.map(&mut bit_of));
        bits.extend((0..body_bits).map(|_| bit_of(HEADER_BYTES..length)));
    }
    bits
}

/// Which earlier frames take the place of the last of `frames`.
fn replayed(effort: Effort, frames: &[Vec<u8>]) -> BTreeSet<usize> {
    let Some((last, earlier)) = frames.split_last() else {
        return BTreeSet::new();
    };
    if effort == Effort::Full {
        return (0..earlier.len()).collect();
    }
    let alike = earlier.iter().rposition(|frame| kind(frame) == kind(last));
    alike
        .into_iter()
        .chain(earlier.len().checked_sub(1))
        .collect()
}
