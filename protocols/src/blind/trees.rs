//! Many small puncturable trees at once: [half trees](crate::ot::halving), level by level over a whole batch, so that the cipher always has
//! many blocks to work on (Guo et al., EUROCRYPT'23).
//!
//! One correlated transfer a level. The dealer's row of the first level and that row plus its Δ **are** the two nodes below the root; at each
//! further level it sends one sum, of all left nodes, masked by its row of that level. The holder chooses at every level the side that its path does
//! not go: its row takes the mask off the sum on that side, it learns the sibling of the path's node from it, and so knows every leaf but the one
//! at its index. The dealer learns nothing of the index. Of the leaf that it lacks the holder knows that it is Δ plus the sum of all others: all trees of
//! a direction hang on one Δ, which is why leaves are never used but under a hash ([`super::expansion`]).
//!
//! Nodes lie node by node, within a node tree by tree. Levels are always full, as their sums have to be those of all nodes; leaves beyond those
//! that are wanted are grown and not looked at. What the holder does is the same for every index: it grows the unknown node
//! as if it were zero, and puts right the two children of it under masks, so no branch or address depends on an index.

use crate::block::Block;
use crate::ot::halving::{self, Halving};
use crate::session_id::SessionId;
use crate::simd::wide;
use std::ops::Range;

/// Most trees of one batch: a node of all of them fills the cipher's pipeline twice and is a sixteenth of the first cache.
pub(super) const BATCH_MAX: usize = halving::BATCH;
/// Bytes of the masked sum of a level.
const LEVEL_BYTES: usize = 16;

/// What both parties know of trees of one purpose in one session.
pub(super) struct Trees {
    leaves: usize,
    depth: usize,
    halving: Halving,
    /// Either child of a node of zeros: what the holder grows from the node that it does not know.
    of_nothing: Block,
}

/// One batch's keys out of those of many trees, which lie level by level.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a, K> {
    /// Keys of all trees: those of the first level, then those of the second, and so on.
    all: &'a [K],
    /// Trees of all batches.
    trees: usize,
    /// The batch's first tree.
    start: usize,
    /// Trees of the batch.
    pub(super) count: usize,
}

impl<'a, K> Keys<'a, K> {
    /// Those of `batch`, of `trees` trees in all.
    pub(super) fn new(all: &'a [K], trees: usize, batch: &Range<usize>) -> Self {
        Self {
            all,
            trees,
            start: batch.start,
            count: batch.len(),
        }
    }

    /// The batch's keys at one level.
    pub(super) fn level(&self, level: usize) -> &'a [K] {
        &self.all[level * self.trees + self.start..][..self.count]
    }
}

impl Trees {
    /// Trees with at least two leaves. `sid` must be one that no other trees have.
    pub(super) fn new(sid: &SessionId, leaves: usize) -> Self {
        assert!(leaves >= 2, "one leaf needs no tree");
        let halving = Halving::new(sid.as_bytes());
        let mut of_nothing = [Block::ZERO];
        halving.left(&[Block::ZERO], &mut of_nothing);
        let [of_nothing] = of_nothing;
        Self {
            leaves,
            depth: leaves.next_power_of_two().trailing_zeros() as usize,
            halving,
            of_nothing,
        }
    }

    /// Leaves of a tree.
    pub(super) fn leaves(&self) -> usize {
        self.leaves
    }

    /// Places that a tree is grown in: its leaves are the first of them.
    pub(super) fn places(&self) -> usize {
        1 << self.depth
    }

    /// Correlated transfers that a tree takes.
    pub(super) fn transfers(&self) -> usize {
        self.depth
    }

    /// Bytes that the dealer sends for a tree.
    pub(super) fn bytes(&self) -> usize {
        LEVEL_BYTES * (self.depth - 1)
    }

    /// What the holder chooses in the transfers of trees punctured at `indices`, level by level.
    pub(super) fn choices(&self, indices: &[u32]) -> impl Iterator<Item = bool> {
        let levels = (0..self.depth).rev();
        levels.flat_map(move |bit| indices.iter().map(move |index| (index >> bit) & 1 == 0))
    }

    /// Grows the trees of a batch from its rows: all leaves into `places`, what the holder needs onto `message`.
    ///
    /// # Panics
    /// If `places` are not those of the batch's trees: a caller's defect.
    pub(super) fn deal(
        &self,
        rows: Keys<'_, Block>,
        delta: Block,
        places: &mut [Block],
        message: &mut Vec<u8>,
    ) {
        let count = rows.count;
        assert_eq!(places.len(), self.places() * count, "a place for each node");
        for (tree, row) in rows.level(0).iter().enumerate() {
            [places[tree], places[count + tree]] = [*row, *row ^ delta];
        }
        for level in 1..self.depth {
            let sums = self.grow(places, count, level);
            for (sum, row) in sums.iter().zip(rows.level(level)) {
                message.extend_from_slice(&(*sum ^ *row).to_bytes());
            }
        }
    }

    /// Grows the trees of a batch from its rows and what the dealer sent: all leaves but those at `indices`, which become zero.
    ///
    /// # Panics
    /// If the lists have other lengths than the batch says: a caller's defect.
    pub(super) fn hold(
        &self,
        rows: Keys<'_, Block>,
        indices: &[u32],
        message: &[u8],
        places: &mut [Block],
    ) {
        let count = rows.count;
        assert_eq!(places.len(), self.places() * count, "a place for each node");
        assert_eq!(indices.len(), count, "an index for every tree");
        assert_eq!(message.len(), self.bytes() * count, "the batch's sums");
        let mut known = [Block::ZERO; BATCH_MAX];
        for (tree, (row, index)) in rows.level(0).iter().zip(indices).enumerate() {
            let goes_right = (index >> (self.depth - 1)) & 1 == 1;
            known[tree] = *row;
            places[tree] = row.masked(goes_right);
            places[count + tree] = row.masked(!goes_right);
        }
        let (sent, _) = message.as_chunks::<16>();
        for level in 1..self.depth {
            let left = self.grow(places, count, level);
            let mut siblings = [Block::ZERO; BATCH_MAX];
            let sums = sent[count * (level - 1)..].iter().zip(rows.level(level));
            for ((sibling, (sum, row)), left) in siblings.iter_mut().zip(sums).zip(left) {
                *sibling = Block::from_bytes(*sum) ^ *row ^ left;
            }
            let corrections = self.corrections(level, &mut siblings, &mut known, indices);
            let nodes = &mut places[..count << (level + 1)];
            let bit = self.depth - level;
            wide::run(|| put_right(nodes, &corrections, indices, bit));
        }
    }

    /// Replaces the nodes of `level` by their children. Returns the sums of all left ones, for each tree.
    fn grow(&self, nodes: &mut [Block], count: usize, level: usize) -> [Block; BATCH_MAX] {
        let mut sums = [Block::ZERO; BATCH_MAX];
        let mut parents = [Block::ZERO; BATCH_MAX];
        let parents = &mut parents[..count];
        // From the back, so that children overwrite only parents that have had theirs.
        for parent in (0..1 << level).rev() {
            parents.copy_from_slice(&nodes[parent * count..][..count]);
            let children = &mut nodes[2 * parent * count..][..2 * count];
            let (left, right) = children.split_at_mut(count);
            self.halving.left(parents, left);
            wide::run(|| divide(parents, left, right, &mut sums));
        }
        sums
    }

    /// What turns the left and the right child that the holder grew from nothing into what it should have there: its path's sibling,
    /// and zero on the path. `siblings` come as what the sum says less the left nodes that were grown, and become what they are; `known` are the
    /// sums of all nodes known on the level above, and become those of this one.
    fn corrections(
        &self,
        level: usize,
        siblings: &mut [Block; BATCH_MAX],
        known: &mut [Block; BATCH_MAX],
        indices: &[u32],
    ) -> [[Block; BATCH_MAX]; 2] {
        let mut corrections = [[Block::ZERO; BATCH_MAX]; 2];
        let trees = siblings.iter_mut().zip(known).zip(indices).enumerate();
        for (tree, ((sibling, known), index)) in trees {
            let goes_right = (index >> (self.depth - 1 - level)) & 1 == 1;
            // The right nodes that were grown add up to all that is known, less the left ones.
            *sibling ^= known.masked(!goes_right) ^ self.of_nothing;
            *known ^= *sibling;
            for (side, takes) in [goes_right, !goes_right].into_iter().enumerate() {
                corrections[side][tree] = self.of_nothing ^ sibling.masked(takes);
            }
        }
        corrections
    }
}

/// Adds a node's corrections where it is a child of the path's.
#[inline(always)]
fn put_right(
    nodes: &mut [Block],
    corrections: &[[Block; BATCH_MAX]; 2],
    indices: &[u32],
    bit: usize,
) {
    let mut here = [0; BATCH_MAX];
    for (parent, children) in nodes.chunks_mut(2 * indices.len()).enumerate() {
        for (here, index) in here.iter_mut().zip(indices) {
            *here = u64::from((index >> bit) as usize == parent).wrapping_neg();
        }
        let sides = children.chunks_exact_mut(indices.len()).zip(corrections);
        for (nodes, corrections) in sides {
            let nodes = wide::halves_mut(nodes).iter_mut();
            let corrections = wide::halves(corrections).iter().zip(&here);
            for (node, (correction, here)) in nodes.zip(corrections) {
                *node = [0, 1].map(|half| node[half] ^ (correction[half] & here));
            }
        }
    }
}

/// The right children, and the left ones onto the sums.
#[inline(always)]
fn divide(parents: &[Block], left: &[Block], right: &mut [Block], sums: &mut [Block]) {
    let children = wide::halves(left).iter().zip(wide::halves_mut(right));
    let sums = wide::halves_mut(sums).iter_mut();
    for ((parent, (left, right)), sum) in wide::halves(parents).iter().zip(children).zip(sums) {
        for half in 0..2 {
            right[half] = parent[half] ^ left[half];
            sum[half] ^= left[half];
        }
    }
}

#[cfg(test)]
mod tests;
