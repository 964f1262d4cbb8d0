//! What the leakage statement says of an aggregation: its numbers are the sealed ones, what only honesty stops is said to be not prevented,
//! and whoever changes what was agreed changes the page.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector has to stop the test that reads it"
)]

mod published;

use entente_wire::canonical;
use entente_wire::leakage::{Observer, Statement, Who};
use entente_wire::policy::Epsilon;
use published::aggregations::{BY_TIER, Stated, column, org};
use published::told::{any, not_prevented};
use published::{PARTIES, vector};

const ONE: Option<u64> = Some(1_000_000);

fn observers(statement: &Statement) -> [&Observer; 4] {
    let all: Vec<&Observer> = statement.observers.iter().collect();
    all.try_into().unwrap()
}

#[test]
fn everyone_who_sees_bytes_is_there_and_the_reader_is_named() {
    for stated in [
        Stated::of_all(BY_TIER, ONE),
        Stated::of_all(BY_TIER, None),
        Stated::of_few_neighbours(),
    ] {
        let statement = stated.statement();
        let reader = stated.plan.recipient().unwrap().clone();
        let who = observers(&statement).map(|observer| observer.who.clone());
        let expected = [
            Who::Party {
                org: reader.clone(),
            },
            Who::OtherParties,
            Who::Coordinator,
            Who::Eavesdropper,
        ];
        assert_eq!(who, expected);
        assert_eq!(statement.recipients, [reader]);
        for observer in observers(&statement) {
            assert!(
                !observer.receives.is_empty()
                    && !observer.learns.is_empty()
                    && !observer.cheating.is_empty()
            );
        }
        let page = statement.page();
        assert!(page.contains("\nEvery other party\n") && page.contains("\nThe coordinator\n"));
        let again: Statement = canonical::from_bytes(&canonical::to_bytes(&statement)).unwrap();
        assert_eq!(again, stated.statement());
    }
}

#[test]
fn only_the_reader_learns_sums_and_nobody_a_partys_numbers() {
    let statement = Stated::of_all(BY_TIER, ONE).statement();
    let [reader, others, coordinator, line] = observers(&statement);
    assert!(any(
        &reader.learns,
        "the number of ids (standard error at most"
    ));
    assert!(any(
        &reader.learns,
        "the sum of \"balance\" (standard error at most"
    ));
    assert!(any(
        &reader.learns,
        "Also of groups that are left out of the table"
    ));
    assert!(any(
        &reader.learns,
        "No other party's numbers, beyond what the sum less its own numbers tells"
    ));
    for other in [others, coordinator, line] {
        assert!(!any(&other.learns, "standard error") && !any(&other.learns, "Of each group"));
        assert!(!any(&other.receives, "The result"));
    }
    assert!(any(&others.learns, "Nothing about the table"));
    assert!(any(
        &coordinator.learns,
        "no number of any party, and not the sum"
    ));
    for there in [reader, others, coordinator] {
        assert!(any(
            &there.learns,
            "Which parties are in the sum, and which vanished when."
        ));
    }
}

#[test]
fn what_only_honesty_stops_is_listed_as_not_prevented() {
    let statement = Stated::of_all(BY_TIER, ONE).statement();
    let [reader, others, coordinator, line] = observers(&statement).map(not_prevented);
    let small = "Show its people groups that are smaller than allowed, or tell others the sums.";
    let ends = "Leave at any step, or send what does not fit, so that there is no table.";
    assert_eq!(
        reader,
        [
            small,
            "Tell its people or others another sum.",
            "Break off once it has the sum.",
            ends
        ]
    );
    let wrong = "Enter wrong numbers, as large as its caps and its published number of ids allow; a changed node also larger ones.";
    assert_eq!(others, [wrong, ends]);
    assert_eq!(
        coordinator,
        [
            "Change the sum with the help of one party, which knows that key.",
            "Decide who is in the sum, by losing the messages of others.",
            "Delay or lose messages.",
            "Tell others what it learns.",
        ]
    );
    assert_eq!(line, ["Cut a line."]);
    // Without noise nothing stands against subtraction.
    let statement = Stated::of_all(BY_TIER, None).statement();
    let [reader, ..] = observers(&statement).map(not_prevented);
    assert!(
        reader.contains(&"Ask again with other parties or other data, and subtract the tables.")
    );
    assert!(any(&statement.assumptions, "not differentially private"));
    assert!(!statement.page().contains("Leave out its noise"));
}

#[test]
fn where_one_cheat_is_too_many_it_is_said() {
    let mut stated = Stated::of_many(5, ONE);
    (stated.plan.colluders, stated.terms.colluders) = (0, 0);
    (
        stated.terms.quorum,
        stated.terms.threshold,
        stated.terms.survivors_min,
    ) = (3, 3, 3);
    let statement = stated.statement();
    let [reader, others, coordinator, _] = observers(&statement);
    for party in [reader, others] {
        assert!(
            not_prevented(party)
                .contains(&"Learn one party's numbers, together with the coordinator.")
        );
    }
    let alone = "Learn one party's numbers, without help of any party.";
    let cheat = coordinator
        .cheating
        .iter()
        .find(|cheat| cheat.attempt == alone)
        .unwrap();
    assert!(
        !cheat.stopped_by.starts_with("not prevented"),
        "{}",
        cheat.stopped_by
    );
    assert!(any(&statement.assumptions, "none of 5, settled"));
    assert!(any(
        &statement.assumptions,
        "shares of noise of at most 1 party"
    ));
}

#[test]
fn whatever_was_agreed_changes_the_page() {
    let page = Stated::of_all(BY_TIER, ONE).statement().page();
    let changed = |stated: Stated| assert_ne!(stated.statement().page(), page);
    for party in PARTIES {
        let mut stated = Stated::of_all(BY_TIER, ONE);
        stated.catalog.get_mut(party, "accounts").policy.consent = Some(column("asked"));
        changed(stated);
        let mut stated = Stated::of_all(BY_TIER, ONE);
        stated.catalog.get_mut(party, "accounts").policy.min_group = 1_000;
        changed(Stated::of(stated.asked, stated.catalog));
        let mut stated = Stated::of_all(BY_TIER, ONE);
        stated
            .catalog
            .get_mut(party, "accounts")
            .policy
            .budget
            .epsilon_per_year = Epsilon(1_000_001);
        changed(stated);
    }
    changed(Stated::of_all(BY_TIER, Some(999_999)));
    changed(Stated::of_all(BY_TIER, None));
    let mut stated = Stated::of_all(BY_TIER, ONE);
    stated.asked.min_group = Some(81);
    changed(Stated::of(stated.asked, stated.catalog));
    let mut fewer = Stated::of_all(BY_TIER, ONE);
    fewer.asked.parties.remove(&org("lake-bank"));
    changed(Stated::of(fewer.asked, fewer.catalog));
    changed(Stated::of_all(
        &BY_TIER.replace(" GROUP", " WHERE a.active GROUP"),
        ONE,
    ));
}

#[test]
fn a_collapse_without_further_columns_is_a_whole_sentence() {
    let ask = "SELECT COUNT(*) AS n FROM (SELECT v.mobile FROM \"*\".events v WHERE v.kind = 'card' GROUP BY v.mobile) AS e";
    let runs = Stated::of_all(ask, ONE).statement().runs;
    assert!(any(
        &runs,
        "collapsed to one row an id, with no further column."
    ));
    assert!(any(
        &runs,
        "At each: only events where (\"kind\" = 'card')."
    ));
    assert!(any(
        &runs,
        "Without groups, these are added up: the number of ids."
    ));
}

#[test]
fn pages_are_exactly_those_of_the_vectors() {
    for (file, stated) in [
        ("aggregation", Stated::of_all(BY_TIER, ONE)),
        ("aggregation-exact", Stated::of_all(BY_TIER, None)),
        ("aggregation-thousand", Stated::of_few_neighbours()),
    ] {
        let path = vector(&format!("pages/{file}.txt"));
        let page = stated.statement().page();
        if std::env::var_os("ENTENTE_BLESS").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), page, "{file}");
    }
}
