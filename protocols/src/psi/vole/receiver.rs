//! R: learns which of its ids the sender has too.

use super::{
    AGREEMENT, CLOSING, COIN, COIN_COMMITMENT, Keys, OPRF, Readers, Setup, closing,
    coin_commitment, returned, tag_hash, tags,
};
use crate::agreement::Role;
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misbehaviour};
use crate::oprf::receiver::Encoded;
use crate::psi::{Id, SessionId};
use rand_core::CryptoRng;

/// Which of `ids` the sender has too: their places, ascending. The peer runs [`super::sender::reveal`].
///
/// `ids` are distinct and at most the agreed number. `rng` must be unpredictable to the peer.
pub fn reveal(
    channel: &mut Channel,
    sid: SessionId,
    setup: &Setup,
    ids: &[Id],
    rng: &mut impl CryptoRng,
) -> Result<Vec<u32>, Fault> {
    let keys = Keys::new(ids, setup.sizes().receiver(), rng)?;
    AGREEMENT.agree(channel, &sid, &setup.terms(), Role::Receiver)?;
    let commitment = receive_commitment(channel, setup)?;
    let encoded = Encoded::new(&OPRF, &sid, &setup.oprf, keys.iter(), rng)?;
    let masked = encoded.mask(channel, &sid, &setup.oprf, rng)?;
    let own_coin = Block::random(rng);
    let values = masked.send(channel, &OPRF, &[own_coin])?;
    let coin =
        receive_coin(channel, &sid, commitment)?.map_or(Block::ZERO, |theirs| theirs ^ own_coin);
    let hash = tag_hash(&sid);
    let own = values.at_rows(&setup.oprf, |bin, values| {
        tags::finish(setup, &hash, coin, bin.keys, values);
    });
    let rows = values.into_rows();
    let theirs = tags::receive(channel, setup)?;
    check_closing(channel, &sid)?;
    let real = ids.len() as u32;
    let candidates = own.iter().zip(rows.places().iter().copied());
    let candidates = candidates.filter(|(_, place)| *place < real);
    let common = tags::join(setup, candidates.clone(), real, &theirs);
    if setup.readers == Readers::Both {
        returned::send(channel, &sid, candidates, &common, &theirs)?;
    }
    Ok(common)
}

fn receive_commitment(channel: &mut Channel, setup: &Setup) -> Result<Option<[u8; 32]>, Fault> {
    if !setup.security().is_malicious() {
        return Ok(None);
    }
    let mut commitments: Vec<[u8; 32]> = channel.receive_part(COIN_COMMITMENT, 1)?;
    Ok(commitments.pop())
}

/// S's share of the coin, if it committed to one.
fn receive_coin(
    channel: &mut Channel,
    sid: &SessionId,
    commitment: Option<[u8; 32]>,
) -> Result<Option<Block>, Fault> {
    let Some(commitment) = commitment else {
        return Ok(None);
    };
    let opened: Vec<Block> = channel.receive_part(COIN, 2)?;
    if coin_commitment(sid, &opened) != commitment {
        return Err(Misbehaviour::CheckFailed {
            check: "the sender's coin",
        }
        .into());
    }
    Ok(opened.first().copied())
}

/// That S heard what R said and said what R heard: otherwise its tags may belong to another vector, and matches be missing.
fn check_closing(channel: &mut Channel, sid: &SessionId) -> Result<(), Fault> {
    let totals = channel.totals();
    let theirs: Vec<[u8; 32]> = channel.receive_part(CLOSING, 1)?;
    if theirs != [closing(sid, &totals.sent_hash, &totals.received_hash)] {
        return Err(Misbehaviour::CheckFailed {
            check: "the conversation at its closing",
        }
        .into());
    }
    Ok(())
}
