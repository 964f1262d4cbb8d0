//! R's part: deals the reverse vectors, holds the shifts and the routes.

use super::{
    AHEAD, FROM_RECEIVER, FROM_SENDER, Grouping, ReceiverBins, SPARE_BYTES, add_all, add_by_code,
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

/// A piece that is not yet closed.
struct Open<W> {
    bins: Range<usize>,
    /// Keys of the shift's transfers.
    shift_keys: Secret<Vec<Block>>,
    /// Rows of the route's.
    route_rows: Secret<Vec<Block>>,
    /// R's shares of the vectors over S's groups, before the shift.
    vectors: Vec<W>,
}

impl Grouping {
    /// Adds R's shares of the tables of all `bins` to `table`.
    ///
    /// # Panics
    /// If lists have different lengths: a caller's defect.
    pub fn receive<W: Word>(
        &mut self,
        channel: &mut Channel,
        ots: &mut Ots,
        bins: ReceiverBins<'_, W>,
        table: &mut [W],
        rng: &mut impl CryptoRng,
    ) -> Result<(), Fault> {
        let count = bins.codes.len();
        assert_eq!(
            bins.masked_codes.len(),
            count,
            "a masked code for every bin"
        );
        assert_eq!(
            bins.words.len(),
            count * self.layout.words(),
            "moments for every bin"
        );
        assert_eq!(table.len(), self.table_words(), "a whole table");
        let mut open = VecDeque::with_capacity(AHEAD + 1);
        for piece in self.pieces(count) {
            open.push_back(self.open(channel, ots, bins, piece, rng)?);
            if open.len() > AHEAD {
                self.close_first(channel, bins, &mut open, table)?;
            }
        }
        while !open.is_empty() {
            self.close_first(channel, bins, &mut open, table)?;
        }
        Ok(())
    }

    fn open<W: Word>(
        &mut self,
        channel: &mut Channel,
        ots: &mut Ots,
        all: ReceiverBins<'_, W>,
        bins: Range<usize>,
        rng: &mut impl CryptoRng,
    ) -> Result<Open<W>, Fault> {
        let width = self.layout.words();
        let words = &all.words[bins.start * width..bins.end * width];
        let transfers = self.reverse_transfers() * bins.len();
        let rows = ots.sender.rows(channel, transfers, rng)?;
        let delta = *ots.sender.delta().expose();
        let vectors = self.reverse(rows.expose(), delta, words, bins.len());
        channel.send_all(FROM_RECEIVER, &self.message)?;
        let mut choices = Secret::new(Vec::with_capacity(self.shift_transfers() * bins.len()));
        if let Some(shift) = &self.shift {
            let by = &all.masked_codes[bins.clone()];
            choices.expose_mut().extend(shift.choices(by));
        }
        let shift_keys = ots.receiver.extend(channel, choices.expose(), rng)?;
        let mut choices = Secret::new(Vec::with_capacity(self.route_transfers() * bins.len()));
        if let Some(route) = &self.route {
            let codes = &all.codes[bins.clone()];
            choices.expose_mut().extend(route.trees.choices(codes));
        }
        let route_rows = ots.receiver.rows(channel, choices.expose(), rng)?;
        Ok(Open {
            bins,
            shift_keys,
            route_rows,
            vectors,
        })
    }

    /// Deals a piece's rows as one-hot vectors: what S needs is the message then; returns R's shares of them.
    fn reverse<W: Word>(
        &mut self,
        rows: &[Block],
        delta: Block,
        words: &[W],
        bins: usize,
    ) -> Vec<W> {
        let batches: Vec<_> = self.batches::<W>(bins).collect();
        let (width, vector_words) = (self.layout.words(), self.vector_words());
        let Some(reverse) = &mut self.reverse else {
            return words.to_vec();
        };
        self.message.clear();
        self.message.reserve(bins * reverse.bytes() + SPARE_BYTES);
        let mut vectors = vec![W::ZERO; bins * vector_words];
        for batch in batches {
            let keys = Keys::new(rows, bins, &batch);
            let words = &words[batch.start * width..batch.end * width];
            let vectors = &mut vectors[batch.start * vector_words..batch.end * vector_words];
            reverse.deal(keys, delta, words, &mut self.message, |place, leaves| {
                wide::run(|| take_minus(vectors, leaves, place, vector_words, width));
            });
        }
        vectors
    }

    /// Receives what S dealt for the piece opened first, and adds it up.
    fn close_first<W: Word>(
        &mut self,
        channel: &mut Channel,
        all: ReceiverBins<'_, W>,
        open: &mut VecDeque<Open<W>>,
        table: &mut [W],
    ) -> Result<(), Fault> {
        let Some(Open {
            bins,
            shift_keys,
            route_rows,
            mut vectors,
        }) = open.pop_front()
        else {
            return Ok(());
        };
        let a_bin = self.forward_bytes();
        let message = self.received(channel, FROM_SENDER, a_bin * bins.len())?;
        let shift_bytes = self.shift_bytes();
        let vector_words = self.vector_words();
        for batch in self.batches::<W>(bins.len()) {
            let dealt = &message[batch.start * a_bin..batch.end * a_bin];
            let (shifts, routes) = dealt.split_at(batch.len() * shift_bytes);
            let vectors = &mut vectors[batch.start * vector_words..batch.end * vector_words];
            let at = bins.start + batch.start..bins.start + batch.end;
            if let Some(shift) = &mut self.shift {
                let keys = Keys::new(shift_keys.expose(), bins.len(), &batch);
                shift.hold(keys, &all.masked_codes[at.clone()], shifts, vectors);
            }
            let Some(route) = &mut self.route else {
                wide::run(|| add_all(table, vectors, vector_words));
                continue;
            };
            let keys = Keys::new(route_rows.expose(), bins.len(), &batch);
            let codes = &all.codes[at];
            let rows = route.hold(keys, codes, routes, |place, leaves: &[W]| {
                let cell = &mut table[place * vector_words..][..vector_words];
                wide::run(|| add_all(cell, leaves, leaves.len() / codes.len()));
            });
            wide::run(|| {
                add(vectors, &rows);
                add_by_code(table, vectors, codes);
            });
        }
        self.received = message;
        Ok(())
    }
}

/// Writes minus the leaves' rows to one place of each vector.
#[inline(always)]
fn take_minus<W: Word>(
    vectors: &mut [W],
    leaves: &[W],
    place: usize,
    vector_words: usize,
    width: usize,
) {
    let vectors = vectors.chunks_exact_mut(vector_words);
    let stride = leaves.len() / vectors.len();
    for (vector, leaf) in vectors.zip(leaves.chunks_exact(stride)) {
        for (word, leaf) in vector[place * width..][..width].iter_mut().zip(leaf) {
            *word = leaf.wrapping_neg();
        }
    }
}
