//! The sender: gets two keys a transfer.

use super::keys::{KeyHash, Stretch};
use super::sender_rows::SenderRows;
use super::{PIECE, TRANSFERS_MAX};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misuse};
use crate::ot::silent;
use crate::secret::Secret;
use crate::security::Security;
use crate::session_id::SessionId;
use rand_core::CryptoRng;
use std::sync::Arc;

/// The sender's side after the set-up. Makes any number of transfers; tweaks never repeat.
pub struct Sender {
    rows: Rows,
    hash: KeyHash,
    stretch: Arc<Stretch>,
    pub(super) tweak: u128,
}

/// Where rows come from.
enum Rows {
    SoftSpoken(SenderRows),
    Silent(Box<silent::SenderRows>),
}

impl Sender {
    /// With rows of SoftSpokenOT: 128 base OTs and the trees, under a fresh Δ.
    pub fn set_up(
        channel: &mut Channel,
        sid: &SessionId,
        security: Security,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let delta = Secret::new(Block::random(rng));
        let rows = SenderRows::set_up(channel, sid, security, delta, rng)?;
        Ok(Self::new(sid, security, Rows::SoftSpoken(rows)))
    }

    /// With silent rows, under a fresh Δ: see [`super::Receiver::set_up_silent`].
    pub fn set_up_silent(
        channel: &mut Channel,
        sid: &SessionId,
        setup: &Arc<silent::Setup>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let rows = silent::SenderRows::set_up(channel, sid, setup, rng)?;
        Ok(Self::new(
            sid,
            Security::SemiHonest,
            Rows::Silent(Box::new(rows)),
        ))
    }

    fn new(sid: &SessionId, security: Security, rows: Rows) -> Self {
        Self {
            rows,
            hash: KeyHash::new(sid, security),
            stretch: Arc::new(Stretch::new(sid)),
            tweak: 0,
        }
    }

    /// The other side of [`super::Receiver::prepare`].
    pub fn prepare(
        &mut self,
        channel: &mut Channel,
        transfers: usize,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Fault> {
        match &mut self.rows {
            Rows::SoftSpoken(_) => Ok(()),
            Rows::Silent(rows) => rows.prepare(channel, transfers, rng),
        }
    }

    /// What makes more than 16 bytes of a key, the same at both parties.
    pub fn stretch(&self) -> Arc<Stretch> {
        Arc::clone(&self.stretch)
    }

    /// Two keys for each of `count` transfers; wiped when dropped.
    pub fn extend(
        &mut self,
        channel: &mut Channel,
        count: usize,
        rng: &mut impl CryptoRng,
    ) -> Result<Secret<Vec<[Block; 2]>>, Fault> {
        let mut pairs = Secret::new(Vec::with_capacity(count.min(TRANSFERS_MAX)));
        self.extend_each(channel, count, rng, |_, [zeros, ones]| {
            let piece = zeros.iter().zip(ones).map(|(zero, one)| [*zero, *one]);
            pairs.expose_mut().extend(piece);
        })?;
        Ok(pairs)
    }

    /// The other side of [`super::Receiver::rows`].
    pub(crate) fn rows(
        &mut self,
        channel: &mut Channel,
        count: usize,
        rng: &mut impl CryptoRng,
    ) -> Result<Secret<Vec<Block>>, Fault> {
        self.hash.assert_semi_honest();
        let mut rows = Secret::new(Vec::with_capacity(count.min(TRANSFERS_MAX)));
        self.rows.each(channel, count, rng, |_, piece| {
            rows.expose_mut().extend_from_slice(piece);
        })?;
        Ok(rows)
    }

    /// What the receiver's rows of set choices have more.
    pub(crate) fn delta(&self) -> &Secret<Block> {
        self.rows.delta()
    }

    /// Hands out the keys of `count` transfers while they are in the first cache: `each` gets the place of a piece's first transfer, a
    /// multiple of 128, and up to [`PIECE`] keys for the choice zero and as many for the choice one, a multiple of 128 but in the last piece. In
    /// malicious mode it gets nothing before all checks are done.
    pub fn extend_each(
        &mut self,
        channel: &mut Channel,
        count: usize,
        rng: &mut impl CryptoRng,
        mut each: impl FnMut(usize, [&[Block]; 2]),
    ) -> Result<(), Fault> {
        let delta = *self.rows.delta().expose();
        let (hash, first_tweak) = (&self.hash, self.tweak);
        let mut keys = Secret::new([[Block::ZERO; PIECE]; 2]);
        self.rows.each(channel, count, rng, |first, rows| {
            let tweak = first_tweak + first as u128;
            let [zeros, ones] = keys.expose_mut().each_mut();
            let [zeros, ones] = [zeros, ones].map(|keys| &mut keys[..rows.len()]);
            hash.keys(rows, Block::ZERO, tweak, zeros);
            hash.keys(rows, delta, tweak, ones);
            each(first, [zeros, ones]);
        })?;
        self.tweak += self.hash.tweaks(count);
        Ok(())
    }
}

impl Rows {
    fn delta(&self) -> &Secret<Block> {
        match self {
            Self::SoftSpoken(rows) => rows.delta(),
            Self::Silent(rows) => rows.delta(),
        }
    }

    fn each(
        &mut self,
        channel: &mut Channel,
        count: usize,
        rng: &mut impl CryptoRng,
        each: impl FnMut(usize, &[Block]),
    ) -> Result<(), Fault> {
        if count > TRANSFERS_MAX {
            return Err(Misuse::TooMany {
                what: "OTs",
                max: TRANSFERS_MAX,
                got: count,
            }
            .into());
        }
        match self {
            Self::SoftSpoken(rows) => rows.each(channel, count, rng, each),
            Self::Silent(rows) => rows.each(channel, count, rng, each),
        }
    }
}
