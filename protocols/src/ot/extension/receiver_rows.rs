//! The receiver's rows of SoftSpokenOT: v_j, which is the sender's q_j plus the receiver's choice times Δ.

use super::choices::Choices;
use super::instances::{self, Streams};
use super::keys::{Progress, each_rows};
use super::subspace::Hashes;
use super::{
    CHALLENGE, CORRECTIONS, Columns, FIELD_BITS, INSTANCES, KeptTiles, PIECE, RESPONSE, TILE_WORDS,
    frame_words, no_columns,
};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::Fault;
use crate::secret::Secret;
use crate::security::Security;
use crate::session_id::SessionId;
use crate::simd::leaves::Sums;
use rand_core::CryptoRng;

/// The trees of which the receiver knows every leaf.
pub(in crate::ot) struct ReceiverRows {
    instances: Vec<Streams>,
    security: Security,
    columns: Box<Secret<Columns>>,
}

impl ReceiverRows {
    /// 128 base OTs and the trees.
    pub(in crate::ot) fn set_up(
        channel: &mut Channel,
        sid: &SessionId,
        security: Security,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        Ok(Self {
            instances: instances::deal(channel, sid, security, rng)?,
            security,
            columns: no_columns(),
        })
    }

    /// Hands out one row a choice: see [`super::Receiver::extend_each`].
    pub(in crate::ot) fn each(
        &mut self,
        channel: &mut Channel,
        choices: Choices<'_>,
        rng: &mut impl CryptoRng,
        mut each: impl FnMut(usize, &[Block]),
    ) -> Result<(), Fault> {
        let filled = choices.filled(self.security.is_malicious(), rng);
        let mut rows = Secret::new([Block::ZERO; PIECE]);
        let mut progress = Progress::of(choices.count());
        let mut hand_out = |columns: &Columns, skipped, words| {
            each_rows(columns, skipped, words, rows.expose_mut(), |rows| {
                let (first, rows) = progress.take(rows);
                each(first, rows);
            });
        };
        let frames = filled.expose().chunks(frame_words(self.security));
        if self.security.is_malicious() {
            let kept = Self::checked(&mut self.instances, channel, frames)?;
            for (place, (columns, words)) in kept.iter().enumerate() {
                hand_out(columns.expose(), usize::from(place == 0), *words);
            }
        } else {
            for frame in frames {
                let mut corrections = Vec::with_capacity(INSTANCES * frame.len());
                for tile in frame.chunks(TILE_WORDS) {
                    let columns = self.columns.expose_mut();
                    make_columns(&mut self.instances, tile, columns, &mut corrections);
                    hand_out(columns, 0, tile.len());
                }
                channel.send_part(CORRECTIONS, &corrections)?;
            }
        }
        Ok(())
    }

    /// All tiles' columns, after the sender has made sure that all instances got the same choices.
    fn checked<'a>(
        instances: &mut [Streams],
        channel: &mut Channel,
        tiles: impl Iterator<Item = &'a [Block]> + Clone,
    ) -> Result<KeptTiles, Fault> {
        let mut kept = Vec::new();
        for tile in tiles.clone() {
            let (mut columns, mut corrections) = (no_columns(), Vec::new());
            make_columns(instances, tile, columns.expose_mut(), &mut corrections);
            channel.send_part(CORRECTIONS, &corrections)?;
            kept.push((columns, tile.len()));
        }
        let challenge: Vec<Block> = channel.receive_part(CHALLENGE, 1)?;
        let mut hashes = Hashes::new(challenge[0]);
        for ((columns, words), tile) in kept.iter().zip(tiles) {
            hashes.add(columns.expose(), tile, *words);
        }
        channel.send_part(RESPONSE, &hashes.response())?;
        Ok(kept)
    }

    /// A tile's columns and corrections, for tests that cheat with them.
    #[cfg(test)]
    pub(super) fn columns(&mut self, choices: &[Block]) -> (Box<Secret<Columns>>, Vec<Block>) {
        let (mut columns, mut corrections) = (no_columns(), Vec::new());
        make_columns(
            &mut self.instances,
            choices,
            columns.expose_mut(),
            &mut corrections,
        );
        (columns, corrections)
    }
}

/// v's columns for the words of one tile, and onto `corrections` the u ⊕ x of all instances.
fn make_columns(
    instances: &mut [Streams],
    choices: &[Block],
    columns: &mut Columns,
    corrections: &mut Vec<Block>,
) {
    let mut all = Secret::new([Block::ZERO; TILE_WORDS]);
    let (columns, _) = columns.as_chunks_mut::<FIELD_BITS>();
    for (streams, bits) in instances.iter_mut().zip(columns) {
        let all = all.expose_mut();
        streams.sum(choices.len(), Sums { all, bits });
        corrections.extend(choices.iter().zip(all).map(|(choice, sum)| *choice ^ *sum));
    }
}
