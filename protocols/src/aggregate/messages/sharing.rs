//! Who dealt, and to whom: with the cohort, all that a contribution rests on.

use super::super::{Member, Terms};
use super::MemberSet;
use crate::channel::Reader;
use crate::fault::Malformed;

/// The members that dealt, and what each picked. **Everybody signs a hash of all of it** with its contribution, after it has held its own picks against it and
/// taken a box from everybody that picked it. So among members that signed the same one, a pick is a mask at both ends, and a coordinator
/// that hides a box ends the round instead of cutting the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    sharers: MemberSet,
    /// Of each sharer, ascending; nothing where everybody is everybody's neighbour.
    picks: Vec<(Member, MemberSet)>,
}

impl Sharing {
    /// Of these members, ascending, with what they picked.
    pub fn new(terms: &Terms, picks: impl IntoIterator<Item = (Member, MemberSet)>) -> Self {
        let mut picks: Vec<(Member, MemberSet)> = picks.into_iter().collect();
        let sharers = MemberSet::new(terms, picks.iter().map(|(sharer, _)| *sharer));
        if terms.degree().picks.is_none() {
            picks.clear();
        }
        Self { sharers, picks }
    }

    /// Who dealt.
    pub fn sharers(&self) -> &MemberSet {
        &self.sharers
    }

    /// Of each sharer what it picked; nothing where everybody picked everybody.
    pub fn picks(&self) -> &[(Member, MemberSet)] {
        &self.picks
    }

    /// Whether `from` dealt to `to`.
    pub fn has_dealt(&self, from: Member, to: Member) -> bool {
        if self.picks.is_empty() {
            return from != to && self.sharers.contains(from);
        }
        let place = self.picks.binary_search_by_key(&from, |(from, _)| *from);
        place.is_ok_and(|place| self.picks[place].1.contains(to))
    }

    /// Who dealt to `to`, ascending.
    pub fn dealers(&self, to: Member) -> impl Iterator<Item = Member> {
        self.sharers
            .iter()
            .filter(move |from| self.has_dealt(*from, to))
    }

    /// The sharers with which `member` has a mask, ascending.
    pub fn neighbours(&self, member: Member) -> impl Iterator<Item = Member> {
        let is_linked = move |other: &Member| {
            *other != member && (self.has_dealt(*other, member) || self.has_dealt(member, *other))
        };
        self.sharers.iter().filter(is_linked)
    }

    /// Its bytes, as it travels and is hashed.
    pub(in crate::aggregate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![];
        self.encode(&mut bytes);
        bytes
    }

    pub(super) fn encode(&self, body: &mut Vec<u8>) {
        self.sharers.encode(body);
        self.picks.iter().for_each(|(_, picks)| picks.encode(body));
    }

    pub(super) fn decode(body: &mut Reader<'_>, terms: &Terms) -> Result<Self, Malformed> {
        let sharers = MemberSet::decode(body, terms)?;
        if terms.degree().picks.is_none() {
            return Ok(Self {
                sharers,
                picks: vec![],
            });
        }
        let picks = sharers
            .iter()
            .map(|sharer| Ok((sharer, MemberSet::decode(body, terms)?)));
        let picks = picks.collect::<Result<_, Malformed>>()?;
        Ok(Self { sharers, picks })
    }
}
