//! Words under masks, and the authenticator of their sum.
//!
//! **Masks.** A stream is AES-128 in counter mode: block 0 masks the authenticator, the words of the others are added to the cells modulo 2^64. The lower
//! member of a pair adds the stream of the pair, the higher takes it away, so they cancel in the sum; a self-mask is added.
//!
//! **Authenticator.** T = Σ_j α_j·v_j modulo 2^128 over the cells v_j, as signed integers, with 64-bit coefficients α_j from a stream that all members
//! and the recipient know and the coordinator does not; T is linear, so the sum's is the sum of the members' (the shape of SPDZ2k's, Cramer,
//! Damgård, Escudero, Scholl, Xing, CRYPTO'18). Masked like a cell but modulo 2^128, it travels as words of 32 bits each, so that up to 2^32 of
//! them add up without losing a carry: the coordinator still only adds words.
//!
//! Everybody has the **same** coefficients: with others at member i, the sum's authenticator less that of its cells would be ⟨α' − α, v_i⟩, a linear equation in
//! one vector. So the recipient commits to their key in its introduction, which is in the cohort's hash, and every member holds the key against that.
//!
//! **Bound.** All that the coordinator sees is independent of the α_j, or a random oracle's hash of their key, of 128 bits: masked words, a masked authenticator, sealed boxes, the commitment. Let it change the sum by words
//! that make the signed integers differ by e, not all zero, |e_j| < 2^64, and the authenticator by f. That goes unnoticed only if
//! Σ_j α_j·e_j ≡ f modulo 2^128. With e_j ≠ 0 and all other coefficients fixed, α_j·e_j is given modulo 2^128; 2^r divides e_j for some largest
//! r ≤ 63, so α_j is given modulo 2^(128−r) ≥ 2^65: at most one of its 2^64 values. So the probability is at most 2^−64, plus what AES
//! differs from a random function. A coordinator that colludes with any member knows the α_j: **not prevented**.

use super::TAG_WORDS;
use crate::block::Block;
use crate::secret::Secret;
use crate::simd::aes::{Aes, Sign};
use rayon::prelude::*;
use zeroize::Zeroize;

/// Words that one task masks: they stay in the first cache, beside as many coefficients, while all streams go over them.
const TASK_WORDS: usize = 2048;
/// Blocks at the start of a mask stream that mask the authenticator.
const TAG_BLOCKS: u64 = 1;
/// Bits of the authenticator in one word.
const TAG_WORD_BITS: usize = 128 / TAG_WORDS;

/// One mask of a whole vector.
pub(super) struct Stream {
    cipher: Aes,
    sign: Sign,
}

impl Stream {
    /// The stream of `seed`, added or taken away.
    pub(super) fn new(seed: &Secret<Block>, sign: Sign) -> Self {
        Self {
            cipher: Aes::new(*seed.expose()),
            sign,
        }
    }

    fn add_to(&self, first_word: usize, words: &mut [u64]) {
        let first = TAG_BLOCKS + first_word as u64 / 2;
        self.cipher.add_stream(first, words, self.sign);
    }

    fn tag_mask(&self) -> u128 {
        let mut block = [Block::ZERO];
        self.cipher.encrypt(&mut block);
        match self.sign {
            Sign::Plus => block[0].0,
            Sign::Minus => block[0].0.wrapping_neg(),
        }
    }
}

/// What makes the coefficients.
pub(super) struct CheckKey(Aes);

impl CheckKey {
    pub(super) fn new(seed: &Secret<Block>) -> Self {
        Self(Aes::new(*seed.expose()))
    }

    /// The part of the authenticator that the cells from `first_word` on have, `cells` being at most as many as a task's.
    fn tag(&self, first_word: usize, cells: &[u64]) -> u128 {
        let mut coefficients = [0; TASK_WORDS];
        let coefficients = &mut coefficients[..cells.len()];
        self.0
            .add_stream(first_word as u64 / 2, coefficients, Sign::Plus);
        let terms = coefficients.iter().zip(cells).map(|(coefficient, cell)| {
            let cell = i128::from(*cell as i64);
            u128::from(*coefficient).wrapping_mul(cell as u128)
        });
        let tag = terms.fold(0, u128::wrapping_add);
        coefficients.zeroize();
        tag
    }
}

/// Adds `values` to the cells of `words`, which have noise already or are zero, writes the authenticator behind them, and masks all.
pub(super) fn hide(words: &mut [u64], values: &[i64], streams: &[Stream], check: &CheckKey) {
    let (cells, tag_words) = words.split_at_mut(values.len());
    let task = |(task, (cells, values)): (usize, (&mut [u64], &[i64]))| {
        for (cell, value) in cells.iter_mut().zip(values) {
            *cell = cell.wrapping_add(*value as u64);
        }
        let first_word = task * TASK_WORDS;
        let tag = check.tag(first_word, cells);
        streams
            .iter()
            .for_each(|stream| stream.add_to(first_word, cells));
        tag
    };
    let tasks = cells
        .par_chunks_mut(TASK_WORDS)
        .zip(values.par_chunks(TASK_WORDS))
        .enumerate();
    let tag = tasks.map(task).reduce(|| 0, u128::wrapping_add);
    let masked = tag.wrapping_add(tag_masks(streams));
    for (place, word) in tag_words.iter_mut().enumerate() {
        *word = (masked >> (TAG_WORD_BITS * place)) as u64 & u64::from(u32::MAX);
    }
}

/// Adds the stream of `seed` to words, as masking does for each mask: for benches.
pub fn add_mask_stream(seed: Block, words: &mut [u64]) {
    let stream = Stream::new(&Secret::new(seed), Sign::Plus);
    words
        .chunks_mut(TASK_WORDS)
        .zip(0..)
        .for_each(|(words, task)| stream.add_to(task * TASK_WORDS, words));
}

fn tag_masks(streams: &[Stream]) -> u128 {
    let masks = streams.par_iter().map(Stream::tag_mask);
    masks.reduce(|| 0, u128::wrapping_add)
}

/// Applies `streams` to a sum of hidden words and takes the authenticator off; whether it is that of the cells.
pub(super) fn reveal(words: &mut Vec<u64>, streams: &[Stream], check: &CheckKey) -> bool {
    let cells = words.len() - TAG_WORDS;
    let limbs = words.drain(cells..).zip(0..);
    let masked = limbs.fold(0u128, |tag, (word, place)| {
        tag.wrapping_add(u128::from(word) << (TAG_WORD_BITS * place))
    });
    let task = |(task, cells): (usize, &mut [u64])| {
        let first_word = task * TASK_WORDS;
        streams
            .iter()
            .for_each(|stream| stream.add_to(first_word, cells));
        check.tag(first_word, cells)
    };
    let tasks = words.par_chunks_mut(TASK_WORDS).enumerate();
    let tag = tasks.map(task).reduce(|| 0, u128::wrapping_add);
    // Both are the recipient's own results; nobody else sees how long comparing takes.
    masked.wrapping_add(tag_masks(streams)) == tag
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stream(seed: u128, sign: Sign) -> Stream {
        Stream::new(&Secret::new(Block(seed)), sign)
    }

    fn check() -> CheckKey {
        CheckKey::new(&Secret::new(Block(99)))
    }

    fn hidden(values: &[i64], streams: &[Stream]) -> Vec<u64> {
        let mut words = vec![0; values.len() + TAG_WORDS];
        hide(&mut words, values, streams, &check());
        words
    }

    /// Two members, and nobody else: with the pair's stream alone, the sum bears its authenticator and no mask.
    #[test]
    fn two_members_masks_cancel() {
        let values: Vec<i64> = (0..5000).map(|i| i * i - 7_000_000).collect();
        let low = hidden(&values, &[stream(1, Sign::Plus)]);
        let high = hidden(&values, &[stream(1, Sign::Minus)]);
        let mut sum: Vec<u64> = low
            .iter()
            .zip(&high)
            .map(|(a, b)| a.wrapping_add(*b))
            .collect();
        assert!(reveal(&mut sum, &[], &check()));
        let doubled = values
            .iter()
            .map(|value| (2 * value) as u64)
            .collect::<Vec<_>>();
        assert_eq!(sum, doubled);
    }

    #[test]
    fn no_word_under_a_mask_is_what_it_was() {
        let values = [0; 300];
        let words = hidden(&values, &[stream(5, Sign::Plus)]);
        assert!(words[..300].iter().all(|word| *word != 0));
        assert!(words[300..].iter().all(|word| *word <= u64::from(u32::MAX)));
    }

    proptest! {
        #[test]
        fn a_changed_word_shows(
            values in prop::collection::vec(any::<i64>(), 1..70),
            place: prop::sample::Index,
            change in 1u64..,
        ) {
            let streams = |sign| [stream(1, sign), stream(2, sign)];
            let words = hidden(&values, &streams(Sign::Plus));
            let mut honest = words.clone();
            prop_assert!(reveal(&mut honest, &streams(Sign::Minus), &check()));
            prop_assert_eq!(honest, values.iter().map(|value| *value as u64).collect::<Vec<_>>());
            let (mut changed, place) = (words, place.index(values.len() + TAG_WORDS));
            // The limbs of the authenticator count modulo 2^128 in all: the last one's upper half means nothing.
            let change = if place + 1 == changed.len() { (change as u32).max(1).into() } else { change };
            changed[place] = changed[place].wrapping_add(change);
            prop_assert!(!reveal(&mut changed, &streams(Sign::Minus), &check()));
        }
    }
}
