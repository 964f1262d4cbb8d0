//! Who has come to a round that has not begun. Pure: no clock, no network.

use super::departure::too_few_came;
use super::facts::{Place, RoundFacts};
use entente_wire::problem::Problem;
use std::collections::BTreeMap;

/// Those that came, and the smallest number that each allows the round to have.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    come: BTreeMap<Place, u64>,
}

impl Gathering {
    /// A member comes, or comes again.
    pub(super) fn come(&mut self, place: Place, round_min: u64) {
        self.come.insert(place, round_min);
    }

    /// A member goes.
    pub(super) fn go(&mut self, place: Place) {
        self.come.remove(&place);
    }

    /// Nobody else can come.
    pub(super) fn is_complete(&self, facts: &RoundFacts) -> bool {
        self.come.len() == facts.members()
    }

    /// The round's number if enough have come, with the recipient among them.
    pub(super) fn number(&self, facts: &RoundFacts) -> Result<u64, Problem> {
        let is_here = |place: &Place| self.come.contains_key(place);
        if self.come.len() < facts.members_min || !is_here(&facts.recipient) {
            let absent: Vec<Place> = facts.places().filter(|place| !is_here(place)).collect();
            return Err(too_few_came(facts, &absent));
        }
        Ok(self.come.values().copied().max().unwrap_or(0).max(1))
    }

    /// Who is here.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        self.come.keys().copied()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::super::rehearsal::{facts, places};
    use super::*;
    use entente_wire::problem::{Code, Side};

    #[test]
    fn a_round_has_the_largest_number_that_anybody_needs_and_begins_at_one() {
        let facts = facts(3, 3);
        let mut gathering = Gathering::default();
        for place in places(3) {
            assert!(!gathering.is_complete(&facts));
            gathering.come(place, 0);
        }
        assert!(gathering.is_complete(&facts));
        assert_eq!(gathering.number(&facts).unwrap(), 1);
        gathering.come(Place::made_up(1), 41);
        gathering.come(Place::made_up(2), 7);
        assert_eq!(gathering.number(&facts).unwrap(), 41);
        gathering.go(Place::made_up(1));
        assert!(gathering.number(&facts).is_err());
    }

    #[test]
    fn too_few_are_told_how_many_came_how_many_are_needed_and_who_is_absent() {
        let facts = facts(30, 20);
        let mut gathering = Gathering::default();
        (0..19)
            .map(Place::made_up)
            .for_each(|at| gathering.come(at, 1));
        let problem = gathering.number(&facts).unwrap_err();
        assert_eq!(
            (problem.code, problem.side),
            (Code::PartnerSilent, Side::Network)
        );
        for told in ["19 of 30", "at least 20", "member-0019", "and 1 more"] {
            assert!(problem.what.contains(told), "{told}: {}", problem.what);
        }
        assert!(!problem.what.contains("member-0029"), "{}", problem.what);
        gathering.come(Place::made_up(19), 1);
        assert!(gathering.number(&facts).is_ok());
    }

    #[test]
    fn without_the_recipient_no_round_begins() {
        let facts = facts(5, 3);
        let mut gathering = Gathering::default();
        (1..5)
            .map(Place::made_up)
            .for_each(|at| gathering.come(at, 1));
        let problem = gathering.number(&facts).unwrap_err();
        let told = "with member-0000, who opens the sum";
        assert!(problem.what.contains(told), "{}", problem.what);
    }
}
