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
            let everybody = |member| (Member(member), MemberSet::new(&stage.terms, []));
            heard.sharing = Sharing::new(&stage.terms, (0..4).map(everybody));
            heard.shares.retain(|(from, _)| from.0 != 4);
        }
    });
    assert_fault(&outcome, 0, &no_signature(2, "a contribution"));
}

/// One that picked another and was not picked by it, neither of them the recipient.
fn a_pick(sharing: &Sharing) -> (Member, Member) {
    let mut others = sharing.picks().iter().filter(|(from, _)| from.0 != 0);
    let one_sided = others.find_map(|(from, picks)| {
        let mut to = picks.iter().filter(|to| !sharing.has_dealt(*to, *from));
        to.find(|to| to.0 != 0).map(|to| (*from, to))
    });
    one_sided.expect("not all picks are mutual")
}

fn without(stage: &Stage, sharing: &Sharing, (from, to): (Member, Member)) -> Sharing {
    let picks = sharing.picks().iter().map(|(sharer, picks)| {
        let hides = |pick: &Member| (*sharer, *pick) != (from, to);
        (
            *sharer,
            MemberSet::new(&stage.terms, picks.iter().filter(hides)),
        )
    });
    Sharing::new(&stage.terms, picks)
}

fn graph() -> Stage {
    let stage = Stage::of(100, |_| ());
    assert!(stage.terms.degree().picks.is_some());
    stage
}

/// Runs with a change of one member's delivery, which knows a pick that goes one way.
fn with_hidden(
    stage: &Stage,
    change: impl Fn(Member, &mut Delivery, (Member, Member)) + Sync,
) -> (Outcome, (Member, Member)) {
    let hidden: Mutex<Option<(Member, Member)>> = Mutex::default();
    let outcome = stage.with(|to, heard: &mut Delivery| {
        let pick = a_pick(&heard.sharing);
        *hidden.lock().expect("not poisoned") = Some(pick);
        change(to, heard, pick);
    });
    let hidden = hidden.into_inner().expect("not poisoned");
    (outcome, hidden.expect("delivered"))
}

/// If a sum was opened, it is the plain sum of the survivors' vectors.
#[track_caller]
fn assert_plain_or_nothing(stage: &Stage, outcome: &Outcome) {
    let Some(sum) = &outcome.sum else {
        return;
    };
    let mut right = vec![0; stage.terms.cells()];
    for member in &sum.survivors {
        let vector = vector(&stage.terms, *member);
        right
            .iter_mut()
            .zip(vector)
            .for_each(|(sum, value)| *sum += value);
    }
    assert_eq!(sum.cells, right);
}

/// A coordinator that hides a box would choose which members share no mask.
#[test]
fn a_box_hidden_from_a_neighbour_is_missed() {
    let stage = graph();
    let (outcome, (from, hidden_from)) = with_hidden(&stage, |to, heard, (from, hidden_from)| {
        if to == hidden_from {
            heard.shares.retain(|(sealer, _)| *sealer != from);
        }
    });
    let missing = Misdeed::Missing {
        what: "the box",
        member: from,
    };
    assert_eq!(
        outcome.faults,
        [(hidden_from, RoundFault::Coordinator(missing))]
    );
    assert_plain_or_nothing(&stage, &outcome);
}

/// With the pick taken away as well, for the one that it leads to: the two sign different views.
#[test]
fn a_pick_hidden_from_a_neighbour_is_found() {
    let stage = graph();
    let (outcome, (from, hidden_from)) = with_hidden(&stage, |to, heard, pick| {
        if to == pick.1 {
            heard.shares.retain(|(sealer, _)| *sealer != pick.0);
            heard.sharing = without(&stage, &heard.sharing, pick);
        }
    });
    // One pick less is not what is due; with another in its place, the members would sign different things.
    let picks = stage.terms.degree().picks.expect("few neighbours");
    let what = Misdeed::Neighbours {
        expected: picks,
        got: picks - 1,
    };
    assert_eq!(outcome.faults, [(hidden_from, either(from.0, what))]);
    assert_plain_or_nothing(&stage, &outcome);
}

/// Another pick in its place, shown to all but the one that picked: that one signs another view, and nobody opens its contribution.
#[test]
fn a_pick_exchanged_for_another_is_found() {
    let stage = graph();
    let exchanged = |sharing: &Sharing, (from, to): (Member, Member)| {
        let picks = sharing.picks().iter().map(|(sharer, picks)| {
            let mut picks: Vec<Member> = picks.iter().collect();
            if *sharer == from {
                let free = stage.terms.everyone().find(|member| {
                    *member != from && !picks.contains(member) && !sharing.has_dealt(*member, from)
                });
                picks.retain(|pick| *pick != to);
                picks.push(free.expect("few neighbours"));
            }
            (*sharer, MemberSet::new(&stage.terms, picks))
        });
        Sharing::new(&stage.terms, picks)
    };
    let (outcome, _) = with_hidden(&stage, |to, heard, pick| {
        if to == pick.1 {
            heard.shares.retain(|(sealer, _)| *sealer != pick.0);
            heard.sharing = exchanged(&heard.sharing, pick);
        }
    });
    assert!(outcome.sum.is_none());
    let found = outcome.faults.iter().filter(|(_, fault)| {
        matches!(
            fault,
            RoundFault::MemberOrCoordinator {
                what: Misdeed::BadSignature { .. },
                ..
            }
        )
    });
    assert_eq!(found.count(), 100, "{:?}", outcome.faults);
    // Shown to the picker itself, it is missed at once.
    let (outcome, (from, _)) = with_hidden(&stage, |to, heard, pick| {
        if to == pick.0 {
            heard.sharing = exchanged(&heard.sharing, pick);
        }
    });
    let own = Misdeed::OwnMissing {
        what: "the choice of neighbours",
    };
    assert_eq!(outcome.faults, [(from, RoundFault::Coordinator(own))]);
    assert_plain_or_nothing(&stage, &outcome);
}

/// A survivor in name only would be counted among those whose noise and vectors hide the others.
#[test]
fn a_survivor_that_did_not_contribute_is_found_by_those_that_are_not_its_neighbours() {
    let stage = graph();
    let vanishes = |member: Member| match member.0 {
        99 => Step::Contribute,
        _ => Step::Never,
    };
    let outcome = stage.run_without(&vanishes, &|hop, bytes| {
        let everyone = |_, heard: &mut Survivors| {
            heard.survivors = MemberSet::new(&stage.terms, stage.terms.everyone());
        };
        Some(stage.changed(hop, bytes, everyone))
    });
    let missing = Misdeed::Missing {
        what: "the contribution's signature",
        member: Member(99),
    };
    assert!(outcome.sum.is_none());
    assert_eq!(outcome.faults.len(), 99);
    let fault = RoundFault::Coordinator(missing);
    assert!(outcome.faults.iter().all(|(_, found)| *found == fault));
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
    let (_, forged) = begin(&stage, Member(4), &Key::new(77), &mut Prg::new(Block(1)));
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
    let (_, mut cheating) = begin(&stage, Member(4), &stage.keys[4], &mut Prg::new(Block(1)));
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
