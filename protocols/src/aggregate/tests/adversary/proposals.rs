//! What is refused before a round.

use super::*;

fn refusal(change: impl Fn(&mut Proposal)) -> Option<RoundFault> {
    let mut proposal = proposal(&keys(MEMBERS), 6, 1);
    change(&mut proposal);
    Terms::new(proposal).err()
}

#[test]
fn a_party_twice_is_refused() {
    let twice = Some(RoundFault::Refused(Refusal::Roster));
    assert_eq!(
        refusal(|proposal| proposal.roster[1].name = proposal.roster[0].name.clone()),
        twice
    );
    assert_eq!(
        refusal(|proposal| proposal.roster[4].identity = proposal.roster[0].identity),
        twice
    );
    assert_eq!(refusal(|proposal| proposal.roster.swap(0, 1)), twice);
    assert_eq!(refusal(|_| ()), None);
}

/// Whoever knows that a key is of low order can sign for it.
#[test]
fn an_identity_of_low_order_or_in_another_encoding_is_refused() {
    let identities = [
        [0; 32],
        {
            let mut neutral = [0; 32];
            neutral[0] = 1;
            neutral
        },
        [0xff; 32],
    ];
    for identity in identities {
        let refused = refusal(|proposal| proposal.roster[3].identity = identity);
        assert_eq!(refused, Some(Refusal::Identity(Member(3)).into()));
    }
}

#[test]
fn a_round_that_another_was_persisted_for_does_not_begin() {
    let (stage, other) = (
        Stage::new(),
        Stage::of(MEMBERS, |proposal| proposal.round = 2),
    );
    let persisted = PersistedRound::begun(&other.terms);
    let (key, rng) = (&stage.keys[1], &mut Prg::new(Block(1)));
    let begun = introduce(&stage.terms, Member(1), persisted, key, rng);
    assert_eq!(begun.err(), Some(Refusal::OtherRound.into()));
}

/// The recipient knows its own share, also where others collude and it does not; and members that survive in name only bring none.
#[test]
fn noise_is_of_full_strength_without_the_recipients_share() {
    for (members, colluders) in [(5, 0), (5, 1), (5, 2), (100, 1)] {
        let terms = Stage::of(members, |proposal| {
            proposal.colluders = colluders;
            proposal.min_parties = colluders + 3;
        });
        let terms = terms.terms;
        let known = usize::from(colluders) + 1 + terms.degree().isolable;
        assert_eq!(terms.noise_parties(), terms.survivors_min() - known);
        assert!(terms.noise_parties() >= 1);
        assert_eq!(terms.degree().isolable > 0, members == 100);
        assert!(terms.honest_min() >= 2);
    }
}

#[test]
fn sums_that_could_leave_a_word_are_refused() {
    let with = |cells, magnitude_max, noise| {
        refusal(|proposal| {
            proposal.columns.push(Column {
                cells,
                magnitude_max,
                noise,
            })
        })
    };
    // Five members: 5·m < 2^63.
    let most = (1 << 63) / 5;
    assert_eq!(with(1, most, None), None);
    assert_eq!(
        with(1, most + 1, None),
        Some(
            Refusal::Overflow {
                column: 1,
                bits: 64
            }
            .into()
        )
    );
    assert_eq!(
        with(1, u64::MAX, None),
        Some(
            Refusal::Overflow {
                column: 1,
                bits: 67
            }
            .into()
        )
    );
    // The noise counts too.
    assert!(matches!(
        with(1, most, Scale::new(1, 1)),
        Some(RoundFault::Refused(Refusal::Overflow { .. }))
    ));
    assert!(matches!(
        with(1, 1, Scale::new(1 << 119, 1)),
        Some(RoundFault::Refused(Refusal::Overflow { .. }))
    ));
}

#[test]
fn too_few_honest_members_are_refused() {
    let is_out_of_range = |fault: Option<RoundFault>| {
        matches!(fault, Some(RoundFault::Refused(Refusal::OutOfRange { .. })))
    };
    assert!(is_out_of_range(
        refusal(|proposal| proposal.min_parties = 2)
    ));
    assert!(is_out_of_range(
        refusal(|proposal| proposal.min_parties = 6)
    ));
    assert!(is_out_of_range(refusal(|proposal| proposal.colluders = 4)));
    assert!(is_out_of_range(refusal(
        |proposal| proposal.recipient = Member(5)
    )));
    assert!(is_out_of_range(refusal(|proposal| proposal
        .columns
        .clear())));
    assert!(is_out_of_range(refusal(|proposal| proposal
        .roster
        .truncate(2))));
}

/// Whatever is fixed beforehand changes the round's name, and with it every key, box and signature.
#[test]
fn the_round_is_named_after_everything_that_is_fixed() {
    type Change = fn(&mut Proposal);
    let changes: [Change; 9] = [
        |_| (),
        |proposal| proposal.job[0] ^= 1,
        |proposal| proposal.round += 1,
        |proposal| proposal.roster[0].name.insert(0, 'a'),
        |proposal| proposal.roster[0].identity = Key::new(77).organisation(0).identity,
        |proposal| proposal.recipient = Member(1),
        |proposal| proposal.min_parties += 1,
        |proposal| proposal.colluders = 0,
        |proposal| proposal.columns[0].magnitude_max -= 1,
    ];
    let names = changes.map(|change| {
        let mut proposal = proposal(&keys(MEMBERS), 6, 1);
        change(&mut proposal);
        *Terms::new(proposal).expect("fits").sid()
    });
    for (place, name) in names.iter().enumerate() {
        assert!(names[..place].iter().all(|other| other != name), "{place}");
    }
}
