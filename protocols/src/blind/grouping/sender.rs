//! S's part: holds the reverse vectors, deals the shifts and the routes.

use super::{
    AHEAD, FROM_RECEIVER, FROM_SENDER, Grouping, SPARE_BYTES, SenderBins, add_all, subtract_all,
};
use crate::blind::one_hot::add;
use crate::blind::ots::Ots;
use crate::blind::trees::Keys;
use crate::blind::word::Word;
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::Fault;
use crate::secret::Secret;
use crate::simd::wide;
use rand_core::CryptoRng;
use std::collections::VecDeque;
use std::ops::Range;

/// A piece whose reverse transfers are chosen.
struct Chosen {
    bins: Range<usize>,
    rows: Secret<Vec<Block>>,
}

impl Grouping {
    /// Adds S's shares of the tables of all `bins` to `table`.
    ///
    /// # Panics
    /// If lists have different lengths: a caller's defect.
    pub fn send<W: Word>(
        &mut self,
        channel: &mut Channel,
        ots: &mut Ots,
        bins: SenderBins<'_, W>,
        table: &mut [W],
        rng: &mut impl CryptoRng,
    ) -> Result<(), Fault> {
        let count = bins.masks.len();
        assert_eq!(
            bins.words.len(),
            count * self.layout.words(),
            "moments for every bin"
        );
        assert_eq!(table.len(), self.table_words(), "a whole table");
        let mut chosen = VecDeque::with_capacity(AHEAD + 1);
        for piece in self.pieces(count) {
            chosen.push_back(self.choose(channel, ots, bins, piece, rng)?);
            if chosen.len() > AHEAD {
                self.answer_first(channel, ots, bins, &mut chosen, table, rng)?;
            }
        }
        while !chosen.is_empty() {
            self.answer_first(channel, ots, bins, &mut chosen, table, rng)?;
        }
        Ok(())
    }

    fn choose<W: Word>(
        &mut self,
        channel: &mut Channel,
        ots: &mut Ots,
        all: SenderBins<'_, W>,
        bins: Range<usize>,
        rng: &mut impl CryptoRng,
    ) -> Result<Chosen, Fault> {
        let mut choices = Secret::new(Vec::with_capacity(self.reverse_transfers() * bins.len()));
        if let Some(reverse) = &self.reverse {
            let masks = &all.masks[bins.clone()];
            choices.expose_mut().extend(reverse.trees.choices(masks));
        }
        let rows = ots.receiver.rows(channel, choices.expose(), rng)?;
        Ok(Chosen { bins, rows })
    }

    /// Receives what R dealt for the piece chosen first, and deals what comes of it.
    fn answer_first<W: Word>(
        &mut self,
        channel: &mut Channel,
        ots: &mut Ots,
        all: SenderBins<'_, W>,
        chosen: &mut VecDeque<Chosen>,
        table: &mut [W],
        rng: &mut impl CryptoRng,
    ) -> Result<(), Fault> {
        let Some(Chosen { bins, rows }) = chosen.pop_front() else {
            return Ok(());
        };
        let a_bin = self.reverse_bytes();
        let received = self.received(channel, FROM_RECEIVER, a_bin * bins.len())?;
        let shifts = self.shift_transfers() * bins.len();
        let shift_pairs = ots.sender.extend(channel, shifts, rng)?;
        let routes = self.route_transfers() * bins.len();
        let route_rows = ots.sender.rows(channel, routes, rng)?;
        let delta = *ots.sender.delta().expose();
        let mut message = std::mem::take(&mut self.message);
        message.clear();
        message.reserve(self.forward_bytes() * bins.len() + SPARE_BYTES);
        let width = self.layout.words();
        for batch in self.batches::<W>(bins.len()) {
            let dealt = &received[batch.start * a_bin..batch.end * a_bin];
            let at = bins.start + batch.start..bins.start + batch.end;
            let words = &all.words[at.start * width..at.end * width];
            let keys = Keys::new(rows.expose(), bins.len(), &batch);
            let mut vectors = self.reversed(keys, &all.masks[at], dealt, words);
            if let Some(shift) = &mut self.shift {
                let keys = Keys::new(shift_pairs.expose(), bins.len(), &batch);
                shift.deal(keys, &mut vectors, &mut message);
            }
            let keys = Keys::new(route_rows.expose(), bins.len(), &batch);
            self.routed(keys, delta, &vectors, &mut message, table);
        }
        channel.send_all(FROM_SENDER, &message)?;
        (self.received, self.message) = (received, message);
        Ok(())
    }

    /// S's shares of the vectors over its groups that have the rows at `masks`.
    fn reversed<W: Word>(
        &mut self,
        keys: Keys<'_, Block>,
        masks: &[u32],
        received: &[u8],
        words: &[W],
    ) -> Vec<W> {
        let (width, vector_words) = (self.layout.words(), self.vector_words());
        let Some(reverse) = &mut self.reverse else {
            return words.to_vec();
        };
        let mut vectors = vec![W::ZERO; masks.len() * vector_words];
        let mut rows = reverse.hold(keys, masks, received, |place, leaves: &[W]| {
            let stride = leaves.len() / masks.len();
            let leaves = leaves.chunks_exact(stride);
            for (vector, leaf) in vectors.chunks_exact_mut(vector_words).zip(leaves) {
                vector[place * width..][..width].copy_from_slice(&leaf[..width]);
            }
        });
        wide::run(|| {
            add(&mut rows, words);
            put_at(&mut vectors, &rows, masks);
        });
        vectors
    }

    /// Deals the vectors as rows of vectors over R's groups, or adds them up where there is one.
    fn routed<W: Word>(
        &mut self,
        keys: Keys<'_, Block>,
        delta: Block,
        vectors: &[W],
        message: &mut Vec<u8>,
        table: &mut [W],
    ) {
        let vector_words = self.vector_words();
        let Some(route) = &mut self.route else {
            wide::run(|| add_all(table, vectors, vector_words));
            return;
        };
        let count = keys.count;
        route.deal(keys, delta, vectors, message, |place, leaves| {
            let cell = &mut table[place * vector_words..][..vector_words];
            wide::run(|| subtract_all(cell, leaves, leaves.len() / count));
        });
    }
}

/// Adds each row to its vector at the place that its mask says.
#[inline(always)]
fn put_at<W: Word>(vectors: &mut [W], rows: &[W], masks: &[u32]) {
    let (width, vector_words) = (rows.len() / masks.len(), vectors.len() / masks.len());
    let rows = rows.chunks_exact(width).zip(masks);
    for (vector, (row, mask)) in vectors.chunks_exact_mut(vector_words).zip(rows) {
        for (place, cell) in vector.chunks_exact_mut(width).enumerate() {
            let here = *mask as usize == place;
            for (sum, word) in cell.iter_mut().zip(row) {
                *sum = sum.wrapping_add(word.masked(here));
            }
        }
    }
}
