//! Made-up rounds for tests: the coordinator opens nothing, so any bytes will do.

use super::facts::{Place, RoundFacts};
use entente_wire::names::OrgName;
use entente_wire::rpc::coordinator::v1::{RoundBox, RoundDealing};
use entente_wire::seal::AggregateTerms;
use std::collections::BTreeSet;

/// So many organisations, ascending.
pub(crate) fn roster(members: u32) -> Vec<OrgName> {
    let name = |number| format!("member-{number:04}");
    let parsed = |name: String| name.parse().expect("a valid name");
    (0..members).map(name).map(parsed).collect()
}

/// Terms as nodes would make them, of two words and an authenticator of one; the first opens the sum.
pub(crate) fn terms(recipient: &OrgName, needed: u32) -> AggregateTerms {
    AggregateTerms {
        version: 2,
        recipient: recipient.clone(),
        words: 2,
        tag_words: 1,
        survivors_min: needed,
        colluders: 1,
        quorum: needed,
        picks: None,
        threshold: needed,
        isolable: 0,
    }
}

/// What follows from them.
pub(super) fn facts(members: u32, needed: u32) -> RoundFacts {
    let roster = roster(members);
    let terms = terms(&roster[0], needed);
    RoundFacts::read(roster, &terms).expect("sensible terms")
}

/// The same where each deals to so many only.
pub(super) fn picking(mut facts: RoundFacts, picks: usize) -> RoundFacts {
    facts.picks = Some(picks);
    facts
}

pub(super) fn places(members: u32) -> impl Iterator<Item = Place> {
    (0..members).map(Place::made_up)
}

/// A box for each of them; it begins with who made it and whom it is for.
pub(crate) fn dealt_to(from: u32, to: impl IntoIterator<Item = u32>) -> Vec<RoundBox> {
    let sealed = |member: u32| RoundBox {
        member,
        content: [from, member]
            .map(|number| number.to_le_bytes()[0])
            .repeat(8),
    };
    to.into_iter().map(sealed).collect()
}

/// A dealing as it has to be.
pub(super) fn dealing(facts: &RoundFacts, cohort: &BTreeSet<Place>, from: Place) -> RoundDealing {
    let others = || {
        cohort
            .iter()
            .filter(|at| **at != from)
            .map(|at| at.number())
    };
    let reads = from == facts.recipient;
    RoundDealing {
        shares: dealt_to(from.number(), others()),
        check_keys: if reads {
            dealt_to(from.number(), others())
        } else {
            Vec::new()
        },
    }
}
