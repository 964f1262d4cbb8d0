//! Many small puncturable trees at once: as [`crate::vole::tree`], level by level over a whole batch, so that the cipher always has many
//! blocks to work on (Boyle et al., CCS'18 and CCS'19).
//!
//! One oblivious transfer a level. The dealer's two keys of the first level **are** the two nodes below the root. At each further
//! level the dealer sends two sums, of all left and of all right nodes, each masked by a key of that level. The holder chooses at every
//! level the side that its path does not go: it takes the sum on that side, learns the sibling of the path's node from it, and so knows
//! every leaf but the one at its index. The dealer learns nothing of the index.
//!
//! Nodes lie node by node, within a node tree by tree. What the holder does is the same for every index: it grows the unknown node
//! as if it were zero, and puts right the two children of it under masks, so no branch or address depends on an index.

use crate::block::Block;
use crate::session_id::SessionId;
use crate::simd::wide;
use crate::vole::tree::{Doubling, depth, width};
use std::ops::Range;

/// Most trees of one batch: a node of all of them fills the cipher's pipeline twice and is a sixteenth of the first cache.
pub(super) const BATCH_MAX: usize = 64;
/// Bytes of the two masked sums of a level.
const LEVEL_BYTES: usize = 32;

/// What both parties know of trees of one purpose in one session.
pub(super) struct Trees {
    leaves: usize,
    depth: usize,
    doubling: Doubling,
    /// The children of a node of zeros: what the holder grows from the node that it does not know.
    of_nothing: [Block; 2],
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
        let doubling = Doubling::new(sid.as_bytes());
        let mut of_nothing = [[Block::ZERO]; 2];
        doubling.left(&[Block::ZERO], &mut of_nothing[0]);
        doubling.right(&[Block::ZERO], &mut of_nothing[1]);
        Self {
            leaves,
            depth: depth(leaves),
            doubling,
            of_nothing: of_nothing.map(|[child]| child),
        }
    }

    /// Leaves of a tree.
    pub(super) fn leaves(&self) -> usize {
        self.leaves
    }

    /// Oblivious transfers that a tree takes.
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

    /// Grows the trees of a batch: all leaves into `leaves`, what the holder needs onto `message`.
    ///
    /// # Panics
    /// If `leaves` does not have a place for each: a caller's defect.
    pub(super) fn deal(
        &self,
        keys: Keys<'_, [Block; 2]>,
        leaves: &mut [Block],
        message: &mut Vec<u8>,
    ) {
        let count = keys.count;
        assert_eq!(leaves.len(), self.leaves * count, "a place for every leaf");
        for (tree, pair) in keys.level(0).iter().enumerate() {
            [leaves[tree], leaves[count + tree]] = *pair;
        }
        for level in 1..self.depth {
            let sums = self.grow(leaves, count, level);
            let sums = sums[0].iter().zip(&sums[1]);
            for ((left, right), keys) in sums.zip(keys.level(level)) {
                message.extend_from_slice(&(*left ^ keys[0]).to_bytes());
                message.extend_from_slice(&(*right ^ keys[1]).to_bytes());
            }
        }
    }

    /// Grows the trees of a batch from the chosen keys and what the dealer sent: all leaves but those at `indices`, which become zero.
    ///
    /// # Panics
    /// If the lists have other lengths than the batch says: a caller's defect.
    pub(super) fn hold(
        &self,
        keys: Keys<'_, Block>,
        indices: &[u32],
        message: &[u8],
        leaves: &mut [Block],
    ) {
        let count = keys.count;
        assert_eq!(leaves.len(), self.leaves * count, "a place for every leaf");
        assert_eq!(indices.len(), count, "an index for every tree");
        assert_eq!(message.len(), self.bytes() * count, "the batch's sums");
        for (tree, (key, index)) in keys.level(0).iter().zip(indices).enumerate() {
            let goes_right = (index >> (self.depth - 1)) & 1 == 1;
            leaves[tree] = key.masked(goes_right);
            leaves[count + tree] = key.masked(!goes_right);
        }
        let (sent, _) = message.as_chunks::<16>();
        for level in 1..self.depth {
            let sums = self.grow(leaves, count, level);
            let sent = &sent[2 * count * (level - 1)..][..2 * count];
            let corrections = self.corrections(level, &sums, keys.level(level), indices, sent);
            let nodes = &mut leaves[..count * width(self.leaves, self.depth, level + 1)];
            let bit = self.depth - level;
            wide::run(|| put_right(nodes, &corrections, indices, bit));
        }
    }

    /// Replaces the nodes of `level` by their children. Returns the sums of all left and of all right ones, for each tree.
    fn grow(&self, nodes: &mut [Block], count: usize, level: usize) -> [[Block; BATCH_MAX]; 2] {
        let below = width(self.leaves, self.depth, level + 1);
        let mut sums = [[Block::ZERO; BATCH_MAX]; 2];
        let mut parents = [Block::ZERO; BATCH_MAX];
        let parents = &mut parents[..count];
        // From the back, so that children overwrite only parents that have had theirs.
        for parent in (0..below.div_ceil(2)).rev() {
            parents.copy_from_slice(&nodes[parent * count..][..count]);
            let children = &mut nodes[2 * parent * count..];
            let (left, others) = children.split_at_mut(count);
            self.doubling.left(parents, left);
            add(&mut sums[0], left);
            if 2 * parent + 1 < below {
                let right = &mut others[..count];
                self.doubling.right(parents, right);
                add(&mut sums[1], right);
            }
        }
        sums
    }

    /// What turns the left and the right child that the holder grew from nothing into what it should have there: its path's sibling as
    /// the sum gives it, and zero on the path.
    fn corrections(
        &self,
        level: usize,
        sums: &[[Block; BATCH_MAX]; 2],
        keys: &[Block],
        indices: &[u32],
        sent: &[[u8; 16]],
    ) -> [[Block; BATCH_MAX]; 2] {
        let mut corrections = [[Block::ZERO; BATCH_MAX]; 2];
        let (pairs, _) = sent.as_chunks::<2>();
        for (tree, ((pair, key), index)) in pairs.iter().zip(keys).zip(indices).enumerate() {
            let goes_right = (index >> (self.depth - 1 - level)) & 1 == 1;
            // Both sides are read, so that the address does not show which one was chosen.
            for (side, takes) in [goes_right, !goes_right].into_iter().enumerate() {
                let known = sums[side][tree] ^ self.of_nothing[side];
                let sibling = Block::from_bytes(pair[side]) ^ *key ^ known;
                corrections[side][tree] = self.of_nothing[side] ^ sibling.masked(takes);
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

fn add(sums: &mut [Block], nodes: &[Block]) {
    let words = wide::halves_mut(sums).as_flattened_mut().iter_mut();
    for (sum, node) in words.zip(wide::halves(nodes).as_flattened()) {
        *sum ^= *node;
    }
}

#[cfg(test)]
mod tests;
