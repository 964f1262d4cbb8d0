//! A coordinator, or a member's changed node, that deviates: refused at the node that it tries it on, with who can have done it.

use super::round::{Before, Script, boxes, honest, losing};
use super::{ALL, Network, job};
use entente_wire::problem::{Code, Side};
use entente_wire::rpc::coordinator::v1::{RoundBoxes, round_down::Step as Down};
use std::sync::Mutex;

/// A round in which member 1 hears something else; its problem.
fn heard_by_one(change: impl Fn(Down) -> Down) -> (Option<entente_wire::problem::Problem>, bool) {
    let mut network = Network::new(4);
    network.ready(&job(4, ALL, "none"));
    let line = |place: usize, step: Down| if place == 1 { change(step) } else { step };
    let script = Script {
        number: 1,
        vanishes: &|_| Before::Never,
        line: &line,
    };
    let outcome = network.round(&script);
    (outcome.problems[1].clone(), outcome.opened)
}

#[track_caller]
fn refused(code: Code, change: impl Fn(Down) -> Down) {
    let (problem, _) = heard_by_one(change);
    let problem = problem.expect("the member has to notice");
    assert_eq!(problem.code, code, "{problem}");
    assert_ne!(problem.side, Side::Here, "{problem}");
}

fn without_last(mut boxes: RoundBoxes) -> RoundBoxes {
    boxes.boxes.pop();
    boxes
}

#[test]
fn survivors_that_differ_from_what_was_signed_are_refused() {
    // A survivor set with a forged member, and one without this very member.
    refused(Code::RoundSpoilt, |step| match step {
        Down::Survivors(mut boxes) => {
            boxes.boxes[2].content = vec![7; 64];
            Down::Survivors(boxes)
        }
        step => step,
    });
    refused(Code::CoordinatorMisbehaved, |step| match step {
        Down::Survivors(mut boxes) => {
            boxes.boxes.retain(|one| one.member != 1);
            Down::Survivors(boxes)
        }
        step => step,
    });
}

#[test]
fn two_different_survivor_sets_never_both_get_a_quorum() {
    let mut network = Network::new(4);
    network.ready(&job(4, ALL, "none"));
    // Members 2 and 3 are shown a set without member 1, which is a possible one.
    let line = |place: usize, step: Down| match (place >= 2, step) {
        (true, Down::Survivors(mut boxes)) => {
            boxes.boxes.retain(|one| one.member != 1);
            Down::Survivors(boxes)
        }
        (_, step) => step,
    };
    let script = Script {
        number: 1,
        vanishes: &|_| Before::Never,
        line: &line,
    };
    let outcome = network.round(&script);
    assert!(!outcome.opened);
    let gave = outcome
        .problems
        .iter()
        .filter(|problem| problem.is_none())
        .count();
    assert_eq!(
        gave, 0,
        "a member gave its shares for a set without a quorum: {:?}",
        outcome.problems
    );
}

#[test]
fn both_shares_of_a_member_cannot_be_asked_for() {
    // After it has answered for one set, a member answers for no other: the step is over.
    let mut network = Network::new(4);
    network.ready(&job(4, ALL, "none"));
    let earlier: Mutex<Option<RoundBoxes>> = Mutex::new(None);
    let line = |place: usize, step: Down| match (place, step) {
        (1, Down::Survivors(boxes)) => {
            *earlier.lock().expect("no panic") = Some(boxes.clone());
            Down::Survivors(boxes)
        }
        // In place of the votes it is asked to vote again.
        (1, Down::Votes(_)) => Down::Survivors(without_last(
            earlier.lock().expect("no panic").take().expect("kept"),
        )),
        (_, step) => step,
    };
    let script = Script {
        number: 1,
        vanishes: &|_| Before::Never,
        line: &line,
    };
    let outcome = network.round(&script);
    let problem = outcome.problems[1].as_ref().expect("refused");
    assert_eq!(problem.code, Code::CoordinatorMisbehaved, "{problem}");
}

#[test]
fn too_few_votes_open_nothing() {
    let (problem, _) = heard_by_one(|step| match step {
        Down::Votes(boxes) => Down::Votes(RoundBoxes {
            boxes: boxes.boxes[..2].to_vec(),
        }),
        step => step,
    });
    assert_eq!(problem.expect("refused").code, Code::TooFewParties);
}

#[test]
fn a_replayed_round_is_refused_by_number() {
    let mut network = Network::new(4);
    let job = network.ready(&job(4, ALL, "none"));
    let vanishes = |place: usize| {
        if place == 1 || place == 2 {
            Before::Contribution
        } else {
            Before::Never
        }
    };
    let outcome = network.round(&losing(&vanishes));
    assert!(!outcome.opened);
    assert!(!network.nodes[0].state(job).is_final());
    let again = network.grants();
    let outcome = network.round_of(again, &honest(1));
    // Those that vanished without a word have not been started again.
    for place in [0, 3] {
        let problem = outcome.problems[place].as_ref();
        let problem = problem.expect("a number is used once");
        assert_eq!(
            problem.code,
            Code::CoordinatorMisbehaved,
            "{place}: {problem}"
        );
    }
}

#[test]
fn whoever_has_signed_a_sum_gives_its_numbers_to_no_second_round() {
    let mut network = Network::new(4);
    network.ready(&job(4, ALL, "none"));
    // The coordinator keeps member 1's vector out of a first sum and keeps the votes to itself; then it asks for a round of all.
    let hides = |place: usize, step: Down| match (place, step) {
        (_, Down::Survivors(mut boxes)) => {
            boxes.boxes.retain(|one| one.member != 1);
            Down::Survivors(boxes)
        }
        (_, step) => step,
    };
    let vanishes = |place: usize| match place {
        1 => Before::Vote,
        _ => Before::Unmasking,
    };
    let outcome = network.round(&Script {
        number: 1,
        vanishes: &vanishes,
        line: &hides,
    });
    assert!(!outcome.opened);
    for place in [0, 2, 3] {
        network.nodes[place].start();
    }
    network.deliver();
    let again = network.grants();
    for place in [0, 2, 3] {
        assert!(again[place].is_none(), "{place} would go into another sum");
    }
}

#[test]
fn keys_and_boxes_that_are_none_may_be_the_members_doing() {
    refused(Code::RoundSpoilt, |step| match step {
        Down::Introductions(mut boxes) => {
            boxes.boxes[2].content = vec![7; 3];
            Down::Introductions(boxes)
        }
        step => step,
    });
    refused(Code::RoundSpoilt, |step| match step {
        Down::Survivors(mut boxes) => {
            boxes.boxes[2].content = vec![7; 3];
            Down::Survivors(boxes)
        }
        step => step,
    });
    refused(Code::RoundSpoilt, |step| match step {
        Down::Delivery(mut delivery) => {
            delivery.check_key = vec![7; 3];
            Down::Delivery(delivery)
        }
        step => step,
    });
}

#[test]
fn a_number_that_no_member_has_come_to_is_refused() {
    let mut network = Network::new(4);
    network.ready(&job(4, ALL, "none"));
    let outcome = network.round(&honest(1_000_000));
    for problem in outcome.problems {
        assert_eq!(problem.expect("refused").code, Code::CoordinatorMisbehaved);
    }
}

#[test]
fn a_sybil_among_the_keys_is_refused() {
    refused(Code::RoundSpoilt, |step| match step {
        Down::Introductions(mut boxes) => {
            // A second identity for a place: the same keys under another number.
            let mut sybil = boxes.boxes[2].clone();
            sybil.member = 3;
            boxes.boxes[3] = sybil;
            Down::Introductions(boxes)
        }
        step => step,
    });
    refused(Code::CoordinatorMisbehaved, |step| match step {
        Down::Introductions(mut boxes) => {
            let mut extra = boxes.boxes[3].clone();
            extra.member = 4;
            boxes.boxes.push(extra);
            Down::Introductions(boxes)
        }
        step => step,
    });
}

#[test]
fn a_hidden_or_exchanged_box_of_shares_is_noticed() {
    refused(Code::CoordinatorMisbehaved, |step| match step {
        Down::Delivery(mut delivery) => {
            delivery.shares.pop();
            Down::Delivery(delivery)
        }
        step => step,
    });
    refused(Code::RoundSpoilt, |step| match step {
        Down::Delivery(mut delivery) => {
            delivery.shares[0].content[5] ^= 1;
            Down::Delivery(delivery)
        }
        step => step,
    });
}

/// Member 0 is the recipient: what reaches it last is the sum.
#[test]
fn one_changed_word_of_the_sum_is_no_table() {
    for word in [0_usize, 3, 14] {
        let mut network = Network::new(4);
        let job = network.ready(&job(4, ALL, "none"));
        let line = |_: usize, step: Down| match step {
            Down::Words(mut bytes) => {
                bytes[8 * word] ^= 1;
                Down::Words(bytes)
            }
            step => step,
        };
        let script = Script {
            number: 1,
            vanishes: &|_| Before::Never,
            line: &line,
        };
        let outcome = network.round(&script);
        assert!(!outcome.opened);
        let problem = outcome.problems[0].as_ref().expect("noticed");
        assert_eq!(problem.code, Code::RoundSpoilt, "{problem}");
        network.nodes[0]
            .jobs()
            .result(&job.short())
            .expect_err("no table");
    }
}

#[test]
fn messages_out_of_order_are_the_coordinators_fault() {
    for early in [
        Down::Votes(boxes(&[])),
        Down::Survivors(boxes(&[])),
        Down::Unmaskings(boxes(&[])),
        Down::Words(vec![0; 8]),
        Down::Introductions(boxes(&[])),
    ] {
        refused(Code::CoordinatorMisbehaved, move |step| match step {
            Down::Begin(_) => early.clone(),
            step => step,
        });
    }
}

#[test]
fn a_sum_of_another_length_is_refused() {
    let mut network = Network::new(4);
    network.ready(&job(4, ALL, "none"));
    let line = |_: usize, step: Down| match step {
        Down::Words(mut bytes) => {
            bytes.extend([0; 8]);
            Down::Words(bytes)
        }
        step => step,
    };
    let script = Script {
        number: 1,
        vanishes: &|_| Before::Never,
        line: &line,
    };
    let outcome = network.round(&script);
    assert_eq!(
        outcome.problems[0].as_ref().expect("noticed").code,
        Code::CoordinatorMisbehaved
    );
}
