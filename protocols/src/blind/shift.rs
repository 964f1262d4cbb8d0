//! A shared vector of 2^d rows moved by a secret shift: row j of the result is row j ⊕ h of the vector, where R alone knows h.
//!
//! One stage a bit of h. A stage exchanges the rows j and j ⊕ 2^k where the bit is set. R exchanges the rows of its own share. Of S's
//! share the difference x = row j − row j ⊕ 2^k, times the bit, leaves row j and comes to row j ⊕ 2^k; shares of that product are one
//! correlated oblivious transfer (protocols.md §7.5): S sends x + K_0 − K_1 and takes −K_0, R takes K_0 or K_1 plus what was sent, by its
//! bit. S's share of the next stage's vector is its own, so all stages travel in one message. R learns nothing: what is sent is masked
//! by the key that it did not choose.
//!
//! A stage sends half of the vector and stretches as much, d/2 vectors in all. A punctured tree at h (protocols.md §7.7) would
//! send one vector and d − 1 levels' sums, but stretch all 2^d: for up to 8 rows the stages are cheaper in bytes and time, for more
//! in time alone. No branch or address depends on h.

use super::expansion::{Expansion, stride};
use super::layout::Layout;
use super::trees::Keys;
use super::word::Word;
use crate::block::Block;
use crate::secret::Secret;
use crate::session_id::SessionId;
use crate::simd::wide;

/// The shifts of one session.
pub(super) struct Shift {
    stages: usize,
    /// Words of a row.
    words: usize,
    expansion: Expansion,
    /// Of half a vector.
    layout: Layout,
}

impl Shift {
    /// Of vectors of `length` rows, a power of two above one. `sid` must be one that nothing else has.
    pub(super) fn new(sid: &SessionId, length: usize, layout: &Layout) -> Self {
        assert!(
            length >= 2 && length.is_power_of_two(),
            "a shift needs a power of two"
        );
        Self {
            stages: length.trailing_zeros() as usize,
            words: layout.words(),
            expansion: Expansion::new(sid),
            layout: layout.repeated(length / 2),
        }
    }

    /// Oblivious transfers that a vector takes.
    pub(super) fn transfers(&self) -> usize {
        self.stages
    }

    /// Bytes that S sends for a vector.
    pub(super) fn bytes(&self) -> usize {
        self.stages * self.layout.bytes_a_row()
    }

    /// What R chooses for the shifts `by`, stage by stage.
    pub(super) fn choices(&self, by: &[u32]) -> impl Iterator<Item = bool> {
        (0..self.stages).flat_map(move |bit| by.iter().map(move |shift| (shift >> bit) & 1 == 1))
    }

    /// S's side of a batch: `vectors` become its shares of the shifted ones; what R needs goes onto `message`.
    pub(super) fn deal<W: Word>(
        &mut self,
        keys: Keys<'_, [Block; 2]>,
        vectors: &mut [W],
        message: &mut Vec<u8>,
    ) {
        let half = self.layout.words();
        let mut sent = vec![W::ZERO; keys.count * half];
        let [mut zeros, mut ones] = [0, 1].map(|_| self.keys_stretched::<W>(keys.count));
        for stage in 0..self.stages {
            let tweaks = self.expansion.tweaks::<W>(keys.count, half);
            let pairs = keys.level(stage);
            for (side, words) in [&mut zeros, &mut ones].into_iter().enumerate() {
                let seeds = Secret::new(pairs.iter().map(|pair| pair[side]).collect::<Vec<_>>());
                self.expansion.expand(seeds.expose(), tweaks, words);
            }
            let distance = self.words << stage;
            wide::run_long(Leave {
                vectors,
                zeros: &zeros,
                ones: &ones,
                sent: &mut sent,
                distance,
                half,
            });
            self.layout.encode_onto(&sent, message);
        }
    }

    /// R's side of a batch: `vectors`, its own shares, become its shares of the vectors shifted `by`.
    pub(super) fn hold<W: Word>(
        &mut self,
        keys: Keys<'_, Block>,
        by: &[u32],
        message: &[u8],
        vectors: &mut [W],
    ) {
        let half = self.layout.words();
        let mut sent = vec![W::ZERO; keys.count * half];
        let mut chosen = self.keys_stretched::<W>(keys.count);
        let messages = message.chunks_exact(keys.count * self.layout.bytes_a_row());
        for (stage, message) in messages.enumerate() {
            let tweaks = self.expansion.tweaks::<W>(keys.count, half);
            self.expansion
                .expand(keys.level(stage), tweaks, &mut chosen);
            self.layout.decode_into(message, &mut sent);
            let distance = self.words << stage;
            wide::run_long(Arrive {
                vectors,
                chosen: &chosen,
                sent: &sent,
                by,
                stage,
                distance,
                half,
            });
        }
    }

    /// Room for what the keys of one stage stretch to.
    fn keys_stretched<W: Word>(&self, count: usize) -> Vec<W> {
        vec![W::ZERO; count * stride::<W>(self.layout.words())]
    }
}

/// S's side of a stage.
struct Leave<'a, W> {
    vectors: &'a mut [W],
    zeros: &'a [W],
    ones: &'a [W],
    sent: &'a mut [W],
    /// Words that two ends of an exchange are apart, and that a run of exchanges has.
    distance: usize,
    /// Words of half a vector.
    half: usize,
}

impl<W: Word> wide::Work for Leave<'_, W> {
    #[inline(always)]
    fn work(self) {
        let (distance, half, stride) = (self.distance, self.half, stride::<W>(self.half));
        let keys = self
            .zeros
            .chunks_exact(stride)
            .zip(self.ones.chunks_exact(stride));
        let vectors = self.vectors.chunks_exact_mut(2 * half);
        for ((vector, sent), (zeros, ones)) in
            vectors.zip(self.sent.chunks_exact_mut(half)).zip(keys)
        {
            let keys = zeros
                .chunks_exact(distance)
                .zip(ones.chunks_exact(distance));
            let runs = vector.chunks_exact_mut(2 * distance);
            for ((run, sent), (zeros, ones)) in runs.zip(sent.chunks_exact_mut(distance)).zip(keys)
            {
                let (first, second) = run.split_at_mut(distance);
                let words = first.iter_mut().zip(second).zip(sent);
                for (((first, second), sent), (zero, one)) in words.zip(zeros.iter().zip(ones)) {
                    let masked = first.wrapping_sub(*second).wrapping_add(*zero);
                    *sent = masked.wrapping_sub(*one);
                    *first = first.wrapping_add(*zero);
                    *second = second.wrapping_sub(*zero);
                }
            }
        }
    }
}

/// R's side of a stage.
struct Arrive<'a, W> {
    vectors: &'a mut [W],
    chosen: &'a [W],
    sent: &'a [W],
    by: &'a [u32],
    stage: usize,
    /// As for [`Leave`].
    distance: usize,
    half: usize,
}

impl<W: Word> wide::Work for Arrive<'_, W> {
    #[inline(always)]
    fn work(self) {
        let (distance, half, stride) = (self.distance, self.half, stride::<W>(self.half));
        let keys = self
            .chosen
            .chunks_exact(stride)
            .zip(self.sent.chunks_exact(half));
        let vectors = self.vectors.chunks_exact_mut(2 * half);
        for ((vector, (keys, sent)), by) in vectors.zip(keys).zip(self.by) {
            let moves = (by >> self.stage) & 1 == 1;
            let runs = keys.chunks_exact(distance).zip(sent.chunks_exact(distance));
            for (run, (keys, sent)) in vector.chunks_exact_mut(2 * distance).zip(runs) {
                let (first, second) = run.split_at_mut(distance);
                let words = first.iter_mut().zip(second);
                for ((first, second), (key, sent)) in words.zip(keys.iter().zip(sent)) {
                    let own = first.wrapping_sub(*second).wrapping_add(*sent);
                    let moved = key.wrapping_add(own.masked(moves));
                    *first = first.wrapping_sub(moved);
                    *second = second.wrapping_add(moved);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blind::one_hot::add;
    use crate::prg::Prg;

    const SID: SessionId = SessionId::new([5; 32]);

    /// Shares of every vector shifted by every distance, against the vectors.
    fn every_shift<W: Word>(bits: &[u32]) {
        for length in [2_usize, 4, 8, 16, 64] {
            let new = || Shift::new(&SID, length, &Layout::new(bits.to_vec()));
            let (mut dealer, mut holder) = (new(), new());
            let by: Vec<u32> = (0..length as u32).collect();
            let mut rng = Prg::new(Block(length as u128));
            let mut words = || -> Vec<W> {
                let blocks = rng.blocks(length * length * bits.len());
                blocks.iter().map(|block| W::from_u128(block.0)).collect()
            };
            let (mut dealt, mut held) = (words(), words());
            let mut vectors = dealt.clone();
            add(&mut vectors, &held);
            let keys = Prg::new(Block(9)).blocks(2 * length * dealer.transfers());
            let (pairs, _) = keys.as_chunks::<2>();
            let chosen: Vec<Block> = pairs
                .iter()
                .zip(dealer.choices(&by))
                .map(|(pair, bit)| pair[usize::from(bit)])
                .collect();
            let (mut message, all) = (vec![], 0..length);
            dealer.deal(Keys::new(pairs, length, &all), &mut dealt, &mut message);
            assert_eq!(message.len(), length * dealer.bytes());
            holder.hold(Keys::new(&chosen, length, &all), &by, &message, &mut held);
            add(&mut dealt, &held);
            let a_vector = length * bits.len();
            for (at, got) in dealt.iter().enumerate() {
                let (vector, moment) = (at / a_vector, at % bits.len());
                let row = at % a_vector / bits.len();
                let from = vector * a_vector + (row ^ vector) * bits.len() + moment;
                let mask = u128::MAX >> (128 - bits[moment]);
                assert_eq!(got.to_u128() & mask, vectors[from].to_u128() & mask);
            }
        }
    }

    #[test]
    fn rows_come_to_their_places_for_every_shift() {
        every_shift::<u64>(&[24, 46]);
        every_shift::<u64>(&[17, 64, 1]);
        every_shift::<u128>(&[127]);
        every_shift::<u128>(&[24, 65]);
    }

    #[test]
    fn both_shares_are_new_ones() {
        // Of a vector of zeros shared as zeros, moved or not: shares that stayed zero would show what is added to them later.
        let mut shift = Shift::new(&SID, 4, &Layout::new(vec![64]));
        let keys = [[Block(1), Block(2)], [Block(3), Block(4)]];
        let (mut vector, mut message) = ([0_u64; 4], vec![]);
        shift.deal(Keys::new(&keys, 1, &(0..1)), &mut vector, &mut message);
        assert!(!vector.contains(&0));
        for by in 0..4 {
            let mut shift = Shift::new(&SID, 4, &Layout::new(vec![64]));
            let chosen: Vec<Block> = keys
                .iter()
                .zip(shift.choices(&[by]))
                .map(|(pair, bit)| pair[usize::from(bit)])
                .collect();
            let mut own = [0_u64; 4];
            shift.hold(Keys::new(&chosen, 1, &(0..1)), &[by], &message, &mut own);
            assert_eq!(own, vector.map(u64::wrapping_neg));
        }
    }
}
