//! A puncturable pseudo-random function as a GGM tree: the dealer knows every leaf, the holder every leaf but one, and the dealer
//! does not learn which (Boyle et al., CCS'18 and CCS'19, "regular" noise).
//!
//! A tree has L leaves, any number; its lowest level holds the first L nodes of a full binary tree, each level above the parents of
//! the one below. At each level the dealer offers two sums: of all left and of all right children. The holder of all nodes off
//! the path takes, by an oblivious transfer, the sum on the side of the path node's sibling and learns the sibling from it.
//!
//! The holder's own addresses depend on its secret index: that pattern stays inside its process. What it sends does not exist:
//! the only messages are oblivious transfers.

use crate::block::Block;
use crate::simd::aes::Aes;

/// Nodes hashed in one call of the cipher.
const BATCH: usize = 64;

/// Levels below the root of a tree with this many leaves: the number of oblivious transfers it costs.
pub fn depth(leaves: usize) -> usize {
    leaves.next_power_of_two().trailing_zeros() as usize
}

/// Nodes at `level` (1 is just below the root) of a tree with `leaves` leaves and `depth` levels.
fn width(leaves: usize, depth: usize, level: usize) -> usize {
    leaves.div_ceil(1 << (depth - level))
}

/// The pseudo-random generator that makes two children of a node: AES under two fixed public keys as `AES_k(x) ⊕ x`.
pub struct Doubling {
    left: Aes,
    right: Aes,
}

impl Doubling {
    /// Keys derived from the session, so that trees of different sessions have nothing in common.
    pub fn new(session: &[u8; 32]) -> Self {
        let key = |side: u8| {
            let mut hasher = blake3::Hasher::new_derive_key("entente/1/tree-doubling");
            hasher.update(session);
            hasher.update(&[side]);
            let mut key = [0u8; 16];
            hasher.finalize_xof().fill(&mut key);
            Aes::new(Block::from_bytes(key))
        };
        Self {
            left: key(0),
            right: key(1),
        }
    }

    /// Replaces the first `parents` nodes by their children, left and right in turn, of which there may be one fewer than two
    /// each. Returns the sums of all left and of all right ones.
    fn grow(&self, nodes: &mut [Block], parents: usize, children: usize) -> [Block; 2] {
        let mut sums = [Block::ZERO; 2];
        // From the back, so that children overwrite only parents that have had theirs.
        for batch in (0..parents.div_ceil(BATCH)).rev() {
            let (start, end) = (batch * BATCH, parents.min((batch + 1) * BATCH));
            let mut left = [Block::ZERO; BATCH];
            let left = &mut left[..end - start];
            self.left.encrypt_and_add(&nodes[start..end], left);
            let mut right = [Block::ZERO; BATCH];
            let right = &mut right[..end - start];
            self.right.encrypt_and_add(&nodes[start..end], right);
            let below = &mut nodes[2 * start..children.min(2 * end)];
            let (pairs, only_left) = below.as_chunks_mut::<2>();
            for ((pair, left), right) in pairs.iter_mut().zip(left.iter()).zip(right.iter()) {
                *pair = [*left, *right];
                sums[0] ^= *left;
                sums[1] ^= *right;
            }
            for (node, left) in only_left.iter_mut().zip(left.last()) {
                *node = *left;
                sums[0] ^= *left;
            }
        }
        sums
    }
}

/// All leaves of the tree under `root` into `leaves`, and each level's two sums, from the top, into `sums`.
///
/// # Panics
/// If there is no leaf or `sums` does not have one place a level: a caller's defect.
pub fn deal(doubling: &Doubling, root: Block, leaves: &mut [Block], sums: &mut [[Block; 2]]) {
    let depth = depth(leaves.len());
    assert_eq!(sums.len(), depth, "one pair of sums a level");
    leaves[0] = root;
    let mut count = 1;
    for (level, sums) in sums.iter_mut().enumerate() {
        let below = width(leaves.len(), depth, level + 1);
        *sums = doubling.grow(leaves, count, below);
        count = below;
    }
}

/// Which of the two sums of each level, from the top, the holder of all leaves but `index` takes: the side that the path does not go.
pub fn choices(index: usize, leaves: usize) -> impl Iterator<Item = bool> {
    let depth = depth(leaves);
    (1..=depth).map(move |level| (index >> (depth - level)) & 1 == 0)
}

/// All leaves but the one at `index`, which is left zero, from the chosen sum of each level. Returns the sum of all.
///
/// # Panics
/// If `index` is not a leaf or `chosen` does not have one sum a level: a caller's defect.
pub fn rebuild(doubling: &Doubling, index: usize, chosen: &[Block], leaves: &mut [Block]) -> Block {
    let depth = depth(leaves.len());
    assert!(
        index < leaves.len() && chosen.len() == depth,
        "a leaf, and one sum a level"
    );
    leaves[0] = Block::ZERO;
    let (mut count, mut total) = (1, Block::ZERO);
    for (level, chosen) in chosen.iter().enumerate() {
        let below = width(leaves.len(), depth, level + 1);
        let sums = doubling.grow(leaves, count, below);
        // The path's node is unknown, so what grew from it means nothing; the sibling follows from the chosen sum.
        let on_path = index >> (depth - level - 1);
        let sibling = on_path ^ 1;
        total = sums[0] ^ sums[1] ^ std::mem::take(&mut leaves[on_path]);
        if sibling < below {
            let without = sums[sibling & 1] ^ leaves[sibling];
            total ^= leaves[sibling] ^ without ^ *chosen;
            leaves[sibling] = without ^ *chosen;
        }
        count = below;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dealt(leaves: usize) -> (Vec<Block>, Vec<[Block; 2]>) {
        let mut values = vec![Block::ZERO; leaves];
        let mut sums = vec![[Block::ZERO; 2]; depth(leaves)];
        deal(&Doubling::new(&[1; 32]), Block(42), &mut values, &mut sums);
        (values, sums)
    }

    #[test]
    fn the_holder_knows_every_leaf_but_its_own_at_every_index_and_size() {
        for leaves in (1..40).chain([127, 128, 129, 1_000]) {
            let (values, sums) = dealt(leaves);
            let indices: Vec<usize> = if leaves < 40 {
                (0..leaves).collect()
            } else {
                vec![0, 1, leaves / 2, leaves - 1]
            };
            for index in indices {
                let chosen: Vec<Block> = choices(index, leaves)
                    .zip(&sums)
                    .map(|(right, sums)| sums[usize::from(right)])
                    .collect();
                let mut held = vec![Block::ONE; leaves];
                let total = rebuild(&Doubling::new(&[1; 32]), index, &chosen, &mut held);
                let mut expected = values.clone();
                expected[index] = Block::ZERO;
                assert_eq!(
                    total,
                    expected.iter().fold(Block::ZERO, |sum, leaf| sum ^ *leaf)
                );
                assert_eq!(held, expected, "{leaves} leaves, index {index}");
            }
        }
    }

    #[test]
    fn the_other_sum_gives_other_leaves() {
        let (values, sums) = dealt(16);
        let mut chosen: Vec<Block> = choices(5, 16)
            .zip(&sums)
            .map(|(right, sums)| sums[usize::from(right)])
            .collect();
        chosen[2] = sums[2][usize::from(!choices(5, 16).nth(2).expect("four levels"))];
        let mut held = vec![Block::ZERO; 16];
        rebuild(&Doubling::new(&[1; 32]), 5, &chosen, &mut held);
        assert_ne!(held[4], values[4]);
    }

    #[test]
    fn trees_of_other_sessions_have_nothing_in_common() {
        let (values, _) = dealt(16);
        let mut others = vec![Block::ZERO; 16];
        deal(
            &Doubling::new(&[2; 32]),
            Block(42),
            &mut others,
            &mut [[Block::ZERO; 2]; 4],
        );
        assert!(values.iter().all(|value| !others.contains(value)));
    }
}
