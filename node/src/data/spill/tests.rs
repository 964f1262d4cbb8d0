#![allow(clippy::unwrap_used, clippy::panic)] // tests: a failure is the point

use super::*;
use datafusion::arrow::array::Int64Array;
use entente_wire::problem::{Code, Problem};
use proptest::prelude::*;
use std::os::unix::fs::{FileExt, PermissionsExt};

fn records(count: u32, layout: Layout) -> Vec<Record> {
    let record = |row: u32| Record {
        digest: *blake3::hash(&row.to_le_bytes())
            .as_bytes()
            .first_chunk()
            .unwrap(),
        row,
        consent: !layout.consent || !row.is_multiple_of(3),
        latest: if layout.latest {
            i128::from(row) - 7
        } else {
            0
        },
    };
    (0..count).map(record).collect()
}

fn spilled(
    folder: &SpillFolder,
    layout: Layout,
    rows: u64,
    records: &[Record],
) -> Result<Spill, Problem> {
    let mut spilling = Spilling::new(folder, layout, rows);
    for wave in records.chunks(50_000) {
        let chunks: Vec<_> = wave
            .chunks(10_000)
            .map(|chunk| spilling.scatter(chunk.iter().copied()))
            .collect();
        spilling.add(&chunks)?;
    }
    Ok(spilling.finish())
}

fn rows_of(spill: &Spill, buckets: u64, bucket: u64) -> Result<Vec<u32>, Problem> {
    let mut rows = Vec::new();
    spill.bucket(buckets, bucket, |record| rows.push(record.row))?;
    Ok(rows)
}

fn of_disk(problem: &Problem, words: &str) {
    assert_eq!(problem.code, Code::Disk, "{problem}");
    assert!(
        problem.what.contains(words),
        "{words:?} is not in {problem}"
    );
    assert!(!problem.todo.is_empty());
}

/// More than memory keeps, so that most of it is on disk.
const MANY: u32 = 2_000_000;

#[test]
fn every_record_comes_back_once_from_its_bucket_on_disk_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let folder = SpillFolder::open(folder.path()).unwrap();
    let layout = Layout::default();
    let all = records(MANY, layout);
    for (count, on_disk) in [(1_000, false), (MANY, true)] {
        let spill = spilled(&folder, layout, u64::from(count), &all[..count as usize]).unwrap();
        assert_eq!(spill.file().is_some(), on_disk);
        for buckets in [1, 4, 64] {
            let mut seen = vec![false; count as usize];
            for bucket in 0..buckets {
                spill
                    .bucket(buckets, bucket, |record| {
                        assert!(*record == all[record.row as usize], "row {}", record.row);
                        let top = u64::from(record.digest[0]) * buckets / 256;
                        assert_eq!(top, bucket, "first byte first");
                        assert!(!std::mem::replace(&mut seen[record.row as usize], true));
                    })
                    .unwrap();
            }
            assert!(
                seen.iter().all(|seen| *seen),
                "{count} ids, {buckets} buckets"
            );
        }
    }
}

#[test]
fn a_spill_leaves_nothing_in_its_folder_even_while_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spill");
    let spill = spilled(
        &SpillFolder::open(&path).unwrap(),
        Layout::default(),
        u64::from(MANY),
        &records(MANY, Layout::default()),
    )
    .unwrap();
    assert!(spill.file().is_some());
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 0);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let file = spill.file().unwrap().metadata().unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

#[test]
fn leftovers_of_an_older_run_are_removed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["ids-1-0", "ids-99-7", "notes.txt"] {
        std::fs::write(folder.path().join(name), "x").unwrap();
    }
    SpillFolder::open(folder.path()).unwrap();
    let left = std::fs::read_dir(folder.path()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["notes.txt"]);
}

#[test]
fn a_full_disk_ends_with_its_folder_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room {
        file_bytes_max: 1 << 20,
        ..Room::default()
    };
    let small = SpillFolder::with_room(folder.path(), room).unwrap();
    let layout = Layout::default();
    let problem = spilled(&small, layout, u64::from(MANY), &records(MANY, layout));
    let problem = problem.err().unwrap();
    of_disk(&problem, &folder.path().display().to_string());
    assert!(problem.todo.contains("free space"), "{problem}");
    let few = spilled(&small, layout, 1_000, &records(1_000, layout));
    assert!(few.is_ok(), "what fits into memory needs no disk");
}

#[test]
fn a_folder_that_cannot_be_is_a_disk_problem() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    of_disk(
        &SpillFolder::open(&file.join("spill")).unwrap_err(),
        "spill",
    );
    let gone = SpillFolder::open(&folder.path().join("gone")).unwrap();
    std::fs::remove_dir(folder.path().join("gone")).unwrap();
    let layout = Layout::default();
    let problem = spilled(&gone, layout, u64::from(MANY), &records(MANY, layout));
    of_disk(&problem.err().unwrap(), "gone");
}

#[test]
fn a_truncated_or_altered_spill_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = SpillFolder::open(folder.path()).unwrap();
    let layout = Layout::default();
    let all = records(MANY, layout);
    let everything = |spill: &Spill| rows_of(spill, 1, 0).err();
    for place in [0, 77_777, 20_000_000] {
        let spill = spilled(&folder, layout, u64::from(MANY), &all).unwrap();
        assert!(everything(&spill).is_none());
        let file = spill.file().unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, place).unwrap();
        file.write_all_at(&[byte[0] ^ 1], place).unwrap();
        of_disk(&everything(&spill).unwrap(), "came back altered");
    }
    let spill = spilled(&folder, layout, u64::from(MANY), &all).unwrap();
    spill.file().unwrap().set_len(20_000_000).unwrap();
    of_disk(&everything(&spill).unwrap(), "came back altered");
}

#[test]
fn a_bucket_that_no_job_has_is_a_defect() {
    let folder = tempfile::tempdir().unwrap();
    let folder = SpillFolder::open(folder.path()).unwrap();
    let spill = spilled(&folder, Layout::default(), 0, &[]).unwrap();
    for (buckets, bucket) in [(3, 0), (0, 0), (4, 4)] {
        let problem = rows_of(&spill, buckets, bucket).unwrap_err();
        assert_eq!(problem.code, Code::Defect);
    }
    assert!(rows_of(&spill, 2_048, 2_047).unwrap().is_empty());
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        digest: [u8; 16], row: u32, consent: bool, latest: i128, with_consent: bool, with_latest: bool,
    ) {
        let layout = Layout { consent: with_consent, latest: with_latest };
        let record = Record {
            digest,
            row,
            consent: consent || !with_consent,
            latest: if with_latest { latest } else { 0 },
        };
        let mut bytes = vec![0; layout.width()];
        layout.write(&record, &mut bytes);
        prop_assert!(layout.read(&bytes).eq([record]));
    }
}

/// Values of a row that no other row has; every fifth has no second number.
fn values_of(rows: &[u32]) -> (Vec<u32>, Vec<Int64Array>) {
    let second = |row: &u32| (!row.is_multiple_of(5)).then(|| i64::from(*row) << 8);
    let first = rows.iter().map(|row| Some(-i64::from(*row)));
    let measures = vec![first.collect(), rows.iter().map(second).collect()];
    (rows.iter().map(|row| row ^ 7).collect(), measures)
}

#[test]
fn values_stand_next_to_their_ids_over_all_windows_of_rows() {
    let folder = tempfile::tempdir().unwrap();
    let small = Room {
        memory_bytes: 0,
        ..Room::default()
    };
    let folder = SpillFolder::with_room(folder.path(), small).unwrap();
    let all = records(600_000, Layout::default());
    let ids = spilled(&folder, Layout::default(), 600_000, &all).unwrap();
    let layout = ValueLayout {
        code: true,
        measures: 2,
    };
    // A few of each hundred, none of a whole window, and all in the end; in one chunk and in many.
    let entered = |row: &u32| row % 100 < 3 && *row < 200_000 || *row > 550_000;
    let rows: Vec<u32> = (0..600_000).filter(entered).collect();
    for chunk_rows in [700, rows.len()] {
        let mut spilling = SpillingValues::new(&folder, layout, &ids);
        for rows in rows.chunks(chunk_rows) {
            let (codes, measures) = values_of(rows);
            spilling.add(rows, &codes, &measures).unwrap();
        }
        let values = spilling.finish().unwrap();
        assert!(values.file().is_some());
        let mut seen = 0;
        for place in 0..ids.partitions() {
            let (records, values) = (ids.partition(place), values.partition(place));
            let (records, values) = (records.unwrap(), values.unwrap());
            let records = ids.layout().read(&records);
            let records = records.filter(|record| entered(&record.row));
            let mut values = values.chunks_exact(layout.width());
            for (record, value) in records.zip(&mut values) {
                let row = record.row;
                assert_eq!(layout.code(value), row ^ 7);
                assert_eq!(layout.measure(value, 0), Some(-i64::from(row)));
                let second = (row % 5 != 0).then(|| i64::from(row) << 8);
                assert_eq!(layout.measure(value, 1), second);
                seen += 1;
            }
            assert!(values.next().is_none());
        }
        assert_eq!(seen, rows.len());
    }
}

#[test]
fn values_of_unknown_rows_or_out_of_order_are_defects() {
    let folder = tempfile::tempdir().unwrap();
    let folder = SpillFolder::open(folder.path()).unwrap();
    let all = records(300_000, Layout::default());
    let ids = spilled(&folder, Layout::default(), 300_000, &all).unwrap();
    let layout = ValueLayout {
        code: true,
        measures: 0,
    };
    for rows in [[299_999, 300_000], [299_999, 0]] {
        let mut spilling = SpillingValues::new(&folder, layout, &ids);
        let added = rows
            .iter()
            .try_for_each(|row| spilling.add(&[*row], &[1], &[]));
        assert_eq!(added.unwrap_err().code, Code::Defect);
    }
}

proptest! {
    #[test]
    fn values_that_are_written_are_read(
        code: u32, with_code: bool, measures in prop::collection::vec(any::<Option<i64>>(), 0..20),
    ) {
        let layout = ValueLayout { code: with_code, measures: measures.len() };
        let mut bytes = vec![0xff; layout.width()];
        layout.write(code, measures.iter().copied(), &mut bytes);
        prop_assert_eq!(layout.code(&bytes), if with_code { code } else { 0 });
        for (place, measure) in measures.iter().enumerate() {
            prop_assert_eq!(layout.measure(&bytes, place), *measure);
        }
    }
}
