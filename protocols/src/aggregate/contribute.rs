//! A member's third step: it takes its neighbours' shares, and sends its vector under masks.
//!
//! It takes a dealing from everybody who dealt to it, and signs who dealt to whom ([`Sharing`]): a box that the coordinator hides is missed here, not in the sum.
//! From here on a member can be asked for shares of others. It takes no dealing after it has contributed: everybody whose mask is on its words is known by then.

use super::agree::Contributed;
use super::arrival::{View, check_picks};
use super::fault::{Misdeed, Refusal, RoundFault, malformed};
use super::join::{Lines, Seat, Secrets};
use super::keys::{RoundKey, check_commitment, self_mask_seed};
use super::mask::{CheckKey, Stream, hide};
use super::messages::{Contribution, Delivery, MemberSet, Sharing};
use super::seal::{Content, Label, open};
use super::shamir::Halves;
use super::sign::{Identity, Purpose, sign};
use super::{Cohort, Member, TAG_WORDS, Terms};
use crate::block::Block;
use crate::channel::Reader;
use crate::fault::Malformed;
use crate::secret::Secret;
use crate::simd::aes::Sign;
use std::collections::BTreeMap;

/// A member that has dealt.
pub struct Dealt {
    pub(super) seat: Seat,
    pub(super) cohort: Cohort,
    pub(super) picks: Vec<Member>,
    pub(super) own_shares: Secrets,
    pub(super) self_mask: Secret<Halves>,
    pub(super) mask_key: RoundKey,
    pub(super) lines: Lines,
    /// Made by the recipient; others get it with the delivery.
    pub(super) check_key: Option<Secret<Block>>,
    /// This member's share, drawn when it introduced itself; no words if no column has noise.
    pub(super) noise: Secret<Vec<u64>>,
}

impl Dealt {
    /// Masks `values`, one for each cell, with this member's share of the noise on them. A value outside of its column's range is refused, and
    /// so is a delivery with too few sharers, or with other picks than this member's; nothing leaves then, and this member has left the round.
    pub fn contribute(
        mut self,
        delivery: &Delivery,
        values: &[i64],
        identity: &dyn Identity,
    ) -> Result<(Contributed, Contribution), RoundFault> {
        check_values(&self.seat.terms, values)?;
        self.check_sharing(&delivery.sharing)?;
        let held = self.take_shares(delivery)?;
        let check_key = self.take_check_key(delivery)?;
        let streams = self.streams(&delivery.sharing)?;
        let terms = &self.seat.terms;
        let mut words = std::mem::take(self.noise.expose_mut());
        words.resize(values.len() + TAG_WORDS, 0);
        hide(&mut words, values, &streams, &CheckKey::new(&check_key));
        let view = View::of(terms, &self.cohort, &delivery.sharing);
        let (me, signed) = (self.seat.me, [&view.as_bytes()[..]]);
        let signature = sign(identity, Purpose::Contribution, terms.sid(), me, &signed);
        let contributed = Contributed {
            seat: self.seat,
            cohort: self.cohort,
            sharing: delivery.sharing.clone(),
            view,
            held,
            lines: self.lines,
            check_key,
        };
        Ok((
            contributed,
            Contribution {
                member: me,
                signature,
                words,
            },
        ))
    }

    /// Enough members of the cohort, this one and the recipient among them, with as many picks as are due, this one's as it made them, and
    /// enough of those that this one dealt to: its contribution could not be opened otherwise.
    fn check_sharing(&self, sharing: &Sharing) -> Result<(), RoundFault> {
        let (terms, me, sharers) = (&self.seat.terms, self.seat.me, sharing.sharers());
        for sharer in sharers.iter() {
            self.cohort.get(sharer)?;
        }
        if !sharers.contains(me) {
            return Err(RoundFault::Coordinator(Misdeed::OwnMissing {
                what: "the dealing",
            }));
        }
        must_have(sharers, terms.recipient(), "the dealing")?;
        enough("members that dealt", terms.survivors_min(), sharers.count())?;
        self.check_picks(sharing)?;
        let holders = 1 + self
            .picks
            .iter()
            .filter(|pick| sharers.contains(**pick))
            .count();
        enough(
            "holders of this member's shares",
            terms.degree().threshold,
            holders,
        )
    }

    fn check_picks(&self, sharing: &Sharing) -> Result<(), RoundFault> {
        let terms = &self.seat.terms;
        let Some(due) = terms.degree().picks else {
            return Ok(());
        };
        let own = MemberSet::new(terms, self.picks.iter().copied());
        let cohort = MemberSet::new(terms, self.cohort.members());
        for (sharer, picks) in sharing.picks() {
            if *sharer == self.seat.me && *picks != own {
                let what = "the choice of neighbours";
                return Err(RoundFault::Coordinator(Misdeed::OwnMissing { what }));
            }
            check_picks(*sharer, picks.iter(), &cohort, due)?;
        }
        Ok(())
    }

    /// The shares that this member holds, its own among them: one from everybody who dealt to it.
    fn take_shares(
        &mut self,
        delivery: &Delivery,
    ) -> Result<BTreeMap<Member, Secrets>, RoundFault> {
        let (me, sharing) = (self.seat.me, &delivery.sharing);
        let mut held = BTreeMap::new();
        for (from, sealed) in &delivery.shares {
            let out_of_place = Misdeed::OutOfPlace {
                what: "a box",
                member: *from,
            };
            if !sharing.has_dealt(*from, me) || held.contains_key(from) {
                return Err(RoundFault::Coordinator(out_of_place));
            }
            let label = Label {
                content: Content::Shares,
                from: *from,
                to: me,
            };
            let line = self.lines.connect(&self.cohort, *from)?;
            let content = open(&self.cohort, label, &line.shared, sealed)
                .ok_or_else(|| does_not_open(label))?;
            held.insert(
                *from,
                shares(content.expose()).map_err(malformed("a box of shares"))?,
            );
        }
        if let Some(member) = sharing.dealers(me).find(|from| !held.contains_key(from)) {
            return Err(RoundFault::Coordinator(Misdeed::Missing {
                what: "the box",
                member,
            }));
        }
        let empty = || Secret::new([Block::ZERO; 2]);
        let own = Secrets {
            self_mask: empty(),
            mask_key: empty(),
        };
        held.insert(me, std::mem::replace(&mut self.own_shares, own));
        Ok(held)
    }

    fn take_check_key(&mut self, delivery: &Delivery) -> Result<Secret<Block>, RoundFault> {
        let (terms, me, from) = (&self.seat.terms, self.seat.me, self.seat.terms.recipient());
        let (own, sealed) = (self.check_key.take(), delivery.check_key);
        let sealed = match (own, sealed) {
            (Some(own), None) => return Ok(own),
            (None, Some(sealed)) => sealed,
            (Some(_), Some(_)) => {
                let out_of_place = Misdeed::OutOfPlace {
                    what: "a check key",
                    member: me,
                };
                return Err(RoundFault::Coordinator(out_of_place));
            }
            (None, None) => {
                let missing = Misdeed::Missing {
                    what: "the check key",
                    member: from,
                };
                let (member, what) = (from, missing);
                return Err(RoundFault::MemberOrCoordinator { member, what });
            }
        };
        let label = Label {
            content: Content::CheckKey,
            from,
            to: me,
        };
        let line = self.lines.connect(&self.cohort, from)?;
        let content =
            open(&self.cohort, label, &line.shared, &sealed).ok_or_else(|| does_not_open(label))?;
        let bytes = Reader::new(content.expose())
            .array()
            .map_err(malformed("a box of the check key"))?;
        let key = Secret::new(Block::from_bytes(bytes));
        let committed = self.cohort.get(from)?.check_commitment;
        // Both are as public as the introductions; only the key is secret.
        match committed == Some(check_commitment(terms.sid(), from, &key)) {
            true => Ok(key),
            false => Err(RoundFault::Member {
                member: from,
                what: Misdeed::OtherCheckKey,
            }),
        }
    }

    /// The self-mask, and one mask for each sharer that this member dealt to or that dealt to it.
    fn streams(&self, sharing: &Sharing) -> Result<Vec<Stream>, RoundFault> {
        let (terms, me) = (&self.seat.terms, self.seat.me);
        let own = Stream::new(
            &self_mask_seed(terms.sid(), me, &self.self_mask),
            Sign::Plus,
        );
        let mut streams = vec![own];
        for other in sharing.neighbours(me) {
            let seed =
                self.mask_key
                    .mask_seed(terms.sid(), me, other, &self.lines.get(other)?.mask_key);
            streams.push(Stream::new(&seed, pair_sign(me, other)));
        }
        Ok(streams)
    }
}

/// What `own` does with the stream that it has with `other`.
pub(super) fn pair_sign(own: Member, other: Member) -> Sign {
    if own < other { Sign::Plus } else { Sign::Minus }
}

/// Refused, never clipped: a value too large is a mistake or worse, and nobody else could ever see it.
fn check_values(terms: &Terms, values: &[i64]) -> Result<(), RoundFault> {
    if values.len() != terms.cells() {
        return Err(Refusal::Cells {
            expected: terms.cells(),
            got: values.len(),
        }
        .into());
    }
    let mut first = 0;
    for column in terms.columns() {
        let cells = &values[first..first + column.cells as usize];
        let outside = cells
            .iter()
            .position(|value| value.unsigned_abs() > column.magnitude_max);
        if let Some(place) = outside {
            return Err(Refusal::CellOutOfRange {
                cell: first + place,
            }
            .into());
        }
        first += cells.len();
    }
    Ok(())
}

fn shares(content: &[u8]) -> Result<Secrets, Malformed> {
    let mut reader = Reader::new(content);
    let mut halves = || -> Result<Secret<Halves>, Malformed> {
        let blocks = [reader.array()?, reader.array()?];
        Ok(Secret::new(blocks.map(Block::from_bytes)))
    };
    Ok(Secrets {
        self_mask: halves()?,
        mask_key: halves()?,
    })
}

/// The sealer can have sealed it wrongly, and the coordinator can have changed it.
pub(super) fn does_not_open(label: Label) -> RoundFault {
    let what = Misdeed::DoesNotOpen {
        what: label.content.name(),
    };
    RoundFault::MemberOrCoordinator {
        member: label.from,
        what,
    }
}

pub(super) fn must_have(
    set: &MemberSet,
    member: Member,
    what: &'static str,
) -> Result<(), RoundFault> {
    match set.contains(member) {
        true => Ok(()),
        false => Err(RoundFault::Coordinator(Misdeed::Missing { what, member })),
    }
}

pub(super) fn enough(what: &'static str, needed: usize, got: usize) -> Result<(), RoundFault> {
    match got >= needed {
        true => Ok(()),
        false => Err(RoundFault::TooFew { what, needed, got }),
    }
}
