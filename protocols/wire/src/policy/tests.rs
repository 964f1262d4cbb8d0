//! Rules of policies that no file could break, and grants.

use super::*;
use crate::canonical::{from_bytes, to_bytes};
use crate::decimal::SCALE_MAX;
use crate::limits::{
    COLUMNS_MAX, DOMAIN_VALUE_BYTES_MAX, DOMAIN_VALUES_MAX, IDS_MAX, JOBS_PER_30D_MAX, PARTIES_MAX,
    ROLES_MAX,
};

fn good() -> Policy {
    from_bytes(include_bytes!(
        "../../../vectors/wire/policy/every_form.json"
    ))
    .expect("a good vector")
}

/// A policy that no file could have said is refused on the way in as well, at `path`.
#[track_caller]
fn refused(path: &[&str], change: impl FnOnce(&mut Policy)) {
    let mut policy = good();
    change(&mut policy);
    let flaw = policy.check().expect_err("has to be refused");
    assert_eq!(flaw.path, path, "{flaw}");
    assert!(!flaw.fix.is_empty());
    assert!(from_bytes::<Policy>(&to_bytes(&policy)).is_err());
}

fn column<'a>(policy: &'a mut Policy, name: &str) -> &'a mut ColumnPolicy {
    let name = ColumnName(name.to_owned());
    policy
        .columns
        .get_mut(&name)
        .expect("a column of the vector")
}

fn roles(count: usize) -> BTreeSet<Role> {
    (0..count)
        .map(|n| format!("r{n}").parse().expect("a role"))
        .collect()
}

#[test]
fn numbers_of_ids_budgets_and_roles_have_bounds() {
    refused(&["dataset", "min_group"], |policy| policy.min_group = 0);
    refused(&["dataset", "min_set"], |policy| {
        policy.min_set = IDS_MAX + 1
    });
    refused(&["dataset", "set_grid"], |policy| policy.set_grid = 0);
    refused(&["dataset", "budget", "jobs_per_30d"], |policy| {
        policy.budget.jobs_per_30d = JOBS_PER_30D_MAX + 1;
    });
    refused(&["dataset", "budget", "epsilon_per_year"], |policy| {
        policy.budget.epsilon_per_year.0 = u64::MAX;
    });
    refused(&["dataset", "approvers", "need"], |policy| {
        policy.approvers.need = 0
    });
    refused(&["dataset", "approvers", "need"], |policy| {
        policy.approvers.need = 2
    });
    refused(&["dataset", "approvers", "of"], |policy| {
        policy.approvers.of = roles(0)
    });
    refused(&["dataset", "approvers", "of"], |policy| {
        policy.approvers.of = roles(ROLES_MAX + 1)
    });
    let mut most = good();
    most.approvers.of = roles(ROLES_MAX);
    assert_eq!(most.check(), Ok(()));
}

#[test]
fn columns_have_names_ids_and_a_number() {
    refused(&["dataset", "consent"], |policy| {
        policy.consent = Some(ColumnName(String::new()))
    });
    refused(&["dataset", "latest"], |policy| {
        policy.latest = Some(ColumnName("a\u{1b}".to_owned()))
    });
    refused(&["columns"], |policy| {
        policy
            .columns
            .values_mut()
            .for_each(|column| column.id = None)
    });
    refused(&["columns"], |policy| {
        let card = column(policy, "card").clone();
        let more = (0..=COLUMNS_MAX).map(|n| (ColumnName(n.to_string()), card.clone()));
        policy.columns.extend(more);
    });
}

#[test]
fn a_grant_is_for_ids_where_it_speaks_of_ids_and_for_a_number_of_organisations() {
    for verb in [Verb::Match, Verb::Reveal] {
        refused(&["columns", "grade", "may", verb.as_str()], |policy| {
            column(policy, "grade").may.insert(verb, BTreeSet::new());
        });
    }
    refused(&["columns", "grade", "may", "group"], |policy| {
        let orgs = (0..=PARTIES_MAX).map(|n| format!("o{n}").parse().expect("a name"));
        column(policy, "grade")
            .may
            .insert(Verb::Group, orgs.collect());
    });
}

#[test]
fn domains_have_values_that_differ_and_can_be_shown() {
    let domain = |path: &[&str], values: Vec<String>| {
        let path = [&["columns", "grade", "domain"], path].concat();
        refused(&path, |policy| {
            column(policy, "grade").domain = Some(values)
        });
    };
    domain(&[], Vec::new());
    domain(
        &[],
        (0..=DOMAIN_VALUES_MAX).map(|n| n.to_string()).collect(),
    );
    domain(&["1"], vec!["a".to_owned(), "a".to_owned()]);
    domain(&["0"], vec!["x".repeat(DOMAIN_VALUE_BYTES_MAX + 1)]);
    domain(&["0"], vec!["a\u{202e}b".to_owned()]);
}

#[test]
fn caps_are_ranges_with_a_scale() {
    for (clip, scale, field) in [
        (Some([0, 1]), None, "clip"),
        (None, Some(2), "scale"),
        (Some([1, 1]), Some(2), "clip"),
        (Some([i64::MAX, i64::MIN]), Some(2), "clip"),
        (Some([0, 1]), Some(SCALE_MAX + 1), "scale"),
    ] {
        refused(&["columns", "rate", field], |policy| {
            let column = column(policy, "rate");
            (column.clip, column.scale) = (clip, scale);
        });
    }
}

#[test]
fn the_whole_policy_fits_a_publication() {
    refused(&[], |policy| {
        let values = (0..1_000).map(|n| format!("{n:0>200}"));
        column(policy, "grade").domain = Some(values.collect());
    });
}

#[test]
fn what_is_not_granted_by_name_is_denied() {
    let policy = good();
    let org = |name: &str| name.parse().expect("a name");
    let email = ColumnName("email".to_owned());
    assert!(policy.allows(&email, Verb::Reveal, &org("north-bank")));
    assert!(policy.allows(&email, Verb::Reveal, &org("harbour-bank")));
    assert!(!policy.allows(&email, Verb::Count, &org("harbour-bank")));
    assert!(
        !policy.allows(&email, Verb::Match, &org("north-bank")),
        "an empty grant"
    );
    assert!(!policy.allows(&email, Verb::Sum, &org("north-bank")));
    assert!(!policy.allows(
        &ColumnName("salary".to_owned()),
        Verb::Count,
        &org("north-bank")
    ));
    assert!(!policy.allows(
        &ColumnName("Email".to_owned()),
        Verb::Reveal,
        &org("north-bank")
    ));
}
