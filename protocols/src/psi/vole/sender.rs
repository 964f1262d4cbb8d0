//! S: lets the receiver learn which of its ids are common, and learns nothing.

use super::{
    COIN, COIN_COMMITMENT, MASKED, SEED, Setup, TAGS, coin_commitment, padded, random_block, tags,
};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::Fault;
use crate::field;
use crate::okvs::{self, Rows};
use crate::psi::{Id, SessionId};
use crate::secret::Secret;
use crate::vole;
use rand_core::CryptoRng;

/// The sender's part of [`super::receiver::reveal`].
///
/// `ids` are distinct and at most the agreed number. `rng` must be unpredictable to the peer.
pub fn reveal(
    channel: &mut Channel,
    sid: SessionId,
    setup: &Setup,
    ids: &[Id],
    rng: &mut impl CryptoRng,
) -> Result<(), Fault> {
    let keys = padded(ids, setup.sizes().sender(), rng)?;
    let hashes = setup.hashes(&sid);
    setup.agree(channel, &sid)?;
    let own_coin = [random_block(rng), random_block(rng)];
    if setup.security().is_malicious() {
        channel.send_part(COIN_COMMITMENT, &[coin_commitment(&sid, &own_coin)])?;
    }
    // Fresh for this session and bucket; wiped when the run ends, however it ends.
    let delta = Secret::new(random_block(rng));
    let mut key_vector = vole::sender::run(channel, &sid, &setup.vole, &delta, rng)?;
    let opened: Vec<Block> = channel.receive_part(SEED, 2)?;
    let masked: Vec<Block> = channel.receive_all(MASKED, setup.shape.width())?;
    field::multiply_add(&mut key_vector, *delta.expose(), &masked);
    drop(masked);
    let (seed, mut coin) = (opened[0], Block::ZERO);
    if setup.security().is_malicious() {
        channel.send_part(COIN, &own_coin)?;
        coin = own_coin[0] ^ opened[1];
    }
    let values = evaluate(
        setup,
        seed,
        &keys,
        &key_vector,
        &delta,
        hashes.values(&keys),
    )?;
    let tags = tags::tags(setup, &hashes.tag, coin, &keys, values);
    channel.send_all(TAGS, &tags::encode(setup, &tags::sorted(setup, tags)?))
}

/// u = Decode(K, y) + Δ·HB(y) of all keys.
fn evaluate(
    setup: &Setup,
    seed: Block,
    keys: &[Block],
    key_vector: &[Block],
    delta: &Secret<Block>,
    hashed: Vec<Block>,
) -> Result<Vec<Block>, Fault> {
    let mut values = vec![Block::ZERO; keys.len()];
    let rows = Rows::for_decoding(&setup.shape, seed, keys)?;
    okvs::decode(&setup.shape, &rows, key_vector, &mut values);
    field::multiply_add(&mut values, *delta.expose(), &hashed);
    Ok(values)
}
