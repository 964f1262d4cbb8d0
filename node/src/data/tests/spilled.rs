//! Ids by bucket, and disks that are too small.

use super::*;
use entente_protocols::psi::Id;

/// Four hundred people, every third of whom stands twice, and every fourth of those with another age.
fn customers() -> String {
    let mut text = "mobile,age\n".to_owned();
    for person in 0..400 {
        text += &format!("{},{}\n", mobile(person), person % 50);
    }
    for person in (0..400).step_by(3) {
        let age = person % 50 + u32::from(person % 4 == 0);
        text += &format!("+86 {},{age}\n", mobile(person));
    }
    text
}

fn columns() -> String {
    format!("{ID}[columns.age]\nmay = {{ filter = [\"north-bank\"] }}")
}

fn asked(disk: &Disk, ask: &str) -> Asked {
    let path = disk.file("customers.csv", customers());
    Asked::new(
        &path,
        &policy("consent = \"not-needed\"", &columns()),
        ask,
        &[],
    )
}

#[test]
fn buckets_hold_every_id_once_however_many_there_are() {
    let disk = Disk::new();
    for (ask, eligible) in [
        ("SELECT COUNT(*) AS n FROM {J}", 400 - 34),
        ("SELECT COUNT(*) AS n FROM {J} WHERE b.age < 25", 400 - 34),
    ] {
        let prepared = asked(&disk, ask).prepared();
        assert_eq!(prepared.counts().eligible_ids, eligible);
        let all = prepared.all().unwrap();
        assert!(all.rows.is_sorted());
        assert_eq!(all.ids.len() as u64, prepared.ids());
        let all: BTreeMap<u32, Id> = all.rows.into_iter().zip(all.ids).collect();
        for buckets in [1, 2, 8, 2_048] {
            let mut seen = BTreeMap::new();
            for bucket in 0..buckets {
                let one = prepared.bucket(buckets, bucket).unwrap();
                for (id, row) in one.ids.iter().zip(one.rows) {
                    let first = u64::from(u16::from_be_bytes([id.as_bytes()[0], id.as_bytes()[1]]));
                    assert_eq!((first * buckets) >> 16, bucket);
                    assert!(seen.insert(row, *id).is_none(), "row {row} stands twice");
                }
            }
            assert!(seen == all, "{buckets} buckets");
        }
        let different: BTreeSet<&Id> = all.values().collect();
        assert_eq!(different.len(), all.len(), "no id stands twice");
    }
}

#[test]
fn threads_may_load_buckets_at_the_same_time() {
    let disk = Disk::new();
    let prepared = asked(&disk, "SELECT COUNT(*) AS n FROM {J}").prepared();
    let found = prepared.row_set();
    std::thread::scope(|scope| {
        for bucket in 0..8 {
            let (prepared, found) = (&prepared, &found);
            scope.spawn(move || found.insert_all(&prepared.bucket(8, bucket).unwrap().rows));
        }
    });
    assert_eq!(found.len(), prepared.ids());
}

#[test]
fn a_full_disk_ends_every_count_and_query_without_a_part_of_it() {
    let disk = Disk::new();
    let asked = asked(&disk, "SELECT COUNT(*) AS n FROM {J}");
    let dataset = &asked.open.dataset;
    let full = small_disk(1_000);
    let (plan, own) = (&asked.plan, org("north-bank"));
    let prepared = prepare(&asked.open, plan, &own, [7; 32], &full, &mut |_, _| Ok(()));
    let ids = [(column("mobile"), kind("e164(+86)"))];
    let outcomes = [
        prepared.err(),
        survey(dataset, Some(&asked.open.policy), &full).err(),
        register(&name("customers"), &dataset.path, &ids, &full).err(),
    ];
    for problem in outcomes {
        let problem = problem.expect("a thousand bytes are not enough");
        of_code(&problem, Code::Disk, &["cannot be kept in", "spill"]);
        assert!(problem.todo.contains("free space"), "{problem}");
    }
}
