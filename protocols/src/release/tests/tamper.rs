//! The tamper sweep. Everything up to the opening is compared before it, so a change there is a fault; what is opened afterwards is covered
//! by a commitment where both read.
//!
//! Most of a run's time are the base transfers, so what is swept is small: counts of four bits, which still take two rounds of gates, the
//! first of them with a digit left over. Who reads shows in nothing before the comparison; up to there it is swept once.

use super::*;
use crate::adversary::{Effort, Ended, Frames, assert_only_unnoticed_from, record};

/// Frames of each side before its closing.
fn before_the_closing(frames: &Frames) -> [usize; 2] {
    let is_closing =
        |frame: &Vec<u8>| frame.starts_with(&BEFORE_OPENING.kind.number().to_le_bytes());
    let place = |frames: &Vec<Vec<u8>>| frames.iter().position(is_closing);
    frames.each_ref().map(|frames| place(frames).expect("one"))
}

fn swept(readers: Readers, from: fn(&Frames) -> [usize; 2], unnoticeable: &[(Kind, &str)]) {
    let terms = Terms::new(3, vec![moment(4, true), moment(16, true)], 5, readers);
    let terms = terms.expect("fits");
    let table = [vec![6, -300], vec![3, 4], vec![5, 77]];
    let shares = shares(&terms, &table, 2);
    let seen = plain(&terms, &table);
    let session = |seed: u64| {
        let (terms, shares) = (&terms, &shares);
        move |ends: Ends| run_over(ends, terms, shares, seed)
    };
    let (genuine, _) = record(session(1));
    let (other, _) = record(session(2));
    let judged = |ends: Ends| {
        let (left, right, totals) = session(1)(ends);
        let wrong = |outcome: &Outcome| {
            let cells = outcome.as_ref().ok().and_then(Option::as_ref);
            cells.is_some_and(|cells| *cells != seen)
        };
        Ended {
            is_wrong: wrong(&left) || wrong(&right),
            faults: [left.err(), right.err()],
            totals,
        }
    };
    let (first, effort) = (from(&genuine), Effort::Sampled { body_bits: 1 });
    assert_only_unnoticed_from(first, effort, [&genuine, &other], judged, unnoticeable);
}

const FALSIFIED: &str = "one reader has no commitment to hold the other's share against";

#[test]
fn what_one_reader_is_opened_can_be_falsified_and_nothing_before_it() {
    for readers in [Readers::Receiver, Readers::Sender] {
        swept(readers, before_the_closing, &[(SHARES, FALSIFIED)]);
    }
}

#[test]
fn what_both_readers_are_opened_is_what_was_committed_to() {
    swept(Readers::Both, |_| [0; 2], &[]);
}
