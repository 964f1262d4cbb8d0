//! Questions over several banks that cannot be answered: who is at fault, and what to do, before anybody is asked to approve.

use crate::banks::{ACCOUNTS_POLICY, BANKS, HEADER, Network, job_of};
use crate::shops::phone;
use entente_wire::problem::{Code, Problem, Side};

const THREE: [&str; 3] = [BANKS[0], BANKS[1], BANKS[2]];
const ASK: &str =
    "SELECT industry, COUNT(*) AS n, SUM(overdue) AS overdue FROM \"*\".accounts GROUP BY industry";

/// A few accounts.
fn csv() -> String {
    let rows = (0..120).map(|n| format!("{},food,1.00,2.00,true\n", phone(n)));
    HEADER.to_owned() + &rows.collect::<String>()
}

/// Three banks, the last under a policy of its own.
fn three(last_policy: String) -> Network {
    let mut network = Network::default();
    for bank in &THREE[..2] {
        network.add(bank, "accounts", csv(), ACCOUNTS_POLICY.to_owned());
    }
    network.add(THREE[2], "accounts", csv(), last_policy);
    network
}

#[track_caller]
fn refused(last_policy: String, yaml: &str, code: Code) -> Problem {
    three(last_policy).ask(yaml, &[]).problem(code)
}

/// The policy of the last bank with one thing changed.
fn policy_with(old: &str, new: &str) -> String {
    assert!(ACCOUNTS_POLICY.contains(old), "{old}");
    ACCOUNTS_POLICY.replace(old, new)
}

#[track_caller]
fn says(problem: &Problem, words: &[&str]) {
    for word in words {
        assert!(problem.what.contains(word), "{word}: {problem:?}");
    }
}

#[test]
fn domains_that_differ_are_shown_with_their_difference() {
    let policy = policy_with("\"shipping\"]", "\"mining\"]");
    let problem = refused(policy, &job_of(&THREE, ASK), Code::Question);
    says(&problem, &["industry", THREE[2], "mining", "shipping"]);
}

#[test]
fn caps_that_differ_are_shown_with_their_difference() {
    let policy = policy_with("clip     = [0, 5_000]", "clip     = [0, 6_000]");
    let problem = refused(policy, &job_of(&THREE, ASK), Code::Question);
    says(&problem, &["overdue", THREE[2], "5000", "6000"]);
}

#[test]
fn a_bank_whose_policy_does_not_grant_is_named_with_column_and_verb() {
    let policy = policy_with("may    = { group = [\"north-bank\"] }\ndomain", "domain");
    let problem = refused(policy, &job_of(&THREE, ASK), Code::PolicyRefuses);
    let org = THREE[2].parse().expect("a label");
    assert_eq!(problem.side, Side::Partner { org }, "{problem:?}");
    says(&problem, &["industry", "group"]);
}

#[test]
fn a_bank_without_the_dataset_is_named() {
    let mut network = three(ACCOUNTS_POLICY.to_owned());
    let policy = policy_with("\"accounts\"", "\"ledger\"");
    network.add(THREE[2], "ledger", csv(), policy);
    let problem = network
        .ask(&job_of(&THREE, ASK), &[])
        .problem(Code::DatasetUnknown);
    says(&problem, &[THREE[2], "accounts"]);
}

#[test]
fn sums_that_could_wrap_are_refused_with_their_cap() {
    let large = "clip     = [0, 900_000_000_000_000]";
    let mut network = Network::default();
    for bank in THREE {
        let policy = policy_with("clip     = [0, 5_000]", large);
        network.add(bank, "accounts", csv(), policy);
    }
    let problem = network
        .ask(&job_of(&THREE, ASK), &[])
        .problem(Code::JobFile);
    says(&problem, &["overdue", "64 bits", "3 parties"]);
}

#[test]
fn two_parties_are_too_few() {
    let yaml = job_of(&THREE[..2], ASK);
    let problem = refused(ACCOUNTS_POLICY.to_owned(), &yaml, Code::JobFile);
    says(&problem, &["2 parties", "each the other's numbers"]);
}

#[test]
fn a_party_named_twice_is_shown_with_its_line() {
    let yaml = job_of(&[THREE[0], THREE[1], THREE[2], THREE[1]], ASK);
    let problem = refused(ACCOUNTS_POLICY.to_owned(), &yaml, Code::JobFile);
    says(&problem, &["line 7", "twice"]);
}
