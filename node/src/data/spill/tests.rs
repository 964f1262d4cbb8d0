#![allow(clippy::unwrap_used, clippy::panic)] // tests: a failure is the point

use super::*;
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
