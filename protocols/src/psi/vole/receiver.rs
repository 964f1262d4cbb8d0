//! R: learns which of its ids the sender has too.

use super::{
    COIN, COIN_COMMITMENT, MASKED, SEED, Setup, TAGS, coin_commitment, padded, random_block, tags,
};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misbehaviour};
use crate::okvs::{self, Fill, Rows};
use crate::psi::{Id, SessionId};
use crate::vole;
use rand_core::CryptoRng;
use rand_core::UnwrapErr;

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
    let keys = padded(ids, setup.sizes().receiver(), rng)?;
    let hashes = setup.hashes(&sid);
    setup.agree(channel, &sid)?;
    let commitment = receive_commitment(channel, setup)?;
    let seed = random_block(rng);
    let rows = Rows::new(&setup.shape, seed, &keys)?;
    let mut masked = okvs::encode(
        &setup.shape,
        &rows,
        &hashes.values(&keys),
        Fill::<Unused>::Zero,
    )?;
    let vectors = vole::receiver::run(channel, &sid, &setup.vole, rng)?;
    masked
        .iter_mut()
        .zip(&vectors.a)
        .for_each(|(place, a)| *place ^= *a);
    let own_coin = random_block(rng);
    channel.send_part(SEED, &[seed, own_coin])?;
    channel.send_all(MASKED, &masked)?;
    drop(masked);
    let coin =
        receive_coin(channel, &sid, commitment)?.map_or(Block::ZERO, |theirs| theirs ^ own_coin);
    let mut values = vec![Block::ZERO; keys.len()];
    okvs::decode(&setup.shape, &rows, &vectors.c, &mut values);
    let own = tags::tags(setup, &hashes.tag, coin, &keys, values);
    let bytes: Vec<u8> =
        channel.receive_all(TAGS, setup.sizes().sender() as usize * setup.tag_bytes)?;
    let theirs = tags::decode(setup, &bytes)?;
    Ok(tags::join(setup, &own, ids.len(), &theirs))
}

/// No generator is needed where free places stay zero.
type Unused = UnwrapErr<crate::prg::Prg>;

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
