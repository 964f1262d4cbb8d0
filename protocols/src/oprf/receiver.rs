//! R: gets the values at its keys.

use super::{NAMES, Names, Setup};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::Fault;
use crate::okvs::{self, Bin, Fill, Rows, Unencodable};
use crate::prg::Prg;
use crate::secret::Secret;
use crate::session_id::SessionId;
use crate::vole;
use rand_core::CryptoRng;

/// The values at `keys`, in their order; wiped when dropped. The peer runs [`super::sender::run`].
///
/// `keys` are distinct and as many as agreed. `rng` must be unpredictable to the peer.
pub fn run(
    channel: &mut Channel,
    sid: &SessionId,
    setup: &Setup,
    keys: &[Block],
    rng: &mut impl CryptoRng,
) -> Result<Secret<Vec<Block>>, Fault> {
    let values = obtain(channel, sid, setup, keys.iter().copied(), rng)?;
    let by_row = Secret::new(values.at_rows(setup, |_, _| {}));
    let mut by_key = Secret::new(vec![Block::ZERO; keys.len()]);
    for (value, place) in by_row.expose().iter().zip(values.rows.places()) {
        by_key.expose_mut()[*place as usize] = *value;
    }
    Ok(by_key)
}

/// All steps under the function's own names: what R knows of it.
pub(crate) fn obtain(
    channel: &mut Channel,
    sid: &SessionId,
    setup: &Setup,
    keys: impl Iterator<Item = Block> + Clone,
    rng: &mut impl CryptoRng,
) -> Result<Values, Fault> {
    let encoded = Encoded::new(&NAMES, sid, setup, keys, rng)?;
    let masked = encoded.mask(channel, sid, setup, rng)?;
    masked.send(channel, &NAMES, &[])
}

/// Step 1: P, and the rows it was solved for.
pub(crate) struct Encoded {
    pub(super) seed: Block,
    rows: Rows,
    pub(super) vector: Vec<Block>,
}

impl Encoded {
    /// Draws the seed, now that the keys are fixed, so that they cannot have been chosen to have no solution under it.
    pub(crate) fn new(
        names: &Names,
        sid: &SessionId,
        setup: &Setup,
        keys: impl Iterator<Item = Block> + Clone,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let seed = Block::random(rng);
        let unencodable = || Unencodable {
            items: names.keys,
            keys: keys.clone(),
        };
        let rows = Rows::new(&setup.shape, names.row_seed(sid, seed), keys.clone());
        let rows = rows.map_err(|error| unencodable().rows(error))?;
        let hash = names.value_hash(sid);
        let vector = okvs::encode(&setup.shape, &rows, Fill::<Unused>::Zero, |bin, values| {
            values.copy_from_slice(bin.keys);
            hash.hash_each(values, 0);
        });
        let vector = vector.map_err(|error| unencodable().solution(error))?;
        Ok(Self { seed, rows, vector })
    }

    /// Step 2: the VOLE, whose A masks P.
    pub(crate) fn mask(
        mut self,
        channel: &mut Channel,
        sid: &SessionId,
        setup: &Setup,
        rng: &mut impl CryptoRng,
    ) -> Result<Masked, Fault> {
        let c = vole::receiver::run(channel, sid, &setup.vole, &mut self.vector, rng)?;
        Ok(Masked { encoded: self, c })
    }
}

/// No generator is needed where free places stay zero.
type Unused = Prg;

/// P behind its mask, not yet sent.
pub(crate) struct Masked {
    encoded: Encoded,
    c: Secret<Box<[Block]>>,
}

impl Masked {
    /// Step 3: the seed, with whatever blocks a protocol has to say at this place, and A + P.
    pub(crate) fn send(
        self,
        channel: &mut Channel,
        names: &Names,
        beside: &[Block],
    ) -> Result<Values, Fault> {
        let Encoded { seed, rows, vector } = self.encoded;
        let seed: Vec<Block> = [&[seed], beside].concat();
        channel.send_part(names.seed, &seed)?;
        channel.send_all(names.masked, &vector)?;
        Ok(Values { rows, c: self.c })
    }
}

/// What R knows of the function; wiped when dropped.
pub(crate) struct Values {
    /// R's keys by row.
    rows: Rows,
    pub(super) c: Secret<Box<[Block]>>,
}

impl Values {
    /// The values in the order of [`Rows::places`], each bin's handed to `change` first. What is returned is not wiped: `change`
    /// hashes, or the caller wipes.
    pub(crate) fn at_rows(
        &self,
        setup: &Setup,
        change: impl Fn(Bin<'_>, &mut [Block]) + Sync,
    ) -> Vec<Block> {
        okvs::decode(&setup.shape, &self.rows, self.c.expose(), change)
    }

    /// The rows alone, where the values are no longer needed.
    pub(crate) fn into_rows(self) -> Rows {
        self.rows
    }
}
