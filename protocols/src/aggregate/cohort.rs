//! The members that introduced themselves, as one member was shown them.
//!
//! Every box is bound to a hash of all introductions: members that were shown different ones cannot open each other's boxes, so their
//! contributions cannot be unmasked together. Every member looks at all of their signatures, not only at those of its neighbours: the bounds
//! on the graph count members, not names.

use super::fault::{Misdeed, RoundFault};
use super::keys::PublicKey;
use super::messages::{Introduction, Introductions, RoundMessage};
use super::sign::{Purpose, verify};
use super::{Member, Terms};
use crate::hash;
use crate::session_id::SessionId;

/// Introductions, in ascending order, all of them their members'.
pub(super) struct Cohort {
    sid: SessionId,
    introductions: Vec<Introduction>,
    /// Mask key and sealing key of each.
    keys: Vec<[PublicKey; 2]>,
    /// Of each member of the roster, where its introduction is.
    places: Vec<Option<u16>>,
    digest: [u8; 32],
}

/// The hash of introductions that boxes are bound to.
pub(super) fn digest(terms: &Terms, introductions: &Introductions) -> [u8; 32] {
    hash::digest(
        "entente/1/aggregate/cohort",
        terms.sid(),
        &[&introductions.encode()],
    )
}

/// A member's mask key and sealing key: where its signature is not valid, the coordinator can have changed them as well as the member; keys
/// that are signed and must not be used are the member's.
pub(super) fn keys_of(
    terms: &Terms,
    introduction: &Introduction,
) -> Result<[PublicKey; 2], RoundFault> {
    let (member, signature) = (introduction.member, &introduction.signature);
    let signed = introduction.signed();
    verify(terms, Purpose::Introduction, member, &signed, signature)
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

impl Cohort {
    /// At the member that introduced itself as `own`.
    pub(super) fn new(
        terms: &Terms,
        introductions: &Introductions,
        own: &Introduction,
    ) -> Result<Self, RoundFault> {
        let places = places(terms, introductions)?;
        let digest = digest(terms, introductions);
        let introductions = introductions.0.clone();
        let (got, needed) = (introductions.len(), terms.survivors_min());
        if got < needed {
            return Err(RoundFault::TooFew {
                what: "introduced members",
                needed,
                got,
            });
        }
        if !introductions.contains(own) {
            return Err(RoundFault::Coordinator(Misdeed::OwnMissing {
                what: "the introduction",
            }));
        }
        let keys = introductions.iter().map(|one| keys_of(terms, one));
        Ok(Self {
            sid: *terms.sid(),
            keys: keys.collect::<Result<_, _>>()?,
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
        let introduction = self
            .place(member)
            .and_then(|place| self.introductions.get(place));
        introduction.ok_or(no_introduction(member))
    }

    /// Its mask key and its sealing key.
    pub(super) fn keys(&self, member: Member) -> Result<&[PublicKey; 2], RoundFault> {
        let keys = self.place(member).and_then(|place| self.keys.get(place));
        keys.ok_or(no_introduction(member))
    }

    fn place(&self, member: Member) -> Option<usize> {
        let place = self.places.get(member.index()).copied().flatten();
        place.map(usize::from)
    }
}

fn no_introduction(member: Member) -> RoundFault {
    RoundFault::Coordinator(Misdeed::Missing {
        what: "the introduction",
        member,
    })
}

/// Where each member's introduction is; the list has to be ascending, and nobody in it who is not in the roster.
fn places(
    terms: &Terms,
    Introductions(introductions): &Introductions,
) -> Result<Vec<Option<u16>>, RoundFault> {
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
    match introductions.is_sorted_by(|a, b| a.member < b.member) {
        true => Ok(places),
        false => Err(RoundFault::Coordinator(Misdeed::NotAscending {
            what: "the introductions",
        })),
    }
}
