//! S: lets the receiver learn which of its ids are common, and learns nothing, or what the receiver returns.

use super::{
    CLOSING, COIN, COIN_COMMITMENT, Keys, MASKED, Readers, Role, SEED, Setup, closing,
    coin_commitment, returned, row_seed, tags,
};
use crate::block::Block;
use crate::channel::{Channel, part_elements};
use crate::fault::Fault;
use crate::field;
use crate::okvs::{self, Rows};
use crate::psi::{Id, SessionId};
use crate::secret::Secret;
use crate::vole;
use rand_core::CryptoRng;

/// Values that are hashed and multiplied at a time: stays on the stack.
const BATCH: usize = 256;

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
    let hashes = setup.hashes(&sid);
    setup.agree(channel, &sid, Role::Sender)?;
    let own_coin = [Block::random(rng), Block::random(rng)];
    if setup.security().is_malicious() {
        channel.send_part(COIN_COMMITMENT, &[coin_commitment(&sid, &own_coin)])?;
    }
    // Fresh for this session and bucket; wiped when the run ends, however it ends.
    let delta = Secret::new(Block::random(rng));
    let mut vector = vole::sender::run(channel, &sid, &setup.vole, &delta, rng)?;
    let opened: Vec<Block> = channel.receive_part(SEED, 2)?;
    for part in vector.expose_mut().chunks_mut(part_elements::<Block>()) {
        // K = B + Δ·(A + P), as it comes in.
        let masked: Vec<Block> = channel.receive_part(MASKED, part.len())?;
        field::multiply_add(part, *delta.expose(), &masked);
    }
    let (seed, mut coin) = (opened[0], Block::ZERO);
    if setup.security().is_malicious() {
        channel.send_part(COIN, &own_coin)?;
        coin = own_coin[0] ^ opened[1];
    }
    let rows = Rows::for_decoding(&setup.shape, row_seed(&sid, seed), keys.iter());
    let tags = okvs::decode(&setup.shape, &rows, vector.expose(), |bin, values| {
        // u = Decode(K, y) + Δ·HB(y), and its tag.
        for (values, keys) in values.chunks_mut(BATCH).zip(bin.keys.chunks(BATCH)) {
            let mut hashed = [Block::ZERO; BATCH];
            let hashed = &mut hashed[..keys.len()];
            hashes.values(keys, hashed);
            field::multiply_add(values, *delta.expose(), hashed);
            tags::finish(setup, &hashes.tag, coin, keys, values);
        }
    });
    drop(vector);
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
