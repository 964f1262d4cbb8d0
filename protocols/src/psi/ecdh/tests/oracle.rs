//! Equality with the intersection in the clear, and what the other side does not see.

use super::*;
use crate::adversary::{honest, record};
use crate::channel::memory_pair;
use crate::fault::{Difference, Misuse};
use proptest::prelude::*;

/// The first `common` ids are on both sides, in different order.
fn setup(mode: Mode, common: u32, only: [u32; 2], padding: [u32; 2], part_points: u32) -> Setup {
    let receiver: Vec<Id> = (0..common + only[0]).map(id).collect();
    let sender: Vec<Id> = (0..common)
        .rev()
        .chain(1_000_000..1_000_000 + only[1])
        .map(id)
        .collect();
    let sizes = [common + only[0] + padding[0], common + only[1] + padding[1]];
    Setup::new(mode, sizes, part_points, [receiver, sender])
}

fn check(setup: &Setup) {
    let outcome = setup.run(honest());
    outcome.sender.expect("an honest sender succeeds");
    assert!(setup.is_right(&outcome.receiver.expect("an honest receiver succeeds")));
    assert!(outcome.totals[0].mirror(&outcome.totals[1]));
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Reveal), Just(Mode::Count)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_answer_is_the_intersection(
        mode in mode(), common in 0_u32..12, receiver in 0_u32..12, sender in 0_u32..12,
        padding in [0_u32..4, 0_u32..4], part_points in 1_u32..8,
    ) {
        check(&setup(mode, common, [receiver, sender], padding, part_points));
    }
}

#[test]
fn the_answer_is_right_at_every_extreme() {
    for mode in [Mode::Reveal, Mode::Count] {
        check(&setup(mode, 0, [0, 0], [0, 0], 4)); // nothing at all
        check(&setup(mode, 0, [0, 0], [5, 5], 4)); // dummies only
        check(&setup(mode, 0, [0, 9], [0, 0], 4)); // one side empty
        check(&setup(mode, 0, [9, 0], [0, 0], 4));
        check(&setup(mode, 1, [0, 0], [0, 0], 4)); // one id
        check(&setup(mode, 20, [0, 0], [0, 0], 4)); // all common
        check(&setup(mode, 0, [20, 20], [0, 0], 4)); // none common
        check(&setup(mode, 1, [0, 200], [0, 0], 4)); // skewed, many more parts than any queue holds
        check(&setup(mode, 1, [200, 0], [0, 0], 4));
        check(&setup(mode, 40, [60, 50], [3, 7], 1)); // a part a point
    }
}

#[test]
fn public_roles_agree_over_the_public_part_size() {
    let (sid, sizes) = (
        SessionId::new([3; 32]),
        PaddedSizes::new(100, 50).expect("small"),
    );
    let (receiver, sender): (Vec<Id>, Vec<Id>) =
        ((0..90).map(id).collect(), (60..110).map(id).collect());
    let (mut left, mut right) = memory_pair();
    let count = thread::scope(|scope| {
        scope.spawn(|| {
            sender::count(&mut right, sid, &sender, sizes, &mut Prg::new(Block(1))).expect("honest")
        });
        receiver::count(&mut left, sid, &receiver, sizes, &mut Prg::new(Block(2)))
    });
    assert_eq!(count, Ok(30));
    let traffic = super::super::traffic(sizes);
    assert_eq!(left.totals().sent_bytes, traffic.from_receiver);
    assert_eq!(left.totals().received_bytes, traffic.from_sender);
}

#[test]
fn traffic_depends_on_the_agreed_sizes_alone() {
    let lengths = |setup: &Setup| {
        let (frames, outcome) = record(|ends| setup.run(ends));
        outcome.receiver.expect("an honest run succeeds");
        frames.map(|frames| frames.iter().map(Vec::len).collect::<Vec<_>>())
    };
    let all = setup(Mode::Reveal, 10, [0, 0], [0, 0], 4);
    let none = setup(Mode::Reveal, 0, [3, 1], [7, 9], 4);
    assert_eq!(lengths(&all), lengths(&none));
}

#[test]
fn no_point_is_sent_twice_in_a_run_or_again_in_another() {
    let setup = small(Mode::Reveal);
    let (first, _) = record(|ends| setup.run(ends));
    let mut other = setup.clone();
    other.terms.sid = SessionId::new([0x5b; 32]); // same seeds, so same exponents
    let (second, _) = record(|ends| other.run(ends));
    let mut seen = std::collections::HashSet::new();
    for frame in first
        .iter()
        .chain(&second)
        .flatten()
        .filter(|frame| frame[0] != 1)
    {
        assert!(
            frame[crate::channel::HEADER_BYTES..]
                .chunks(32)
                .all(|point| seen.insert(point))
        );
    }
}

#[test]
fn the_count_comes_back_in_an_order_unlike_the_receivers() {
    let ids: Vec<Id> = (0..64).map(id).collect();
    let setup = Setup::new(Mode::Count, [64, 32], 64, [ids.clone(), ids[..32].to_vec()]);
    let places = setup
        .run(honest())
        .receiver
        .expect("an honest run succeeds");
    assert_eq!(places.len(), 32);
    assert_ne!(
        places,
        (0..32).collect::<Vec<_>>(),
        "a reveal would give these"
    );
}

#[test]
fn two_sides_that_run_different_things_name_the_difference() {
    let ours = small(Mode::Reveal);
    let different = |change: fn(&mut Setup)| {
        let mut theirs = ours.clone();
        change(&mut theirs);
        let (mut left, mut right) = memory_pair();
        thread::scope(|scope| {
            let sender = scope.spawn(move || theirs.send(&mut right));
            let fault = ours.receive(&mut left).expect_err("the sides differ");
            sender
                .join()
                .expect("no panic")
                .expect_err("the sides differ");
            fault
        })
    };
    let number = |what, ours, theirs| Fault::from(Difference::Number { what, ours, theirs });
    assert_eq!(
        different(|s| s.terms.mode = Mode::Count),
        number("the mode (0 reveal, 1 count)", 0, 1)
    );
    assert_eq!(
        different(|s| s.terms.part_points = 4),
        number("the number of points in a part", 3, 4)
    );
    assert_eq!(
        different(|s| s.terms.sizes = PaddedSizes::new(8, 5).expect("small")),
        number("the receiver's padded size", 7, 8)
    );
    assert_eq!(
        different(|s| s.terms.sizes = PaddedSizes::new(7, 6).expect("small")),
        number("the sender's padded size", 5, 6)
    );
    let session = Fault::from(Difference::Bytes {
        what: "the session id",
    });
    assert_eq!(
        different(|s| s.terms.sid = SessionId::new([1; 32])),
        session
    );
}

#[test]
fn two_receivers_refuse_each_other() {
    let setup = small(Mode::Reveal);
    let (mut left, mut right) = memory_pair();
    let faults = thread::scope(|scope| {
        let other = scope.spawn(|| setup.receive(&mut right));
        [setup.receive(&mut left), other.join().expect("no panic")]
    });
    let what = "the role expected of the peer (0 receiver, 1 sender)";
    for fault in faults {
        assert_eq!(
            fault,
            Err(Difference::Number {
                what,
                ours: 1,
                theirs: 0
            }
            .into())
        );
    }
}

#[test]
fn a_callers_mistake_is_found_before_anything_is_sent() {
    let mut setup = small(Mode::Reveal);
    setup.receiver_ids.push(setup.receiver_ids[0]);
    setup.sender_ids.extend((500..510).map(id));
    let (mut left, mut right) = memory_pair();
    assert_eq!(
        setup.receive(&mut left),
        Err(Misuse::Duplicate { what: "ids" }.into())
    );
    assert_eq!(
        setup.send(&mut right),
        Err(Misuse::TooMany {
            what: "ids",
            max: 5,
            got: 14
        }
        .into())
    );
    assert_eq!(left.totals().sent_bytes + right.totals().sent_bytes, 0);
}
