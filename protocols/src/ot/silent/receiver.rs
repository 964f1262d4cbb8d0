//! R: chooses. Knows the noise, and has C.

use super::setup::{FRAME_WORDS, NOISE, Setup, WORD};
use super::store::Store;
use super::{CHOICES, TREE_SUMS, tree};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::Fault;
use crate::ot::extension::{self, Choices};
use crate::ot::halving::Halving;
use crate::secret::Secret;
use crate::security::Security;
use crate::session_id::SessionId;
use rand_core::CryptoRng;
use std::collections::VecDeque;
use std::sync::Arc;

/// R's rows.
pub(in crate::ot) struct ReceiverRows {
    setup: Arc<Setup>,
    base: extension::ReceiverRows,
    halving: Halving,
    dealt: VecDeque<Dealt>,
    store: Store,
}

/// Trees of a chunk that is not expanded yet.
struct Dealt {
    /// The noise's place in each part.
    places: Secret<Vec<u32>>,
    /// The chosen sum of each level of each tree.
    chosen: Secret<Vec<Block>>,
}

impl ReceiverRows {
    pub(in crate::ot) fn set_up(
        channel: &mut Channel,
        sid: &SessionId,
        setup: &Arc<Setup>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let base_sid = sid.part("silent OT base", 0);
        let base = extension::ReceiverRows::set_up(channel, &base_sid, Security::SemiHonest, rng)?;
        Ok(Self {
            base,
            halving: Halving::new(sid.part("silent OT trees", 0).as_bytes()),
            dealt: VecDeque::new(),
            store: Store::new(setup),
            setup: Arc::clone(setup),
        })
    }

    /// Takes the trees of as many chunks as `transfers` more need.
    pub(in crate::ot) fn prepare(
        &mut self,
        channel: &mut Channel,
        transfers: usize,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Fault> {
        let chunks = self.setup.missing(self.left(), transfers);
        let depth = self.setup.depth();
        let places = (0..chunks * NOISE).map(|_| rng.next_u32() % (1 << depth));
        let places = Secret::new(places.collect::<Vec<u32>>());
        // With room for all from the beginning: a list that grows would leave copies behind.
        let mut choices = Secret::new(Vec::with_capacity(places.expose().len() * depth));
        for place in places.expose() {
            choices.expose_mut().extend(tree::choices(*place, depth));
        }
        let packed = extension::pack(choices.expose());
        let packed = Choices::new(packed.expose(), choices.expose().len());
        let mut chosen = Secret::new(Vec::with_capacity(packed.count()));
        self.base.each(channel, packed, rng, |_, rows| {
            chosen.expose_mut().extend_from_slice(rows);
        })?;
        let sums: Vec<Block> = channel.receive_all(TREE_SUMS, chunks * self.setup.sums())?;
        let trees = chosen.expose_mut().chunks_exact_mut(depth);
        for (chosen, sums) in trees.zip(sums.chunks_exact(depth - 1)) {
            let levels = chosen[1..].iter_mut().zip(sums);
            levels.for_each(|(row, sum)| *row ^= *sum);
        }
        let chosen = chosen.expose().chunks_exact(NOISE * depth);
        let all = places.expose().chunks_exact(NOISE).zip(chosen);
        self.dealt.extend(all.map(|(places, chosen)| Dealt {
            places: Secret::new(places.to_vec()),
            chosen: Secret::new(chosen.to_vec()),
        }));
        Ok(())
    }

    /// Hands out one row a choice: see [`extension::Receiver::extend_each`].
    pub(in crate::ot) fn each(
        &mut self,
        channel: &mut Channel,
        choices: Choices<'_>,
        rng: &mut impl CryptoRng,
        mut each: impl FnMut(usize, &[Block]),
    ) -> Result<(), Fault> {
        let filled = choices.filled(false, rng);
        Store::check(self.left(), WORD * filled.expose().len())?;
        let mut done = 0;
        for frame in filled.expose().chunks(FRAME_WORDS) {
            let mut told = Vec::with_capacity(frame.len());
            while told.len() < frame.len() {
                let rows = self.take(frame.len() - told.len());
                let words = frame[told.len()..].iter().zip(rows.as_chunks().0);
                told.extend(words.map(|(word, rows)| *word ^ low_bits(rows)));
                let wanted = rows.len().min(choices.count() - done);
                each(done, &rows[..wanted]);
                done += wanted;
            }
            channel.send_part(CHOICES, &told)?;
        }
        Ok(())
    }

    /// Rows that are there or can be expanded.
    fn left(&self) -> usize {
        self.store.left() + self.dealt.len() * self.setup.outputs()
    }

    fn take(&mut self, words: usize) -> &[Block] {
        if self.store.left() == 0
            && let Some(dealt) = self.dealt.pop_front()
        {
            let (setup, halving) = (&self.setup, &self.halving);
            let fill = |places: &mut [Block]| expand(setup, halving, &dealt, places);
            self.store.refill(setup, fill);
        }
        self.store.take(words)
    }
}

/// All leaves with bit 0 clear, and at the noise's places the leaf plus Δ with bit 0 set.
fn expand(setup: &Setup, halving: &Halving, dealt: &Dealt, places: &mut [Block]) {
    let trees = places.chunks_exact_mut(setup.part_places());
    let chosen = dealt.chosen.expose().chunks_exact(setup.depth());
    for ((leaves, chosen), place) in trees.zip(chosen).zip(dealt.places.expose()) {
        let own = tree::hold(halving, *place, chosen, leaves);
        tree::clear_low_bits(leaves);
        tree::add_at(leaves, u64::from(*place), Block(own.0 | 1));
    }
}

/// Bit 0 of each row.
fn low_bits(rows: &[Block; WORD]) -> Block {
    let bits = rows.iter().rev();
    Block(bits.fold(0, |word, row| (word << 1) | (row.0 & 1)))
}
