//! Shares of a vector of rows that is zero but for one row (protocols.md §7.6): the holder knows at which index, the dealer what row.
//!
//! Of a punctured tree (see [`super::trees`]) the dealer knows all leaves L_n, stretched to rows, the holder all but the one at
//! its index. The dealer's share is −L_n everywhere; it sends δ = row + Σ L_n. The holder's share is L_n elsewhere, and
//! δ − Σ L_n over all others at its index. δ is masked by what the leaf that the holder lacks stretches to, a leaf that is Δ plus what it knows, and the dealer learns nothing: it receives
//! nothing but the transfers.
//!
//! Rows of leaves are handed out leaf by leaf, so that a whole tree's are never in memory at once. The holder treats the leaf that it lacks
//! as it does all others: it has zeros there, stretches them to some row X, and takes δ − Σ L_n − X at its index, where X comes to it.
//! So no branch or address depends on an index.

use super::expansion::{Expansion, stride};
use super::layout::Layout;
use super::trees::{Keys, Trees};
use super::word::Word;
use crate::block::Block;
use crate::secret::Secret;
use crate::session_id::SessionId;
use crate::simd::wide;

/// One dealer's vectors of one purpose in one session.
pub(super) struct OneHot {
    pub(super) trees: Trees,
    expansion: Expansion,
    /// Of a row.
    layout: Layout,
}

impl OneHot {
    /// Vectors of `length` rows. `sid` must be one that nothing else has.
    pub(super) fn new(sid: &SessionId, length: usize, layout: Layout) -> Self {
        Self {
            trees: Trees::new(sid, length),
            expansion: Expansion::new(sid),
            layout,
        }
    }

    /// Bytes that the dealer sends for a vector.
    pub(super) fn bytes(&self) -> usize {
        self.trees.bytes() + self.layout.bytes_a_row()
    }

    /// Deals a batch whose rows are `rows`; what the holder needs goes onto `message`. `each` gets every place of the vectors with its
    /// leaves' rows, one a vector, each [`stride`] words long: the dealer's share there is minus those.
    pub(super) fn deal<W: Word>(
        &mut self,
        keys: Keys<'_, Block>,
        delta: Block,
        rows: &[W],
        message: &mut Vec<u8>,
        mut each: impl FnMut(usize, &[W]),
    ) {
        let count = keys.count;
        let mut leaves = Secret::new(vec![Block::ZERO; self.trees.places() * count]);
        self.trees.deal(keys, delta, leaves.expose_mut(), message);
        let mut sums = rows.to_vec();
        self.each_leaf(count, leaves.expose(), |place, leaf| {
            wide::run(|| add_rows(&mut sums, leaf, count));
            each(place, leaf);
        });
        self.layout.encode_onto(&sums, message);
    }

    /// Holds a batch at `indices`. `each` gets every place of the vectors with its rows, as the dealer does. The holder's share is
    /// those, and at each vector's index besides its row of what is returned.
    pub(super) fn hold<W: Word>(
        &mut self,
        keys: Keys<'_, Block>,
        indices: &[u32],
        message: &[u8],
        mut each: impl FnMut(usize, &[W]),
    ) -> Vec<W> {
        let count = keys.count;
        let (sums, deltas) = message.split_at(count * self.trees.bytes());
        let mut leaves = Secret::new(vec![Block::ZERO; self.trees.places() * count]);
        self.trees.hold(keys, indices, sums, leaves.expose_mut());
        let mut rows = vec![W::ZERO; count * self.layout.words()];
        self.layout.decode_into(deltas, &mut rows);
        self.each_leaf(count, leaves.expose(), |place, leaf| {
            wide::run(|| subtract_rows(&mut rows, leaf, count));
            each(place, leaf);
        });
        rows
    }

    /// Stretches the leaves of `count` trees to rows, place by place.
    fn each_leaf<W: Word>(
        &mut self,
        count: usize,
        leaves: &[Block],
        mut each: impl FnMut(usize, &[W]),
    ) {
        let words = self.layout.words();
        let mut rows = vec![W::ZERO; count * stride::<W>(words)];
        let leaves = leaves.chunks_exact(count).take(self.trees.leaves());
        for (place, leaves) in leaves.enumerate() {
            let tweaks = self.expansion.tweaks::<W>(count, words);
            self.expansion.expand(leaves, tweaks, &mut rows);
            each(place, &rows);
        }
    }
}

/// Adds to each of `count` sums its row.
#[inline(always)]
fn add_rows<W: Word>(sums: &mut [W], rows: &[W], count: usize) {
    each_row(sums, rows, count, W::wrapping_add);
}

/// Subtracts from each of `count` sums its row.
#[inline(always)]
fn subtract_rows<W: Word>(sums: &mut [W], rows: &[W], count: usize) {
    each_row(sums, rows, count, W::wrapping_sub);
}

#[inline(always)]
fn each_row<W: Word>(sums: &mut [W], rows: &[W], count: usize, with: impl Fn(W, W) -> W) {
    let (words, stride) = (sums.len() / count, rows.len() / count);
    // Without padding, all rows are one: a loop that is long enough to be fast.
    let (words, stride) = match words == stride {
        true => (sums.len(), rows.len()),
        false => (words, stride),
    };
    for (sum, row) in sums.chunks_exact_mut(words).zip(rows.chunks_exact(stride)) {
        for (sum, word) in sum.iter_mut().zip(row) {
            *sum = with(*sum, *word);
        }
    }
}

/// Adds word by word.
#[inline(always)]
pub(super) fn add<W: Word>(sums: &mut [W], words: &[W]) {
    for (sum, word) in sums.iter_mut().zip(words) {
        *sum = sum.wrapping_add(*word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prg::Prg;

    const SID: SessionId = SessionId::new([5; 32]);
    const DELTA: Block = Block(0x1234_5678_9abc_def0_0fed_cba9_8765_4321);

    /// Deals and holds a batch of vectors of `length` rows with their rows at `indices`, each party's words by place, vector and moment.
    fn shares<W: Word>(length: usize, bits: &[u32], rows: &[W], indices: &[u32]) -> [Vec<W>; 2] {
        let new = || OneHot::new(&SID, length, Layout::new(bits.to_vec()));
        let (mut dealer, mut holder) = (new(), new());
        let (count, words) = (indices.len(), bits.len());
        let keys = Prg::new(Block(9)).blocks(count * dealer.trees.transfers());
        let choices = dealer.trees.choices(indices);
        let chosen: Vec<Block> = keys
            .iter()
            .zip(choices)
            .map(|(row, right)| *row ^ DELTA.masked(right))
            .collect();
        let unpadded = |leaves: &[W]| -> Vec<W> {
            let rows = leaves.chunks_exact(stride::<W>(words));
            rows.flat_map(|row| row[..words].to_vec()).collect()
        };
        let (mut message, mut dealt, mut held) = (vec![], vec![], vec![]);
        let all = 0..count;
        dealer.deal(
            Keys::new(&keys, count, &all),
            DELTA,
            rows,
            &mut message,
            |_, leaves| {
                dealt.extend(unpadded(leaves).into_iter().map(W::wrapping_neg));
            },
        );
        assert_eq!(message.len(), count * dealer.bytes());
        let keys = Keys::new(&chosen, count, &all);
        let own = holder.hold(keys, indices, &message, |_, leaves: &[W]| {
            held.extend(unpadded(leaves));
        });
        for (vector, index) in indices.iter().enumerate() {
            let at = (*index as usize * count + vector) * words;
            add(&mut held[at..at + words], &own[vector * words..][..words]);
        }
        [dealt, held]
    }

    fn every_index<W: Word>(bits: &[u32]) {
        for length in (2..18).chain([64]) {
            let indices: Vec<u32> = (0..length as u32).collect();
            let blocks = Prg::new(Block(3)).blocks(length * bits.len());
            let rows: Vec<W> = blocks.iter().map(|block| W::from_u128(block.0)).collect();
            let [dealt, held] = shares(length, bits, &rows, &indices);
            assert_eq!(dealt.len(), length * length * bits.len());
            for (at, (dealt, held)) in dealt.iter().zip(&held).enumerate() {
                let (place, row) = (at / bits.len() / length, at % (length * bits.len()));
                let here = row / bits.len() == place;
                let mask = u128::MAX >> (128 - bits[at % bits.len()]);
                assert_eq!(
                    dealt.wrapping_add(*held).to_u128() & mask,
                    rows[row].masked(here).to_u128() & mask,
                    "place {place} of {length}"
                );
            }
        }
    }

    #[test]
    fn shares_add_up_to_the_row_at_its_index_and_to_zero_elsewhere() {
        every_index::<u64>(&[24, 46]);
        every_index::<u64>(&[64]);
        every_index::<u128>(&[24, 127, 65]);
    }

    #[test]
    fn what_the_dealer_sends_last_is_the_row_plus_a_sum_with_every_leaf() {
        // The sum has the leaf in it that a holder lacks; two rows differ there and nowhere else.
        let [first, second] = [[0_u64], [1 << 40]].map(|rows| {
            let mut dealer = OneHot::new(&SID, 4, Layout::new(vec![48]));
            let keys = [Block(1), Block(3)];
            let (mut message, mut sum) = (vec![], 0_u64);
            dealer.deal(
                Keys::new(&keys, 1, &(0..1)),
                DELTA,
                &rows,
                &mut message,
                |_, leaves| {
                    sum = sum.wrapping_add(leaves[0]);
                },
            );
            let (sums, delta) = message.split_at(message.len() - 6);
            assert_eq!(delta, &sum.wrapping_add(rows[0]).to_le_bytes()[..6]);
            sums.to_vec()
        });
        assert_eq!(first, second);
    }
}
