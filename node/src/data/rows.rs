//! Sets of a file's rows, one bit a row: a hundred million rows in 12 MB, in file order for nothing.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows in one word.
const WORD_ROWS: usize = 64;
/// Words between two entries of [`Ranks`]: one cache line.
const RANK_WORDS: usize = 8;

/// Rows of one file, counted from 0 without the header. Threads may insert into one set at the same time.
///
/// Every method that takes a row panics if it is far beyond the file's: a caller's defect.
#[derive(Default)]
pub struct RowSet {
    words: Vec<AtomicU64>,
}

impl RowSet {
    /// An empty set for a file of `rows` rows.
    pub fn new(rows: u64) -> Self {
        let mut set = Self::default();
        set.grow(rows);
        set
    }

    /// Puts a row in.
    pub fn insert(&self, row: u32) {
        // Rows are bits of their own: no order between threads matters until they are joined.
        self.words[word_of(row)].fetch_or(bit_of(row), Ordering::Relaxed);
    }

    /// Puts rows in, in any order.
    pub fn insert_all(&self, rows: &[u32]) {
        for row in rows {
            self.insert(*row);
        }
    }

    /// Makes room for rows of a file that turns out longer.
    pub(crate) fn grow(&mut self, rows: u64) {
        let words = usize::try_from(rows.div_ceil(WORD_ROWS as u64)).unwrap_or(usize::MAX);
        if words > self.words.len() {
            self.words.resize_with(words, AtomicU64::default);
        }
    }

    /// Puts in the row `first` + i for each bit i of `bits` that is set.
    pub(crate) fn insert_bits(&self, first: u32, bits: u64) {
        let shift = first as usize % WORD_ROWS;
        let word = word_of(first);
        for (word, part) in [
            (word, bits << shift),
            (
                word + 1,
                bits.checked_shr((WORD_ROWS - shift) as u32).unwrap_or(0),
            ),
        ] {
            if part != 0 {
                self.words[word].fetch_or(part, Ordering::Relaxed);
            }
        }
    }

    /// Takes a row out.
    pub(crate) fn remove(&self, row: u32) {
        self.words[word_of(row)].fetch_and(!bit_of(row), Ordering::Relaxed);
    }

    /// Whether a row is in.
    pub fn contains(&self, row: u32) -> bool {
        let word = self.words.get(word_of(row));
        word.is_some_and(|word| word.load(Ordering::Relaxed) & bit_of(row) != 0)
    }

    /// How many rows are in.
    pub fn len(&self) -> u64 {
        self.loaded().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Whether no row is in.
    pub fn is_empty(&self) -> bool {
        self.loaded().all(|word| word == 0)
    }

    /// The first `count` of a file's `rows`; `None` where that is all of them.
    pub(crate) fn first(&self, count: u64, rows: u64) -> Option<Self> {
        if self.len() <= count {
            return None;
        }
        let first = Self::new(rows);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.iter().take(count).for_each(|row| first.insert(row));
        Some(first)
    }

    /// The rows of `range` that are in, ascending.
    pub(crate) fn within(&self, range: Range<u32>) -> impl Iterator<Item = u32> + '_ {
        let words = word_of(range.start)..(range.end as usize).div_ceil(WORD_ROWS);
        let words = words.start..words.end.min(self.words.len()).max(words.start);
        let loaded = words.filter_map(move |place| {
            let word = self.words.get(place)?.load(Ordering::Relaxed);
            let first = u32::try_from(place * WORD_ROWS).ok()?;
            Some((first, word & mask(first, &range)))
        });
        loaded.flat_map(|(first, word)| Ones(word).map(move |bit| first + bit))
    }

    /// All rows that are in, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.within(0..u32::MAX)
    }

    fn loaded(&self) -> impl Iterator<Item = u64> + '_ {
        self.words.iter().map(|word| word.load(Ordering::Relaxed))
    }
}

fn word_of(row: u32) -> usize {
    row as usize / WORD_ROWS
}

fn bit_of(row: u32) -> u64 {
    1 << (row as usize % WORD_ROWS)
}

/// The bits of the word that begins with row `first` whose rows lie in `range`.
fn mask(first: u32, range: &Range<u32>) -> u64 {
    let below = |row: u32| match row.saturating_sub(first) {
        0 => 0,
        rows if rows as usize >= WORD_ROWS => u64::MAX,
        rows => (1 << rows) - 1,
    };
    below(range.end) & !below(range.start)
}

/// Places of the set bits of a word, ascending.
struct Ones(u64);

impl Iterator for Ones {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let place = self.0.trailing_zeros();
        self.0 &= self.0.checked_sub(1)?;
        Some(place)
    }
}

/// A set that changes no more, and each of its rows' place among them.
#[derive(Default)]
pub(crate) struct Ranks {
    set: RowSet,
    /// Rows in front of every [`RANK_WORDS`] words.
    before: Vec<u32>,
    len: u32,
}

impl Ranks {
    pub(crate) fn of(set: RowSet) -> Self {
        let mut before = Vec::with_capacity(set.words.len() / RANK_WORDS + 1);
        let mut len = 0;
        for (place, word) in set.loaded().enumerate() {
            if place % RANK_WORDS == 0 {
                before.push(len);
            }
            len += word.count_ones();
        }
        Self { set, before, len }
    }

    pub(crate) fn set(&self) -> &RowSet {
        &self.set
    }

    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// The row's place, counted from 0; `None` where it is not in.
    pub(crate) fn place(&self, row: u32) -> Option<u32> {
        if !self.set.contains(row) {
            return None;
        }
        let word = word_of(row);
        let begin = word / RANK_WORDS * RANK_WORDS;
        let between = self.set.words.get(begin..word)?.iter();
        let between: u32 = between
            .map(|word| word.load(Ordering::Relaxed).count_ones())
            .sum();
        let own = self.set.words.get(word)?.load(Ordering::Relaxed) & (bit_of(row) - 1);
        Some(self.before.get(word / RANK_WORDS)? + between + own.count_ones())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_set_is_what_was_put_in(
            rows in prop::collection::btree_set(0u32..2_000, 0..300),
            out in prop::collection::vec(0u32..2_000, 0..50),
            begin in 0u32..2_100, length in 0u32..2_100,
        ) {
            let set = RowSet::new(2_000);
            set.insert_all(&rows.iter().copied().collect::<Vec<_>>());
            let mut model: BTreeSet<u32> = rows;
            for row in out {
                set.remove(row);
                model.remove(&row);
            }
            prop_assert_eq!(set.len(), model.len() as u64);
            prop_assert_eq!(set.is_empty(), model.is_empty());
            let range = begin..begin + length;
            prop_assert!(set.within(range.clone()).eq(model.range(range).copied()));
            prop_assert!(set.iter().eq(model.iter().copied()));
            let ranks = Ranks::of(set);
            prop_assert_eq!(ranks.len() as usize, model.len());
            for row in 0..2_000 {
                let place = model.contains(&row).then(|| model.range(..row).count() as u32);
                prop_assert_eq!(ranks.place(row), place);
            }
        }

        #[test]
        fn bits_are_rows_wherever_they_begin(first in 0u32..300, bits: u64) {
            let set = RowSet::new(400);
            set.insert_bits(first, bits);
            let expected = (0..64).filter(|bit| bits >> bit & 1 == 1).map(|bit| first + bit);
            prop_assert!(set.iter().eq(expected));
        }
    }
}
