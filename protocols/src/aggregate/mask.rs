//! Words under masks, and the authenticator of their sum.
//!
//! **Masks.** A stream is AES-128 in counter mode: the words of its first 32 blocks are added to the words of the authenticator modulo 2^64, those of the others to the
//! cells. The lower member of a pair adds the stream of the pair, the higher takes it away, so they cancel in the sum; a self-mask is added.
//!
//! **Authenticator.** Of each cell v_j a stream that all members and the recipient know, and the coordinator does not, says by 64 bits α_j\[k\] whether it counts to
//! word k: T_k = Σ_j α_j\[k\]·v_j modulo 2^64, for k from 0 to 63. It is linear over the ring in which words are added, so the sum's is the sum of the members', and it
//! is masked and added like any words.
//!
//! Everybody has the **same** bits: with others at member i, the sum's authenticator less that of its cells would be ⟨α' − α, v_i⟩, a linear equation in
//! one vector. So the recipient commits to their key in its introduction, which is in the cohort's hash, and every member holds the key against that.
//!
//! **Bound.** All that the coordinator sees is independent of the α_j, or a random oracle's hash of their key, of 128 bits: masked words, a masked authenticator, sealed
//! boxes, the commitment. Let it change the cells by e, not all zero modulo 2^64, and the authenticator by f. That goes unnoticed only if Σ_j α_j\[k\]·e_j = f_k for
//! every k. Take a j with e_j ≠ 0 and fix all other bits: α_j\[k\]·e_j is then given, and it is 0 or e_j, which differ, so at most one value of each of the 64 bits
//! fits. So the probability is at most 2^−64, plus what AES differs from a random function; a change of the authenticator alone is always found.
//!
//! **No oracle.** Whether an opening is accepted depends on e, f and α alone and not on the vectors. So whoever knows the α_j, as each member does, can move the sum by
//! any amount, **not prevented**, but learns nothing from whether it opens. Over the integers it would: a word moved by 2^63 − t wraps, and so spoils a tag of signed numbers, just
//! if the sum is t or more. For the same reason nothing may look at a sum's size before it is accepted.

use super::TAG_WORDS;
use crate::block::Block;
use crate::secret::Secret;
use crate::simd::aes::{Aes, Sign};
use crate::simd::selected::{SUMS, add_selected};
use rayon::prelude::*;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Words that one task masks: they stay in the first cache, beside as many coefficients, while all streams go over them.
const TASK_WORDS: usize = 2048;
/// Blocks at the start of a mask stream that mask the authenticator.
const TAG_BLOCKS: u64 = TAG_WORDS as u64 / 2;

const _: () = assert!(TAG_WORDS == SUMS, "a word for each bit");

/// The authenticator of some cells, or a part of it: linear equations in them.
type Tag = Secret<[u64; TAG_WORDS]>;

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

    fn add_to_tag(&self, tag: &mut [u64]) {
        self.cipher.add_stream(0, tag, self.sign);
    }
}

/// What makes the bits α_j.
pub(super) struct CheckKey(Aes);

impl CheckKey {
    pub(super) fn new(seed: &Secret<Block>) -> Self {
        Self(Aes::new(*seed.expose()))
    }

    /// Adds the part of the authenticator that the cells from `first_word` on have, `cells` being at most as many as a task's.
    fn add_to(&self, tag: &mut Tag, first_word: usize, cells: &[u64]) {
        let mut selections = [0; TASK_WORDS];
        let selections = &mut selections[..cells.len()];
        let first = first_word as u64 / 2;
        self.0.add_stream(first, selections, Sign::Plus);
        add_selected(tag.expose_mut(), selections, cells);
        selections.zeroize();
    }
}

fn no_tag() -> Tag {
    Secret::new([0; TAG_WORDS])
}

fn add_tags(mut tag: Tag, other: Tag) -> Tag {
    let words = tag.expose_mut().iter_mut().zip(other.expose());
    words.for_each(|(word, other)| *word = word.wrapping_add(*other));
    tag
}

/// Adds `values` to the cells of `words`, which have noise already or are zero, writes the authenticator behind them, and masks all.
pub(super) fn hide(words: &mut [u64], values: &[i64], streams: &[Stream], check: &CheckKey) {
    let (cells, tag_words) = words.split_at_mut(values.len());
    let task = |mut tag: Tag, (task, (cells, values)): (usize, (&mut [u64], &[i64]))| {
        for (cell, value) in cells.iter_mut().zip(values) {
            *cell = cell.wrapping_add(*value as u64);
        }
        let first_word = task * TASK_WORDS;
        check.add_to(&mut tag, first_word, cells);
        streams
            .iter()
            .for_each(|stream| stream.add_to(first_word, cells));
        tag
    };
    let tasks = cells
        .par_chunks_mut(TASK_WORDS)
        .zip(values.par_chunks(TASK_WORDS))
        .enumerate();
    let tag = tasks.fold(no_tag, task).reduce(no_tag, add_tags);
    tag_words.copy_from_slice(tag.expose());
    streams
        .iter()
        .for_each(|stream| stream.add_to_tag(tag_words));
}

/// Adds the stream of `seed` to words, as masking does for each mask: for benches.
pub fn add_mask_stream(seed: Block, words: &mut [u64]) {
    let stream = Stream::new(&Secret::new(seed), Sign::Plus);
    words
        .chunks_mut(TASK_WORDS)
        .zip(0..)
        .for_each(|(words, task)| stream.add_to(task * TASK_WORDS, words));
}

/// Applies `streams` to a sum of hidden words and takes the authenticator off; whether it is that of the cells.
pub(super) fn reveal(words: &mut Vec<u64>, streams: &[Stream], check: &CheckKey) -> bool {
    let cells = words.len() - TAG_WORDS;
    let mut borne: Vec<u64> = words.drain(cells..).collect();
    streams
        .iter()
        .for_each(|stream| stream.add_to_tag(&mut borne));
    let task = |mut tag: Tag, (task, cells): (usize, &mut [u64])| {
        let first_word = task * TASK_WORDS;
        streams
            .iter()
            .for_each(|stream| stream.add_to(first_word, cells));
        check.add_to(&mut tag, first_word, cells);
        tag
    };
    let tasks = words.par_chunks_mut(TASK_WORDS).enumerate();
    let due = tasks.fold(no_tag, task).reduce(no_tag, add_tags);
    borne.ct_eq(&due.expose()[..]).into()
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

    /// Backwards: a word that is moved as `change` says, and the authenticator as one that knows the key would move it, is accepted whatever the word was,
    /// so that accepting tells nothing; and one bit beside that is refused.
    #[test]
    fn one_that_knows_the_key_moves_the_sum_and_learns_nothing() {
        for (value, change) in [
            (0, 1),
            (6, i64::MAX - 5),
            (5, i64::MAX - 5),
            (-1, i64::MIN),
            (i64::MAX, 1),
        ] {
            let streams = |sign| [stream(1, sign)];
            let mut words = hidden(&[3, value, 4], &streams(Sign::Plus));
            let added = hidden(&[0, change, 0], &[]);
            let moved = words.iter_mut().zip(&added);
            moved.for_each(|(word, added)| *word = word.wrapping_add(*added));
            for place in 0..words.len() {
                let mut beside = words.clone();
                beside[place] ^= 1 << 63;
                assert!(!reveal(&mut beside, &streams(Sign::Minus), &check()));
            }
            assert!(reveal(&mut words, &streams(Sign::Minus), &check()));
            assert_eq!(words, [3, value.wrapping_add(change) as u64, 4]);
        }
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
        assert!(words.iter().all(|word| *word != 0));
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
            changed[place] = changed[place].wrapping_add(change);
            prop_assert!(!reveal(&mut changed, &streams(Sign::Minus), &check()));
        }
    }
}
