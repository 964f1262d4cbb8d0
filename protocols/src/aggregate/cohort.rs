//! The members that introduced themselves, as one member was shown them.
//!
//! Every box is bound to a hash of all introductions: members that were shown different ones cannot open each other's boxes, so their
//! contributions cannot be unmasked together.

use super::fault::{Misdeed, RoundFault};
use super::keys::PublicKey;
use super::messages::{Introduction, Introductions, RoundMessage};
use super::sign::{Purpose, verify};
use super::{Member, Terms};
use crate::hash;
use crate::session_id::SessionId;

/// Introductions, in ascending order; not all of their signatures need have been looked at.
pub(super) struct Cohort {
    sid: SessionId,
    introductions: Vec<Introduction>,
    /// Of each member of the roster, where its introduction is.
    places: Vec<Option<u16>>,
    digest: [u8; 32],
}

impl Cohort {
    pub(super) fn new(terms: &Terms, introductions: &Introductions) -> Result<Self, RoundFault> {
        let digest = hash::digest(
            "entente/1/aggregate/cohort",
            terms.sid(),
            &[&introductions.encode()],
        );
        let introductions = introductions.0.clone();
        let ascending = introductions.is_sorted_by(|a, b| a.member < b.member);
        let mut places = vec![None; terms.members()];
        for (introduction, place) in introductions.iter().zip(0..) {
            let member = introduction.member;
            let slot = places.get_mut(member.index());
            let outside = Misdeed::OutOfPlace {
                what: "an introduction",
                member,
            };
            *slot.ok_or(RoundFault::Coordinator(outside))? = Some(place);
        }
        if !ascending {
            let what = "the introductions";
            return Err(RoundFault::Coordinator(Misdeed::NotAscending { what }));
        }
        let (got, needed) = (introductions.len(), terms.survivors_min());
        if got < needed {
            return Err(RoundFault::TooFew {
                what: "introduced members",
                needed,
                got,
            });
        }
        Ok(Self {
            sid: *terms.sid(),
            introductions,
            places,
            digest,
        })
    }

    pub(super) fn sid(&self) -> &SessionId {
        &self.sid
    }

    pub(super) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    pub(super) fn members(&self) -> impl Iterator<Item = Member> {
        self.introductions
            .iter()
            .map(|introduction| introduction.member)
    }

    /// The introduction of a member of this cohort.
    pub(super) fn get(&self, member: Member) -> Result<&Introduction, RoundFault> {
        let place = self.places.get(member.index()).copied().flatten();
        let introduction = place.and_then(|place| self.introductions.get(usize::from(place)));
        introduction.ok_or(RoundFault::Coordinator(Misdeed::Missing {
            what: "the introduction",
            member,
        }))
    }

    /// Its mask key and its sealing key, after its signature has been looked at: where that is not valid, the coordinator can have changed it as
    /// well as the member; keys that are signed and must not be used are the member's.
    pub(super) fn verified(
        &self,
        terms: &Terms,
        member: Member,
    ) -> Result<[PublicKey; 2], RoundFault> {
        let introduction = self.get(member)?;
        verify(
            terms,
            Purpose::Introduction,
            member,
            &introduction.signed(),
            &introduction.signature,
        )
        .map_err(|what| RoundFault::MemberOrCoordinator { member, what })?;
        let key = |bytes| {
            let message = Introduction::KIND.name();
            PublicKey::new(bytes).map_err(|why| RoundFault::Member {
                member,
                what: Misdeed::Malformed { message, why },
            })
        };
        Ok([key(introduction.mask_key)?, key(introduction.sealing_key)?])
    }

    /// The mask key of a member whose introduction has been looked at, or of this one itself.
    pub(super) fn mask_key(&self, member: Member) -> Result<PublicKey, RoundFault> {
        let message = Introduction::KIND.name();
        PublicKey::new(self.get(member)?.mask_key).map_err(|why| {
            let what = Misdeed::Malformed { message, why };
            RoundFault::Member { member, what }
        })
    }
}
