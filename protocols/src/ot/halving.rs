//! Half-tree puncturable trees (Guo, Yang, Wang, Zhang, Xie, Liu and Zhao, EUROCRYPT'23): one call of the permutation for two nodes, and one
//! sum a level to be sent.
//!
//! A node x has the left child H(x) and the right child x ⊕ H(x), so that a level's nodes add up to what the level above adds up to.
//! Just below the root they are k and k ⊕ Δ: **every level adds up to Δ**, and the sums of its left and of its right nodes are L and
//! L ⊕ Δ. The holder of a correlated transfer under the same Δ has r, or r ⊕ Δ where it chose one; sent L ⊕ r, it has the sum on
//! the side that it chose. On the first level k is r itself, and nothing is sent.
//!
//! **What the holder lacks.** On its path every node is Δ plus a sum u of nodes that it knows; a sibling that it learns is H(u ⊕ Δ) or that plus
//! u ⊕ Δ. H(x) = π(σ(x)) ⊕ σ(x) with σ(high, low) = (high ⊕ low, high) is circular correlation robust where π is an
//! ideal permutation and the u are distinct (Guo, Katz, Wang and Yu, S&P 2020, §7.3): both σ and σ plus the identity are bijections, so that π
//! has an unknown key before and after it in either case. The u are sums of pseudo-random nodes of honestly dealt trees:
//! two of q are equal with probability q²/2^129. Without σ the right child would be π(x), which anyone inverts.
//!
//! **One Δ, many uses.** Behind one Δ stand the hash of transfers' keys, trees of silent transfers, trees of the grouping, and what the leaves that
//! are lacked stretch to. Each has a permutation of its own, as the AES keys are derived from purpose and session. Every answer that the holder gets is
//! π(A(u ⊕ Δ) ⊕ i) plus B·Δ plus something known, with A and B invertible, or B zero, and u pseudo-random: so no two meet the same point of one
//! permutation but by chance, and the argument of [`hash_once`](crate::hash::CorrelationHash::hash_once) covers all of them together, q the
//! number of all answers. In silent transfers one bit of Δ is known, which makes 2pq/2^127 of its 2pq/2^128; what that leaves of 128 bits is
//! computed by [`crate::bounds::even_mansour_bits`]: 98 for a bucket of 2^20 rows in 8 × 8 groups, above 90 for the largest table.
//!
//! The leaf that the holder lacks is u ⊕ Δ for a u of its own; it goes into a hash that needs nothing more
//! ([`crate::hash::CorrelationHash::hash_once`] tells why), or stays the sender's end of a correlation with Δ, which is what it is for.

use crate::block::Block;
use crate::simd::aes::Aes;
use crate::simd::wide;

/// Nodes hashed in one call of the cipher.
pub(crate) const BATCH: usize = 64;

/// H of one purpose in one session.
pub(crate) struct Halving {
    permutation: Aes,
}

impl Halving {
    /// Under a public key that is derived from the session, so that trees of different sessions have nothing in common.
    pub(crate) fn new(session: &[u8; 32]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("entente/1/half-tree");
        hasher.update(session);
        let mut key = [0u8; 16];
        hasher.finalize_xof().fill(&mut key);
        Self {
            permutation: Aes::new(Block::from_bytes(key)),
        }
    }

    /// H of each parent: the left children. A right one is its parent plus its sibling.
    ///
    /// # Panics
    /// If there are more than [`BATCH`] parents, or not as many children: a caller's defect.
    pub(crate) fn left(&self, parents: &[Block], children: &mut [Block]) {
        let mut turned = [Block::ZERO; BATCH];
        let turned = &mut turned[..parents.len()];
        wide::run(|| turn(parents, turned));
        self.permutation.encrypt_and_add(turned, children);
    }
}

/// σ.
#[inline(always)]
fn turn(blocks: &[Block], turned: &mut [Block]) {
    // Halves lie in the machine's order, but both are named by their value here.
    for (turned, block) in turned.iter_mut().zip(blocks) {
        let (high, low) = (block.high(), block.low());
        *turned = Block((u128::from(high ^ low) << 64) | u128::from(high));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;

    #[test]
    fn the_hash_is_the_permutation_of_the_turned_node_plus_it() {
        let halving = Halving::new(&[1; 32]);
        let parents = Prg::new(Block(3)).blocks(BATCH);
        let mut children = vec![Block::ZERO; BATCH];
        halving.left(&parents, &mut children);
        for (parent, child) in parents.iter().zip(children) {
            let (high, low) = (parent.0 >> 64, parent.0 & u128::from(u64::MAX));
            let turned = Block(((high ^ low) << 64) | high);
            let mut permuted = [turned];
            halving.permutation.encrypt(&mut permuted);
            assert_eq!(child, permuted[0] ^ turned);
        }
    }

    #[test]
    fn turning_and_turning_plus_the_identity_are_bijections() {
        // Linear maps of 128 bits: their images of the unit blocks are independent.
        for plus in [false, true] {
            let image = |bit: u32| {
                let block = Block(1 << bit);
                let mut turned = [Block::ZERO];
                turn(&[block], &mut turned);
                turned[0].0 ^ if plus { block.0 } else { 0 }
            };
            let mut basis: Vec<u128> = Vec::new();
            for bit in 0..128 {
                let mut vector = image(bit);
                for other in &basis {
                    vector = vector.min(vector ^ other);
                }
                assert_ne!(vector, 0, "bit {bit}");
                basis.push(vector);
                basis.sort_unstable_by(|a, b| b.cmp(a));
            }
        }
    }

    #[test]
    fn sessions_have_different_trees() {
        let child = |session: u8| {
            let mut child = [Block::ZERO];
            Halving::new(&[session; 32]).left(&[Block(5)], &mut child);
            child
        };
        assert_ne!(child(1), child(2));
    }
}
