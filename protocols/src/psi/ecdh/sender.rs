//! S: masks its ids, and raises the receiver's blinded points.

use super::group::{Encoded, Exponent, HashToGroup};
use super::messages::{BLINDED, EVALUATED, MASKED, Role};
use super::{Mode, PointNames, Terms, check_distinct, receive_raised};
use crate::channel::Channel;
use crate::fault::Fault;
use crate::psi::{Id, PaddedSizes, SessionId, padded};
use crate::shuffle::shuffle;
use rand_core::CryptoRng;
use rayon::prelude::*;

/// Lets the receiver learn which of its ids are in `ids`. The peer runs [`super::receiver::reveal`].
///
/// `ids` are distinct and at most `sizes.sender()`. `rng` must be unpredictable to the peer.
pub fn reveal(
    channel: &mut Channel,
    sid: SessionId,
    ids: &[Id],
    sizes: PaddedSizes,
    rng: &mut impl CryptoRng,
) -> Result<(), Fault> {
    run(channel, &Terms::new(sid, sizes, Mode::Reveal), ids, rng)
}

/// Lets the receiver learn how many of its ids are in `ids`. The peer runs [`super::receiver::count`].
///
/// `ids` are distinct and at most `sizes.sender()`. `rng` must be unpredictable to the peer.
pub fn count(
    channel: &mut Channel,
    sid: SessionId,
    ids: &[Id],
    sizes: PaddedSizes,
    rng: &mut impl CryptoRng,
) -> Result<(), Fault> {
    run(channel, &Terms::new(sid, sizes, Mode::Count), ids, rng)
}

pub(super) fn run(
    channel: &mut Channel,
    terms: &Terms,
    ids: &[Id],
    rng: &mut impl CryptoRng,
) -> Result<(), Fault> {
    let exponent = Exponent::draw(rng)?;
    let mut ids = padded(ids, terms.sizes.sender(), rng)?;
    shuffle(&mut ids, rng);
    let (hash, names) = (HashToGroup::new(&terms.sid), PointNames::new(&terms.sid));
    terms.agree(channel, Role::Sender)?;

    let their_parts = terms.receiver_parts();
    let own_parts: Vec<&[Id]> = ids.chunks(terms.part_points as usize).collect();
    let (mut seen, mut kept): (Vec<u128>, Vec<Encoded>) = (Vec::new(), Vec::new());
    for round in 0..own_parts.len().max(their_parts.len()) {
        if let Some(ids) = own_parts.get(round) {
            channel.send_part(MASKED, &exponent.mask(&hash, ids))?;
        }
        if let Some(&count) = their_parts.get(round) {
            let raised = receive_raised(channel, BLINDED, count, &exponent)?;
            seen.extend(raised.iter().map(|point| names.name(point)));
            match terms.mode {
                Mode::Reveal => channel.send_part(EVALUATED, &raised)?,
                Mode::Count => kept.extend(raised),
            }
        }
    }
    seen.par_sort_unstable();
    check_distinct(&seen, "distinct blinded points")?;
    shuffle(&mut kept, rng);
    kept.chunks(terms.part_points as usize)
        .try_for_each(|part| channel.send_part(EVALUATED, part))
}
