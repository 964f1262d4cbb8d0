//! Questions over the same columns of several banks, asked with `lab` over accounts that nobody has seen before and held against plain
//! sums over all rows, computed here from what the files were written from.

use crate::banks::{Account, Accounts, BANKS, INDUSTRIES, job};
use crate::joint::{Column, rows, sorted, units};
use crate::shops::cents;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The bank whose node is killed.
const LOST: &str = BANKS[3];
/// Groups below this are suppressed, by job and policies.
const MIN_GROUP: u64 = 20;

/// Everything that a table adds up, in groups, of the rows that a condition leaves.
const BY_INDUSTRY: &str = "SELECT industry, COUNT(*) AS n, COUNT(overdue) AS known, SUM(overdue) AS overdue, AVG(balance) AS balance \
     FROM \"*\".accounts WHERE active GROUP BY industry";

#[derive(Debug, Default, Clone)]
struct Group {
    rows: u64,
    overdue: Column,
    balance: Column,
}

/// The rows that are due, and how many groups are not shown.
fn due_by_industry<'a>(accounts: impl Iterator<Item = &'a Account>) -> (Vec<Value>, u64) {
    let mut groups: BTreeMap<&str, Group> = INDUSTRIES
        .map(|industry| (industry, Group::default()))
        .into();
    for row in accounts.filter(|row| row.active) {
        let group = groups.entry(row.industry).or_default();
        group.rows += 1;
        group.overdue.add(row.overdue);
        group.balance.add(Some(row.balance));
    }
    let (shown, hidden): (Vec<_>, Vec<_>) = groups
        .into_iter()
        .partition(|(_, group)| group.rows >= MIN_GROUP);
    let row = |(industry, group): (&str, Group)| {
        json!([
            industry,
            group.rows.to_string(),
            group.overdue.values.to_string(),
            cents(Some(group.overdue.sum)),
            group.balance.average()
        ])
    };
    (shown.into_iter().map(row).collect(), hidden.len() as u64)
}

/// The table is that of the banks that it names.
#[track_caller]
fn is_by_industry(result: &Value, accounts: &Accounts) {
    let (due, suppressed) = due_by_industry(accounts.of(&result["parties"]));
    let seed = accounts.seed;
    assert_eq!(sorted(rows(result)), sorted(due), "seed {seed}");
    assert_eq!(result["suppressed_groups"], suppressed, "seed {seed}");
    assert!(
        suppressed >= 1,
        "hardly anybody ships, seed {seed}: {result}"
    );
}

#[test]
fn a_table_of_all_banks_is_their_plain_sum() {
    let accounts = Accounts::new();
    let report = accounts.lab().ask(&job(BY_INDUSTRY), &[]).json();
    let result = &report["result"];
    let due = json!(["industry", "n", "known", "overdue", "balance"]);
    assert_eq!(result["columns"], due);
    assert_eq!(result["parties"]["missing"], json!([]));
    assert_eq!(
        accounts.of(&result["parties"]).count(),
        accounts.all().count()
    );
    is_by_industry(result, &accounts);
    assert!(report.get("results").is_none(), "the others read nothing");
    for process in report["processes"].as_array().expect("processes") {
        let has_bytes = process["sent_bytes"].as_u64() > Some(0);
        assert_eq!(has_bytes, process["role"] == "node", "{process}");
    }
}

/// A node that is killed may have handed in its numbers before: then they are in the table, and it says so.
#[test]
fn a_bank_that_vanishes_leaves_the_table_of_the_others() {
    const TRIES: usize = 4;
    let accounts = Accounts::new();
    for _ in 0..TRIES {
        let report = accounts
            .lab()
            .ask(&job(BY_INDUSTRY), &["--vanish", LOST])
            .json();
        let result = &report["result"];
        is_by_industry(result, &accounts);
        let processes = report["processes"].as_array().expect("processes");
        for process in processes {
            let is_known = process["cpu_s"].is_number() && process["peak_mib"].is_number();
            assert_eq!(is_known, process["org"] != LOST, "{process}");
        }
        if result["parties"]["missing"] == json!([LOST]) {
            return;
        }
        assert_eq!(result["parties"]["missing"], json!([]), "{result}");
    }
    panic!("{LOST} came too late to vanish, {TRIES} times");
}

#[test]
fn a_histogram_and_a_variance_are_those_of_plain_sql() {
    let accounts = Accounts::new();
    let band = "CASE WHEN balance < 0 THEN 'owes' WHEN balance < 50000 THEN 'some' ELSE 'much' END";
    let ask = format!(
        "SELECT {band} AS band, COUNT(*) AS n, VAR_SAMP(balance) AS v FROM \"*\".accounts GROUP BY {band} \
         HAVING COUNT(*) >= 30 ORDER BY n DESC"
    );
    let result = accounts.lab().ask(&job(&ask), &[]).json()["result"].clone();
    let mut bands: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for row in accounts.all() {
        let band = match row.balance {
            ..0 => "owes",
            0..5_000_000 => "some",
            _ => "much",
        };
        bands.entry(band).or_default().push(units(row.balance));
    }
    let (seed, rows) = (accounts.seed, rows(&result));
    let due = bands.values().filter(|balances| balances.len() >= 30);
    assert_eq!(rows.len(), due.count(), "seed {seed}: {result}");
    let number = |cell: &Value| -> f64 {
        let text = cell.as_str().expect("text");
        text.parse().expect("a number")
    };
    assert!(rows.is_sorted_by_key(|row| -number(&row[1])), "{result}");
    for row in &rows {
        let balances = &bands[row[0].as_str().expect("a band")];
        let n = balances.len() as f64;
        let mean = balances.iter().sum::<f64>() / n;
        let squares: f64 = balances.iter().map(|x| (x - mean).powi(2)).sum();
        let due = squares / (n - 1.0);
        assert_eq!(number(&row[1]), n, "seed {seed}");
        let close = 1e-8 + 1e-9 * due;
        assert!(
            (number(&row[2]) - due).abs() <= close,
            "{row}, {due}, seed {seed}"
        );
    }
}

#[test]
fn an_event_table_is_collapsed_to_one_row_an_id_before_it_is_added_up() {
    let accounts = Accounts::new();
    let ask = "SELECT COUNT(*) AS n, SUM(p.spend) AS spend FROM \
               (SELECT phone, SUM(amount) AS spend FROM \"*\".payments GROUP BY phone) AS p";
    let yaml = job(ask) + "measures: { spend: { clip: [0, 1500], scale: 2 } }\n";
    let result = accounts.lab_of_payments().ask(&yaml, &[]).json()["result"].clone();
    let paying = accounts.all().filter(|row| !row.payments.is_empty());
    let spend = paying.map(|row| row.payments.iter().sum::<i64>().min(150_000));
    let (n, sum) = spend.fold((0, 0), |(n, sum), spend| (n + 1, sum + spend));
    let due = json!([[n.to_string(), cents(Some(sum))]]);
    assert_eq!(result["rows"], due, "seed {}", accounts.seed);
}

#[test]
fn a_table_with_noise_is_not_the_truth_and_says_how_far_it_can_be() {
    let accounts = Accounts::new();
    let yaml = job(BY_INDUSTRY).replace("epsilon: none", "epsilon: 1.0");
    let result = accounts.lab().ask(&yaml, &[]).json()["result"].clone();
    let (seed, rows) = (accounts.seed, rows(&result));
    let columns = [
        "industry",
        "n",
        "n_se",
        "known",
        "known_se",
        "overdue",
        "overdue_se",
        "balance",
        "balance_se",
    ];
    assert_eq!(result["columns"], json!(columns));
    let (due, _) = due_by_industry(accounts.all());
    let is_due = |row: &&Value| {
        let exact = [0, 1, 3, 5, 7].map(|at| row[at].clone());
        due.contains(&json!(exact))
    };
    assert!(!rows.is_empty(), "seed {seed}");
    assert_eq!(rows.iter().filter(is_due).count(), 0, "seed {seed}");
    let retail = rows.iter().find(|row| row[0] == "retail");
    let retail = retail.expect("most are retailers");
    let number = |at: usize| -> f64 {
        let text = retail[at].as_str().expect("text");
        text.parse().expect("a number")
    };
    let due = due.iter().find(|row| row[0] == "retail").expect("shown");
    let due: f64 = due[1].as_str().expect("text").parse().expect("a number");
    // Chance alone exceeds that in fewer than one of 10^9 runs.
    assert!(
        number(2) > 0.0 && (number(1) - due).abs() <= 18.0 * number(2),
        "seed {seed}: {retail}"
    );
}
