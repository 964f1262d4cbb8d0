//! The recipient's last step: from the sum of masked words to the sum, and the proof that it is the survivors'.
//!
//! It makes again the self-mask of each survivor and the mask key of each that dealt and then vanished, holds them against what their owners
//! committed to, and takes the masks away. What it gets of a member is one of both secrets; what hides a survivor from it are the masks
//! that the survivors have among each other.

use super::agree::SurvivorRecord;
use super::contribute::{does_not_open, enough, pair_sign};
use super::fault::{Misdeed, Refusal, RoundFault, malformed};
use super::join::{Lines, Seat};
use super::keys::{RoundKey, commitment, self_mask_seed};
use super::mask::{CheckKey, Stream, reveal};
use super::messages::{Opening, RoundMessage, SHARE_BYTES, Sharing};
use super::seal::{Content, Label, open};
use super::shamir::{self, Halves};
use super::{COMPLETE_MEMBERS_MAX, Cohort, Member, TAG_WORDS};
use crate::block::Block;
use crate::fault::Malformed;
use crate::secret::Secret;
use crate::simd::aes::Sign;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A member that has given its shares: the recipient waits for the opening, all others are done.
pub struct Released {
    pub(super) seat: Seat,
    pub(super) cohort: Cohort,
    pub(super) sharing: Sharing,
    pub(super) record: SurvivorRecord,
    pub(super) lines: Lines,
    pub(super) check_key: Secret<Block>,
    /// At the recipient, its own shares.
    pub(super) given: Vec<(Member, Secret<Halves>)>,
}

/// The survivors' vectors, added up, noise included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// One for each cell.
    pub cells: Vec<i64>,
    /// Whose vectors these are: a released table says how many.
    pub survivors: Vec<Member>,
}

/// Subsets of the shares of a secret that are tried at most: as many as it takes in a complete graph of [`COMPLETE_MEMBERS_MAX`] members with one share to spare, so a
/// liar costs the recipient milliseconds for each secret there.
const SUBSETS_MAX: usize = COMPLETE_MEMBERS_MAX;

/// The shares of one owner's secret, by holder.
type Shares = Vec<(Member, Secret<Halves>)>;

impl Released {
    /// Opens the sum. What is wrong with it is said without a cell of it.
    pub fn open(mut self, opening: Opening) -> Result<Sum, RoundFault> {
        let recipient = self.seat.terms.recipient();
        if self.seat.me != recipient {
            return Err(Refusal::NotRecipient.into());
        }
        check_length(self.seat.terms.cells() + TAG_WORDS, opening.words.len())?;
        let shares = self.collect(&opening)?;
        let neighbours = self.neighbours();
        let owners: Vec<(&Member, &Shares)> = shares.iter().collect();
        let weights = Weights::new(self.seat.terms.degree().threshold, &owners);
        let streams = owners
            .par_iter()
            .zip(&weights.0)
            .map(|((owner, shares), weights)| self.streams(**owner, shares, weights, &neighbours));
        let streams: Vec<Vec<Stream>> = streams.collect::<Result<_, _>>()?;
        let streams: Vec<Stream> = streams.into_iter().flatten().collect();
        let mut words = opening.words;
        let bears = reveal(&mut words, &streams, &CheckKey::new(&self.check_key));
        let cells: Vec<i64> = words.into_iter().map(|word| word as i64).collect();
        if !bears {
            return Err(RoundFault::ContributorOrCoordinator(Misdeed::SumChanged));
        }
        Ok(Sum {
            cells,
            survivors: self.record.survivors.iter().collect(),
        })
    }

    /// Of each sharer at least a threshold of shares, of those that it dealt to and of itself.
    fn collect(&mut self, opening: &Opening) -> Result<BTreeMap<Member, Shares>, RoundFault> {
        let (terms, me) = (&self.seat.terms, self.seat.me);
        let owners = self.sharing.sharers().iter();
        let mut all: BTreeMap<Member, Shares> = owners.map(|owner| (owner, vec![])).collect();
        let sharing = &self.sharing;
        let mut put = |holder: Member, (owner, share)| {
            let held = owner == holder || sharing.has_dealt(owner, holder);
            let out_of_place = Misdeed::OutOfPlace {
                what: "a share",
                member: owner,
            };
            let shares = all.get_mut(&owner).filter(|_| held);
            let shares = shares.ok_or(RoundFault::Member {
                member: holder,
                what: out_of_place,
            })?;
            shares.push((holder, share));
            Ok::<(), RoundFault>(())
        };
        self.given.drain(..).try_for_each(|given| put(me, given))?;
        let mut last = None;
        for (from, sealed) in &opening.unmaskings {
            let out_of_place = Misdeed::OutOfPlace {
                what: "a box of unmasking shares",
                member: *from,
            };
            if *from == me || !self.record.survivors.contains(*from) || last >= Some(*from) {
                return Err(RoundFault::Coordinator(out_of_place));
            }
            last = Some(*from);
            let label = Label {
                content: Content::Unmasking,
                from: *from,
                to: me,
            };
            let line = self.lines.connect(&self.cohort, *from)?;
            let content = open(&self.cohort, label, &line.shared, sealed)
                .ok_or_else(|| does_not_open(label))?;
            let given = decode_shares(content.expose()).map_err(|what| RoundFault::Member {
                member: *from,
                what,
            })?;
            given.into_iter().try_for_each(|given| put(*from, given))?;
        }
        let fewest = all.values().map(Vec::len).min().unwrap_or(0);
        enough("shares of each secret", terms.degree().threshold, fewest)?;
        Ok(all)
    }

    /// Of each that dealt and vanished, the survivors with which it has masks.
    fn neighbours(&self) -> BTreeMap<Member, Vec<Member>> {
        let survivors = &self.record.survivors;
        let sharers = self.sharing.sharers().iter();
        let vanished = sharers.filter(|member| !survivors.contains(*member));
        let of = |member: Member| {
            let neighbours = self.sharing.neighbours(member);
            neighbours
                .filter(|other| survivors.contains(*other))
                .collect()
        };
        vanished.map(|member| (member, of(member))).collect()
    }

    /// The masks of one owner that are left in the sum, to be taken away.
    fn streams(
        &self,
        owner: Member,
        shares: &Shares,
        weights: &[Block],
        neighbours: &BTreeMap<Member, Vec<Member>>,
    ) -> Result<Vec<Stream>, RoundFault> {
        let (sid, introduction) = (self.seat.terms.sid(), self.cohort.get(owner)?);
        let Some(neighbours) = neighbours.get(&owner) else {
            let due = |secret: &_| commitment(sid, owner, secret) == introduction.commitment;
            let secret = find(shares, weights, |secret| due(&secret).then_some(secret));
            let secret = secret.ok_or_else(|| disagree(owner, shares, weights, "self-mask"))?;
            return Ok(vec![Stream::new(
                &self_mask_seed(sid, owner, &secret),
                Sign::Minus,
            )]);
        };
        let due = |key: &RoundKey| *key.public().as_bytes() == introduction.mask_key;
        let key = find(shares, weights, |secret| {
            Some(RoundKey::of_seed(sid, owner, &secret)).filter(due)
        });
        let key = key.ok_or_else(|| disagree(owner, shares, weights, "mask key"))?;
        // What the vanished member would have done cancels what its neighbour did.
        let stream = |neighbour: &Member| {
            let [mask_key, _] = self.cohort.keys(*neighbour)?;
            let seed = key.mask_seed(sid, owner, *neighbour, mask_key);
            Ok(Stream::new(&seed, pair_sign(owner, *neighbour)))
        };
        neighbours.iter().map(stream).collect()
    }
}

/// What `fits` makes of the secret that the owner committed to, from the first shares, for which there are weights; or from others in turn. Those left out go
/// once around all shares, so **one** wrong share is survived where others can stand in for it, unless that takes more than [`SUBSETS_MAX`] turns.
fn find<T>(
    shares: &Shares,
    weights: &[Block],
    fits: impl Fn(Secret<Halves>) -> Option<T>,
) -> Option<T> {
    let first = shamir::open(shares.iter().map(|(_, share)| share), weights);
    if let Some(found) = fits(first) {
        return Some(found);
    }
    let spare = shares.len().saturating_sub(weights.len());
    let turns = match spare {
        0 => 1,
        _ => shares.len().div_ceil(spare),
    };
    (1..turns.min(SUBSETS_MAX)).find_map(|turn| {
        let all = shares.iter().cycle().skip(turn * spare);
        let chosen: Vec<_> = all.take(weights.len()).collect();
        let holders: Vec<Member> = chosen.iter().map(|(holder, _)| *holder).collect();
        let weights = shamir::weights(&holders);
        fits(shamir::open(
            chosen.iter().map(|(_, share)| share),
            &weights,
        ))
    })
}

/// Words that were decoded have their length; the caller can have made others.
fn check_length(expected: usize, got: usize) -> Result<(), RoundFault> {
    let why = Malformed::OutOfRange {
        field: "the words of a sum",
        max: expected as u64,
        got: got as u64,
    };
    let message = Opening::KIND.name();
    match got == expected {
        true => Ok(()),
        false => Err(malformed(message)(why)),
    }
}

/// Of those whose shares were looked at first, a holder can have given a wrong one, or the owner have dealt one or committed to another secret.
fn disagree(owner: Member, shares: &Shares, weights: &[Block], what: &'static str) -> RoundFault {
    let used = shares.iter().take(weights.len()).map(|(holder, _)| *holder);
    let mut members: Vec<Member> = used.chain([owner]).collect();
    members.sort_unstable();
    members.dedup();
    RoundFault::OneOf {
        members,
        what: Misdeed::SharesDisagree { what },
    }
}

fn decode_shares(bytes: &[u8]) -> Result<Shares, Misdeed> {
    let (cells, _) = bytes.as_chunks::<SHARE_BYTES>();
    let shares: Shares = cells
        .iter()
        .map(|cell| {
            let mut halves = [Block::ZERO; 2];
            let (blocks, _) = cell[2..].as_chunks();
            halves
                .iter_mut()
                .zip(blocks)
                .for_each(|(half, block)| *half = Block::from_bytes(*block));
            (
                Member(u16::from_le_bytes([cell[0], cell[1]])),
                Secret::new(halves),
            )
        })
        .collect();
    match shares.is_sorted_by(|(a, _), (b, _)| a < b) {
        true => Ok(shares),
        false => Err(Misdeed::NotAscending { what: "the shares" }),
    }
}

/// For each owner the weights of its first holders; in a complete graph the same ones for all.
struct Weights(Vec<std::sync::Arc<Vec<Block>>>);

impl Weights {
    fn new(threshold: usize, owners: &[(&Member, &Shares)]) -> Self {
        let holders = |(_, shares): &(&Member, &Shares)| -> Vec<Member> {
            shares
                .iter()
                .take(threshold)
                .map(|(holder, _)| *holder)
                .collect()
        };
        let mut last: (Vec<Member>, std::sync::Arc<Vec<Block>>) = Default::default();
        Self(
            owners
                .iter()
                .map(|owner| {
                    let holders = holders(owner);
                    if last.0 != holders {
                        last = (
                            holders.clone(),
                            std::sync::Arc::new(shamir::weights(&holders)),
                        );
                    }
                    std::sync::Arc::clone(&last.1)
                })
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;
    use std::cell::Cell;

    const SECRET: Halves = [Block(5), Block(6)];

    /// Shares of all holders, and the weights of the first ones.
    fn dealt(threshold: usize, holders: usize) -> (Shares, Vec<Block>) {
        let holders: Vec<Member> = (0..holders as u16).map(Member).collect();
        let rng = &mut Prg::new(Block(holders.len() as u128));
        let shares = shamir::share(&Secret::new(SECRET), threshold, &holders, rng);
        let weights = shamir::weights(&holders[..threshold]);
        (holders.into_iter().zip(shares).collect(), weights)
    }

    /// Whether the secret is found, and how many subsets were tried.
    fn tried(shares: &Shares, weights: &[Block]) -> (bool, usize) {
        let tries = Cell::new(0);
        let found = find(shares, weights, |secret| {
            tries.set(tries.get() + 1);
            (*secret.expose() == SECRET).then_some(())
        });
        (found.is_some(), tries.get())
    }

    #[test]
    fn one_wrong_share_at_any_place_is_survived_with_one_to_spare() {
        for (threshold, holders) in (2..12).flat_map(|t| (t..=12).map(move |n| (t, n))) {
            for place in 0..holders {
                let (mut shares, weights) = dealt(threshold, holders);
                shares[place].1.expose_mut()[1].0 ^= 1;
                let (found, _) = tried(&shares, &weights);
                assert_eq!(found, holders > threshold, "{place}: {threshold} {holders}");
            }
        }
    }

    /// Where all shares lie, as if their owner had dealt them so.
    #[test]
    fn tries_are_bounded() {
        for (threshold, holders, tries) in [(5, 5, 1), (33, 64, 3), (63, 64, 64), (99, 100, 64)] {
            let (mut shares, weights) = dealt(threshold, holders);
            let all = shares.iter_mut();
            all.for_each(|(_, share)| share.expose_mut()[0].0 ^= 1);
            assert_eq!(tried(&shares, &weights), (false, tries));
        }
    }
}
