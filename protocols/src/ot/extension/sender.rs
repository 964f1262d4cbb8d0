//! The sender: gets two keys a transfer.

use super::instances::{self, Streams};
use super::keys::{KeyHash, Progress, Stretch, each_rows};
use super::subspace::{Hashes, RESPONSE_BLOCKS};
use super::{
    CHALLENGE, CORRECTIONS, Columns, FIELD_BITS, INSTANCES, KeptTiles, PIECE, RESPONSE, TILE_WORDS,
    TRANSFERS_MAX, frames, no_columns,
};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misuse};
use crate::secret::Secret;
use crate::security::Security;
use crate::session_id::SessionId;
use crate::simd::leaves::Sums;
use crate::simd::wide;
use rand_core::CryptoRng;
use std::sync::Arc;

/// The sender's side after the set-up. Makes any number of transfers; tweaks never repeat.
pub struct Sender {
    instances: Vec<Streams>,
    delta: Secret<Block>,
    hash: KeyHash,
    stretch: Arc<Stretch>,
    pub(super) tweak: u128,
    security: Security,
    columns: Box<Secret<Columns>>,
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
        Ok(Self {
            instances,
            delta,
            hash: KeyHash::new(sid, security),
            stretch: Arc::new(Stretch::new(sid)),
            tweak: 0,
            security,
            columns: no_columns(),
        })
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
        if count > TRANSFERS_MAX {
            return Err(Misuse::TooMany {
                what: "OTs",
                max: TRANSFERS_MAX,
                got: count,
            }
            .into());
        }
        let delta = *self.delta.expose();
        let (hash, first_tweak) = (&self.hash, self.tweak);
        let mut rows = Secret::new([Block::ZERO; PIECE]);
        let mut keys = Secret::new([[Block::ZERO; PIECE]; 2]);
        let mut progress = Progress::of(count);
        let mut hand_out = |columns: &Columns, skipped, words| {
            each_rows(columns, skipped, words, rows.expose_mut(), |rows| {
                let (first, rows) = progress.take(rows);
                let tweak = first_tweak + first as u128;
                let [zeros, ones] = keys.expose_mut().each_mut();
                let [zeros, ones] = [zeros, ones].map(|keys| &mut keys[..rows.len()]);
                hash.keys(rows, Block::ZERO, tweak, zeros);
                hash.keys(rows, delta, tweak, ones);
                each(first, [zeros, ones]);
            });
        };
        let frames = frames(count, self.security);
        if self.security.is_malicious() {
            let kept = Self::checked(&mut self.instances, delta, channel, frames, rng)?;
            for (place, (columns, words)) in kept.iter().enumerate() {
                hand_out(columns.expose(), usize::from(place == 0), *words);
            }
        } else {
            for words in frames {
                let corrections: Vec<Block> =
                    channel.receive_part(CORRECTIONS, INSTANCES * words)?;
                for corrections in corrections.chunks(INSTANCES * TILE_WORDS) {
                    let columns = self.columns.expose_mut();
                    let words = make_columns(&mut self.instances, delta, corrections, columns);
                    hand_out(columns, 0, words);
                }
            }
        }
        self.tweak += self.hash.tweaks(count);
        Ok(())
    }

    /// All tiles' columns, once it is sure that all instances got the same choices.
    fn checked(
        instances: &mut [Streams],
        delta: Block,
        channel: &mut Channel,
        tiles: impl Iterator<Item = usize>,
        rng: &mut impl CryptoRng,
    ) -> Result<KeptTiles, Fault> {
        let mut kept = Vec::new();
        for words in tiles {
            let corrections: Vec<Block> = channel.receive_part(CORRECTIONS, INSTANCES * words)?;
            let mut columns = no_columns();
            make_columns(instances, delta, &corrections, columns.expose_mut());
            kept.push((columns, words));
        }
        let challenge = Block::random(rng);
        channel.send_part(CHALLENGE, &[challenge])?;
        let mut hashes = Hashes::new(challenge);
        for (columns, words) in &kept {
            hashes.add(columns.expose(), &[], *words);
        }
        let response: Vec<Block> = channel.receive_part(RESPONSE, RESPONSE_BLOCKS)?;
        hashes.check(delta, &response)?;
        Ok(kept)
    }
}

/// q's columns for one tile: the streams' part, and Δ_i times the correction. Returns how many words they have.
fn make_columns(
    instances: &mut [Streams],
    delta: Block,
    corrections: &[Block],
    columns: &mut Columns,
) -> usize {
    let words = corrections.len() / INSTANCES;
    let mut all = [Block::ZERO; TILE_WORDS];
    let (columns, _) = columns.as_chunks_mut::<FIELD_BITS>();
    let parts = columns.iter_mut().zip(corrections.chunks_exact(words));
    for (instance, (streams, (bits, corrections))) in instances.iter_mut().zip(parts).enumerate() {
        let all = &mut all;
        streams.sum(words, Sums { all, bits });
        wide::run(|| {
            for (bit, column) in bits.iter_mut().enumerate() {
                let set = (delta.0 >> (FIELD_BITS * instance + bit)) & 1 == 1;
                for (word, correction) in column.iter_mut().zip(corrections) {
                    *word ^= correction.masked(set);
                }
            }
        });
    }
    words
}
