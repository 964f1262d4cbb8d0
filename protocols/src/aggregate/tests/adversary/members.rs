//! Members that cheat.

use super::*;

#[test]
fn a_box_that_does_not_open_names_its_sealer_or_the_coordinator() {
    let outcome = Stage::new().with(|from, dealing: &mut Dealing| {
        if from.0 == 2 {
            dealing.shares[0].1[3] ^= 1;
        }
    });
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
    let outcome = Stage::new().with(|_, dealing: &mut Dealing| {
        if let Some((_, sealed)) = dealing.check_keys.get_mut(1) {
            sealed[0] ^= 1;
        }
    });
    let fault = either(
        0,
        Misdeed::DoesNotOpen {
            what: "the box of the check key",
        },
    );
    assert_eq!(outcome.faults, [(Member(2), fault)]);
}

/// The recipient gives member 2 another key than the others: the sum's authenticator less that of its cells would be a linear equation in member 2's
/// vector. Its own key is the one it introduced.
#[test]
fn a_recipient_that_deals_two_check_keys_is_found() {
    let stage = Stage::new();
    let heard: Mutex<Vec<u8>> = Mutex::default();
    stage.run(&|hop, bytes| {
        if hop.kind == Introductions::KIND.number() && hop.member == Member(0) {
            *heard.lock().expect("not poisoned") = bytes.clone();
        }
        Some(bytes)
    });
    let heard = heard.into_inner().expect("not poisoned");
    let introductions = Introductions::decode(&heard, &stage.terms).expect("honest");
    let rng = |step: Step| rng(5, Member(0), step);
    let introduced = &mut rng(Step::Introduce);
    let (mut cheating, _) = begin(&stage, Member(0), &stage.keys[0], introduced);
    cheating.check_key = Some(crate::secret::Secret::new(Block(1)));
    let (_, other) = cheating
        .deal(&introductions, &mut rng(Step::Deal))
        .expect("honest otherwise");
    let outcome = stage.with(|from, dealing: &mut Dealing| {
        if from.0 == 0 {
            dealing.check_keys[1] = other.check_keys[1];
        }
    });
    let fault = RoundFault::Member {
        member: Member(0),
        what: Misdeed::OtherCheckKey,
    };
    assert_eq!(outcome.faults, [(Member(2), fault)]);
    // Member 2 has left; what the others opened is theirs.
    let sum = outcome.sum.expect("four are enough");
    assert!(!sum.survivors.contains(&Member(2)));
}

#[test]
fn a_changed_box_of_unmasking_shares_does_not_open() {
    let outcome = Stage::new()
        .with(|from, unmasking: &mut Unmasking| unmasking.sealed[0] ^= u8::from(from.0 == 3));
    assert_fault(
        &outcome,
        0,
        &either(
            3,
            Misdeed::DoesNotOpen {
                what: "the box of unmasking shares",
            },
        ),
    );
}

/// A round in which member 1 gives a wrong share of one half of each of member 3's secrets.
fn with_a_wrong_share(stage: &Stage, vanishes: &(dyn Fn(Member) -> Step + Sync)) -> Outcome {
    let (mut state, heard, votes) = by_hand(stage, vanishes);
    let share = state.held.get_mut(&Member(3)).expect("all are neighbours");
    share.self_mask.expose_mut()[1].0 ^= 1;
    share.mask_key.expose_mut()[0].0 ^= 1;
    let (agreed, record) = state.agree(&heard).expect("honest");
    let (_, wrong) = agreed
        .release(&PersistedSurvivors::written(record), &votes)
        .expect("honest");
    let wrong = wrong.expect("member 1 does not read").encode();
    stage.run_without(vanishes, &|hop, bytes| {
        let is_due = hop
            == Hop {
                kind: Unmasking::KIND.number(),
                member: Member(1),
            };
        Some(if is_due { wrong.clone() } else { bytes })
    })
}

/// Exactly as many shares as open a secret: it is not the one that member 3 committed to.
#[test]
fn a_wrong_share_names_its_owner_and_the_holders() {
    let gone = [
        // Member 4 contributes, so members 0 to 3 are the holders of a survivor's secret.
        (4, Step::Release, "self-mask", vec![0, 1, 2, 3]),
        (3, Step::Contribute, "mask key", vec![0, 1, 2, 3, 4]),
    ];
    for (member, step, what, members) in gone {
        let vanishes = |other: Member| match other.0 == member {
            true => step,
            false => Step::Never,
        };
        let outcome = with_a_wrong_share(&Stage::new(), &vanishes);
        let members = members.into_iter().map(Member).collect();
        let what = Misdeed::SharesDisagree { what };
        assert_fault(&outcome, 0, &RoundFault::OneOf { members, what });
    }
}

/// With one share to spare, or with several, of a survivor's secret and of a vanished one's.
#[test]
fn one_wrong_share_is_survived_where_another_stands_in() {
    for (members, step) in [
        (5, Step::Never),
        (8, Step::Never),
        (8, Step::Contribute),
        (9, Step::Contribute),
    ] {
        let stage = Stage::of(members, |_| ());
        let vanishes = |member: Member| match member.0 {
            3 => step,
            _ => Step::Never,
        };
        let honest = stage.run_without(&vanishes, &honest);
        let outcome = with_a_wrong_share(&stage, &vanishes);
        assert_eq!(outcome.faults, []);
        let sum = outcome.sum.expect("enough honest shares are there");
        assert_eq!(Some(sum), honest.sum);
    }
}

#[test]
fn a_value_outside_of_its_range_is_refused_and_never_clipped() {
    let stage = Stage::new();
    let most = stage.terms.columns()[0].magnitude_max as i64;
    for (value, fits) in [
        (most, true),
        (-most, true),
        (most + 1, false),
        (-most - 1, false),
        (i64::MIN, false),
    ] {
        let vectors = |member: Member| {
            let mut vector = vector(&stage.terms, member);
            if member.0 == 3 {
                vector[2] = value;
            }
            vector
        };
        let (terms, keys) = (&stage.terms, &stage.keys[..]);
        let outcome = Rehearsal {
            terms,
            keys,
            vectors: &vectors,
            vanishes: &|_| Step::Never,
            line: &honest,
            seed: 1,
        }
        .run();
        let refused = (
            Member(3),
            RoundFault::Refused(Refusal::CellOutOfRange { cell: 2 }),
        );
        assert_eq!(outcome.faults.contains(&refused), !fits, "{value}");
        // The others go on without it.
        assert_eq!(
            outcome.sum.expect("four are enough").survivors.len(),
            if fits { 5 } else { 4 }
        );
    }
}
