//! The sender: gets two keys a transfer.

use super::instances::{self, Streams};
use super::receiver::{add_to_columns, push_rows};
use super::subspace::{Hashes, RESPONSE_BLOCKS};
use super::{
    CHALLENGE, CORRECTIONS, Columns, FIELD_BITS, INSTANCES, RESPONSE, TILE_WORDS, TRANSFERS_MAX,
    tiles,
};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misuse};
use crate::hash::CorrelationHash;
use crate::secret::Secret;
use crate::security::Security;
use crate::session_id::SessionId;
use rand_core::CryptoRng;

/// The sender's side after the set-up. Makes any number of transfers; tweaks never repeat.
pub struct Sender {
    instances: Vec<Streams>,
    delta: Secret<Block>,
    hash: CorrelationHash,
    pub(super) tweak: u128,
    security: Security,
}

impl Sender {
    /// 128 base OTs and the trees, under a fresh Δ.
    pub fn set_up(
        channel: &mut Channel,
        sid: &SessionId,
        security: Security,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let delta = Secret::new(Block::random(rng));
        let instances = instances::hold(channel, sid, security, *delta.expose(), rng)?;
        let hash = CorrelationHash::new("entente/1/ot-extension/key", sid);
        Ok(Self {
            instances,
            delta,
            hash,
            tweak: 0,
            security,
        })
    }

    /// Two keys for each of `count` transfers; wiped when dropped.
    pub fn extend(
        &mut self,
        channel: &mut Channel,
        count: usize,
        rng: &mut impl CryptoRng,
    ) -> Result<Secret<Vec<[Block; 2]>>, Fault> {
        if count > TRANSFERS_MAX {
            return Err(Misuse::TooMany {
                what: "OTs",
                max: TRANSFERS_MAX,
                got: count,
            }
            .into());
        }
        let words = count.div_ceil(128) + usize::from(self.security.is_malicious());
        let mut kept = Vec::new();
        let mut rows = Secret::new(Vec::with_capacity(128 * words));
        for words in tiles(words) {
            let corrections: Vec<Block> = channel.receive_part(CORRECTIONS, INSTANCES * words)?;
            let columns = self.columns(&corrections, words);
            push_rows(columns.expose(), words, rows.expose_mut());
            if self.security.is_malicious() {
                kept.push((columns, words));
            }
        }
        if self.security.is_malicious() {
            self.check(channel, &kept, rng)?;
            rows.expose_mut().drain(..128);
        }
        rows.expose_mut().truncate(count);
        let delta = *self.delta.expose();
        let others: Vec<Block> = rows.expose().iter().map(|row| *row ^ delta).collect();
        let mut others = Secret::new(others);
        self.hash.hash_all(rows.expose_mut(), self.tweak);
        self.hash.hash_all(others.expose_mut(), self.tweak);
        self.tweak += count as u128;
        let pairs = rows.expose().iter().zip(others.expose());
        Ok(Secret::new(
            pairs.map(|(zero, one)| [*zero, *one]).collect(),
        ))
    }

    /// q's columns: the streams' part, and Δ_i times the correction.
    fn columns(&mut self, corrections: &[Block], words: usize) -> Box<Secret<Columns>> {
        let mut columns = Box::new(Secret::new([[Block::ZERO; TILE_WORDS]; 128]));
        let tiles = columns
            .expose_mut()
            .chunks_exact_mut(FIELD_BITS)
            .zip(corrections.chunks_exact(words));
        for (instance, (streams, (columns, corrections))) in
            self.instances.iter_mut().zip(tiles).enumerate()
        {
            for (element, stream) in streams.iter_mut().enumerate().skip(1) {
                let mut random = [Block::ZERO; TILE_WORDS];
                stream.fill_blocks(&mut random[..words]);
                add_to_columns(element, &random, columns);
            }
            for (bit, column) in columns.iter_mut().enumerate() {
                let set = (self.delta.expose().0 >> (FIELD_BITS * instance + bit)) & 1 == 1;
                column
                    .iter_mut()
                    .zip(corrections)
                    .for_each(|(word, correction)| *word ^= correction.masked(set));
            }
        }
        columns
    }

    fn check(
        &self,
        channel: &mut Channel,
        kept: &[(Box<Secret<Columns>>, usize)],
        rng: &mut impl CryptoRng,
    ) -> Result<(), Fault> {
        let challenge = Block::random(rng);
        channel.send_part(CHALLENGE, &[challenge])?;
        let mut hashes = Hashes::new(challenge);
        kept.iter()
            .for_each(|(columns, words)| hashes.add(columns.expose(), &[], *words));
        let response: Vec<Block> = channel.receive_part(RESPONSE, RESPONSE_BLOCKS)?;
        hashes.check(*self.delta.expose(), &response)
    }
}
