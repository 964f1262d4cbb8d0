//! Event tables collapsed in the question.

use super::*;

const COLUMNS: &str =
    "[columns.amount]\n[columns.quantity]\nnullable = true\n[columns.kind]\n[columns.day]\n";

fn asked(text: &str, consent: &str, subquery: &str, rest: &str) -> Asked {
    let disk = Disk::new();
    let path = disk.file("customers.csv", text);
    let policy = policy(consent, &format!("{ID}{COLUMNS}"));
    let ask = format!(
        "SELECT COUNT(*) AS n, SUM(o.spend) AS s FROM ({subquery}) o JOIN \"river-pay\".users p ON o.mobile = p.mobile {rest}"
    );
    let asked = Asked::new(
        &path,
        &policy,
        &ask,
        &[("s", [-1_000_000_000, 1_000_000_000], 3)],
    );
    // The file stays open; its folder may go.
    asked
}

const EVENTS: &str = "mobile,amount,quantity,kind,day,consent\n\
    13800138000,10.50,1,buy,2026-01-01,true\n\
    +8613800138000,0.005,2,buy,2026-01-02,yes\n\
    13800138001,5,,buy,2026-01-03,true\n\
    13800138001,5,,buy,2026-01-03,true\n\
    13800138002,99,1,buy,2026-01-03,true\n\
    13800138002,1,1,buy,2026-01-03,false\n\
    13800138003,7,1,gift,2026-01-03,true\n\
    n/a,1000,1,buy,2026-01-03,true\n";

const SPEND: &str = "SELECT mobile, SUM(amount) AS spend, COUNT(*) AS lines, COUNT(quantity) AS counted, MAX(day) AS last, \
    MIN(kind) AS first_kind FROM \"north-bank\".customers";

fn collapsed(rest_of_subquery: &str, rest: &str) -> Vec<String> {
    let subquery = format!("{SPEND} {rest_of_subquery} GROUP BY mobile");
    asked(EVENTS, "consent = \"consent\"", &subquery, rest).lines_of_all()
}

#[test]
fn all_rows_of_consenting_ids_are_added_equal_ones_too() {
    // 10.505 + 10 + 7; the id with a refusal and the unusable id are out.
    assert_eq!(collapsed("", ""), ["n,s", "3,27.505"]);
}

#[test]
fn ids_without_a_row_behind_the_inner_where_do_not_exist() {
    assert_eq!(collapsed("WHERE kind = 'buy'", ""), ["n,s", "2,20.505"]);
    assert_eq!(collapsed("WHERE kind = 'nothing'", ""), ["n,s"]);
}

#[test]
fn the_outer_where_sees_the_aggregates() {
    assert_eq!(collapsed("", "WHERE o.lines >= 2"), ["n,s", "2,20.505"]);
    assert_eq!(collapsed("", "WHERE o.counted = 0"), ["n,s", "1,10.000"]);
    assert_eq!(
        collapsed("", "WHERE o.spend > 10 AND o.last < DATE '2026-01-03'"),
        ["n,s", "1,10.505"]
    );
    assert_eq!(
        collapsed("", "WHERE o.first_kind = 'gift'"),
        ["n,s", "1,7.000"]
    );
}

#[test]
fn rows_are_the_first_rows_of_their_ids_in_order() {
    let subquery = format!("{SPEND} GROUP BY mobile");
    let asked = asked(EVENTS, "consent = \"consent\"", &subquery, "");
    let prepared = asked.prepared();
    assert_eq!(prepared.all().unwrap().rows, [0, 2, 6]);
    assert_eq!(prepared.counts.non_consenting_ids, 1);
    assert_eq!(
        prepared.counts.eligible_ids, 3,
        "repeated events are no conflict"
    );
}

#[test]
fn sums_of_many_large_amounts_do_not_wrap() {
    let mut text = String::from("mobile,amount,quantity,kind,day,consent\n");
    for _ in 0..40 {
        text += &format!("13800138000,{},1,buy,2026-01-01,true\n", i64::MAX);
    }
    let subquery = "SELECT mobile, SUM(amount) AS spend, SUM(quantity) AS pieces FROM \"north-bank\".customers GROUP BY mobile";
    let asked = asked(
        &text,
        "consent = \"consent\"",
        subquery,
        "WHERE o.spend > 300000000000000000000.5 AND o.pieces = 40",
    );
    assert_eq!(
        asked.lines_of_all(),
        ["n,s", "1,1000000.000"],
        "clipped, not wrapped"
    );
}

#[test]
fn a_sum_beyond_38_digits_is_an_error() {
    let huge = "9".repeat(29);
    let mut text = String::from("mobile,amount,quantity,kind,day,consent\n");
    for _ in 0..12 {
        text += &format!("13800138000,{huge},1,buy,2026-01-01,true\n");
    }
    let subquery =
        "SELECT mobile, SUM(amount) AS spend FROM \"north-bank\".customers GROUP BY mobile";
    let problem = asked(&text, "consent = \"consent\"", subquery, "")
        .prepare()
        .err()
        .unwrap();
    of_code(&problem, Code::ValueOutside, &["spend", "38 digits"]);
    assert!(!problem.to_string().contains(&huge), "{problem}");
}

#[test]
fn a_failure_inside_the_subquery_ends_it_without_a_hang() {
    let mut text = String::from("mobile,amount,quantity,kind,day,consent\n");
    for person in 0..30_000 {
        text += &format!(
            "{},1.5,{},buy,2026-01-01,true\n",
            mobile(person),
            u32::from(person != 25_000)
        );
    }
    let subquery = "SELECT mobile, SUM(amount / NULLIF(quantity, 0)) AS spend FROM \"north-bank\".customers GROUP BY mobile";
    let problem = asked(&text, "consent = \"consent\"", subquery, "")
        .dividing_by_zero()
        .prepare()
        .err()
        .unwrap();
    of_code(
        &problem,
        Code::ValueOutside,
        &["spend", "a division by zero"],
    );
}
