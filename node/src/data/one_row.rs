//! One row an id: which ids may enter a job, and which of an id's rows counts.
//!
//! In this order (product.md, "What SQL means here"): a usable id; consent true on all of the id's rows; one row. Rows that
//! are equal in all published columns merge; otherwise the newest by `latest` counts; otherwise, or where two newest rows
//! differ, the id is conflicting and left out. Everything left out is counted.
//!
//! Memory grows with the number of different ids, not with rows: 60 to 110 bytes an id. The rows themselves are read again
//! later. Buckets of ids, each with its own [`Reduction`], are the seam for data beyond memory.

use super::ids::{self, Rejection};
use datafusion::arrow::array::{Array, StringArray};
use entente_wire::policy::IdKind;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

/// A keyed digest of a canonical id.
pub(crate) type Digest16 = [u8; 16];

/// Rows given to one thread at a time.
const ROWS_PER_TASK: usize = 1_024;
/// Stands for a row without a value in the `latest` column: older than every other.
const NEVER: i128 = i128::MIN;

/// What a policy says about the rows of a batch; `None` where the policy has no such rule.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Whether consent is given.
    pub(crate) consent: Option<Vec<bool>>,
    /// A fingerprint of all published columns.
    pub(crate) content: Option<Vec<u64>>,
    /// The `latest` column, as something that can be ordered.
    pub(crate) latest: Option<Vec<Option<i128>>>,
}

/// All rows seen so far, reduced to one entry an id.
pub(crate) struct Reduction {
    slots: HashMap<Digest16, u32, BuildHasherDefault<DigestHasher>>,
    entries: Vec<Entry>,
    /// Only with a `latest` column.
    newest: Vec<i128>,
    rejected: BTreeMap<Rejection, u64>,
    rows: u64,
    usable_rows: u64,
}

struct Entry {
    id: Digest16,
    row: u32,
    content: u64,
    without_consent: bool,
    /// The newest rows differ.
    tied: bool,
}

/// What is left and what was left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows in the file.
    pub rows: u64,
    /// Rows with a usable id.
    pub usable_rows: u64,
    /// Rows whose id cannot be used, by reason.
    pub rejected_rows: BTreeMap<String, u64>,
    /// Different usable ids.
    pub distinct_ids: u64,
    /// Ids with a row without consent.
    pub non_consenting_ids: u64,
    /// Consenting ids whose rows differ and cannot be ordered.
    pub conflicting_ids: u64,
    /// Ids that can enter a job.
    pub eligible_ids: u64,
}

/// An id that can enter a job, and its row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) row: u32,
    pub(crate) id: Digest16,
}

/// Normalises and digests a column of ids on all cores. The texts themselves go no further.
pub(crate) fn keyed(
    texts: &StringArray,
    kind: &IdKind,
    key: &[u8; 32],
) -> Vec<Result<Digest16, Rejection>> {
    let normaliser = ids::Normaliser::new(kind);
    let tasks = texts.len().div_ceil(ROWS_PER_TASK);
    let task = |task: usize| {
        let mut canonical = String::with_capacity(64);
        let rows = task * ROWS_PER_TASK..texts.len().min((task + 1) * ROWS_PER_TASK);
        let mut keyed = Vec::with_capacity(rows.len());
        for row in rows {
            keyed.push(if texts.is_null(row) {
                Err(Rejection::Empty)
            } else {
                let outcome = normaliser.normalise(texts.value(row), &mut canonical);
                outcome.map(|()| ids::digest(key, kind, &canonical))
            });
        }
        keyed
    };
    (0..tasks)
        .into_par_iter()
        .map(task)
        .flatten_iter()
        .collect()
}

impl Reduction {
    pub(crate) fn new() -> Self {
        Self {
            slots: HashMap::default(),
            entries: Vec::new(),
            newest: Vec::new(),
            rejected: BTreeMap::new(),
            rows: 0,
            usable_rows: 0,
        }
    }

    /// Takes in the next rows of the file, in order. Every list in `facts` has as many entries as `ids`.
    pub(crate) fn observe(&mut self, ids: &[Result<Digest16, Rejection>], facts: &Facts) {
        for (place, id) in ids.iter().enumerate() {
            // The reader refuses files with more rows than 32 bits count.
            let row = u32::try_from(self.rows).unwrap_or(u32::MAX);
            self.rows += 1;
            match id {
                Ok(id) => {
                    self.usable_rows += 1;
                    self.observe_row(*id, row, facts, place);
                }
                Err(why) => *self.rejected.entry(*why).or_default() += 1,
            }
        }
    }

    fn observe_row(&mut self, id: Digest16, row: u32, facts: &Facts, place: usize) {
        let consent = at(&facts.consent, place).unwrap_or(true);
        let content = at(&facts.content, place).unwrap_or(0);
        let moment_of = |latest: &Vec<_>| latest.get(place).copied().flatten().unwrap_or(NEVER);
        let latest = facts.latest.as_ref().map(moment_of);
        let next = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let slot = *self.slots.entry(id).or_insert(next);
        let Some(entry) = self.entries.get_mut(slot as usize) else {
            self.newest.extend(latest);
            self.entries.push(Entry {
                id,
                row,
                content,
                without_consent: !consent,
                tied: false,
            });
            return;
        };
        entry.without_consent |= !consent;
        let newest = self.newest.get_mut(slot as usize);
        let order = match (latest, newest) {
            (Some(latest), Some(newest)) => {
                let order = latest.cmp(newest);
                *newest = latest.max(*newest);
                order
            }
            _ => std::cmp::Ordering::Equal,
        };
        match order {
            std::cmp::Ordering::Greater => {
                (entry.row, entry.content, entry.tied) = (row, content, false);
            }
            std::cmp::Ordering::Equal => entry.tied |= entry.content != content,
            std::cmp::Ordering::Less => {}
        }
    }

    /// The place of an id among the different ids, if all its rows consent. Event tables ask this: they have no one row.
    pub(crate) fn consenting_slot(&self, id: &Digest16) -> Option<u32> {
        let slot = *self.slots.get(id)?;
        let entry = self.entries.get(slot as usize)?;
        (!entry.without_consent).then_some(slot)
    }

    /// The id and the first row at a place.
    pub(crate) fn at(&self, slot: u32) -> Option<Chosen> {
        self.entries.get(slot as usize).map(|entry| Chosen {
            row: entry.row,
            id: entry.id,
        })
    }

    /// What was seen.
    pub(crate) fn counts(&self) -> Counts {
        let without_consent = self.entries.iter().filter(|entry| entry.without_consent);
        let tied = |entry: &&Entry| entry.tied && !entry.without_consent;
        let non_consenting_ids = without_consent.count() as u64;
        let conflicting_ids = self.entries.iter().filter(tied).count() as u64;
        let distinct_ids = self.entries.len() as u64;
        Counts {
            rows: self.rows,
            usable_rows: self.usable_rows,
            rejected_rows: self
                .rejected
                .iter()
                .map(|(why, rows)| (why.to_string(), *rows))
                .collect(),
            distinct_ids,
            non_consenting_ids,
            conflicting_ids,
            eligible_ids: distinct_ids - non_consenting_ids - conflicting_ids,
        }
    }

    /// The ids that can enter a job with their rows, in file order.
    pub(crate) fn into_chosen(self) -> Vec<Chosen> {
        drop(self.slots);
        let eligible = |entry: &Entry| !entry.tied && !entry.without_consent;
        let mut chosen: Vec<Chosen> = self
            .entries
            .into_iter()
            .filter(eligible)
            .map(|entry| Chosen {
                row: entry.row,
                id: entry.id,
            })
            .collect();
        chosen.par_sort_unstable_by_key(|chosen| chosen.row);
        chosen
    }
}

fn at<T: Copy>(list: &Option<Vec<T>>, place: usize) -> Option<T> {
    list.as_ref()?.get(place).copied()
}

/// Digests are uniform already: their first eight bytes are the hash.
#[derive(Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        let first = bytes.first_chunk::<8>().copied().unwrap_or_default();
        self.0 = u64::from_le_bytes(first);
    }
    /// Arrays announce their length; it says nothing.
    fn write_usize(&mut self, _: usize) {}
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as (id, consent, content, latest).
    type Row = (u8, bool, u64, Option<i128>);

    fn reduce(rows: &[Row], with_latest: bool) -> Reduction {
        let mut reduction = Reduction::new();
        for row in rows {
            let facts = Facts {
                consent: Some(vec![row.1]),
                content: Some(vec![row.2]),
                latest: with_latest.then(|| vec![row.3]),
            };
            reduction.observe(&[Ok([row.0; 16])], &facts);
        }
        reduction
    }

    fn chosen(rows: &[Row], with_latest: bool) -> Vec<(u8, u32)> {
        let reduction = reduce(rows, with_latest);
        let expected = reduction.counts().eligible_ids;
        let chosen: Vec<_> = reduction
            .into_chosen()
            .iter()
            .map(|chosen| (chosen.id[0], chosen.row))
            .collect();
        assert_eq!(chosen.len() as u64, expected);
        chosen
    }

    #[test]
    fn equal_rows_merge_and_different_rows_conflict() {
        let rows = [
            (1, true, 7, None),
            (1, true, 7, None),
            (2, true, 7, None),
            (2, true, 8, None),
        ];
        assert_eq!(chosen(&rows, false), [(1, 0)]);
        assert_eq!(reduce(&rows, false).counts().conflicting_ids, 1);
    }

    #[test]
    fn the_newest_row_counts_and_a_tie_conflicts() {
        let rows = [
            (1, true, 7, Some(5)),
            (1, true, 8, Some(9)),
            (1, true, 9, Some(6)),
            (2, true, 7, Some(5)),
            (2, true, 8, Some(5)),
            (3, true, 1, Some(5)),
            (3, true, 2, Some(5)),
            (3, true, 3, Some(6)),
            (4, true, 1, Some(6)),
            (4, true, 2, Some(5)),
            (4, true, 1, Some(6)),
            (5, true, 1, None),
            (5, true, 2, Some(-1)),
            (6, true, 1, None),
            (6, true, 2, None),
        ];
        assert_eq!(chosen(&rows, true), [(1, 1), (3, 7), (4, 8), (5, 12)]);
        assert_eq!(reduce(&rows, true).counts().conflicting_ids, 2);
    }

    #[test]
    fn one_row_without_consent_takes_the_id_out_wherever_it_stands() {
        for places in [
            [true, false, true],
            [false, true, true],
            [true, true, false],
        ] {
            let rows: Vec<Row> = places.map(|consent| (1, consent, 7, None)).to_vec();
            assert_eq!(chosen(&rows, false), []);
            let counts = reduce(&rows, false).counts();
            assert_eq!((counts.non_consenting_ids, counts.conflicting_ids), (1, 0));
        }
        let old_refusal = [(1, false, 7, Some(1)), (1, true, 8, Some(2))];
        assert_eq!(chosen(&old_refusal, true), []);
    }

    #[test]
    fn rejected_rows_are_counted_by_reason_and_keep_their_numbers() {
        let mut reduction = Reduction::new();
        let ids = [
            Err(Rejection::Empty),
            Ok([1; 16]),
            Err(Rejection::CheckDigit),
            Err(Rejection::Empty),
            Ok([2; 16]),
        ];
        reduction.observe(&ids, &Facts::default());
        let counts = reduction.counts();
        assert_eq!((counts.rows, counts.usable_rows), (5, 2));
        assert_eq!(counts.rejected_rows.get("empty"), Some(&2));
        let rows: Vec<_> = reduction.into_chosen().iter().map(|c| c.row).collect();
        assert_eq!(rows, [1, 4]);
    }
}
