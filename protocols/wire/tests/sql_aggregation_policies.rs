//! Aggregations obey every party's policy: each grant is needed at each, and the strictest decides.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector has to stop the test that reads it"
)]

mod published;

use entente_wire::policy::{Epsilon, Noise, Verb};
use entente_wire::problem::{Code, Side as At};
use published::aggregations::{BY_TIER, column, org, outcome, planned, refused, with};
use published::{Asked, PARTIES, Published};
use std::collections::BTreeSet;

#[test]
fn each_grant_is_needed_at_every_party_but_the_readers_own() {
    let ask = "SELECT a.tier, AVG(a.balance) AS m, COUNT(a.balance) AS c FROM \"*\".accounts a WHERE a.active GROUP BY a.tier";
    let asked = Asked::of_all(ask);
    let plan = planned(ask);
    for party in PARTIES {
        let published = Published::load();
        let id = plan.side(&org(party)).unwrap().id.clone();
        let needed = [
            (id, Verb::Count),
            (column("tier"), Verb::Group),
            (column("balance"), Verb::Sum),
            (column("balance"), Verb::Count),
            (column("active"), Verb::Filter),
        ];
        let mut refusals = 0;
        for (name, rules) in &published.get(party, "accounts").policy.columns {
            for (verb, partner) in rules
                .may
                .iter()
                .flat_map(|(verb, partners)| partners.iter().map(move |partner| (*verb, partner)))
            {
                let catalog = with(party, |accounts| {
                    let rules = accounts.policy.columns.get_mut(name).unwrap();
                    rules.may.get_mut(&verb).unwrap().remove(partner);
                });
                let reads = partner.as_str() == "north-bank";
                if !reads || !needed.contains(&(name.clone(), verb)) {
                    assert_eq!(outcome(&asked, &catalog).as_ref(), Ok(&plan));
                    continue;
                }
                refusals += 1;
                let problem = refused(&asked, &catalog);
                assert_eq!(problem.code, Code::PolicyRefuses);
                assert_eq!(problem.side, At::Partner { org: org(party) });
                let grant = format!("does not grant `{}` to north-bank", verb.as_str());
                assert!(problem.what.contains(&grant), "{problem:?}");
                assert!(
                    problem
                        .what
                        .contains(&format!("{party}'s policy for column {}", name.0))
                );
                assert!(
                    problem
                        .todo
                        .contains(&format!("{party}'s data owner can add north-bank"))
                );
            }
        }
        assert_eq!(
            refusals,
            if party == "north-bank" {
                0
            } else {
                needed.len()
            },
            "{party}"
        );
    }
}

#[test]
fn the_people_of_a_group_are_counted_whatever_is_asked() {
    let catalog = with("mill-bank", |accounts| {
        accounts
            .policy
            .columns
            .get_mut(&column("email"))
            .unwrap()
            .may
            .clear();
    });
    let problem = refused(
        &Asked::of_all("SELECT SUM(a.age) AS years FROM \"*\".accounts a"),
        &catalog,
    );
    assert!(
        problem
            .what
            .contains("column email of accounts does not grant `count` to north-bank"),
        "{problem:?}"
    );
    assert!(
        problem.what.contains("counting the people of each group"),
        "{problem:?}"
    );
}

#[test]
fn a_reader_that_does_not_ask_needs_the_grants_as_well_as_the_asker() {
    let mut asked = Asked::of_all(BY_TIER);
    asked.results_to = BTreeSet::from([org("lake-bank")]);
    let problems = outcome(&asked, &Published::load()).unwrap_err();
    assert!(!problems.is_empty());
    for problem in problems {
        assert_eq!(problem.code, Code::PolicyRefuses);
        assert!(problem.what.contains(" to lake-bank "), "{problem:?}");
    }
}

#[test]
fn the_strictest_party_decides_on_noise_and_budget() {
    let catalog = with("mill-bank", |accounts| {
        accounts.policy.noise = Noise::Required
    });
    let mut asked = Asked::of_all(BY_TIER);
    let problem = refused(&asked, &catalog);
    assert_eq!(problem.code, Code::PolicyRefuses);
    assert_eq!(
        problem.side,
        At::Partner {
            org: org("mill-bank")
        }
    );
    assert!(
        problem.what.contains("requires noise on every table"),
        "{problem:?}"
    );
    asked.epsilon = Some(8_000_000);
    outcome(&asked, &catalog).unwrap();
    let catalog = with("river-pay", |accounts| {
        accounts.policy.budget.epsilon_per_year = Epsilon(500_000);
    });
    let problem = refused(&asked, &catalog);
    assert_eq!(problem.code, Code::PolicyRefuses);
    assert_eq!(
        problem.side,
        At::Partner {
            org: org("river-pay")
        }
    );
    assert!(
        problem
            .what
            .contains("one run spends 8.0; river-pay's policy of accounts allows 0.5 in a year"),
        "{problem:?}"
    );
    // The asker's own policy counts as well.
    let catalog = with("north-bank", |accounts| {
        accounts.policy.noise = Noise::Required
    });
    let problem = refused(&Asked::of_all(BY_TIER), &catalog);
    assert_eq!(problem.side, At::Here);
}
