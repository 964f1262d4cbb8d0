//! What a round goes by: the part of a job's seal that the coordinator needs, checked when the submission is filed.

use crate::limits::{DEALT_BOX_HELD_BYTES, NAMES_TOLD_MAX, ROUND_UPLOADS, TAG_WORDS_MAX};
use entente_wire::limits::{AGGREGATE_PARTIES_MIN, AGGREGATE_WORDS_MAX};
use entente_wire::names::OrgName;
use entente_wire::seal::AggregateTerms;

/// Bytes of one word.
pub(super) const WORD_BYTES: usize = 8;

/// A member's place in its job's roster, and so the number by which it is called in messages. Only [`RoundFacts`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u32);

impl Place {
    pub(super) fn number(self) -> u32 {
        self.0
    }

    #[cfg(test)]
    pub(super) fn made_up(number: u32) -> Self {
        Self(number)
    }
}

/// A job's round, as far as its coordinator is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoundFacts {
    /// All parties in ascending order.
    roster: Vec<OrgName>,
    pub(super) recipient: Place,
    /// 64-bit words of one contribution, the authenticator's included.
    pub(super) words: usize,
    /// Members without whom there is no round.
    pub(super) members_min: usize,
    pub(super) quorum: usize,
    /// Boxes that open a secret, the recipient's own share among them.
    pub(super) threshold: usize,
    /// How many each member deals to; nothing where it is everybody.
    pub(super) picks: Option<usize>,
}

/// Terms that no node computes.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum Senseless {
    #[error("its recipient {0} is no party")]
    Recipient(OrgName),
    #[error("{what} of its aggregation: {got}, where {least} to {most} make sense")]
    OutOfRange {
        what: &'static str,
        least: u64,
        most: u64,
        got: u64,
    },
}

fn range(
    what: &'static str,
    got: impl Into<u64>,
    least: u64,
    most: u64,
) -> Result<usize, Senseless> {
    let got = got.into();
    let outside = Senseless::OutOfRange {
        what,
        least,
        most,
        got,
    };
    let is_inside = (least..=most).contains(&got);
    usize::try_from(got)
        .ok()
        .filter(|_| is_inside)
        .ok_or(outside)
}

impl RoundFacts {
    /// Of a job with these parties, ascending.
    pub(crate) fn read(roster: Vec<OrgName>, terms: &AggregateTerms) -> Result<Self, Senseless> {
        let members = roster.len() as u64;
        range(
            "members",
            members,
            AGGREGATE_PARTIES_MIN as u64,
            u64::from(u16::MAX),
        )?;
        let recipient = place_in(&roster, &terms.recipient)
            .ok_or_else(|| Senseless::Recipient(terms.recipient.clone()))?;
        let words = range("words", terms.words, 1, AGGREGATE_WORDS_MAX)?;
        let tag_words = range("tag words", terms.tag_words, 0, TAG_WORDS_MAX.into())?;
        let survivors_min = range("fewest survivors", terms.survivors_min, 2, members)?;
        let quorum = range("the quorum", terms.quorum, 2, members)?;
        // Whoever is not among a quorum's number cannot end with one.
        let members_min = survivors_min.max(quorum);
        let picks = terms
            .picks
            .map(|picks| range("picks", picks, 1, members_min as u64 - 1));
        Ok(Self {
            recipient,
            words: words + tag_words,
            members_min,
            quorum,
            threshold: range("the threshold", terms.threshold, 1, members)?,
            picks: picks.transpose()?,
            roster,
        })
    }

    /// How many parties there are.
    pub(super) fn members(&self) -> usize {
        self.roster.len()
    }

    /// A party's place.
    pub(super) fn place(&self, org: &OrgName) -> Option<Place> {
        place_in(&self.roster, org)
    }

    /// The place of whoever a message calls by this number.
    pub(super) fn at(&self, number: u32) -> Option<Place> {
        let is_there = self.roster.len() > number as usize;
        is_there.then_some(Place(number))
    }

    /// Everybody's place.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> + use<> {
        (0..).map(Place).take(self.roster.len())
    }

    /// Who has this place, which is one of this roster.
    pub(super) fn org(&self, place: Place) -> &OrgName {
        &self.roster[place.0 as usize]
    }

    /// Who opens the sum, and so the only one that knows whether there is one.
    pub(crate) fn reader(&self) -> &OrgName {
        self.org(self.recipient)
    }

    /// Bytes of one contribution.
    pub(super) fn vector_bytes(&self) -> usize {
        self.words * WORD_BYTES
    }

    /// What a round holds at most: the sum, the vectors on their way into it, and everybody's boxes.
    pub(super) fn held_bytes(&self) -> u64 {
        let vectors = (ROUND_UPLOADS as u64 + 1) * self.vector_bytes() as u64;
        let dealt = self.picks.unwrap_or(self.members()) + 1;
        vectors + self.members() as u64 * dealt as u64 * DEALT_BOX_HELD_BYTES
    }

    /// Some members by name, for a sentence: the first few and how many more.
    pub(super) fn names(&self, places: impl IntoIterator<Item = Place>) -> String {
        let names: Vec<&str> = places.into_iter().map(|at| self.org(at).as_str()).collect();
        match names.len().saturating_sub(NAMES_TOLD_MAX) {
            0 => names.join(", "),
            more => {
                let told: Vec<&str> = names.into_iter().take(NAMES_TOLD_MAX).collect();
                format!("{} and {more} more", told.join(", "))
            }
        }
    }
}

fn place_in(roster: &[OrgName], org: &OrgName) -> Option<Place> {
    let place = roster.binary_search(org).ok()?;
    u32::try_from(place).ok().map(Place)
}

#[cfg(test)]
mod tests {
    use super::super::rehearsal::{roster, terms};
    use super::*;

    #[test]
    fn terms_that_no_node_computes_are_refused() {
        let good = terms(&roster(5)[0], 4);
        let read = |terms: &AggregateTerms| RoundFacts::read(roster(5), terms);
        assert!(read(&good).is_ok());
        assert!(RoundFacts::read(roster(2), &terms(&roster(2)[0], 2)).is_err());
        type Spoil = fn(&mut AggregateTerms);
        let spoil: [(&str, Spoil); 13] = [
            ("a stranger opens", |t| {
                t.recipient = "river-pay".parse().expect("a name")
            }),
            ("no words", |t| t.words = 0),
            ("too many words", |t| t.words = 10_000_001),
            ("a long authenticator", |t| t.tag_words = 129),
            ("one survivor", |t| t.survivors_min = 1),
            ("more survivors than members", |t| t.survivors_min = 6),
            ("a quorum of one", |t| t.quorum = 1),
            ("a quorum of more than all", |t| t.quorum = 6),
            ("no threshold", |t| t.threshold = 0),
            ("a threshold above all", |t| t.threshold = 6),
            ("no picks", |t| t.picks = Some(0)),
            ("as many picks as members needed", |t| t.picks = Some(4)),
            ("far too many picks", |t| t.picks = Some(u32::MAX)),
        ];
        for (what, spoil) in spoil {
            let mut bad = good.clone();
            spoil(&mut bad);
            assert!(read(&bad).is_err(), "{what}");
        }
    }
}
