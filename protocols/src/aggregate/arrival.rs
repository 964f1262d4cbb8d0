//! What the coordinator looks at when a message comes: it is told nothing secret by it, and needs it only to lose one member instead of a round.
//!
//! A coordinator that calls each of these, and leaves out whose message fails, has nothing in its own messages that members would refuse but for
//! what it cannot see: boxes that do not open, vectors with a wrong authenticator, shares that do not fit. Members check all of it again.

use super::cohort::{Cohort, keys_of};
use super::fault::{Misdeed, RoundFault};
use super::messages::{
    Contribution, Dealing, Introduction, Introductions, MemberSet, Sharing, Vote,
};
use super::sign::{Purpose, verify};
use super::{Member, Terms};

/// What everybody who contributes has to have seen: the cohort, who dealt, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View([u8; 32]);

impl View {
    /// The hash that contributions and votes sign.
    pub fn new(terms: &Terms, introductions: &Introductions, sharing: &Sharing) -> Self {
        Self(sharing_hash(
            terms,
            &super::cohort::digest(terms, introductions),
            sharing,
        ))
    }

    pub(super) fn of(terms: &Terms, cohort: &Cohort, sharing: &Sharing) -> Self {
        Self(sharing_hash(terms, cohort.digest(), sharing))
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn sharing_hash(terms: &Terms, cohort: &[u8; 32], sharing: &Sharing) -> [u8; 32] {
    let parts: [&[u8]; 2] = [cohort, &sharing.to_bytes()];
    crate::hash::digest("entente/1/aggregate/view", terms.sid(), &parts)
}

impl Introduction {
    /// Whether it is its member's, with keys that can be used.
    pub fn check(&self, terms: &Terms) -> Result<(), RoundFault> {
        keys_of(terms, self).map(|_| ())
    }
}

impl Dealing {
    /// Whether there are boxes for as many members of this cohort as there must be, and check keys for all if they are due.
    pub fn check(&self, terms: &Terms, introductions: &Introductions) -> Result<(), RoundFault> {
        let cohort = MemberSet::new(terms, introductions.0.iter().map(|one| one.member));
        let due = terms.degree().picks.unwrap_or(cohort.count() - 1);
        let boxes = self.shares.iter().map(|(to, _)| *to);
        check_picks(self.member, boxes, &cohort, due)?;
        let keys = self.check_keys.iter().map(|(to, _)| *to);
        let due = if self.member == terms.recipient() {
            cohort.count() - 1
        } else {
            0
        };
        check_picks(self.member, keys, &cohort, due)
    }
}

/// Whether a member picked as many others of the cohort as are due.
pub(super) fn check_picks(
    member: Member,
    picks: impl Iterator<Item = Member>,
    cohort: &MemberSet,
    due: usize,
) -> Result<(), RoundFault> {
    let mut got = 0;
    for pick in picks {
        got += 1;
        if pick == member || !cohort.contains(pick) {
            let what = Misdeed::OutOfPlace {
                what: "a box",
                member: pick,
            };
            return Err(RoundFault::MemberOrCoordinator { member, what });
        }
    }
    let what = Misdeed::Neighbours { expected: due, got };
    match got == due {
        true => Ok(()),
        false => Err(RoundFault::MemberOrCoordinator { member, what }),
    }
}

impl Contribution {
    /// Whether its member signed that it saw this.
    pub fn check(&self, terms: &Terms, view: &View) -> Result<(), RoundFault> {
        check_signature(
            terms,
            Purpose::Contribution,
            self.member,
            &[view.as_bytes()],
            &self.signature,
        )
    }
}

impl Vote {
    /// Whether its member signed that it saw this and that these survived.
    pub fn check(
        &self,
        terms: &Terms,
        view: &View,
        survivors: &MemberSet,
    ) -> Result<(), RoundFault> {
        let parts = [&view.as_bytes()[..], survivors.as_bytes()];
        check_signature(
            terms,
            Purpose::Survivors,
            self.member,
            &parts,
            &self.signature,
        )
    }
}

/// The member can have signed something else, and the coordinator have changed it.
pub(super) fn check_signature(
    terms: &Terms,
    purpose: Purpose,
    member: Member,
    parts: &[&[u8]],
    signature: &[u8; 64],
) -> Result<(), RoundFault> {
    verify(terms, purpose, member, parts, signature)
        .map_err(|what| RoundFault::MemberOrCoordinator { member, what })
}
