//! The receiver: chooses bit by bit and gets one key each.

use super::choices::{Choices, pack};
use super::keys::{KeyHash, Stretch};
use super::receiver_rows::ReceiverRows;
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

/// The receiver's side after the set-up. Makes any number of transfers; tweaks never repeat.
pub struct Receiver {
    pub(super) rows: Rows,
    hash: KeyHash,
    stretch: Arc<Stretch>,
    pub(super) tweak: u128,
}

/// Where rows come from.
pub(super) enum Rows {
    SoftSpoken(ReceiverRows),
    Silent(Box<silent::ReceiverRows>),
}

impl Receiver {
    /// With rows of SoftSpokenOT: 128 base OTs and the trees.
    pub fn set_up(
        channel: &mut Channel,
        sid: &SessionId,
        security: Security,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let rows = ReceiverRows::set_up(channel, sid, security, rng)?;
        Ok(Self::new(sid, security, Rows::SoftSpoken(rows)))
    }

    /// With silent rows, semi-honest: there is no other mode of them. Every call's transfers have to be [prepared](Self::prepare).
    pub fn set_up_silent(
        channel: &mut Channel,
        sid: &SessionId,
        setup: &Arc<silent::Setup>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let rows = silent::ReceiverRows::set_up(channel, sid, setup, rng)?;
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

    /// Says what silent rows of the next `transfers` transfers need, those of each call rounded up to whole words of 128; both parties
    /// do it at the same point, where neither has anything else to say. Of SoftSpokenOT's rows nothing is to be said.
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

    /// One key a choice; wiped when dropped.
    pub fn extend(
        &mut self,
        channel: &mut Channel,
        choices: &[bool],
        rng: &mut impl CryptoRng,
    ) -> Result<Secret<Vec<Block>>, Fault> {
        let mut keys = Secret::new(Vec::with_capacity(choices.len().min(TRANSFERS_MAX)));
        let packed = pack(choices);
        let choices = Choices::new(packed.expose(), choices.len());
        self.extend_each(channel, choices, rng, |_, piece| {
            keys.expose_mut().extend_from_slice(piece);
        })?;
        Ok(keys)
    }

    /// One row a choice: the sender's, plus its Δ where the choice is set. For what needs the correlation and breaks it by a hash of its own, such
    /// as [half trees](crate::ot::halving).
    pub(crate) fn rows(
        &mut self,
        channel: &mut Channel,
        choices: &[bool],
        rng: &mut impl CryptoRng,
    ) -> Result<Secret<Vec<Block>>, Fault> {
        self.hash.assert_semi_honest();
        let mut rows = Secret::new(Vec::with_capacity(choices.len().min(TRANSFERS_MAX)));
        let packed = pack(choices);
        let choices = Choices::new(packed.expose(), choices.len());
        self.rows.each(channel, choices, rng, |_, piece| {
            rows.expose_mut().extend_from_slice(piece);
        })?;
        Ok(rows)
    }

    /// Hands out one key a choice while it is in the first cache: `each` gets the place of a piece's first transfer, a multiple of 128, and up to
    /// [`PIECE`] keys, a multiple of 128 but in the last piece. In malicious mode it gets nothing before all checks are done.
    pub fn extend_each(
        &mut self,
        channel: &mut Channel,
        choices: Choices<'_>,
        rng: &mut impl CryptoRng,
        mut each: impl FnMut(usize, &[Block]),
    ) -> Result<(), Fault> {
        let count = choices.count();
        let (hash, first_tweak) = (&self.hash, self.tweak);
        let mut keys = Secret::new([Block::ZERO; PIECE]);
        self.rows.each(channel, choices, rng, |first, rows| {
            let keys = &mut keys.expose_mut()[..rows.len()];
            hash.keys(rows, Block::ZERO, first_tweak + first as u128, keys);
            each(first, keys);
        })?;
        self.tweak += self.hash.tweaks(count);
        Ok(())
    }
}

impl Rows {
    fn each(
        &mut self,
        channel: &mut Channel,
        choices: Choices<'_>,
        rng: &mut impl CryptoRng,
        each: impl FnMut(usize, &[Block]),
    ) -> Result<(), Fault> {
        if choices.count() > TRANSFERS_MAX {
            return Err(Misuse::TooMany {
                what: "OT choices",
                max: TRANSFERS_MAX,
                got: choices.count(),
            }
            .into());
        }
        match self {
            Self::SoftSpoken(rows) => rows.each(channel, choices, rng, each),
            Self::Silent(rows) => rows.each(channel, choices, rng, each),
        }
    }

    /// A tile's columns and corrections, for tests that cheat with them.
    #[cfg(test)]
    pub(super) fn columns(
        &mut self,
        choices: &[Block],
    ) -> (Box<Secret<super::Columns>>, Vec<Block>) {
        match self {
            Self::SoftSpoken(rows) => rows.columns(choices),
            Self::Silent(_) => unreachable!("silent rows have no columns"),
        }
    }
}
