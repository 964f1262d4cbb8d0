//! What a channel promises, from an adversary's side first.

use super::*;
use crate::fault::Broken;
use std::thread;
use std::time::Duration;

const GREETING: Kind = Kind::new(0xff01, "Greeting");
const NUMBERS: Kind = Kind::new(0xff02, "Numbers");

#[derive(Debug, PartialEq, Eq)]
struct Greeting {
    count: u32,
    digest: [u8; 4],
}

impl Message for Greeting {
    const KIND: Kind = GREETING;

    fn encode(&self, body: &mut Vec<u8>) {
        body.extend_from_slice(&self.count.to_le_bytes());
        body.extend_from_slice(&self.digest);
    }

    fn decode(body: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            count: body.u32()?,
            digest: body.array()?,
        })
    }
}

fn greeting() -> Greeting {
    Greeting {
        count: 7,
        digest: *b"abcd",
    }
}

/// A channel whose peer is the test, which writes raw frames.
fn raw_peer() -> (Channel, MemoryTransport) {
    let (left, right) = memory_transports(MEMORY_DEADLINE);
    (Channel::new(Box::new(left)), right)
}

fn greeting_frame() -> Vec<u8> {
    let (mut channel, mut raw) = raw_peer();
    channel.send(&greeting()).expect("the queue has room");
    raw.receive().expect("it was just sent")
}

fn received(frame: Vec<u8>) -> Result<Greeting, Fault> {
    let (mut channel, mut raw) = raw_peer();
    raw.send(frame).expect("the queue has room");
    channel.receive(8)
}

fn misbehaviour(result: Result<Greeting, Fault>) -> Misbehaviour {
    match result.expect_err("the frame was tampered with") {
        Fault::Misbehaved(what) => what,
        other => unreachable!("the peer must be blamed, not {other:?}"),
    }
}

#[test]
fn frames_have_the_documented_bytes() {
    let frame = greeting_frame();
    assert_eq!(
        frame,
        [
            [0x01, 0xff].as_slice(),
            &[0; 4],
            &[8, 0, 0, 0],
            &[7, 0, 0, 0],
            b"abcd"
        ]
        .concat()
    );
    assert_eq!(received(frame), Ok(greeting()));
}

#[test]
fn every_cut_or_extended_frame_blames_the_peer() {
    let frame = greeting_frame();
    for length in 0..frame.len() {
        misbehaviour(received(frame[..length].to_vec()));
    }
    misbehaviour(received([frame.as_slice(), &[0]].concat()));
}

#[test]
fn every_flipped_header_bit_blames_the_peer() {
    for bit in 0..HEADER_BYTES * 8 {
        let mut frame = greeting_frame();
        frame[bit / 8] ^= 1 << (bit % 8);
        misbehaviour(received(frame));
    }
}

#[test]
fn a_body_over_the_agreed_bound_is_refused() {
    let (mut channel, mut raw) = raw_peer();
    raw.send(greeting_frame()).expect("the queue has room");
    let fault = channel
        .receive::<Greeting>(7)
        .expect_err("the body has eight bytes");
    assert_eq!(
        fault,
        Misbehaviour::TooLong {
            message: "Greeting",
            max: 7,
            got: 8
        }
        .into()
    );
}

#[test]
fn a_body_with_trailing_or_missing_bytes_is_malformed() {
    for (length, why) in [
        (9_u8, Malformed::Trailing { bytes: 1 }),
        (7, Malformed::Short { needed: 4, left: 3 }),
    ] {
        let mut frame = greeting_frame();
        frame.resize(HEADER_BYTES + usize::from(length), 0);
        frame[6] = length;
        let (mut channel, mut raw) = raw_peer();
        raw.send(frame).expect("the queue has room");
        let fault = channel
            .receive::<Greeting>(64)
            .expect_err("the length is wrong");
        assert_eq!(
            fault,
            Misbehaviour::Malformed {
                message: "Greeting",
                why
            }
            .into()
        );
    }
}

#[test]
fn an_oversized_frame_is_refused_before_its_header_is_read() {
    let what = misbehaviour(received(vec![0; FRAME_BYTES_MAX + 1]));
    assert_eq!(
        what,
        Misbehaviour::FrameLength {
            min: 10,
            max: FRAME_BYTES_MAX,
            got: FRAME_BYTES_MAX + 1
        }
    );
}

#[test]
fn a_replayed_frame_blames_the_sender() {
    let (mut channel, mut raw) = raw_peer();
    for _ in 0..2 {
        raw.send(greeting_frame()).expect("the queue has room");
    }
    channel
        .receive::<Greeting>(8)
        .expect("the first is genuine");
    let fault = channel
        .receive::<Greeting>(8)
        .expect_err("the second is a replay");
    assert_eq!(
        fault,
        Misbehaviour::WrongSequence {
            message: "Greeting",
            expected: 1,
            got: 0
        }
        .into()
    );
}

#[test]
fn vectors_larger_than_a_frame_arrive_whole_in_parts() {
    let sent: Vec<u64> = (0..300_000).map(|i| i * 0x0123_4567).collect();
    let (mut left, mut right) = memory_pair();
    let mut buffer = vec![1_u64; sent.len()];
    thread::scope(|scope| {
        scope.spawn(|| {
            left.send_all(NUMBERS, &sent).expect("the peer reads");
            left.send_all::<u64>(NUMBERS, &[]).expect("nothing is sent");
            left.send_all(NUMBERS, &sent).expect("the peer reads");
        });
        assert_eq!(
            right.receive_all::<u64>(NUMBERS, sent.len()).as_ref(),
            Ok(&sent)
        );
        assert_eq!(right.receive_all::<u64>(NUMBERS, 0), Ok(Vec::new()));
        right
            .receive_into(NUMBERS, &mut buffer)
            .expect("the same again");
    });
    assert_eq!(buffer, sent);
    assert_eq!(
        right.totals().received_bytes,
        2 * (300_000 * 8 + 3 * HEADER_BYTES as u64)
    );
    assert!(left.totals().mirror(&right.totals()));
}

#[test]
fn a_vector_of_another_count_blames_the_peer() {
    for (sent, wanted) in [(4_usize, 5_usize), (5, 4), (0, 1)] {
        let (mut left, mut right) = memory_pair();
        left.send_part(NUMBERS, &vec![9_u32; sent])
            .expect("the queue has room");
        let fault = right
            .receive_all::<u32>(NUMBERS, wanted)
            .expect_err("the counts differ");
        let what = Misbehaviour::Length {
            message: "Numbers",
            expected: 4 * wanted,
            got: 4 * sent,
        };
        assert_eq!(fault, what.into());
    }
}

#[test]
fn every_element_type_survives_the_way() {
    fn round<E: Element + Clone + PartialEq + std::fmt::Debug>(elements: &[E]) {
        let (mut left, mut right) = memory_pair();
        left.send_all(NUMBERS, elements)
            .expect("the queue has room");
        left.send_all(NUMBERS, elements)
            .expect("the queue has room");
        assert_eq!(
            right.receive_all::<E>(NUMBERS, elements.len()).as_deref(),
            Ok(elements)
        );
        let mut into: Vec<E> = elements.iter().rev().cloned().collect();
        right
            .receive_into(NUMBERS, &mut into)
            .expect("the same again");
        assert_eq!(into, elements);
    }
    round(b"bytes".as_slice());
    round(&[1_u16, 2, u16::MAX]);
    round(&[1_u32, 2, u32::MAX]);
    round(&[1_u64, 2, u64::MAX]);
    round(&[1_u128, 2, u128::MAX]);
    round(&[[1_u8, 2, 3], [4, 5, 6]]);
    round(&[crate::block::Block(1), crate::block::Block(u128::MAX)]);
}

#[test]
fn a_message_longer_than_a_frame_blames_this_side() {
    let (mut left, _right) = memory_pair();
    let fault = left
        .send_part(NUMBERS, &vec![0_u8; BODY_BYTES_MAX + 1])
        .expect_err("it cannot fit");
    let misuse = Misuse::MessageTooLong {
        message: "Numbers",
        max: BODY_BYTES_MAX,
        got: BODY_BYTES_MAX + 1,
    };
    assert_eq!(fault, misuse.into());
}

#[test]
fn one_changed_body_byte_makes_the_transcripts_differ() {
    let (left, mut middle) = memory_transports(MEMORY_DEADLINE);
    let (mut other, right) = memory_transports(MEMORY_DEADLINE);
    let (mut left, mut right) = (Channel::new(Box::new(left)), Channel::new(Box::new(right)));
    left.send(&greeting()).expect("the queue has room");
    let mut frame = middle.receive().expect("it was just sent");
    frame[HEADER_BYTES] ^= 1;
    other.send(frame).expect("the queue has room");
    right
        .receive::<Greeting>(8)
        .expect("the body is still well formed");
    assert!(!left.totals().mirror(&right.totals()));
}

#[test]
fn a_peer_that_is_gone_is_noticed_by_both_calls() {
    let (mut left, mut right) = memory_pair();
    right.send(&greeting()).expect("the queue has room");
    drop(right);
    assert_eq!(
        left.receive::<Greeting>(8),
        Ok(greeting()),
        "what was queued still arrives"
    );
    assert_eq!(left.receive::<Greeting>(8), Err(Broken::Closed.into()));
    assert_eq!(left.send(&greeting()), Err(Broken::Closed.into()));
}

#[test]
fn a_silent_peer_and_a_full_queue_end_at_the_deadline() {
    let after = Duration::from_millis(5);
    let (left, _right) = memory_transports(after);
    let mut left = Channel::new(Box::new(left));
    assert_eq!(
        left.receive::<Greeting>(8),
        Err(Broken::TimedOut { after }.into())
    );
    for _ in 0..MEMORY_FRAMES_MAX {
        left.send(&greeting()).expect("the queue has room");
    }
    assert_eq!(
        left.send(&greeting()),
        Err(Broken::TimedOut { after }.into())
    );
}

#[test]
fn two_sides_that_wait_for_each_other_end_at_once() {
    let (mut left, mut right) = memory_pair();
    thread::scope(|scope| {
        let other = scope.spawn(|| right.receive::<Greeting>(8));
        assert_eq!(left.receive::<Greeting>(8), Err(Broken::Stalled.into()));
        assert_eq!(other.join().expect("no panic"), Err(Broken::Stalled.into()));
    });
    let (mut left, mut right) = memory_pair();
    let flood =
        |channel: &mut Channel| (0..=MEMORY_FRAMES_MAX).try_for_each(|_| channel.send(&greeting()));
    thread::scope(|scope| {
        let other = scope.spawn(|| flood(&mut right));
        assert_eq!(flood(&mut left), Err(Broken::Stalled.into()));
        assert_eq!(other.join().expect("no panic"), Err(Broken::Stalled.into()));
    });
}

#[test]
fn only_chance_and_a_broken_line_allow_another_try() {
    let misbehaved: Fault = Misbehaviour::CheckFailed { check: "anything" }.into();
    assert!(!misbehaved.may_retry());
    assert!(Fault::from(Broken::Closed).may_retry());
    assert!(Fault::from(crate::fault::Abort::NoSolution { what: "anything" }).may_retry());
}

#[test]
fn joined_totals_mirror_only_lane_by_lane() {
    let total = |byte: u8| Totals {
        sent_bytes: 10,
        received_bytes: 20,
        sent_hash: [byte; 32],
        received_hash: [byte + 1; 32],
    };
    let turned = |total: Totals| Totals {
        sent_bytes: total.received_bytes,
        received_bytes: total.sent_bytes,
        sent_hash: total.received_hash,
        received_hash: total.sent_hash,
    };
    let (first, second) = (total(1), total(5));
    let joined = Totals::joined(&[first, second]);
    assert_eq!((joined.sent_bytes, joined.received_bytes), (20, 40));
    assert!(joined.mirror(&Totals::joined(&[turned(first), turned(second)])));
    assert!(!joined.mirror(&Totals::joined(&[turned(second), turned(first)])));
    assert_eq!(Totals::joined(&[first]), first);
    let bound = joined.bound_to(&[1; 32]);
    let theirs = Totals::joined(&[turned(first), turned(second)]);
    assert!(bound.mirror(&theirs.bound_to(&[1; 32])));
    assert!(!bound.mirror(&theirs.bound_to(&[2; 32])) && !bound.mirror(&theirs));
}

#[test]
fn one_meter_counts_several_channels_whose_totals_stay_their_own() {
    let meter = Meter::default();
    let (left, right) = memory_transports(MEMORY_DEADLINE);
    let (other_left, other_right) = memory_transports(MEMORY_DEADLINE);
    let mut one = Channel::counted_by(Box::new(left), meter.clone());
    let mut two = Channel::counted_by(Box::new(other_left), meter.clone());
    let kind = Kind::new(0x7f01, "test");
    one.send_part(kind, &[1u8, 2]).expect("sent");
    two.send_part(kind, &[1u8]).expect("sent");
    assert_eq!((one.totals().sent_bytes, two.totals().sent_bytes), (12, 11));
    assert_eq!(meter.sent_bytes(), 23);
    drop((right, other_right));
}
