//! Values that a question or a policy cannot take: counted, never shown.

use super::*;
use datafusion::arrow::array::{Float64Array, StringArray};
use std::sync::Arc;

const TABLE: &str = "SELECT b.tier, COUNT(*) AS n FROM {J} GROUP BY b.tier";

fn tiers(text: &str, nullable: bool) -> Problem {
    let disk = Disk::new();
    let path = disk.file("customers.csv", text);
    let columns =
        format!("{ID}[columns.tier]\ndomain = [\"basic\", \"gold\"]\nnullable = {nullable}");
    let policy = policy("consent = \"not-needed\"", &columns);
    let asked = Asked::new(&path, &policy, TABLE, &[]);
    asked.prepare().err().expect("a value is outside")
}

#[test]
fn a_value_outside_its_domain_ends_the_job_with_column_and_count_only() {
    let text = "mobile,tier\n13800138000,gold\n13800138001,secret-tier\n13800138002,Gold\n13800138003, gold\n13800138004,\n";
    let problem = tiers(text, true);
    of_code(&problem, Code::ValueOutside, &["3 rows", "tier"]);
    assert!(!problem.to_string().contains("secret-tier"), "{problem}");
    let strict = tiers(text, false);
    of_code(
        &strict,
        Code::ValueOutside,
        &["3 rows", "1 have none", "tier"],
    );
}

#[test]
fn rows_that_do_not_enter_the_job_are_not_held_against_it() {
    let disk = Disk::new();
    let text = "mobile,tier,consent,age\n13800138000,gold,1,30\n13800138001,odd,0,30\nn/a,odd,1,30\n13800138002,odd,1,17\n";
    let path = disk.file("customers.csv", text);
    let columns = format!("{ID}[columns.tier]\ndomain = [\"gold\"]\n[columns.age]");
    let policy = policy("consent = \"consent\"", &columns);
    let ask = "SELECT b.tier, COUNT(*) AS n FROM {J} WHERE b.age >= 18 GROUP BY b.tier";
    assert_eq!(
        Asked::new(&path, &policy, ask, &[]).lines_of_all(),
        ["tier,n", "gold,1"]
    );
}

#[test]
fn a_measure_that_is_not_finite_ends_the_job_with_its_count() {
    let disk = Disk::new();
    let spend = Float64Array::from(vec![1.0, f64::NAN, f64::INFINITY]);
    let mobiles: StringArray = (0..3).map(|person| Some(mobile(person))).collect();
    let batch = RecordBatch::try_from_iter([
        ("mobile", Arc::new(mobiles) as _),
        ("spend", Arc::new(spend) as _),
    ]);
    let in_parquet = disk.parquet("customers.parquet", &batch.unwrap());
    let in_csv = disk.file(
        "customers.csv",
        "mobile,spend\n13800138000,1\n13800138001,NaN\n13800138002,-inf\n",
    );
    let policy = policy(
        "consent = \"not-needed\"",
        &format!("{ID}[columns.spend]\nclip = [0, 100]\nscale = 2"),
    );
    for path in [in_parquet, in_csv] {
        let asked = Asked::new(
            &path,
            &policy,
            "SELECT SUM(b.spend) AS s, COUNT(*) AS n FROM {J}",
            &[],
        );
        of_code(
            &asked.prepare().err().unwrap(),
            Code::ValueOutside,
            &["2 rows", "NaN or infinite"],
        );
        let finite =
            "SELECT SUM(b.spend) AS s, COUNT(*) AS n FROM {J} WHERE b.spend < 50 AND b.spend > 0";
        assert_eq!(
            Asked::new(&path, &policy, finite, &[]).lines_of_all(),
            ["s,n", "1.00,1"]
        );
    }
}

#[test]
fn a_division_by_zero_is_told_without_the_row() {
    let disk = Disk::new();
    let path = disk.file(
        "customers.csv",
        "mobile,a,b\n13800138000,77123,0\n13800138001,10,5\n",
    );
    let policy = policy(
        "consent = \"not-needed\"",
        &format!("{ID}[columns.a]\n[columns.b]"),
    );
    let ask = "SELECT COUNT(*) AS n, SUM(b.a) AS s FROM {J} WHERE b.a / NULLIF(b.b, 0) > 1";
    let asked = Asked::new(&path, &policy, ask, &[("s", [0, 1_000_000], 0)]);
    let problem = asked.dividing_by_zero().prepare().err().unwrap();
    of_code(
        &problem,
        Code::ValueOutside,
        &["WHERE", "a division by zero"],
    );
    assert!(!problem.to_string().contains("77123"), "{problem}");
}

#[test]
fn arithmetic_beyond_38_digits_is_an_error_and_never_wraps() {
    let disk = Disk::new();
    let big = i64::MAX;
    let path = disk.file(
        "customers.csv",
        format!("mobile,a\n13800138000,{big}\n13800138001,{big}\n"),
    );
    let policy = policy("consent = \"not-needed\"", &format!("{ID}[columns.a]"));
    let cube = "SELECT SUM(b.a * b.a * b.a) AS s, COUNT(*) AS n FROM {J}";
    let asked = Asked::new(&path, &policy, cube, &[("s", [0, 1_000], 0)]);
    of_code(
        &asked.prepare().err().unwrap(),
        Code::ValueOutside,
        &["measure 1"],
    );
    let twice = "SELECT COUNT(*) AS n, SUM(b.a) AS s FROM {J} WHERE b.a + b.a > 0";
    let asked = Asked::new(&path, &policy, twice, &[("s", [0, 1_000], 0)]);
    match asked.prepare() {
        Ok(prepared) => assert_eq!(prepared.ids(), 2, "the sum is positive"),
        Err(problem) => of_code(&problem, Code::ValueOutside, &["WHERE"]),
    }
}

#[test]
fn a_policy_that_names_columns_the_file_lacks_cannot_be_surveyed_or_used() {
    let disk = Disk::new();
    let path = disk.file("customers.csv", "mobile,tier,flag\n13800138000,gold,1\n");
    let (dataset, _) = registered(&path, &[("mobile", "e164(+86)")]).unwrap();
    for (rules, columns) in [
        ("consent = \"consent\"", ID.to_owned()),
        (
            "consent = \"not-needed\"\nlatest = \"updated_at\"",
            ID.to_owned(),
        ),
        ("consent = \"not-needed\"", format!("{ID}[columns.segment]")),
    ] {
        let policy = policy(rules, &columns);
        let problem = survey(&dataset, Some(&policy), &spill()).unwrap_err();
        of_code(
            &problem,
            Code::ColumnMissing,
            &["customers has no column", "mobile, tier, flag"],
        );
    }
    let unordered = policy("consent = \"not-needed\"\nlatest = \"tier\"", ID);
    of_code(
        &survey(&dataset, Some(&unordered), &spill()).unwrap_err(),
        Code::PolicyFile,
        &["latest", "tier"],
    );
}
