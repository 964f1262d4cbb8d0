#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests: a failure is the point"
)]

use super::*;
use crate::data::{Dataset, SpillFolder, register};
use entente_wire::local::PolicyReport;
use entente_wire::names::ColumnName;
use entente_wire::policy::{IdKind, Policy, Verb};
use entente_wire::problem::Code;

const FILE: &str = "mobile,email,tier,spend,amount,ok,updated,joined,empty\n\
    13800138000,a@example.com,gold,10,1.5,yes,2026-01-01,2026-01-01 10:00,\n\
    13800138001,b@example.com,basic,n/a,-2,no,2026-01-02,2026-01-01 10:00,\n\
    13800138002,c@example.com, gold,1000,99,yes,2026-01-03,2026-01-01 10:00,\n\
    13800138003,d@example.com,,12,3,yes,2026-01-04,2026-01-01 10:00,\n\
    13800138004,e@example.com,platinum,12,3,perhaps,2026-01-04,2026-01-01 10:00,\n";

fn column(name: &str) -> ColumnName {
    ColumnName(name.to_owned())
}

fn spill(folder: &tempfile::TempDir) -> SpillFolder {
    SpillFolder::open(&folder.path().join("spill")).unwrap()
}

fn dataset() -> (tempfile::TempDir, Dataset) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("customers.csv");
    std::fs::write(&path, FILE).unwrap();
    let kind = |text: &str| IdKind::try_from(text.to_owned()).unwrap();
    let ids = [
        (column("mobile"), kind("e164(+86)")),
        (column("email"), kind("email")),
    ];
    let (dataset, _) =
        register(&"customers".parse().unwrap(), &path, &ids, &spill(&folder)).unwrap();
    (folder, dataset)
}

fn policy(rules: &str, columns: &str) -> Policy {
    let text = format!(
        "[dataset]\nname = \"customers\"\nmin_group = 50\nset_grid = 10\nnoise = \"required\"\n\
         budget = {{ epsilon_per_year = 8.0, jobs_per_30d = 200 }}\napprovers = {{ need = 1, of = [\"compliance\"] }}\n\
         {rules}\n[columns.mobile]\nid = \"e164(+86)\"\nmay = {{ match = [\"north-bank\"], reveal = [\"north-bank\"] }}\n{columns}"
    );
    Policy::from_toml(&text).unwrap_or_else(|problem| panic!("{problem:?}"))
}

const PLAIN: &str = "consent = \"not-needed\"\nmin_set = 1";

fn checked(rules: &str, columns: &str) -> PolicyReport {
    let (folder, dataset) = dataset();
    check(&policy(rules, columns), &dataset, &spill(&folder)).unwrap()
}

/// The one problem that a policy has.
fn only(rules: &str, columns: &str, code: Code, words: &[&str]) {
    let report = checked(rules, columns);
    let [problem] = report.problems.as_slice() else {
        panic!("one problem is expected: {:?}", report.problems);
    };
    assert_eq!(problem.code, code, "{problem}");
    let text = format!("{problem} {}", problem.todo);
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text}");
    }
    for value in ["platinum", "perhaps", "1000", "n/a"] {
        assert!(!text.contains(value), "{text} shows a value");
    }
}

#[test]
fn a_policy_that_fits_has_notes_for_its_owner_and_no_problem() {
    let report = checked(PLAIN, "[columns.amount]\nclip = [0, 50]\nscale = 2\n");
    assert_eq!(report.problems, []);
    let notes = report.notes.join("\n");
    for word in [
        "mobile: 5 different ids, 0 without consent on all their rows, 0 conflicting; 5 can enter a job, published as 10",
        "email is registered and not published",
        "every row may enter",
        "north-bank may learn which of its own ids are here",
        "amount: 2 values are capped",
        "not published: email, tier, spend, ok, updated, joined, empty",
    ] {
        assert!(notes.contains(word), "{word:?} is not in:\n{notes}");
    }
}

#[test]
fn names_that_the_file_lacks_are_each_a_problem() {
    let report = checked(
        "consent = \"consented\"\nlatest = \"changed_at\"\nmin_set = 1",
        "[columns.segment]\n",
    );
    let whats: Vec<&str> = report
        .problems
        .iter()
        .map(|problem| problem.what.as_str())
        .collect();
    for name in ["segment", "consented", "changed_at"] {
        let says = format!("no column {name};");
        assert!(
            whats.iter().any(|what| what.contains(&says)),
            "{name}: {whats:?}"
        );
    }
    assert!(
        report
            .problems
            .iter()
            .all(|problem| problem.code == Code::ColumnMissing)
    );
}

#[test]
fn kinds_of_ids_have_to_be_the_registered_ones() {
    only(
        PLAIN,
        "[columns.email]\nid = \"raw\"\n",
        Code::PolicyFile,
        &["email", "kind raw", "registered as email"],
    );
    only(
        PLAIN,
        "[columns.tier]\nid = \"raw\"\n",
        Code::PolicyFile,
        &["tier", "not registered as an id"],
    );
}

#[test]
fn a_clip_needs_numbers() {
    let clip = "clip = [0, 50]\nscale = 2\n";
    only(
        PLAIN,
        &format!("[columns.spend]\n{clip}"),
        Code::ValueOutside,
        &["`clip` stands on spend", "1 of 5 rows"],
    );
    only(
        PLAIN,
        &format!("[columns.updated]\n{clip}"),
        Code::ValueOutside,
        &["dates"],
    );
    let empty = checked(PLAIN, &format!("[columns.empty]\n{clip}"));
    assert_eq!(empty.problems, []);
    assert!(
        empty
            .notes
            .iter()
            .any(|note| note.contains("empty has no value")),
        "{:?}",
        empty.notes
    );
}

#[test]
fn values_outside_the_domain_are_counted_and_padding_is_named() {
    let domain = "[columns.tier]\ndomain = [\"gold\", \"basic\", \"silver\"]\n";
    let words = [
        "2 rows have a value of tier",
        "1 have none",
        "white space around the value in 1 rows",
    ];
    only(PLAIN, domain, Code::ValueOutside, &words);
    let nullable = format!("{domain}nullable = true\n");
    only(PLAIN, &nullable, Code::ValueOutside, &["2 rows"]);
    let whole = "[columns.tier]\ndomain = [\"gold\", \" gold\", \"platinum\", \"basic\", \"silver\"]\nnullable = true\n";
    let report = checked(PLAIN, whole);
    assert_eq!(report.problems, []);
    assert!(
        report
            .notes
            .iter()
            .any(|note| note == "tier: 1 values of the domain stand in no row")
    );
}

#[test]
fn a_domain_needs_a_type_with_one_text() {
    only(
        PLAIN,
        "[columns.amount]\ndomain = [\"1.5\"]\n",
        Code::PolicyFile,
        &["decimals"],
    );
    let days = "[columns.updated]\ndomain = [\"2026-01-01\", \"2026/1/2\", \"2026-01-03\", \"2026-01-04\"]\n";
    let report = checked(PLAIN, days);
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.what.contains("1 values in the domain of updated"))
    );
}

#[test]
fn consent_has_to_be_yes_or_no_and_latest_has_to_have_an_order() {
    let unclear = ["1 of 5 rows say neither yes nor no", "consent column ok"];
    only(
        "consent = \"ok\"\nmin_set = 1",
        "",
        Code::ValueOutside,
        &unclear,
    );
    only(
        &format!("{PLAIN}\nlatest = \"tier\""),
        "",
        Code::PolicyFile,
        &["`latest`", "tier"],
    );
    for latest in ["updated", "joined", "empty"] {
        assert_eq!(
            checked(&format!("{PLAIN}\nlatest = \"{latest}\""), "").problems,
            [],
            "{latest}"
        );
    }
}

#[test]
fn a_set_smaller_than_min_set_is_told_before_any_job_is() {
    only(
        "consent = \"not-needed\"\nmin_set = 6",
        "",
        Code::SetTooSmall,
        &["5 ids", "min_set is 6"],
    );
}

#[test]
fn rows_without_consent_are_not_held_against_a_policy() {
    let rules = "consent = \"ok\"\nmin_set = 1";
    let report = checked(
        rules,
        "[columns.tier]\ndomain = [\"gold\", \" gold\"]\nnullable = true\n",
    );
    let outside = report
        .problems
        .iter()
        .filter(|problem| problem.what.contains("tier"));
    assert_eq!(
        outside.count(),
        0,
        "platinum and basic gave no consent: {:?}",
        report.problems
    );
}

#[test]
fn a_policy_for_another_dataset_is_refused() {
    let (folder, mut dataset) = dataset();
    dataset.manifest.dataset = "users".parse().unwrap();
    let report = check(&policy(PLAIN, ""), &dataset, &spill(&folder)).unwrap();
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.code == Code::PolicyFile && problem.what.contains("users"))
    );
}

#[test]
fn a_changed_file_ends_the_check() {
    let (folder, dataset) = dataset();
    std::fs::write(
        &dataset.path,
        format!("{FILE}13800138009,f@example.com,gold,1,1,yes,,,\n"),
    )
    .unwrap();
    let problem = check(&policy(PLAIN, ""), &dataset, &spill(&folder)).unwrap_err();
    assert_eq!(problem.code, Code::DataChanged);
}

#[test]
fn each_verb_is_explained_by_the_line_that_decides() {
    let columns = "[columns.tier]\ndomain = [\"gold\"]\nnullable = true\nmay = { group = [\"north-bank\"], filter = [\"river-pay\"] }\n\
                   [columns.amount]\nclip = [0, 50]\nscale = 2\nmay = { sum = [\"north-bank\"] }\n";
    let policy = policy(PLAIN, columns);
    let to = "north-bank".parse().unwrap();
    let tier = explain(&policy, &column("tier"), &to);
    assert_eq!(tier.verbs.len(), 6);
    let (allowed, why) = &tier.verbs[&Verb::Group];
    assert!(
        *allowed && why.contains("[columns.tier]") && why.contains("1 public values and NULL"),
        "{why}"
    );
    let (allowed, why) = &tier.verbs[&Verb::Filter];
    assert!(!allowed && why.contains("river-pay"), "{why}");
    let (allowed, why) = &tier.verbs[&Verb::Match];
    assert!(!allowed && why.contains("needs a column of ids"), "{why}");
    let (allowed, why) = &explain(&policy, &column("amount"), &to).verbs[&Verb::Sum];
    assert!(
        *allowed && why.contains("[0, 5000] in units of 10^-2"),
        "{why}"
    );
    let hidden = explain(&policy, &column("salary"), &to);
    assert!(
        hidden
            .verbs
            .values()
            .all(|(allowed, why)| !allowed && why.contains("not published"))
    );
    let reveal = explain(&policy, &column("mobile"), &to);
    assert!(reveal.verbs[&Verb::Reveal].0 && !reveal.verbs[&Verb::Filter].0);
}
