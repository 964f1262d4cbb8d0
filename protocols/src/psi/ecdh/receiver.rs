//! R: blinds its ids, and learns which of them, or how many, the sender has too.

use super::group::{Encoded, Exponent, HashToGroup, decode};
use super::messages::{BLINDED, EVALUATED, MASKED, Role};
use super::{Mode, PARTS_AHEAD, PointNames, Terms, check_distinct, malformed, receive_raised};
use crate::channel::Channel;
use crate::fault::Fault;
use crate::psi::{Id, PaddedSizes, SessionId, padded};
use rand_core::CryptoRng;
use rayon::prelude::*;

/// Which of `ids` the sender has too: their indices, ascending. The peer runs [`super::sender::reveal`].
///
/// `ids` are distinct and at most `sizes.receiver()`. `rng` must be unpredictable to the peer.
pub fn reveal(
    channel: &mut Channel,
    sid: SessionId,
    ids: &[Id],
    sizes: PaddedSizes,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u32>, Fault> {
    let evaluated = run(channel, &Terms::new(sid, sizes, Mode::Reveal), ids, rng)?;
    Ok(evaluated.common().collect())
}

/// How many of `ids` the sender has too. The peer runs [`super::sender::count`].
///
/// `ids` are distinct and at most `sizes.receiver()`. `rng` must be unpredictable to the peer.
pub fn count(
    channel: &mut Channel,
    sid: SessionId,
    ids: &[Id],
    sizes: PaddedSizes,
    rng: &mut impl CryptoRng,
) -> Result<u64, Fault> {
    let evaluated = run(channel, &Terms::new(sid, sizes, Mode::Count), ids, rng)?;
    Ok(evaluated.common().count() as u64)
}

/// Both parties' ids as names of points under both exponents.
pub(super) struct Evaluated {
    /// Ours, in the order in which the sender returned them.
    own: Vec<u128>,
    /// The sender's, sorted.
    theirs: Vec<u128>,
}

impl Evaluated {
    /// Places in the sender's order at which the point is also one of the sender's. A dummy is nowhere common.
    pub(super) fn common(&self) -> impl Iterator<Item = u32> + '_ {
        (0..)
            .zip(&self.own)
            .filter(|(_, name)| self.theirs.binary_search(name).is_ok())
            .map(|(place, _)| place)
    }
}

pub(super) fn run(
    channel: &mut Channel,
    terms: &Terms,
    ids: &[Id],
    rng: &mut impl CryptoRng,
) -> Result<Evaluated, Fault> {
    let exponent = Exponent::draw(rng)?;
    let ids = padded(ids, terms.sizes.receiver(), rng)?;
    let (hash, names) = (HashToGroup::new(&terms.sid), PointNames::new(&terms.sid));
    terms.agree(channel, Role::Receiver)?;

    let (own_parts, their_parts) = (terms.receiver_parts(), terms.sender_parts());
    let mut to_blind = ids.chunks(terms.part_points as usize);
    let mut send_blinded = |channel: &mut Channel| match to_blind.next() {
        Some(ids) => channel.send_part(BLINDED, &exponent.mask(&hash, ids)),
        None => Ok(()),
    };
    let (mut own, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..PARTS_AHEAD {
        send_blinded(channel)?;
    }
    for round in 0..own_parts.len().max(their_parts.len()) {
        if let Some(&count) = their_parts.get(round) {
            let raised = receive_raised(channel, MASKED, count, &exponent)?;
            theirs.extend(raised.iter().map(|point| names.name(point)));
        }
        if let (Mode::Reveal, Some(&count)) = (terms.mode, own_parts.get(round)) {
            receive_evaluated(channel, count, &names, &mut own)?;
        }
        send_blinded(channel)?;
    }
    if terms.mode == Mode::Count {
        for &count in &own_parts {
            receive_evaluated(channel, count, &names, &mut own)?;
        }
    }
    checked(own, theirs)
}

fn receive_evaluated(
    channel: &mut Channel,
    count: usize,
    names: &PointNames,
    own: &mut Vec<u128>,
) -> Result<(), Fault> {
    let points: Vec<Encoded> = channel.receive_part(EVALUATED, count)?;
    decode(&points).map_err(|why| malformed(EVALUATED, why))?;
    own.extend(points.iter().map(|point| names.name(point)));
    Ok(())
}

fn checked(own: Vec<u128>, mut theirs: Vec<u128>) -> Result<Evaluated, Fault> {
    theirs.par_sort_unstable();
    check_distinct(&theirs, "distinct masked points")?;
    let mut sorted = own.clone();
    sorted.par_sort_unstable();
    check_distinct(&sorted, "distinct evaluated points")?;
    Ok(Evaluated { own, theirs })
}
