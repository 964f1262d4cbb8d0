//! S: knows Δ, and has B.

use super::setup::{FRAME_WORDS, NOISE, Setup, WORD};
use super::store::Store;
use super::{CHOICES, TREE_SUMS, tree};
use crate::block::Block;
use crate::channel::Channel;
use crate::fault::Fault;
use crate::ot::extension::{self, PIECE};
use crate::ot::halving::Halving;
use crate::secret::Secret;
use crate::security::Security;
use crate::session_id::SessionId;
use crate::simd::wide;
use rand_core::CryptoRng;
use std::collections::VecDeque;
use std::sync::Arc;

/// S's rows.
pub(in crate::ot) struct SenderRows {
    setup: Arc<Setup>,
    base: extension::SenderRows,
    halving: Halving,
    /// Roots of the trees of each chunk that is not expanded yet.
    dealt: VecDeque<Secret<Vec<Block>>>,
    store: Store,
}

impl SenderRows {
    pub(in crate::ot) fn set_up(
        channel: &mut Channel,
        sid: &SessionId,
        setup: &Arc<Setup>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let base_sid = sid.part("silent OT base", 0);
        let delta = Secret::new(Block(Block::random(rng).0 | 1));
        let security = Security::SemiHonest;
        let base = extension::SenderRows::set_up(channel, &base_sid, security, delta, rng)?;
        Ok(Self {
            base,
            halving: Halving::new(sid.part("silent OT trees", 0).as_bytes()),
            dealt: VecDeque::new(),
            store: Store::new(setup),
            setup: Arc::clone(setup),
        })
    }

    /// What R's rows of set choices have more. Bit 0 is set.
    pub(in crate::ot) fn delta(&self) -> &Secret<Block> {
        self.base.delta()
    }

    /// Deals the trees of as many chunks as `transfers` more need. They are grown for their sums alone, and once more when a chunk is
    /// expanded: to keep all leaves of many chunks would take more memory than that takes time.
    pub(in crate::ot) fn prepare(
        &mut self,
        channel: &mut Channel,
        transfers: usize,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Fault> {
        let chunks = self.setup.missing(self.left(), transfers);
        let depth = self.setup.depth();
        let count = chunks * self.setup.base_transfers();
        let mut rows = Secret::new(Vec::with_capacity(count));
        self.base.each(channel, count, rng, |_, piece| {
            rows.expose_mut().extend_from_slice(piece);
        })?;
        let delta = *self.base.delta().expose();
        let mut leaves = Secret::new(vec![Block::ZERO; self.setup.part_places()]);
        let mut sums = vec![Block::ZERO; chunks * self.setup.sums()];
        let trees = rows.expose().chunks_exact(depth);
        for (rows, sums) in trees.zip(sums.chunks_exact_mut(depth - 1)) {
            tree::deal(&self.halving, rows[0], delta, leaves.expose_mut(), sums);
            let levels = sums.iter_mut().zip(&rows[1..]);
            levels.for_each(|(sum, row)| *sum ^= *row);
        }
        for rows in rows.expose().chunks_exact(NOISE * depth) {
            let roots = rows.iter().step_by(depth).copied();
            self.dealt.push_back(Secret::new(roots.collect()));
        }
        channel.send_all(TREE_SUMS, &sums)
    }

    /// Hands out the rows of `count` transfers: see [`extension::Sender::extend_each`].
    pub(in crate::ot) fn each(
        &mut self,
        channel: &mut Channel,
        count: usize,
        _: &mut impl CryptoRng,
        mut each: impl FnMut(usize, &[Block]),
    ) -> Result<(), Fault> {
        let (words, delta) = (count.div_ceil(WORD), *self.delta().expose());
        Store::check(self.left(), WORD * words)?;
        let mut rows = Secret::new([Block::ZERO; PIECE]);
        let mut done = 0;
        for start in (0..words).step_by(FRAME_WORDS) {
            let frame = FRAME_WORDS.min(words - start);
            let told: Vec<Block> = channel.receive_part(CHOICES, frame)?;
            let mut told = told.as_slice();
            while !told.is_empty() {
                let taken = self.take(told.len());
                let (now, later) = told.split_at(taken.len() / WORD);
                told = later;
                let rows = &mut rows.expose_mut()[..taken.len()];
                rows.copy_from_slice(taken);
                wide::run(|| add_where_told(rows, now, delta));
                let wanted = rows.len().min(count - done);
                each(done, &rows[..wanted]);
                done += wanted;
            }
        }
        Ok(())
    }

    /// Rows that are there or can be expanded.
    fn left(&self) -> usize {
        self.store.left() + self.dealt.len() * self.setup.outputs()
    }

    fn take(&mut self, words: usize) -> &[Block] {
        if self.store.left() == 0
            && let Some(roots) = self.dealt.pop_front()
        {
            let (setup, halving, delta) = (&self.setup, &self.halving, self.base.delta());
            let fill = |places: &mut [Block]| expand(setup, halving, &roots, delta, places);
            self.store.refill(setup, fill);
        }
        self.store.take(words)
    }
}

/// All leaves, with bit 0 clear.
fn expand(
    setup: &Setup,
    halving: &Halving,
    roots: &Secret<Vec<Block>>,
    delta: &Secret<Block>,
    places: &mut [Block],
) {
    let mut sums = Secret::new(vec![Block::ZERO; setup.depth() - 1]);
    let trees = places.chunks_exact_mut(setup.part_places());
    for (leaves, root) in trees.zip(roots.expose()) {
        tree::deal(halving, *root, *delta.expose(), leaves, sums.expose_mut());
        tree::clear_low_bits(leaves);
    }
}

/// Adds Δ to the rows whose bits are set.
#[inline(always)]
fn add_where_told(rows: &mut [Block], told: &[Block], delta: Block) {
    let delta = wide::halves(&[delta])[0];
    for (rows, told) in rows.chunks_exact_mut(WORD).zip(told) {
        let rows = wide::halves_mut(rows).chunks_exact_mut(WORD / 2);
        for (rows, told) in rows.zip([told.low(), told.high()]) {
            for (bit, row) in rows.iter_mut().enumerate() {
                let set = ((told >> bit) & 1).wrapping_neg();
                *row = [0, 1].map(|half| row[half] ^ (delta[half] & set));
            }
        }
    }
}
