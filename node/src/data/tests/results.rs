//! What readers get: tables and rows.

use super::*;
use entente_wire::plan::{Display, Operator, OrderKey};

const CUSTOMERS: &str = "mobile,tier,age,balance,city\n\
    13800138000,gold,30,1.005,Bern\n\
    13800138001,gold,40,-1.005,\n\
    13800138002,basic,50,,Basel\n\
    13800138003,basic,60,,\"Zug, old\"\n\
    13800138004,gold,70,100,Bern\n\
    13800138005,,80,0.125,Bern\n";

fn columns() -> String {
    format!(
        "{ID}[columns.tier]\ndomain = [\"basic\", \"silver\", \"gold\"]\nnullable = true\n[columns.age]\n\
         [columns.balance]\nclip = [-50, 50]\nscale = 2\nnullable = true\n[columns.city]\nnullable = true"
    )
}

fn asked(ask: &str) -> Asked {
    let disk = Disk::new();
    let path = disk.file("customers.csv", CUSTOMERS);
    let ages = [("ages", [0, 1_000], 1)];
    let ages: &[_] = if ask.contains("ages") { &ages } else { &[] };
    Asked::new(
        &path,
        &policy("consent = \"not-needed\"", &columns()),
        ask,
        ages,
    )
}

const ALL: &str = "SELECT b.tier, COUNT(*) AS n, COUNT(b.balance) AS c, SUM(b.balance) AS s, AVG(b.balance) AS a FROM {J} GROUP BY b.tier";

#[test]
fn sums_and_averages_are_exact_and_nothing_is_null() {
    assert_eq!(
        asked(ALL).lines_of_all(),
        [
            "tier,n,c,s,a",
            "basic,2,0,,",
            "gold,3,3,50.00,16.6666666667",
            ",1,1,0.13,0.13"
        ],
        "clip [-50, 50], 1.005 rounds to 1.01, silver is suppressed"
    );
}

#[test]
fn small_and_absent_groups_are_suppressed_alike_and_never_zero() {
    let mut asked = asked(ALL);
    if let Operator::Table { min_group, .. } = &mut asked.plan.operator {
        *min_group = 3;
    }
    let table = asked.table_of_all();
    assert_eq!(table.suppressed, 3, "basic has 2, NULL 1, silver none");
    assert_eq!(table.rows.len(), 1);
    assert_eq!(
        table.rows[0][0],
        Cell::Text {
            text: "gold".to_owned()
        }
    );
    let prepared = asked.prepared();
    let nobody = super::table(&prepared, &set(&[]), &asked.plan).unwrap();
    assert_eq!((nobody.rows.len(), nobody.suppressed), (0, 4));
}

#[test]
fn only_matched_ids_are_counted() {
    let asked = asked(ALL);
    let prepared = asked.prepared();
    let table = table(&prepared, &set(&[0, 3]), &asked.plan).unwrap();
    let counts: Vec<_> = table.rows.iter().map(|row| row[1].clone()).collect();
    let one = Cell::Number {
        text: "1".to_owned(),
    };
    assert_eq!(counts, [one.clone(), one]);
    assert!(
        super::table(&prepared, &set(&[6]), &asked.plan).is_err(),
        "a foreign place is a defect"
    );
}

#[test]
fn order_and_limit_only_order_and_cut() {
    let by = |tail: &str| asked(&format!("{ALL} {tail}")).lines_of_all()[1..].to_vec();
    let first = |lines: Vec<String>| -> Vec<String> {
        let fields = lines
            .iter()
            .map(|line| line.split(',').next().unwrap().to_owned());
        fields.collect()
    };
    assert_eq!(first(by("ORDER BY n DESC")), ["gold", "basic", ""]);
    assert_eq!(
        first(by("ORDER BY b.tier DESC")),
        ["", "gold", "basic"],
        "NULL is largest"
    );
    assert_eq!(first(by("ORDER BY s, n")), ["", "gold", "basic"]);
    assert_eq!(first(by("ORDER BY n DESC LIMIT 1")), ["gold"]);
    let numeric = "SELECT b.age, COUNT(*) AS n FROM {J} GROUP BY b.age ORDER BY b.age DESC LIMIT 2";
    let disk = Disk::new();
    let path = disk.file(
        "customers.csv",
        "mobile,age\n13800138000,9\n13800138001,10\n13800138002,100\n",
    );
    let ages = format!("{ID}[columns.age]\ndomain = [\"9\", \"10\", \"100\"]");
    let policy = policy("consent = \"not-needed\"", &ages);
    assert_eq!(
        Asked::new(&path, &policy, numeric, &[]).lines_of_all(),
        ["age,n", "100,1", "10,1"]
    );
}

#[test]
fn a_table_without_groups_is_one_row_or_suppressed() {
    let ask = "SELECT COUNT(*) AS n, AVG(b.age) AS ages FROM {J} WHERE b.age < 70";
    assert_eq!(asked(ask).lines_of_all(), ["n,ages", "4,45.0"]);
    let nobody = "SELECT COUNT(*) AS n, AVG(b.age) AS ages FROM {J} WHERE b.age < 7";
    let nobody = asked(nobody).table_of_all();
    assert_eq!((nobody.rows.len(), nobody.suppressed), (0, 1));
}

fn revealed(rows: &[u32], columns: &[&str], star: bool, display: Display) -> (u64, String) {
    let asked = asked("SELECT COUNT(*) AS n FROM {J}");
    let columns: Vec<ColumnName> = columns.iter().map(|name| column(name)).collect();
    let disk = Disk::new();
    let out = disk.path("rows.csv");
    let shown = Shown {
        columns: &columns,
        star,
        display: &display,
    };
    let written = write_rows(&asked.open, &set(rows), shown, &out).unwrap();
    (written, std::fs::read_to_string(out).unwrap())
}

fn display(order_by: &[(&str, bool)], limit: Option<u64>) -> Display {
    let order_by = order_by.iter().map(|(name, descending)| OrderKey {
        column: column(name),
        descending: *descending,
    });
    Display {
        order_by: order_by.collect(),
        limit,
    }
}

#[test]
fn revealed_rows_are_the_files_own_characters_in_file_order() {
    let (written, text) = revealed(
        &[3, 0, 5],
        &["city", "mobile", "balance"],
        false,
        Display::default(),
    );
    assert_eq!(written, 3);
    assert_eq!(
        text,
        "city,mobile,balance\nBern,13800138000,1.005\n\"Zug, old\",13800138003,\nBern,13800138005,0.125\n"
    );
    let (_, star) = revealed(
        &[2],
        &["age", "balance", "city", "mobile", "tier"],
        true,
        Display::default(),
    );
    assert_eq!(
        star,
        "mobile,tier,age,balance,city\n13800138002,basic,50,,Basel\n"
    );
    let (none, text) = revealed(&[], &["mobile"], false, Display::default());
    assert_eq!((none, text.as_str()), (0, "mobile\n"));
}

#[test]
fn revealed_rows_are_ordered_by_value_and_cut() {
    let all = [0, 1, 2, 3, 4, 5];
    let lines = |order_by: &[(&str, bool)], limit| {
        let (_, text) = revealed(&all, &["age", "balance"], false, display(order_by, limit));
        text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&[], Some(2)), ["30,1.005", "40,-1.005"]);
    assert_eq!(
        lines(&[("balance", false)], None),
        ["40,-1.005", "80,0.125", "30,1.005", "70,100", "50,", "60,"],
        "numbers in order, nothing last, equals as in the file"
    );
    assert_eq!(
        lines(&[("balance", true), ("age", true)], Some(3)),
        ["60,", "50,", "70,100"]
    );
}

#[test]
fn a_result_file_is_for_its_user_only() {
    use std::os::unix::fs::PermissionsExt;
    let disk = Disk::new();
    let out = disk.path("table.csv");
    asked(ALL).table_of_all().write_csv(&out).unwrap();
    assert_eq!(
        std::fs::metadata(&out).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let nowhere = asked(ALL)
        .table_of_all()
        .write_csv(&disk.path("no/folder/t.csv"));
    of_code(&nowhere.unwrap_err(), Code::Disk, &["cannot be written"]);
}

#[test]
fn progress_goes_up_to_all_rows_of_both_passes() {
    let asked = asked(ALL);
    let (plan, own) = (&asked.plan, org("north-bank"));
    let mut seen = Vec::new();
    prepare(
        &asked.open,
        plan,
        &own,
        [1; 32],
        &spill(),
        &mut |done, total| {
            seen.push((done, total));
            Ok(())
        },
    )
    .unwrap();
    assert_eq!(seen.last(), Some(&(12, 12)));
    assert!(seen.is_sorted());
}
