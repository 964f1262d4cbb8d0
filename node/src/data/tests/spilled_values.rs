//! Values of the blind join on disk: bucket by bucket what they are in memory, and refused where the disk fails.

use super::row_values::RowValues;
use super::*;
use entente_wire::plan::SideColumn;
use std::os::unix::fs::FileExt;

/// So many people in changing tiers, some without tier or balance; every thirtieth stands twice.
fn customers(people: u32) -> String {
    let mut text = "mobile,tier,age,balance\n".to_owned();
    for person in 0..people {
        let tier = ["gold", "basic", ""][person as usize % 7 % 3];
        let balance = match person % 11 {
            0 => String::new(),
            _ => format!("{}.{:02}", person % 90, person % 100),
        };
        let line = format!("{},{tier},{},{balance}\n", mobile(person), person % 100);
        text += &line;
        if person.is_multiple_of(30) {
            text += &line;
        }
    }
    text
}

fn asked(disk: &Disk, people: u32, ask: &str) -> Asked {
    let path = disk.file("customers.csv", customers(people));
    let columns = format!(
        "{ID}[columns.tier]\ndomain = [\"basic\", \"gold\"]\nnullable = true\n[columns.age]\n\
         [columns.balance]\nclip = [-50, 50]\nscale = 2\nnullable = true"
    );
    let policy = policy("consent = \"not-needed\"", &columns);
    let ages = [("ages", [0, 100], 0)];
    let measures = if ask.contains("ages") { &ages[..] } else { &[] };
    Asked::new(&path, &policy, ask, measures)
}

/// Every kind of column that so many measures allow.
fn columns(measures: usize) -> Vec<SideColumn> {
    let of_one = |place| {
        [
            SideColumn::Value { place },
            SideColumn::Present { place },
            SideColumn::Square { place },
        ]
    };
    let mut columns: Vec<_> = (0..measures).flat_map(of_one).collect();
    if measures > 1 {
        columns.push(SideColumn::Product { places: [0, 1] });
    }
    columns
}

/// The same in memory and on disk, in so many buckets; answers how many ids entered.
fn agree(asked: &Asked, partitions: usize, on_disk: bool, all_buckets: &[u64]) -> u64 {
    let by_place = asked.prepare_to_read(Reads::ByPlace, &spill()).unwrap();
    let by_bucket = asked.prepare_to_read(Reads::ByBucket, &spill()).unwrap();
    assert!(matches!(by_place.values, RowValues::InMemory(_)));
    assert_eq!(matches!(by_bucket.values, RowValues::Spilled(_)), on_disk);
    assert_eq!(by_bucket.spill.partitions(), partitions);
    let columns = columns(by_place.values.measures());
    for buckets in all_buckets {
        let mut ids = 0;
        for bucket in 0..*buckets {
            let [one, other] = [&by_place, &by_bucket]
                .map(|prepared| prepared.joint_rows(*buckets, bucket, &columns).unwrap());
            assert!(one.ids == other.ids, "bucket {bucket} of {buckets}");
            assert_eq!(one.codes, other.codes);
            assert_eq!(one.columns, other.columns);
            ids += one.ids.len() as u64;
        }
        assert_eq!(ids, by_place.ids());
    }
    by_place.ids()
}

const ALL: &str = "SELECT b.tier, SUM(b.balance) AS s, SUM(b.age) AS ages FROM {J} GROUP BY b.tier";

#[test]
fn buckets_are_the_same_whatever_is_asked() {
    let disk = Disk::new();
    let cases = [
        (ALL, true, 1_000),
        (
            "SELECT SUM(b.balance) AS s, SUM(b.age) AS ages FROM {J}",
            true,
            1_000,
        ),
        (
            "SELECT b.tier, COUNT(*) AS n FROM {J} GROUP BY b.tier",
            true,
            1_000,
        ),
        ("SELECT COUNT(*) AS n FROM {J}", false, 1_000),
        (
            "SELECT b.tier, SUM(b.balance) AS s FROM {J} WHERE b.age = 7 GROUP BY b.tier",
            true,
            10,
        ),
        (
            "SELECT SUM(b.balance) AS s FROM {J} WHERE b.age > 200",
            true,
            0,
        ),
    ];
    for (ask, on_disk, ids) in cases {
        let asked = asked(&disk, 1_000, ask);
        assert_eq!(agree(&asked, 1, on_disk, &[1, 2, 64]), ids, "{ask}");
    }
}

#[test]
fn buckets_are_the_same_if_they_are_fewer_or_more_than_partitions() {
    let asked = asked(&Disk::new(), 140_000, ALL);
    assert_eq!(agree(&asked, 4, true, &[1, 2, 4, 64]), 140_000);
}

#[test]
fn a_collapsed_tables_values_go_the_same_way() {
    let disk = Disk::new();
    let path = disk.file("customers.csv", customers(500));
    let columns = format!("{ID}[columns.balance]\nclip = [-50, 50]\nscale = 2\nnullable = true");
    let policy = policy("consent = \"not-needed\"", &columns);
    let ask = "SELECT SUM(b.total) AS s FROM (SELECT mobile, SUM(balance) AS total FROM \"north-bank\".customers \
               GROUP BY mobile) b JOIN \"river-pay\".users p ON b.mobile = p.mobile";
    let asked = Asked::new(&path, &policy, ask, &[("s", [0, 100], 2)]);
    assert_eq!(agree(&asked, 1, true, &[1, 8]), 500);
}

#[test]
fn small_jobs_stay_in_memory() {
    let disk = Disk::new();
    let asked = asked(&disk, 100, ALL);
    let folder = SpillFolder::open(&disk.path("spill")).unwrap();
    let prepared = asked.prepare_to_read(Reads::ByBucket, &folder).unwrap();
    assert!(matches!(prepared.values, RowValues::InMemory(_)));
}

#[test]
fn values_by_bucket_make_no_table_and_no_column_beyond_them() {
    let asked = asked(&Disk::new(), 100, ALL);
    let prepared = asked.prepare_to_read(Reads::ByBucket, &spill()).unwrap();
    let all = set(&prepared.all().unwrap().rows);
    let problem = table(&prepared, &all, &asked.plan).err().unwrap();
    assert_eq!(problem.code, Code::Defect);
    let beyond = [SideColumn::Value { place: 2 }];
    let problem = prepared.joint_rows(1, 0, &beyond).err().unwrap();
    assert_eq!(problem.code, Code::Defect);
}

#[test]
fn a_disk_that_is_full_after_the_ids_ends_the_query() {
    let asked = asked(&Disk::new(), 1_000, ALL);
    // Ids take 20 bytes a row, with those that stand twice; values 21 an id.
    let full = small_disk(20 * 1_034);
    assert!(asked.prepare_to_read(Reads::ByPlace, &full).is_ok());
    let problem = asked.prepare_to_read(Reads::ByBucket, &full).err().unwrap();
    of_code(&problem, Code::Disk, &["values cannot be kept in", "spill"]);
    assert!(problem.todo.contains("free space"), "{problem}");
}

#[test]
fn altered_or_truncated_values_are_noticed() {
    let asked = asked(&Disk::new(), 1_000, ALL);
    let prepared = asked.prepare_to_read(Reads::ByBucket, &spill()).unwrap();
    let RowValues::Spilled(values) = &prepared.values else {
        panic!("values are on disk");
    };
    let file = values.file().unwrap();
    let rows = || prepared.joint_rows(1, 0, &[]);
    for place in [0, 10_000, 20_999] {
        assert!(rows().is_ok());
        let mut byte = [0];
        file.read_exact_at(&mut byte, place).unwrap();
        file.write_all_at(&[byte[0] ^ 1], place).unwrap();
        of_code(&rows().err().unwrap(), Code::Disk, &["came back altered"]);
        file.write_all_at(&byte, place).unwrap();
    }
    file.set_len(20_000).unwrap();
    of_code(&rows().err().unwrap(), Code::Disk, &["came back altered"]);
}
