//! S: lets the receiver learn which of its ids are common, and learns nothing, or what the receiver returns.

use super::{
    AGREEMENT, CLOSING, COIN, COIN_COMMITMENT, Keys, OPRF, Readers, Setup, closing,
    coin_commitment, returned, tag_hash, tags,
};
use crate::agreement::Role;
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::Fault;
use crate::oprf::sender::Correlation;
use crate::psi::{Id, SessionId};
use rand_core::CryptoRng;

/// The sender's part of [`super::receiver::reveal`]. Where both read, the places in `ids` of what the receiver says is common,
/// ascending; otherwise nothing.
///
/// `ids` are distinct and at most the agreed number. `rng` must be unpredictable to the peer.
pub fn reveal(
    channel: &mut Channel,
    sid: SessionId,
    setup: &Setup,
    ids: &[Id],
    rng: &mut impl CryptoRng,
) -> Result<Vec<u32>, Fault> {
    let keys = Keys::new(ids, setup.sizes().sender(), rng)?;
    AGREEMENT.agree(channel, &sid, &setup.terms(), Role::Sender)?;
    let own_coin = [Block::random(rng), Block::random(rng)];
    if setup.security().is_malicious() {
        channel.send_part(COIN_COMMITMENT, &[coin_commitment(&sid, &own_coin)])?;
    }
    let correlation = Correlation::new(channel, &sid, &setup.oprf, rng)?;
    let (evaluator, theirs) = correlation.evaluator(channel, &OPRF, &sid, &setup.oprf, 1)?;
    let mut coin = Block::ZERO;
    if setup.security().is_malicious() {
        channel.send_part(COIN, &own_coin)?;
        coin = own_coin[0] ^ theirs[0];
    }
    let hash = tag_hash(&sid);
    let (rows, tags) = evaluator.at_rows(keys.iter(), |keys, values| {
        tags::finish(setup, &hash, coin, keys, values);
    });
    drop(evaluator);
    let sorted = tags::send(channel, setup, &tags)?;
    let totals = channel.totals();
    let closing = closing(&sid, &totals.received_hash, &totals.sent_hash);
    channel.send_part(CLOSING, &[closing])?;
    if setup.readers == Readers::ReceiverOnly {
        return Ok(Vec::new());
    }
    let common = returned::receive(channel, &sid, &sorted)?;
    let real = ids.len() as u32;
    let candidates = tags.iter().zip(rows.places().iter().copied());
    let candidates = candidates.filter(|(_, place)| *place < real);
    Ok(tags::join(setup, candidates, real, &common))
}
