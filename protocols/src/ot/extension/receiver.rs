//! The receiver: chooses bit by bit and gets one key each.

use super::instances::{self, Streams};
use super::subspace::Hashes;
use super::transpose::transpose;
use super::{
    CHALLENGE, CORRECTIONS, Columns, FIELD_BITS, RESPONSE, TILE_WORDS, TRANSFERS_MAX, tiles,
};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misuse};
use crate::hash::CorrelationHash;
use crate::secret::Secret;
use crate::security::Security;
use crate::session_id::SessionId;
use rand_core::CryptoRng;

/// The receiver's side after the set-up. Makes any number of transfers; tweaks never repeat.
pub struct Receiver {
    instances: Vec<Streams>,
    hash: CorrelationHash,
    pub(super) tweak: u128,
    security: Security,
}

impl Receiver {
    /// 128 base OTs and the trees.
    pub fn set_up(
        channel: &mut Channel,
        sid: &SessionId,
        security: Security,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let instances = instances::deal(channel, sid, security, rng)?;
        Ok(Self {
            instances,
            hash: CorrelationHash::new("entente/1/ot-extension/key", sid),
            tweak: 0,
            security,
        })
    }

    /// One key a choice; wiped when dropped.
    pub fn extend(
        &mut self,
        channel: &mut Channel,
        choices: &[bool],
        rng: &mut impl CryptoRng,
    ) -> Result<Secret<Vec<Block>>, Fault> {
        if choices.len() > TRANSFERS_MAX {
            return Err(Misuse::TooMany {
                what: "OT choices",
                max: TRANSFERS_MAX,
                got: choices.len(),
            }
            .into());
        }
        let packed = self.packed(choices, rng);
        let mut kept = Vec::new();
        let mut keys = Secret::new(Vec::with_capacity(128 * packed.expose().len()));
        let mut words = packed.expose().as_slice();
        for count in tiles(words.len()) {
            let (tile, rest) = words.split_at(count);
            words = rest;
            let (columns, corrections) = self.columns(tile);
            channel.send_part(CORRECTIONS, &corrections)?;
            push_rows(columns.expose(), count, keys.expose_mut());
            if self.security.is_malicious() {
                kept.push((columns, tile));
            }
        }
        if self.security.is_malicious() {
            let challenge: Vec<Block> = channel.receive_part(CHALLENGE, 1)?;
            let mut hashes = Hashes::new(challenge[0]);
            kept.iter()
                .for_each(|(columns, tile)| hashes.add(columns.expose(), tile, tile.len()));
            channel.send_part(RESPONSE, &hashes.response())?;
            keys.expose_mut().drain(..128);
        }
        keys.expose_mut().truncate(choices.len());
        self.hash.hash_all(keys.expose_mut(), self.tweak);
        self.tweak += choices.len() as u128;
        Ok(keys)
    }

    /// Choices as words, the last one filled up with random bits; in malicious mode behind one random word that masks the check.
    fn packed(&self, choices: &[bool], rng: &mut impl CryptoRng) -> Secret<Vec<Block>> {
        let mut random_word = || Block::random(rng);
        let mut packed = Secret::new(Vec::with_capacity(choices.len() / 128 + 2));
        let words = packed.expose_mut();
        if self.security.is_malicious() {
            words.push(random_word());
        }
        for chunk in choices.chunks(128) {
            let bits = chunk
                .iter()
                .rev()
                .fold(0u128, |word, bit| (word << 1) | u128::from(*bit));
            let unused = u128::MAX.checked_shl(chunk.len() as u32).unwrap_or(0);
            words.push(Block(bits | (random_word().0 & unused)));
        }
        packed
    }

    /// v's columns for the words of one tile, and the corrections u ⊕ x of all instances.
    pub(super) fn columns(&mut self, choices: &[Block]) -> (Box<Secret<Columns>>, Vec<Block>) {
        let words = choices.len();
        let mut columns = Box::new(Secret::new([[Block::ZERO; TILE_WORDS]; 128]));
        let mut corrections = Vec::with_capacity(self.instances.len() * words);
        for (streams, columns) in self
            .instances
            .iter_mut()
            .zip(columns.expose_mut().chunks_exact_mut(FIELD_BITS))
        {
            let mut sum = [Block::ZERO; TILE_WORDS];
            sum[..words].copy_from_slice(choices);
            for (element, stream) in streams.iter_mut().enumerate() {
                let mut random = [Block::ZERO; TILE_WORDS];
                stream.fill_blocks(&mut random[..words]);
                add_to_columns(element, &random, columns);
                sum.iter_mut()
                    .zip(&random)
                    .for_each(|(sum, random)| *sum ^= *random);
            }
            corrections.extend_from_slice(&sum[..words]);
        }
        (columns, corrections)
    }
}

/// Adds `random` to the columns of an instance where the field element has a bit set.
pub(super) fn add_to_columns(
    element: usize,
    random: &[Block; TILE_WORDS],
    columns: &mut [[Block; TILE_WORDS]],
) {
    for (bit, column) in columns.iter_mut().enumerate() {
        if (element >> bit) & 1 == 1 {
            column
                .iter_mut()
                .zip(random)
                .for_each(|(word, random)| *word ^= *random);
        }
    }
}

/// Appends the rows of the first `words` words of a tile.
pub(super) fn push_rows(columns: &Columns, words: usize, rows: &mut Vec<Block>) {
    for word in 0..words {
        let mut square = [Block::ZERO; 128];
        for (cell, column) in square.iter_mut().zip(columns) {
            *cell = column[word];
        }
        transpose(&mut square);
        rows.extend_from_slice(&square);
    }
}
