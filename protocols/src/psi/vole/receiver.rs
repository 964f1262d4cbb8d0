//! R: learns which of its ids the sender has too.

use super::{
    CLOSING, COIN, COIN_COMMITMENT, Hashes, Keys, MASKED, Readers, Role, SEED, Setup, closing,
    coin_commitment, returned, row_seed, tags,
};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misbehaviour, Misuse};
use crate::okvs::{self, EncodeError, Fill, Rows, RowsError};
use crate::prg::Prg;
use crate::psi::{Id, SessionId};
use crate::vole;
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
    let hashes = setup.hashes(&sid);
    setup.agree(channel, &sid, Role::Receiver)?;
    let commitment = receive_commitment(channel, setup)?;
    // Drawn now that the keys are fixed, so that they cannot have been chosen to have no solution under it.
    let seed = Block::random(rng);
    let (rows, mut masked) = encode(setup, &hashes, row_seed(&sid, seed), &keys)?;
    let c = vole::receiver::run(channel, &sid, &setup.vole, &mut masked, rng)?;
    let own_coin = Block::random(rng);
    channel.send_part(SEED, &[seed, own_coin])?;
    channel.send_all(MASKED, &masked)?;
    drop(masked);
    let coin =
        receive_coin(channel, &sid, commitment)?.map_or(Block::ZERO, |theirs| theirs ^ own_coin);
    let own = okvs::decode(&setup.shape, &rows, c.expose(), |bin, values| {
        tags::finish(setup, &hashes.tag, coin, bin.keys, values);
    });
    drop(c);
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

/// P and the rows it was solved for.
fn encode(
    setup: &Setup,
    hashes: &Hashes,
    seed: Block,
    keys: &Keys<'_>,
) -> Result<(Rows, Vec<Block>), Fault> {
    let rows = Rows::new(&setup.shape, seed, keys.iter()).map_err(|error| match error {
        RowsError::WrongCount { got, expected } => Misuse::Count {
            what: "OKVS keys",
            expected: expected as usize,
            got: got as usize,
        }
        .into(),
        RowsError::BinOverflow { .. } => keys.fault("spreading keys over the OKVS's bins"),
    })?;
    let encoded = okvs::encode(&setup.shape, &rows, Fill::<Unused>::Zero, |bin, values| {
        hashes.values(bin.keys, values);
    });
    let encoded = encoded.map_err(|error| match error {
        EncodeError::DuplicateKey => Misuse::Duplicate { what: "ids" }.into(),
        EncodeError::Dependent { .. } => keys.fault("the OKVS"),
    })?;
    Ok((rows, encoded))
}

/// No generator is needed where free places stay zero.
type Unused = Prg;

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
