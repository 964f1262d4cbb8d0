//! The sender's rows of SoftSpokenOT: q_j, under its Δ.

use super::instances::{self, Streams};
use super::keys::{Progress, each_rows};
use super::subspace::{Hashes, RESPONSE_BLOCKS};
use super::{
    CHALLENGE, CORRECTIONS, Columns, FIELD_BITS, INSTANCES, KeptTiles, PIECE, RESPONSE, TILE_WORDS,
    frames, no_columns,
};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::Fault;
use crate::secret::Secret;
use crate::security::Security;
use crate::session_id::SessionId;
use crate::simd::leaves::Sums;
use crate::simd::wide;
use rand_core::CryptoRng;

/// The trees of which the sender misses the leaf that its part of Δ names.
pub(in crate::ot) struct SenderRows {
    instances: Vec<Streams>,
    delta: Secret<Block>,
    security: Security,
    columns: Box<Secret<Columns>>,
}

impl SenderRows {
    /// 128 base OTs and the trees, under a Δ that is fresh for this set-up.
    pub(in crate::ot) fn set_up(
        channel: &mut Channel,
        sid: &SessionId,
        security: Security,
        delta: Secret<Block>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        Ok(Self {
            instances: instances::hold(channel, sid, security, *delta.expose(), rng)?,
            delta,
            security,
            columns: no_columns(),
        })
    }

    /// What the receiver's rows of set choices have more.
    pub(in crate::ot) fn delta(&self) -> &Secret<Block> {
        &self.delta
    }

    /// Hands out the rows of `count` transfers: see [`super::Sender::extend_each`].
    pub(in crate::ot) fn each(
        &mut self,
        channel: &mut Channel,
        count: usize,
        rng: &mut impl CryptoRng,
        mut each: impl FnMut(usize, &[Block]),
    ) -> Result<(), Fault> {
        let delta = *self.delta.expose();
        let mut rows = Secret::new([Block::ZERO; PIECE]);
        let mut progress = Progress::of(count);
        let mut hand_out = |columns: &Columns, skipped, words| {
            each_rows(columns, skipped, words, rows.expose_mut(), |rows| {
                let (first, rows) = progress.take(rows);
                each(first, rows);
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
