//! What a side brings to the blind join.

use super::*;
use entente_wire::plan::SideColumn;

const CUSTOMERS: &str = "mobile,tier,age,balance\n\
    13800138000,gold,30,1.005\n\
    13800138001,basic,40,-1.005\n\
    13800138002,basic,50,\n\
    13800138003,gold,10,7\n\
    13800138004,,70,100\n\
    bad,gold,80,1\n";

fn prepared(ask: &str) -> Prepared {
    let disk = Disk::new();
    let path = disk.file("customers.csv", CUSTOMERS);
    let columns = format!(
        "{ID}[columns.tier]\ndomain = [\"basic\", \"gold\"]\nnullable = true\n[columns.age]\n\
         [columns.balance]\nclip = [-50, 50]\nscale = 2\nnullable = true"
    );
    let policy = policy("consent = \"not-needed\"", &columns);
    Asked::new(&path, &policy, ask, &[("ages", [0, 100], 0)]).prepared()
}

const ASK: &str = "SELECT b.tier, SUM(b.balance) AS s, SUM(b.age) AS ages FROM {J} WHERE b.age >= 30 GROUP BY b.tier";

/// All rows over so many buckets, by group code and numbers.
fn rows(prepared: &Prepared, buckets: u64, columns: &[SideColumn]) -> Vec<(u32, Vec<i128>)> {
    let mut all = Vec::new();
    let mut ids = BTreeSet::new();
    for bucket in 0..buckets {
        let rows = prepared.joint_rows(buckets, bucket, columns).unwrap();
        assert_eq!(rows.columns.len(), columns.len());
        for (place, id) in rows.ids.iter().enumerate() {
            assert!(ids.insert(*id.as_bytes()), "an id stands once");
            let numbers = rows.columns.iter().map(|column| column[place]);
            all.push((rows.codes[place], numbers.collect()));
        }
        assert!(
            rows.columns
                .iter()
                .all(|column| column.len() == rows.ids.len())
        );
    }
    all.sort();
    all
}

#[test]
fn each_column_is_what_the_plan_names_and_null_adds_nothing() {
    let prepared = prepared(ASK);
    let (balance, age) = (0, 1);
    let columns = [
        SideColumn::Value { place: balance },
        SideColumn::Present { place: balance },
        SideColumn::Square { place: balance },
        SideColumn::Product {
            places: [balance, age],
        },
        SideColumn::Value { place: age },
    ];
    let expected = vec![
        (0, vec![-101, 1, 10_201, -4_040, 40]),
        (0, vec![0, 0, 0, 0, 50]),
        (1, vec![101, 1, 10_201, 3_030, 30]),
        // Clipped, and in the group of NULL.
        (2, vec![5_000, 1, 25_000_000, 350_000, 70]),
    ];
    for buckets in [1, 2, 8] {
        assert_eq!(rows(&prepared, buckets, &columns), expected);
    }
}

#[test]
fn a_side_without_groups_or_columns_brings_ids_alone() {
    let prepared = prepared("SELECT SUM(b.balance) AS s, SUM(b.age) AS ages FROM {J}");
    assert_eq!(rows(&prepared, 2, &[]), vec![(0, vec![]); 5]);
    let beyond = [SideColumn::Value { place: 2 }];
    assert!(prepared.joint_rows(1, 0, &beyond).is_err());
}

#[test]
fn the_largest_squares_do_not_wrap() {
    let disk = Disk::new();
    let path = disk.file(
        "customers.csv",
        format!(
            "mobile,n\n{},{}\n{},{}\n",
            mobile(1),
            i64::MIN,
            mobile(2),
            i64::MAX
        ),
    );
    let columns = format!("{ID}[columns.n]\nclip = [0, 1]\nscale = 0");
    let policy = policy("consent = \"not-needed\"", &columns);
    let mut asked = Asked::new(&path, &policy, "SELECT SUM(b.n) AS s FROM {J}", &[]);
    // Wider than a planner lets a sum of squares be.
    asked.plan.sides[0].measures[0].clip = [i64::MIN, i64::MAX];
    let mut squares = asked
        .prepared()
        .joint_rows(1, 0, &[SideColumn::Square { place: 0 }])
        .unwrap()
        .columns
        .remove(0);
    squares.sort_unstable();
    assert_eq!(squares, [(1 << 126) - (1 << 64) + 1, 1 << 126]);
}
