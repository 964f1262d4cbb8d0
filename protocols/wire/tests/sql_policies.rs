//! The planner obeys the published policies: each grant it needs it really needs, and no others; the stricter party counts.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector has to stop the test that reads it"
)]

mod published;

use entente_wire::job::ProtocolChoice;
use entente_wire::names::{ColumnName, DatasetName, OrgName};
use entente_wire::policy::{Noise, Verb};
use entente_wire::problem::{Code, Problem};
use entente_wire::publication::Publication;
use entente_wire::sql::{self, Catalog};
use published::cases::{accepted, planned};
use published::{Asked, Published};

/// Organisation, dataset, column, verb, and to whom it is granted.
type Grant<'a> = (&'a str, &'a str, &'a str, Verb, &'a str);

#[test]
fn removing_any_needed_grant_refuses_and_any_other_changes_nothing() {
    let north = |column, verb| ("north-bank", "customers", column, verb, "river-pay");
    let river = |column, verb| ("river-pay", "users", column, verb, "north-bank");
    let matched = [north("mobile", Verb::Match), river("mobile", Verb::Match)];
    let filters = [river("active", Verb::Filter), river("age", Verb::Filter)];
    needs_exactly("table over own columns", &[matched, filters].concat());
    let reveals = [river("mobile", Verb::Reveal)];
    needs_exactly(
        "table from a reveal",
        &[&matched[..], &filters, &reveals].concat(),
    );
    let own_rows = [
        river("mobile", Verb::Reveal),
        river("active", Verb::Filter),
        north("mobile", Verb::Reveal),
        north("cards", Verb::Filter),
    ];
    needs_exactly("both read own rows", &[&matched[..], &own_rows].concat());
    let table = [
        river("active", Verb::Filter),
        river("segment", Verb::Group),
        river("spend_90d", Verb::Sum),
    ];
    needs_exactly(
        "the example of the manual",
        &[&matched[..], &table].concat(),
    );
    let readers = [
        north("branch", Verb::Group),
        north("deposits", Verb::Sum),
        river("score", Verb::Sum),
    ];
    needs_exactly("two readers", &[&matched[..], &readers].concat());
    let pairs = [
        river("deposits", Verb::Sum),
        river("deposits", Verb::Filter),
    ];
    needs_exactly(
        "correlation across the parties",
        &[&matched[..], &pairs].concat(),
    );
}

fn needs_exactly(name: &str, needed: &[Grant<'_>]) {
    let case = accepted(name);
    let published = Published::load();
    let plan = planned(&case, &published);
    let mut refused = 0;
    for (org, dataset) in [("north-bank", "customers"), ("river-pay", "users")] {
        for (column, rules) in &published.get(org, dataset).policy.columns {
            for (verb, partner) in rules.may.iter().flat_map(|(verb, partners)| {
                partners
                    .iter()
                    .map(move |partner| (*verb, partner.as_str()))
            }) {
                let mut catalog = published.clone();
                let columns = &mut catalog.get_mut(org, dataset).policy.columns;
                let granted = columns.get_mut(column).unwrap().may.get_mut(&verb);
                granted.unwrap().remove(&partner.parse().unwrap());
                let outcome = case.plan(&catalog);
                if needed.contains(&(org, dataset, column.0.as_str(), verb, partner)) {
                    refused += 1;
                    let [problem] = <[Problem; 1]>::try_from(outcome.unwrap_err()).unwrap();
                    assert_eq!(problem.code, Code::PolicyRefuses);
                    for word in [org, &column.0, verb.as_str(), partner] {
                        assert!(problem.what.contains(word), "{word} in {problem:?}");
                    }
                } else {
                    assert_eq!(outcome.as_ref(), Ok(&plan));
                }
            }
        }
    }
    assert_eq!(refused, needed.len(), "{name}");
}

#[test]
fn an_unpublished_column_cannot_be_used_by_anyone() {
    for (org, dataset, column) in [
        ("river-pay", "users", "active"),
        ("north-bank", "customers", "opened_on"),
    ] {
        let mut catalog = Published::load();
        catalog
            .get_mut(org, dataset)
            .schema
            .0
            .remove(&ColumnName(column.to_owned()));
        let problems = accepted("table over own columns")
            .plan(&catalog)
            .unwrap_err();
        assert!(
            problems
                .iter()
                .any(|problem| problem.what.contains("publishes no column")),
            "{problems:?}"
        );
    }
}

#[test]
fn a_publication_filed_under_a_foreign_name_is_not_used() {
    struct Swapped(Published);
    impl Catalog for Swapped {
        fn publication(&self, _: &OrgName, dataset: &DatasetName) -> Option<&Publication> {
            self.0.publication(&"river-pay".parse().unwrap(), dataset)
        }
        fn orgs(&self) -> Vec<OrgName> {
            self.0.orgs()
        }
    }
    let asked = Asked::question(
        "SELECT COUNT(*) FROM \"north-bank\".orders b JOIN \"river-pay\".users p ON b.mobile = p.mobile",
    );
    let problems = sql::plan(&asked.job(), &asked.asker, &Swapped(Published::load())).unwrap_err();
    assert_eq!(problems.first().unwrap().code, Code::DatasetUnknown);
}

#[test]
fn noise_required_by_either_party_refuses_a_table_but_not_a_reveal() {
    for (org, dataset) in [("north-bank", "customers"), ("river-pay", "users")] {
        let mut catalog = Published::load();
        catalog.get_mut(org, dataset).policy.noise = Noise::Required;
        for name in [
            "overlap size",
            "overlap size by ECDH-PSI",
            "table over own columns",
            "table from a reveal",
        ] {
            let problems = accepted(name).plan(&catalog).unwrap_err();
            assert_eq!(problems.len(), 1);
            assert!(
                problems.iter().all(
                    |problem| problem.code == Code::PolicyRefuses && problem.what.contains(org)
                )
            );
        }
        planned(&accepted("reveal own rows"), &catalog);
        planned(&accepted("the example of the manual"), &catalog);
    }
}

#[test]
fn the_stricter_party_sets_the_smallest_list_for_both() {
    for (org, dataset) in [("north-bank", "customers"), ("river-pay", "users")] {
        let mut catalog = Published::load();
        catalog.get_mut(org, dataset).policy.min_set = 30_001;
        let problems = accepted("overlap size").plan(&catalog).unwrap_err();
        let [problem] = <[Problem; 1]>::try_from(problems).unwrap();
        assert_eq!(problem.code, Code::SetTooSmall);
        assert!(
            problem.what.contains("30000 ids") && problem.what.contains(org),
            "{problem:?}"
        );
    }
}

#[test]
fn each_protocol_refuses_lists_above_its_own_limit() {
    let refused = |name: &str, protocol, ids: u64| {
        let mut catalog = Published::load();
        catalog.get_mut("river-pay", "users").ids_rounded = ids;
        let mut case = accepted(name);
        case.asked.protocol = protocol;
        case.plan(&catalog).err()
    };
    let rows = "listed own columns";
    for (name, protocol, most, todo) in [
        ("overlap size", None, 1 << 31, "fewer ids"),
        (
            "overlap size",
            Some(ProtocolChoice::Ecdh),
            1 << 24,
            "leave `protocol: ecdh` out",
        ),
        (
            rows,
            Some(ProtocolChoice::Ecdh),
            1 << 24,
            "leave `protocol: ecdh` out",
        ),
        (rows, None, 1 << 31, "fewer ids"),
    ] {
        assert_eq!(refused(name, protocol, most), None, "{name}");
        let problems = refused(name, protocol, most + 1).unwrap();
        let [problem] = <[Problem; 1]>::try_from(problems).unwrap();
        assert_eq!(problem.code, Code::NotInThisVersion);
        let words = format!("at most {most} a side");
        assert!(problem.what.contains(&words), "{problem:?}");
        assert!(problem.todo.contains(todo), "{problem:?}");
    }
}

#[test]
fn of_two_readers_of_rows_the_one_with_fewer_ids_receives() {
    for name in [
        "both read own rows",
        "both read, with the larger list in front",
    ] {
        for (north, river, receiver) in [
            (30_000, 29_000, "river-pay"),
            (29_000, 30_000, "north-bank"),
            (30_000, 30_000, "the first"),
        ] {
            let mut catalog = Published::load();
            catalog.get_mut("north-bank", "customers").ids_rounded = north;
            catalog.get_mut("river-pay", "users").ids_rounded = river;
            let plan = planned(&accepted(name), &catalog);
            let first = plan.sides[0].org.as_str();
            let expected = if receiver == "the first" {
                first
            } else {
                receiver
            };
            assert_eq!(plan.receiver.as_str(), expected, "{name}");
            let recipients: Vec<&str> =
                plan.recipients().into_iter().map(OrgName::as_str).collect();
            assert_eq!(recipients, ["north-bank", "river-pay"]);
            assert!(plan.is_mutual());
        }
    }
}
