//! S: can compute the function at any key.

use super::{NAMES, Names, Setup};
use crate::block::Block;
use crate::bounds::OkvsShape;
use crate::channel::{Channel, part_elements};
use crate::fault::Fault;
use crate::field;
use crate::hash::CorrelationHash;
use crate::okvs::{self, Bin, Rows};
use crate::secret::Secret;
use crate::session_id::SessionId;
use crate::vole;
use rand_core::CryptoRng;

/// Values that are hashed and multiplied at a time: stays on the stack.
const BATCH: usize = 256;

/// The sender's part of [`super::receiver::run`]. `rng` must be unpredictable to the peer.
pub fn run(
    channel: &mut Channel,
    sid: &SessionId,
    setup: &Setup,
    rng: &mut impl CryptoRng,
) -> Result<Evaluator, Fault> {
    let correlation = Correlation::new(channel, sid, setup, rng)?;
    let (evaluator, _) = correlation.evaluator(channel, &NAMES, sid, setup, 0)?;
    Ok(evaluator)
}

/// Step 2: Δ and B, fresh for one session and bucket, and wiped however the run ends.
pub(crate) struct Correlation {
    delta: Secret<Block>,
    b: Secret<Box<[Block]>>,
}

impl Correlation {
    pub(crate) fn new(
        channel: &mut Channel,
        sid: &SessionId,
        setup: &Setup,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let delta = Secret::new(Block::random(rng));
        let b = vole::sender::run(channel, sid, &setup.vole, &delta, rng)?;
        Ok(Self { delta, b })
    }

    /// Step 3: receives R's seed with `beside` blocks of a protocol's own, which are returned, and its masked vector.
    pub(crate) fn evaluator(
        self,
        channel: &mut Channel,
        names: &Names,
        sid: &SessionId,
        setup: &Setup,
        beside: usize,
    ) -> Result<(Evaluator, Vec<Block>), Fault> {
        let Self { delta, b: mut k } = self;
        let mut said: Vec<Block> = channel.receive_part(names.seed, 1 + beside)?;
        let beside = said.split_off(1);
        for part in k.expose_mut().chunks_mut(part_elements::<Block>()) {
            // K = B + Δ·(A + P), as it comes in.
            let masked: Vec<Block> = channel.receive_part(names.masked, part.len())?;
            field::multiply_add(part, *delta.expose(), &masked);
        }
        let evaluator = Evaluator {
            shape: setup.shape,
            row_seed: names.row_seed(sid, said[0]),
            value: names.value_hash(sid),
            delta,
            k,
        };
        Ok((evaluator, beside))
    }
}

/// The function: Δ and K. Wiped when dropped.
pub struct Evaluator {
    shape: OkvsShape,
    row_seed: Block,
    value: CorrelationHash,
    pub(super) delta: Secret<Block>,
    k: Secret<Box<[Block]>>,
}

impl Evaluator {
    /// The values at any keys, in their order; wiped when dropped.
    pub fn evaluate(&self, keys: &[Block]) -> Secret<Vec<Block>> {
        let (rows, by_row) = self.at_rows(keys.iter().copied(), |_, _| {});
        let by_row = Secret::new(by_row);
        let mut by_key = Secret::new(vec![Block::ZERO; keys.len()]);
        for (value, place) in by_row.expose().iter().zip(rows.places()) {
            by_key.expose_mut()[*place as usize] = *value;
        }
        by_key
    }

    /// The values in the order of [`Rows::places`], each bin's handed to `change` in pieces first. What is returned is not wiped:
    /// `change` hashes, or the caller wipes.
    pub(crate) fn at_rows(
        &self,
        keys: impl Iterator<Item = Block> + Clone,
        change: impl Fn(&[Block], &mut [Block]) + Sync,
    ) -> (Rows, Vec<Block>) {
        let rows = Rows::for_decoding(&self.shape, self.row_seed, keys);
        let values = okvs::decode(
            &self.shape,
            &rows,
            self.k.expose(),
            |bin: Bin<'_>, values| {
                // u = Decode(K, y) + Δ·HB(y).
                for (values, keys) in values.chunks_mut(BATCH).zip(bin.keys.chunks(BATCH)) {
                    let mut hashed = [Block::ZERO; BATCH];
                    let hashed = &mut hashed[..keys.len()];
                    hashed.copy_from_slice(keys);
                    self.value.hash_each(hashed, 0);
                    field::multiply_add(values, *self.delta.expose(), hashed);
                    change(keys, values);
                }
            },
        );
        (rows, values)
    }
}
