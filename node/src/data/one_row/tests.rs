#![allow(clippy::unwrap_used, clippy::panic)] // tests: a failure is the point

use super::*;
use crate::data::spill::{SpillFolder, Spilling};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Rows as (id, consent, content, latest).
type Row = (u8, bool, u64, Option<i128>);

/// Chunks of rows through a spill, in partitions that ids share.
fn ids(rows: &[Row], with_latest: bool, chunk_rows: usize) -> Ids {
    let folder = tempfile::tempdir().unwrap();
    let folder = SpillFolder::open(folder.path()).unwrap();
    let layout = Layout {
        consent: true,
        latest: with_latest,
    };
    let mut spilling = Spilling::new(&folder, layout, 1 << 18);
    let consenting = RowSet::new(rows.len() as u64);
    let records: Vec<Record> = (0u32..)
        .zip(rows)
        .map(|(row, (id, consent, _, latest))| Record {
            digest: *blake3::hash(&[*id]).as_bytes().first_chunk().unwrap(),
            row,
            consent: *consent,
            latest: if with_latest {
                latest.unwrap_or(i128::MIN)
            } else {
                0
            },
        })
        .collect();
    for record in records.iter().filter(|record| record.consent) {
        consenting.insert(record.row);
    }
    for chunk in records.chunks(chunk_rows) {
        let scattered = spilling.scatter(chunk.iter().copied());
        spilling.add(&[scattered]).unwrap();
    }
    Ids {
        spill: spilling.finish(),
        consenting,
        rows: rows.len() as u64,
        usable_rows: rows.len() as u64,
        rejected: BTreeMap::new(),
    }
}

fn reduced(rows: &[Row], with_latest: bool, chunk_rows: usize) -> Reduction {
    let mut reduction = Reduction::of(ids(rows, with_latest, chunk_rows), true).unwrap();
    if let Some(contested) = reduction.contested() {
        let contents: Vec<u64> = contested.iter().map(|row| rows[row as usize].2).collect();
        reduction.resolve(&contents).unwrap();
    }
    assert_eq!(reduction.chosen.len(), reduction.counts.eligible_ids);
    reduction
}

fn chosen(rows: &[Row], with_latest: bool) -> Vec<(u8, u32)> {
    let reduction = reduced(rows, with_latest, 3);
    let chosen = reduction.chosen.iter();
    chosen.map(|row| (rows[row as usize].0, row)).collect()
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
    assert_eq!(reduced(&rows, false, 9).counts.conflicting_ids, 1);
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
    assert_eq!(reduced(&rows, true, 2).counts.conflicting_ids, 2);
}

#[test]
fn one_row_without_consent_takes_the_id_out_wherever_it_stands() {
    for places in [
        [true, false, true],
        [false, true, true],
        [true, true, false],
        [false, false, true],
    ] {
        let rows: Vec<Row> = places.map(|consent| (1, consent, 7, None)).to_vec();
        assert_eq!(chosen(&rows, false), []);
        let counts = reduced(&rows, false, 1).counts;
        assert_eq!((counts.non_consenting_ids, counts.conflicting_ids), (1, 0));
    }
    let old_refusal = [(1, false, 7, Some(1)), (1, true, 8, Some(2))];
    assert_eq!(chosen(&old_refusal, true), []);
}

#[test]
fn rows_of_an_event_table_lead_to_the_first_one_of_their_id() {
    let rows = [
        (1, true, 0, None),
        (2, true, 0, None),
        (1, true, 1, None),
        (3, true, 0, None),
        (3, false, 0, None),
        (1, true, 2, None),
        (4, false, 0, None),
    ];
    let reduction = Reduction::of(ids(&rows, false, 2), false).unwrap();
    assert_eq!(reduction.contested().map(RowSet::len), None);
    let expected = [0, 1, 0, NO_ROW, NO_ROW, 0, NO_ROW];
    assert_eq!(reduction.first_rows().unwrap(), expected);
}

/// What the reduction was before it was partitioned: one entry an id, row after row.
#[derive(Default)]
struct Entry {
    row: u32,
    content: u64,
    newest: i128,
    without_consent: bool,
    tied: bool,
}

fn one_by_one(rows: &[Row], with_latest: bool) -> (Vec<u32>, Counts) {
    let mut entries: BTreeMap<u8, Entry> = BTreeMap::new();
    for (row, (id, consent, content, latest)) in (0u32..).zip(rows) {
        let latest = if with_latest {
            latest.unwrap_or(i128::MIN)
        } else {
            0
        };
        let known = entries.contains_key(id);
        let entry = entries.entry(*id).or_insert(Entry {
            row,
            content: *content,
            newest: latest,
            ..Entry::default()
        });
        entry.without_consent |= !consent;
        if !known {
            continue;
        }
        match latest.cmp(&entry.newest) {
            std::cmp::Ordering::Greater => {
                (entry.row, entry.content, entry.newest, entry.tied) =
                    (row, *content, latest, false);
            }
            std::cmp::Ordering::Equal => entry.tied |= entry.content != *content,
            std::cmp::Ordering::Less => {}
        }
    }
    let refused = entries.values().filter(|entry| entry.without_consent);
    let tied = |entry: &&Entry| entry.tied && !entry.without_consent;
    let counts = Counts {
        rows: rows.len() as u64,
        usable_rows: rows.len() as u64,
        distinct_ids: entries.len() as u64,
        non_consenting_ids: refused.count() as u64,
        conflicting_ids: entries.values().filter(tied).count() as u64,
        ..Counts::default()
    };
    let eligible = entries.values().filter(|e| !e.without_consent && !e.tied);
    let mut chosen: Vec<u32> = eligible.map(|entry| entry.row).collect();
    chosen.sort_unstable();
    let counts = Counts {
        eligible_ids: chosen.len() as u64,
        ..counts
    };
    (chosen, counts)
}

proptest! {
    #[test]
    fn partitions_choose_what_one_pass_over_all_rows_chooses(
        rows in prop::collection::vec(
            (0u8..40, prop::bool::weighted(0.9), 0u64..2, prop::option::weighted(0.8, -1i128..2)), 0..120),
        with_latest: bool, chunk_rows in 1usize..50,
    ) {
        let reduction = reduced(&rows, with_latest, chunk_rows);
        let (chosen, counts) = one_by_one(&rows, with_latest);
        prop_assert_eq!(reduction.chosen.iter().collect::<Vec<_>>(), chosen);
        prop_assert_eq!(reduction.counts, counts);
    }
}
