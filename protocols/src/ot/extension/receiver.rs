//! The receiver: chooses bit by bit and gets one key each.

use super::choices::{Choices, pack};
use super::instances::{self, Streams};
use super::keys::{KeyHash, Progress, Stretch, each_rows};
use super::subspace::Hashes;
use super::{
    CHALLENGE, CORRECTIONS, Columns, FIELD_BITS, INSTANCES, KeptTiles, PIECE, RESPONSE, TILE_WORDS,
    TRANSFERS_MAX, frame_words, no_columns,
};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::{Fault, Misuse};
use crate::secret::Secret;
use crate::security::Security;
use crate::session_id::SessionId;
use crate::simd::leaves::Sums;
use rand_core::CryptoRng;
use std::sync::Arc;

/// The receiver's side after the set-up. Makes any number of transfers; tweaks never repeat.
pub struct Receiver {
    instances: Vec<Streams>,
    hash: KeyHash,
    stretch: Arc<Stretch>,
    pub(super) tweak: u128,
    security: Security,
    columns: Box<Secret<Columns>>,
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
        if count > TRANSFERS_MAX {
            return Err(Misuse::TooMany {
                what: "OT choices",
                max: TRANSFERS_MAX,
                got: count,
            }
            .into());
        }
        let filled = choices.filled(self.security.is_malicious(), rng);
        let (hash, first_tweak) = (&self.hash, self.tweak);
        let mut rows = Secret::new([Block::ZERO; PIECE]);
        let mut keys = Secret::new([Block::ZERO; PIECE]);
        let mut progress = Progress::of(count);
        let mut hand_out = |columns: &Columns, skipped, words| {
            each_rows(columns, skipped, words, rows.expose_mut(), |rows| {
                let (first, rows) = progress.take(rows);
                let keys = &mut keys.expose_mut()[..rows.len()];
                hash.keys(rows, Block::ZERO, first_tweak + first as u128, keys);
                each(first, keys);
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
        self.tweak += self.hash.tweaks(count);
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
