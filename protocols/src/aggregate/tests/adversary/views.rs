//! A coordinator that shows different members different things, forges, or replays.

use super::*;

/// Two cohorts: no box opens across them.
#[test]
fn members_that_see_different_cohorts_cannot_open_each_others_boxes() {
    let outcome = Stage::new().with(|to, heard: &mut Introductions| {
        if to.0 == 2 {
            heard.0.retain(|introduction| introduction.member.0 != 4);
        }
    });
    let missing = Misdeed::Missing {
        what: "the introduction",
        member: Member(4),
    };
    assert_fault(&outcome, 2, &RoundFault::Coordinator(missing));
    assert_fault(
        &outcome,
        0,
        &either(
            2,
            Misdeed::DoesNotOpen {
                what: "the box of shares",
            },
        ),
    );
}

/// A contribution made seeing other sharers is not opened: its signature says so.
#[test]
fn a_contribution_made_seeing_other_sharers_is_not_opened() {
    let stage = Stage::new();
    let outcome = stage.with(|to, heard: &mut Delivery| {
        if to.0 == 2 {
            heard.sharers = MemberSet::new(&stage.terms, (0..4).map(Member));
            heard.shares.retain(|(from, _)| from.0 != 4);
        }
    });
    assert_fault(&outcome, 0, &no_signature(2, "a contribution"));
}

/// In a graph of few neighbours, a member cannot know who dealt to it; hiding a box leaves a mask on the sum.
#[test]
fn a_box_hidden_from_a_neighbour_spoils_the_sum_and_is_found() {
    let stage = Stage::of(130, |_| ());
    assert!(stage.terms.degree().picks.is_some());
    let outcome = stage.run(&|hop, bytes| {
        let hide = |to: Member, heard: &mut Delivery| {
            // One that this member did not pick itself, so that only the box tells it of the mask.
            if to.0 == 7 {
                heard.shares.remove(0);
            }
        };
        Some(stage.changed(hop, bytes, hide))
    });
    // Or both picked each other: then nothing is spoilt, and a share is missing.
    let spoilt = outcome.faults.contains(&(Member(0), SUM_CHANGED));
    assert!(spoilt || outcome.sum.is_some(), "{:?}", outcome.faults);
}

#[test]
fn a_sybil_has_no_place_in_the_roster() {
    let stage = Stage::new();
    let outcome = stage.run(&|hop, mut bytes| {
        if hop.kind == Introductions::KIND.number() {
            // One more, with a number that the roster does not have.
            let (count, last) = (bytes[2], bytes[bytes.len() - 162..].to_vec());
            bytes[2] = count + 1;
            bytes.extend([&[5, 0], &last[2..]].concat());
        }
        Some(bytes)
    });
    assert!(outcome.sum.is_none());
    assert!(
        outcome
            .faults
            .iter()
            .all(|(_, fault)| matches!(fault, RoundFault::Coordinator(Misdeed::Malformed { .. })))
    );
    assert_eq!(outcome.faults.len(), MEMBERS);
}

/// Under the name of a member, with keys of its own.
#[test]
fn keys_that_a_member_did_not_sign_are_refused() {
    let stage = Stage::new();
    let (_, forged) = introduce(
        &stage.terms,
        Member(4),
        &Key::new(77),
        &mut Prg::new(Block(1)),
    )
    .expect("a member");
    let outcome = stage.with(|to, heard: &mut Introductions| {
        if to.0 != 4 {
            heard.0[4] = forged.clone();
        }
    });
    assert_fault(&outcome, 0, &no_signature(4, "an introduction"));
}

/// Signed by the member itself, a key that gives everybody a secret that all know is its own doing.
#[test]
fn a_signed_key_of_low_order_names_its_member() {
    let stage = Stage::new();
    let (_, mut cheating) = introduce(
        &stage.terms,
        Member(4),
        &stage.keys[4],
        &mut Prg::new(Block(1)),
    )
    .expect("a member");
    cheating.mask_key = [0; 32];
    let purpose = aggregate::sign::Purpose::Introduction;
    let (key, sid) = (&stage.keys[4], stage.terms.sid());
    cheating.signature = aggregate::sign::sign(key, purpose, sid, Member(4), &cheating.signed());
    let outcome = stage.with(|to, heard: &mut Introductions| {
        if to.0 != 4 {
            heard.0[4] = cheating.clone();
        }
    });
    let why = Malformed::Forbidden {
        what: "an X25519 public key of low order",
    };
    let what = Misdeed::Malformed {
        message: "introduction",
        why,
    };
    assert_fault(
        &outcome,
        0,
        &RoundFault::Member {
            member: Member(4),
            what,
        },
    );
}

#[test]
fn every_message_of_another_round_is_refused() {
    let (stage, other) = (
        Stage::new(),
        Stage::of(MEMBERS, |proposal| proposal.round = 2),
    );
    let recorded: Mutex<Vec<(Hop, Vec<u8>)>> = Mutex::default();
    let recorded_sum = other.run(&|hop, bytes| {
        recorded
            .lock()
            .expect("not poisoned")
            .push((hop, bytes.clone()));
        Some(bytes)
    });
    assert!(recorded_sum.sum.is_some());
    let recorded = recorded.into_inner().expect("not poisoned");
    for (replayed, stale) in &recorded {
        let outcome = stage.run(&|hop, bytes| {
            Some(if hop == *replayed {
                stale.clone()
            } else {
                bytes
            })
        });
        // A vote beyond the quorum goes nowhere; all else is refused where it comes to.
        let is_not_used = *replayed
            == (Hop {
                kind: Vote::KIND.number(),
                member: Member(4),
            });
        assert_eq!(outcome.faults.is_empty(), is_not_used, "{replayed:?}");
    }
}
