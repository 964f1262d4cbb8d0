//! One row an id: which ids may enter a job, and which of an id's rows counts.
//!
//! In this order (product.md, "What SQL means here"): a usable id; consent true on all of the id's rows; one row. Rows that
//! are equal in all published columns merge; otherwise the newest by `latest` counts; otherwise, or where two newest rows
//! differ, the id is conflicting and left out. Everything left out is counted.
//!
//! Published columns are compared only for ids that have several newest rows: those rows are *contested*, and the caller
//! brings a fingerprint of each ([`Reduction::resolve`]). One partition of the spill is in memory at a time on each core;
//! what stays is one bit a row.

use super::ids::Rejection;
use super::rows::{Ranks, RowSet};
use super::spill::{Layout, Record, Spill, digest_of};
use entente_wire::problem::Problem;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::iter::once;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A keyed digest of a canonical id.
pub(crate) type Digest16 = [u8; 16];

/// No row: stands where an id has none that counts.
pub(crate) const NO_ROW: u32 = u32::MAX;

/// All usable ids of a file, and the rows they were read from.
pub(crate) struct Ids {
    pub(crate) spill: Spill,
    /// Rows with a usable id and consent.
    pub(crate) consenting: RowSet,
    pub(crate) rows: u64,
    pub(crate) usable_rows: u64,
    pub(crate) rejected: BTreeMap<Rejection, u64>,
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

/// The chosen rows: exactly one of every id that can enter a job.
pub(crate) struct Reduction {
    pub(crate) spill: Spill,
    pub(crate) chosen: RowSet,
    pub(crate) counts: Counts,
    /// The newest rows of ids that have several.
    contested: RowSet,
}

/// Ids of one partition, counted.
#[derive(Default)]
struct Tally {
    distinct: u64,
    non_consenting: u64,
}

impl Reduction {
    /// Reduces all ids. Where an id has several newest rows they are contested if `contents_matter`, that is, if they could
    /// differ in a published column; otherwise the first one counts.
    pub(crate) fn of(ids: Ids, contents_matter: bool) -> Result<Self, Problem> {
        let Ids {
            spill,
            consenting: chosen,
            rows,
            usable_rows,
            rejected,
        } = ids;
        let contested = RowSet::new(if contents_matter { rows } else { 0 });
        let layout = spill.layout();
        let reduce = |place| {
            let contested = contents_matter.then_some(&contested);
            spill
                .partition(place)
                .map(|records| reduce(layout, &records, &chosen, contested))
        };
        let tallies = (0..spill.partitions())
            .into_par_iter()
            .map(reduce)
            .collect::<Result<Vec<Tally>, Problem>>()?;
        let distinct_ids = tallies.iter().map(|tally| tally.distinct).sum();
        let non_consenting_ids = tallies.iter().map(|tally| tally.non_consenting).sum();
        let rejected = rejected.iter().map(|(why, rows)| (why.to_string(), *rows));
        let mut reduction = Self {
            spill,
            chosen,
            contested,
            counts: Counts {
                rows,
                usable_rows,
                rejected_rows: rejected.collect(),
                distinct_ids,
                non_consenting_ids,
                ..Counts::default()
            },
        };
        reduction.count_eligible();
        Ok(reduction)
    }

    /// The rows that need a fingerprint; none where nothing is contested.
    pub(crate) fn contested(&self) -> Option<&RowSet> {
        (!self.contested.is_empty()).then_some(&self.contested)
    }

    /// Settles contested ids: `fingerprints` has one of each contested row, in file order.
    pub(crate) fn resolve(&mut self, fingerprints: &[u64]) -> Result<(), Problem> {
        let ranks = Ranks::of(std::mem::take(&mut self.contested));
        let (spill, chosen) = (&self.spill, &self.chosen);
        let conflicting = AtomicU64::new(0);
        (0..spill.partitions())
            .into_par_iter()
            .try_for_each(|place| {
                let records = spill.partition(place)?;
                let conflicts = resolve(spill.layout(), &records, chosen, &ranks, fingerprints);
                conflicting.fetch_add(conflicts, Ordering::Relaxed);
                Ok::<_, Problem>(())
            })?;
        self.counts.conflicting_ids = conflicting.into_inner();
        self.count_eligible();
        Ok(())
    }

    fn count_eligible(&mut self) {
        let counts = &mut self.counts;
        let left_out = counts.non_consenting_ids + counts.conflicting_ids;
        counts.eligible_ids = counts.distinct_ids - left_out;
    }

    /// For every row the first row of its id, or [`NO_ROW`] where the id is not usable or not all its rows consent. Event
    /// tables ask this: they keep all rows of an id.
    pub(crate) fn first_rows(&self) -> Result<Vec<u32>, Problem> {
        let rows = usize::try_from(self.counts.rows).unwrap_or(usize::MAX);
        let firsts: Vec<AtomicU32> = (0..rows).map(|_| AtomicU32::new(NO_ROW)).collect();
        let set = |row: u32, first: u32| firsts[row as usize].store(first, Ordering::Relaxed);
        let (spill, layout) = (&self.spill, self.spill.layout());
        (0..spill.partitions())
            .into_par_iter()
            .try_for_each(|place| {
                let records = spill.partition(place)?;
                let chosen = |record: &Record| self.chosen.contains(record.row);
                for record in layout.read(&records).filter(chosen) {
                    set(record.row, record.row);
                }
                for twins in groups(&twins(layout, &records)) {
                    let members = || members(layout, &records, twins);
                    if let Some(first) = members().find(chosen) {
                        members().for_each(|member| set(member.row, first.row));
                    }
                }
                Ok::<_, Problem>(())
            })?;
        Ok(firsts.into_iter().map(AtomicU32::into_inner).collect())
    }
}

/// Takes out of `chosen`, which holds all rows with consent, those of one partition that do not count.
fn reduce(layout: Layout, records: &[u8], chosen: &RowSet, contested: Option<&RowSet>) -> Tally {
    let twins = twins(layout, records);
    let count = records.len() / layout.width();
    let mut tally = Tally {
        distinct: (count - twins.len()) as u64,
        non_consenting: 0,
    };
    if layout.consent {
        let refused = layout.read(records).filter(|record| !record.consent);
        tally.non_consenting = refused.count() as u64;
    }
    for twins in groups(&twins) {
        let members = || members(layout, records, twins);
        let refused = members().filter(|record| !record.consent).count() as u64;
        members().for_each(|record| chosen.remove(record.row));
        if refused > 0 {
            // Counted as so many rows above; it is one id.
            tally.non_consenting -= refused - 1;
            continue;
        }
        let newest = members().map(|record| record.latest).max();
        let newest = || members().filter(|record| Some(record.latest) == newest);
        match (newest().next(), newest().nth(1), contested) {
            (Some(_), Some(_), Some(contested)) => {
                newest().for_each(|record| contested.insert(record.row));
            }
            (Some(first), ..) => chosen.insert(first.row),
            (None, ..) => {}
        }
    }
    tally
}

/// Puts into `chosen` the first of each id's contested rows if all are alike; counts ids whose rows are not.
fn resolve(
    layout: Layout,
    records: &[u8],
    chosen: &RowSet,
    contested: &Ranks,
    fingerprints: &[u64],
) -> u64 {
    let fingerprint = |record: &Record| {
        let place = contested.place(record.row)?;
        fingerprints.get(place as usize)
    };
    let mut conflicts = 0;
    for twins in groups(&twins(layout, records)) {
        let mut contested = members(layout, records, twins)
            .filter_map(|record| Some((record.row, fingerprint(&record)?)));
        let Some((row, first)) = contested.next() else {
            continue;
        };
        if contested.all(|(_, other)| other == first) {
            chosen.insert(row);
        } else {
            conflicts += 1;
        }
    }
    conflicts
}

/// Pairs of records with one digest: the place of the first one, and of a later one. Sorted.
fn twins(layout: Layout, records: &[u8]) -> Vec<(u32, u32)> {
    let width = layout.width();
    let count = records.len() / width;
    let digest = |place: u32| number(&records[place as usize * width..]);
    let slots = (count * 2).next_power_of_two();
    // Places, counted from 1 so that 0 is free.
    let mut table = vec![0u32; slots];
    let mut twins = Vec::new();
    for (place, record) in (0u32..).zip(records.chunks_exact(width)) {
        let own = number(record);
        // The last bytes: the first ones are alike in a partition.
        let mut slot = (own >> u64::BITS) as usize;
        loop {
            slot &= slots - 1;
            match table[slot].checked_sub(1) {
                None => {
                    table[slot] = place + 1;
                    break;
                }
                Some(first) if digest(first) == own => {
                    twins.push((first, place));
                    break;
                }
                Some(_) => slot += 1,
            }
        }
    }
    twins.sort_unstable();
    twins
}

/// A record's digest as a number, first byte lowest.
fn number(record: &[u8]) -> u128 {
    u128::from_le_bytes(digest_of(record))
}

/// The pairs of each id.
fn groups(twins: &[(u32, u32)]) -> impl Iterator<Item = &[(u32, u32)]> {
    twins.chunk_by(|one, next| one.0 == next.0)
}

/// All records of an id that has several, in row order.
fn members(
    layout: Layout,
    records: &[u8],
    twins: &[(u32, u32)],
) -> impl Iterator<Item = Record> + Clone {
    let first = twins.first().map_or(0, |(first, _)| *first);
    let width = layout.width();
    once(first)
        .chain(twins.iter().map(|(_, twin)| *twin))
        .map(move |place| layout.read_one(&records[place as usize * width..][..width]))
}

#[cfg(test)]
mod tests;
