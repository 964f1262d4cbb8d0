//! A coordinator that wants two survivor sets, too small a one, or votes that nobody gave.

use super::*;

/// Half of the members are told that member 4 vanished. No side gets a quorum, and nobody gives a share.
#[test]
fn two_survivor_sets_open_nothing() {
    let stage = Stage::new();
    let outcome = stage.with(|to, heard: &mut Survivors| {
        if to.0 < 2 {
            heard.survivors = MemberSet::new(&stage.terms, (0..4).map(Member));
            heard.signatures.retain(|(member, _)| member.0 != 4);
        }
    });
    assert_fault(&outcome, 0, &no_signature(2, "a survivor set"));
    assert_fault(&outcome, 2, &no_signature(0, "a survivor set"));
    assert_eq!(outcome.faults.len(), MEMBERS);
}

/// The proof behind it, for every size and number of colluders: two quorums have more members in common than collude.
#[test]
fn two_quorums_share_an_honest_member() {
    for members in 3..=40u16 {
        let keys = keys(usize::from(members));
        for colluders in 0..=members - 3 {
            let Ok(terms) = Terms::new(proposal(&keys, 1, colluders)) else {
                continue;
            };
            assert!(2 * terms.quorum() - usize::from(members) > usize::from(colluders));
            assert!(terms.honest_min() >= 2);
        }
    }
}

#[test]
fn fewer_votes_than_a_quorum_release_nothing() {
    let stage = Stage::new();
    let outcome = stage.with(|_, votes: &mut Votes| votes.0.truncate(3));
    assert_fault(
        &outcome,
        0,
        &RoundFault::TooFew {
            what: "votes",
            needed: 4,
            got: 3,
        },
    );
}

#[test]
fn a_vote_counts_once() {
    let stage = Stage::new();
    let outcome = stage.run(&|hop, bytes| {
        if hop.kind != Votes::KIND.number() {
            return Some(bytes);
        }
        let mut votes = Votes::decode(&bytes, &stage.terms).expect("honest");
        votes.0[1] = votes.0[0];
        Some(votes.encode())
    });
    let why = Malformed::NotCanonical {
        what: "a list of members",
    };
    let malformed = Misdeed::Malformed {
        message: "votes",
        why,
    };
    assert_fault(&outcome, 0, &RoundFault::Coordinator(malformed));
}

#[test]
fn a_vote_of_one_that_vanished_does_not_count() {
    let stage = Stage::of(6, |_| ());
    let vanishes = |member: Member| {
        if member.0 == 5 {
            Step::Contribute
        } else {
            Step::Never
        }
    };
    let outcome = stage.run_without(&vanishes, &|hop, bytes| {
        Some(stage.changed(hop, bytes, |_, votes: &mut Votes| votes.0[3].0 = Member(5)))
    });
    let out_of_place = Misdeed::OutOfPlace {
        what: "a vote",
        member: Member(5),
    };
    assert_fault(&outcome, 0, &RoundFault::Coordinator(out_of_place));
}

/// What is on disk is what is voted for and answered: a record of another set opens nothing.
#[test]
fn another_persisted_set_gives_no_vote_and_no_share() {
    let stage = Stage::new();
    let (state, heard, _) = by_hand(&stage, &|_| Step::Never);
    let (agreed, mut record) = state.agree(&heard).expect("honest");
    record.survivors = MemberSet::new(&stage.terms, (0..4).map(Member));
    let persisted = PersistedSurvivors::written(record);
    let refused = Some(RoundFault::Refused(Refusal::OtherSurvivors));
    assert_eq!(agreed.vote(&persisted, &stage.keys[1]).err(), refused);
    assert_eq!(agreed.release(&persisted, &Votes(vec![])).err(), refused);
}

/// A member that came late, or whose contribution the coordinator leaves out, gives nobody's share.
#[test]
fn a_member_that_is_not_among_the_survivors_does_not_vote() {
    let outcome = Stage::new().with(|to, heard: &mut Survivors| {
        let terms = Stage::new().terms;
        heard.survivors = MemberSet::new(&terms, (0..4).map(Member));
        heard
            .signatures
            .retain(|(member, _)| member.0 != 4 && to.0 != 4);
    });
    let missing = Misdeed::OwnMissing {
        what: "the contribution",
    };
    let fault = outcome
        .faults
        .iter()
        .find(|(at, _)| *at == Member(4))
        .map(|(_, fault)| fault);
    assert_eq!(fault, Some(&RoundFault::Coordinator(missing)));
}

/// Named a survivor after it had vanished before it dealt: nobody holds its shares.
#[test]
fn one_that_did_not_deal_cannot_survive() {
    let stage = Stage::new();
    let vanishes = |member: Member| {
        if member.0 == 4 {
            Step::Deal
        } else {
            Step::Never
        }
    };
    let outcome = stage.run_without(&vanishes, &|hop, bytes| {
        let everyone = |_, heard: &mut Survivors| {
            heard.survivors = MemberSet::new(&stage.terms, stage.terms.everyone())
        };
        Some(stage.changed(hop, bytes, everyone))
    });
    let out_of_place = Misdeed::OutOfPlace {
        what: "survival",
        member: Member(4),
    };
    assert_fault(&outcome, 1, &RoundFault::Coordinator(out_of_place));
}

#[test]
fn fewer_contributions_than_parties_are_not_opened() {
    let stage = Stage::of(MEMBERS, |proposal| proposal.min_parties = 5);
    let vanishes = |member: Member| {
        if member.0 == 4 {
            Step::Contribute
        } else {
            Step::Never
        }
    };
    let outcome = stage.run_without(&vanishes, &honest);
    assert_fault(
        &outcome,
        0,
        &RoundFault::TooFew {
            what: "contributions",
            needed: 5,
            got: 4,
        },
    );
}
