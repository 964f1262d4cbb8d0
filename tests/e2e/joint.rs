//! Joint tables over both sides' columns, asked with `lab` over people whom nobody has seen before and held against the same
//! question in plain SQL's sense, computed here from the rows that the files were written from.

use crate::shops::{
    BANK, CLIENT_TIERS, Client, Lab, MEMBER_TIERS, Member, People, REGIONS, SHOP, cents, job,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Groups below this are suppressed, by job and policies.
const MIN_GROUP: u64 = 20;

/// One group in plain SQL's sense.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Group {
    rows: u64,
    client: Column,
    member: Column,
}

/// COUNT(x) and SUM(x), in hundredths.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) values: u64,
    pub(crate) sum: i64,
}

impl Column {
    pub(crate) fn add(&mut self, amount: Option<i64>) {
        self.values += u64::from(amount.is_some());
        self.sum += amount.unwrap_or(0);
    }

    /// AVG(x), rounded half away from zero to ten decimals of which zeros beyond the second fall away.
    pub(crate) fn average(self) -> Value {
        if self.values == 0 {
            return Value::Null;
        }
        const SHIFT: i128 = 10_000_000_000;
        let (over, under) = (i128::from(self.sum) * SHIFT, i128::from(self.values) * 100);
        let units = (2 * over.abs() + under) / (2 * under);
        let sign = if over < 0 && units != 0 { "-" } else { "" };
        let text = format!("{sign}{}.{:010}", units / SHIFT, units % SHIFT);
        let (kept, rest) = text.split_at(text.len() - 8);
        format!("{kept}{}", rest.trim_end_matches('0')).into()
    }
}

impl Group {
    fn add(&mut self, (client, member): (&Client, &Member)) {
        self.rows += 1;
        self.client.add(client.amount);
        self.member.add(member.amount);
    }

    fn of<'a>(rows: impl Iterator<Item = (&'a Client, &'a Member)>) -> Self {
        let mut group = Self::default();
        rows.for_each(|row| group.add(row));
        group
    }
}

/// Both tiers with their group; every pair of the domains, also those with nobody.
fn by_tiers(people: &People) -> BTreeMap<(&str, &str), Group> {
    let pairs = CLIENT_TIERS
        .iter()
        .flat_map(|client| MEMBER_TIERS.iter().map(|member| (*client, *member)));
    let mut groups: BTreeMap<_, _> = pairs.map(|pair| (pair, Group::default())).collect();
    let asked = |(client, member): &(&Client, &Member)| member.active && client.opened_year < 2024;
    for row in people.joined().filter(asked) {
        let group = groups.entry((row.0.tier, row.1.tier)).or_default();
        group.add(row);
    }
    groups
}

/// Everything that a table can be made of, in groups of both sides.
pub(crate) const BY_TIERS: &str = "SELECT c.tier AS client_tier, m.tier AS member_tier, COUNT(*) AS n, COUNT(m.amount) AS known, \
     SUM(c.amount) AS balance, AVG(m.amount) AS spend, AVG(c.amount) AS mean FROM {clients} c JOIN {members} m ON c.phone = m.phone \
     WHERE m.active AND c.opened_on < DATE '2024-01-01' GROUP BY c.tier, m.tier";

/// The same with the sides the other way round everywhere.
const BY_TIERS_SWAPPED: &str = "SELECT c.tier AS client_tier, m.tier AS member_tier, COUNT(*) AS n, COUNT(m.amount) AS known, \
     SUM(c.amount) AS balance, AVG(m.amount) AS spend, AVG(c.amount) AS mean FROM {members} m JOIN {clients} c ON m.phone = c.phone \
     WHERE c.opened_on < DATE '2024-01-01' AND m.active GROUP BY m.tier, c.tier";

/// The rows that are due, in any order, and how many groups are not shown.
fn due_by_tiers(people: &People) -> (Vec<Value>, u64) {
    let groups = by_tiers(people);
    let (shown, hidden): (Vec<_>, Vec<_>) = groups
        .into_iter()
        .partition(|(_, group)| group.rows >= MIN_GROUP);
    let row = |((client, member), group): ((&str, &str), Group)| {
        serde_json::json!([
            client,
            member,
            group.rows.to_string(),
            group.member.values.to_string(),
            cents(Some(group.client.sum)),
            group.member.average(),
            group.client.average()
        ])
    };
    (shown.into_iter().map(row).collect(), hidden.len() as u64)
}

#[track_caller]
pub(crate) fn rows(result: &Value) -> Vec<Value> {
    result["rows"].as_array().expect("rows").clone()
}

pub(crate) fn sorted(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_key(Value::to_string);
    rows
}

#[track_caller]
fn is_by_tiers(result: &Value, people: &People) {
    let (seed, columns) = (people.seed, &result["columns"]);
    let due = [
        "client_tier",
        "member_tier",
        "n",
        "known",
        "balance",
        "spend",
        "mean",
    ];
    assert_eq!(*columns, serde_json::json!(due), "seed {seed}");
    let (due, suppressed) = due_by_tiers(people);
    assert_eq!(sorted(rows(result)), sorted(due), "seed {seed}");
    assert_eq!(result["suppressed_groups"], suppressed, "seed {seed}");
    assert!(suppressed >= 3, "hardly anybody is private, seed {seed}");
}

#[test]
fn a_table_in_groups_of_both_sides_is_that_of_plain_sql() {
    let people = People::new();
    let lab = Lab::with(&people);
    let report = lab.ask(&job(BANK, BY_TIERS)).json();
    is_by_tiers(&report["result"], &people);
    assert!(report.get("results").is_none(), "the shop reads nothing");
    assert_eq!(lab.tables_left(), [true, true, false], "the bank's alone");
}

#[test]
fn sides_swapped_give_the_same_table_to_the_other() {
    let people = People::new();
    let lab = Lab::with(&people);
    let report = lab.ask(&job(SHOP, BY_TIERS_SWAPPED)).json();
    is_by_tiers(&report["result"], &people);
}

#[test]
fn both_readers_have_the_same_table() {
    let people = People::new();
    let both = format!("{BANK}, {SHOP}");
    let report = Lab::with(&people).ask(&job(&both, BY_TIERS)).json();
    for reader in [BANK, SHOP] {
        is_by_tiers(&report["results"][reader], &people);
    }
}

#[test]
fn one_sided_groups_have_a_place_for_null_and_are_ordered_and_cut() {
    let people = People::new();
    let ask = "SELECT c.region, COUNT(*) AS n, SUM(m.amount) AS spend FROM {clients} c JOIN {members} m ON c.phone = m.phone \
               GROUP BY c.region HAVING COUNT(*) >= 50 ORDER BY n DESC LIMIT 2";
    let mut due: Vec<(u64, Value)> = REGIONS
        .map(Some)
        .into_iter()
        .chain([None])
        .map(|region| {
            let group = Group::of(
                people
                    .joined()
                    .filter(|(client, _)| client.region == region),
            );
            let sum = cents(Some(group.member.sum));
            let row = serde_json::json!([region, group.rows.to_string(), sum]);
            (group.rows, row)
        })
        .collect();
    due.sort_by_key(|(rows, _)| std::cmp::Reverse(*rows));
    let seed = people.seed;
    assert!(
        due.iter().all(|(rows, _)| *rows >= 50),
        "{due:?}, seed {seed}"
    );
    let result = Lab::with(&people).ask(&job(BANK, ask)).json()["result"].clone();
    let due: Vec<Value> = due.into_iter().map(|(_, row)| row).take(2).collect();
    // Two groups of one size may stand in either order.
    let counts = |rows: &[Value]| rows.iter().map(|row| row[1].clone()).collect::<Vec<_>>();
    assert_eq!(counts(&rows(&result)), counts(&due), "seed {seed}");
    if due[0][1] != due[1][1] {
        assert_eq!(rows(&result)[0], due[0], "seed {seed}");
    }
    assert_eq!(result["suppressed_groups"], 0, "cut is not suppressed");
}

#[test]
fn statistics_over_both_sides_are_those_of_plain_sql() {
    let people = People::new();
    let ask = "SELECT COUNT(*) AS n, VAR_SAMP(m.amount) AS v, STDDEV_SAMP(c.amount) AS s, CORR(m.amount, c.amount) AS r, \
               REGR_SLOPE(m.amount, c.amount) AS a, REGR_INTERCEPT(m.amount, c.amount) AS b \
               FROM {clients} c JOIN {members} m ON c.phone = m.phone WHERE c.amount IS NOT NULL AND m.amount IS NOT NULL";
    let result = Lab::with(&people).ask(&job(BANK, ask)).json()["result"].clone();
    let pairs: Vec<(f64, f64)> = people
        .joined()
        .filter_map(|(client, member)| Some((units(client.amount?), units(member.amount?))))
        .collect();
    let n = pairs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let spread = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>();
    let xx = spread(&|pair| (pair.0 - x).powi(2));
    let yy = spread(&|pair| (pair.1 - y).powi(2));
    let xy = spread(&|pair| (pair.0 - x) * (pair.1 - y));
    let slope = xy / xx;
    let due = [
        n,
        yy / (n - 1.0),
        (xx / (n - 1.0)).sqrt(),
        xy / (xx * yy).sqrt(),
        slope,
        y - slope * x,
    ];
    let row = &rows(&result)[0];
    for (at, due) in due.into_iter().enumerate() {
        let answered: f64 = row[at].as_str().expect("text").parse().expect("a number");
        // Eight decimals in the answer, and what a sum of a thousand doubles loses here.
        let close = 1e-8 + 1e-9 * due.abs();
        let name = &result["columns"][at];
        assert!(
            (answered - due).abs() <= close,
            "{name}: {answered}, {due} in truth, seed {}",
            people.seed
        );
    }
}

pub(crate) fn units(hundredths: i64) -> f64 {
    hundredths as f64 / 100.0
}

#[test]
fn groups_that_nobody_shares_are_suppressed_and_never_zero() {
    let people = People::new().strangers();
    assert_eq!(people.joined().count(), 0, "seed {}", people.seed);
    let total = "SELECT COUNT(*) AS n, SUM(m.amount) AS total FROM {clients} c JOIN {members} m ON c.phone = m.phone";
    let groups = CLIENT_TIERS.len() * MEMBER_TIERS.len();
    for (ask, groups) in [(BY_TIERS, groups), (total, 1)] {
        let result = Lab::with(&people).ask(&job(SHOP, ask)).json()["result"].clone();
        assert_eq!(result["row_count"], 0, "{result}");
        assert_eq!(result["suppressed_groups"], groups as u64, "{result}");
    }
}
