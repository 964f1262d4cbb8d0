//! One half tree (see [`crate::ot::halving`]) of many leaves.
//!
//! Node i of a level of n nodes has its left child at i and its right one at i + n of the level below, so that both sides are
//! runs in memory. The path to leaf α passes, on the level of n nodes, node α mod n, and goes right there where α's bit of weight n is set: the
//! lowest bit decides just below the root.
//!
//! No branch or address depends on the holder's index: it grows the node that it does not know as if it were zero, and puts right the
//! two children of it under masks.

use crate::block::Block;
use crate::ot::halving::{BATCH, Halving};
use crate::simd::wide;

/// All leaves under `root` and `root ⊕ Δ`; from the second level on, each level's sum of left nodes into `sums`.
///
/// # Panics
/// If `leaves` are not 2^d with one sum a level but the first: a caller's defect.
pub(super) fn deal(
    halving: &Halving,
    root: Block,
    delta: Block,
    leaves: &mut [Block],
    sums: &mut [Block],
) {
    assert!(
        leaves.len() == 2 << sums.len(),
        "a sum a level but the first"
    );
    (leaves[0], leaves[1]) = (root, root ^ delta);
    for (level, sum) in sums.iter_mut().enumerate() {
        *sum = grow(halving, &mut leaves[..4 << level]);
    }
}

/// Which of a level's two sums, from the first level on, the holder of all leaves but `index` takes: the side that its path does not go.
pub(super) fn choices(index: u32, depth: usize) -> impl Iterator<Item = bool> {
    (0..depth).map(move |level| (index >> level) & 1 == 0)
}

/// All leaves but the one at `index`, which is zero, from each level's chosen sum. Returns the sum of all, which is that leaf plus Δ.
///
/// # Panics
/// If `leaves` are not 2^d with one chosen sum a level: a caller's defect.
pub(super) fn hold(halving: &Halving, index: u32, chosen: &[Block], leaves: &mut [Block]) -> Block {
    assert!(leaves.len() == 1 << chosen.len(), "a sum a level");
    let mut of_nothing = [Block::ZERO];
    halving.left(&[Block::ZERO], &mut of_nothing);
    let [of_nothing] = of_nothing;
    let mut known = chosen[0];
    let goes_right = index & 1 == 1;
    leaves[0] = known.masked(goes_right);
    leaves[1] = known.masked(!goes_right);
    for (level, chosen) in chosen.iter().enumerate().skip(1) {
        let count = 1 << level;
        let nodes = &mut leaves[..2 * count];
        let left = grow(halving, nodes);
        let goes_right = (index >> level) & 1 == 1;
        // The sum on the sibling's side has the child of nothing in it where the sibling belongs.
        let grown = left.masked(goes_right) ^ (known ^ left).masked(!goes_right);
        let sibling = *chosen ^ grown ^ of_nothing;
        let corrections = [goes_right, !goes_right].map(|here| of_nothing ^ sibling.masked(here));
        let path = u64::from(index) & (count as u64 - 1);
        for (side, correction) in nodes.chunks_exact_mut(count).zip(corrections) {
            add_at(side, path, correction);
        }
        known ^= sibling;
    }
    known
}

/// Adds `addend` to the place that `index` names, looking at all of them.
pub(super) fn add_at(places: &mut [Block], index: u64, addend: Block) {
    let addend = wide::halves(&[addend])[0];
    wide::run(|| {
        for (number, place) in (0_u64..).zip(wide::halves_mut(places)) {
            let here = u64::from(number == index).wrapping_neg();
            *place = [0, 1].map(|half| place[half] ^ (addend[half] & here));
        }
    });
}

/// Clears bit 0 of every leaf.
pub(super) fn clear_low_bits(leaves: &mut [Block]) {
    let mask = wide::halves(&[Block(!1)])[0];
    wide::run(|| {
        for leaf in wide::halves_mut(leaves) {
            *leaf = [0, 1].map(|half| leaf[half] & mask[half]);
        }
    });
}

/// Replaces the nodes, the first half of `nodes`, by their children. Returns the sum of the left ones.
fn grow(halving: &Halving, nodes: &mut [Block]) -> Block {
    let (parents, rights) = nodes.split_at_mut(nodes.len() / 2);
    let mut sum = [0_u64; 2];
    let mut lefts = [Block::ZERO; BATCH];
    for (parents, rights) in parents.chunks_mut(BATCH).zip(rights.chunks_mut(BATCH)) {
        let lefts = &mut lefts[..parents.len()];
        halving.left(parents, lefts);
        wide::run(|| divide(parents, rights, lefts, &mut sum));
    }
    let mut total = [Block::ZERO];
    wide::halves_mut(&mut total)[0] = sum;
    total[0]
}

/// Each parent gives way to its left child, beside its right one.
#[inline(always)]
fn divide(parents: &mut [Block], rights: &mut [Block], lefts: &[Block], sum: &mut [u64; 2]) {
    let nodes = wide::halves_mut(parents)
        .iter_mut()
        .zip(wide::halves_mut(rights));
    for ((node, right), left) in nodes.zip(wide::halves(lefts)) {
        for half in 0..2 {
            right[half] = node[half] ^ left[half];
            node[half] = left[half];
            sum[half] ^= left[half];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELTA: Block = Block(0x1234_5678_9abc_def0_0fed_cba9_8765_4321);

    fn halving() -> Halving {
        Halving::new(&[1; 32])
    }

    fn dealt(depth: usize) -> (Vec<Block>, Vec<Block>) {
        let mut leaves = vec![Block::ZERO; 1 << depth];
        let mut sums = vec![Block::ZERO; depth - 1];
        deal(&halving(), Block(42), DELTA, &mut leaves, &mut sums);
        (leaves, sums)
    }

    fn total(blocks: &[Block]) -> Block {
        blocks.iter().fold(Block::ZERO, |sum, block| sum ^ *block)
    }

    #[test]
    fn the_holder_has_every_leaf_but_its_own_and_that_one_plus_delta_at_every_index_and_depth() {
        for depth in 1..9 {
            let (leaves, sums) = dealt(depth);
            assert_eq!(total(&leaves), DELTA);
            let lefts = std::iter::once(Block(42)).chain(sums);
            let lefts: Vec<Block> = lefts.collect();
            for index in 0..1 << depth {
                let sums = choices(index, depth).zip(&lefts);
                let chosen: Vec<Block> = sums
                    .map(|(right, left)| *left ^ DELTA.masked(right))
                    .collect();
                let mut held = vec![Block::ONE; 1 << depth];
                let other = hold(&halving(), index, &chosen, &mut held);
                let mut expected = leaves.clone();
                let own = std::mem::take(&mut expected[index as usize]);
                assert_eq!(held, expected, "depth {depth}, index {index}");
                assert_eq!(other, own ^ DELTA);
            }
        }
    }

    #[test]
    fn children_are_the_hash_and_what_is_left_of_the_parent() {
        let (parents, _) = dealt(3);
        let (children, _) = dealt(4);
        for (i, parent) in parents.iter().enumerate() {
            let mut left = [Block::ZERO];
            halving().left(&[*parent], &mut left);
            assert_eq!([children[i], children[i + 8]], [left[0], *parent ^ left[0]]);
        }
    }

    #[test]
    fn the_other_sum_of_a_level_gives_other_leaves_and_not_the_missing_one() {
        let (leaves, sums) = dealt(4);
        let lefts = [Block(42), sums[0], sums[1], sums[2]];
        for wrong in 1..4 {
            let sums = choices(5, 4).zip(lefts).enumerate();
            let chosen: Vec<Block> = sums
                .map(|(level, (right, left))| left ^ DELTA.masked(right != (level == wrong)))
                .collect();
            let mut held = vec![Block::ZERO; 16];
            hold(&halving(), 5, &chosen, &mut held);
            assert!(!held.contains(&leaves[5]));
            assert!(held.iter().zip(&leaves).filter(|(a, b)| a != b).count() > 1);
        }
    }
}
