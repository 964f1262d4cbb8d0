//! The numbers on an aggregation's page: those of the sealed parameters, errors found once more by other means, and lists cut to what can be read.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector has to stop the test that reads it"
)]

mod published;

use entente_wire::leakage::{Observer, Statement};
use published::aggregations::{Stated, column};
use published::told::any;

const ONE: Option<u64> = Some(1_000_000);

fn observers(statement: &Statement) -> [&Observer; 4] {
    let all: Vec<&Observer> = statement.observers.iter().collect();
    all.try_into().unwrap()
}

#[test]
fn numbers_on_the_page_are_those_of_the_sealed_parameters() {
    let mut stated = Stated::of_many(10, ONE);
    let statement = stated.statement();
    let runs = &statement.runs;
    assert!(any(
        runs,
        "10 parties add up their numbers: bank-0000, bank-0001"
    ));
    assert!(any(
        runs,
        "secure aggregation (protocols.md §10), version 3. For each of 4 groups"
    ));
    assert!(any(
        runs,
        "Each node sends 8 numbers, and 64 more by which the sum is checked"
    ));
    assert!(any(runs, "at least 7 of the 10 parties"));
    assert!(any(
        runs,
        "7 nodes sign who is in it before any gives its shares of masks, and 7 shares open a mask"
    ));
    assert!(any(
        runs,
        "fewer than 10 ids, counted with noise, out of the table"
    ));
    assert!(any(
        runs,
        "the shares of 3 parties are the whole noise, and up to 10 are in the sum"
    ));
    assert!(any(
        runs,
        "a privacy loss of 1.0 at every party, shared equally by the 2 sums of a group"
    ));
    assert!(any(
        runs,
        "the smallest budget of a year is bank-0000's, 8.0"
    ));
    let [reader, others, coordinator, _] = observers(&statement);
    for party in [reader, others] {
        let cheat = party
            .cheating
            .iter()
            .find(|cheat| cheat.attempt.starts_with("Learn one party's numbers"))
            .unwrap();
        assert_eq!(
            cheat.attempt,
            "Learn one party's numbers, together with the coordinator and up to 2 parties more."
        );
        assert!(
            cheat.stopped_by.contains("which 7 nodes sign"),
            "{}",
            cheat.stopped_by
        );
        assert!(
            cheat
                .stopped_by
                .contains("all honest parties that stayed, never fewer than 4; with more"),
            "{}",
            cheat.stopped_by
        );
    }
    assert!(
        coordinator
            .cheating
            .iter()
            .any(|cheat| cheat.attempt.ends_with("together with up to 3 parties."))
    );
    assert!(any(&statement.assumptions, "at most 3 of 10, settled"));
    assert!(any(
        &statement.assumptions,
        "shares of noise of at most 3 parties"
    ));
    // Each of them is on the page.
    let page = statement.page();
    let changes: [fn(&mut Stated); 8] = [
        |stated| stated.terms.version += 1,
        |stated| stated.terms.words += 1,
        |stated| stated.terms.tag_words += 1,
        |stated| stated.terms.survivors_min += 1,
        |stated| stated.terms.quorum += 1,
        |stated| stated.terms.threshold += 1,
        |stated| stated.terms.picks = Some(9),
        |stated| stated.terms.isolable += 1,
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let mut other = Stated::of_many(10, ONE);
        change(&mut other);
        assert_ne!(other.statement().page(), page, "parameter {place}");
    }
    stated.terms.colluders = 2;
    assert_ne!(stated.statement().page(), page);
}

/// The standard deviation of one whole discrete Laplace variable of scale b, from its definition.
fn whole(b: f64) -> f64 {
    let q = (-1.0 / b).exp();
    (2.0 * q).sqrt() / (1.0 - q)
}

#[test]
fn errors_are_those_of_ten_parties_that_each_add_a_third_of_the_noise() {
    let statement = Stated::of_many(10, ONE).statement();
    let [reader, ..] = observers(&statement);
    let line = reader
        .learns
        .iter()
        .find(|line| line.starts_with("Of each group"))
        .unwrap();
    let said: Vec<f64> = line
        .split("(standard error at most ")
        .skip(1)
        .map(|rest| rest.split_once(')').unwrap().0.parse().unwrap())
        .collect();
    // A loss of 1 over two sums, and an id that changes its group changes two cells: b is four times the cap. Ten could be
    // there, and of seven survivors three besides the reader collude: the three others give all of it.
    let expected = [(1.0, 1.0), (10_000_000.0, 0.01)].map(|(cap, unit)| {
        let variance = whole(4.0 * cap).powi(2) / 3.0;
        (10.0 * variance).sqrt() * unit
    });
    assert_eq!(said.len(), expected.len(), "{line}");
    for (said, expected) in said.iter().zip(expected) {
        let ratio = said / expected;
        assert!((1.0..1.011).contains(&ratio), "{said} for {expected}");
    }
}

#[test]
fn chances_are_told_where_masks_are_shared_with_few() {
    let few = Stated::of_few_neighbours().statement();
    let page = few.page().replace("\n    ", " ");
    for words in [
        "each node picks 120 others to share masks with",
        "61 shares open a mask",
        "stayed or all but up to 5 of them, never fewer than 329, but for a chance of 2^-42 in a round",
        "and who shares masks with whom.",
        "ends a round that enough parties stay in with a probability of at most 2^-43",
    ] {
        assert!(page.contains(words), "{words}");
    }
    let all = Stated::of_many(10, None).statement().page();
    assert!(
        !all.contains("2^-4") && !all.contains("who shares masks with whom"),
        "{all}"
    );
}

#[test]
fn many_parties_are_cut_to_twenty_and_counted() {
    let page = Stated::of_few_neighbours()
        .statement()
        .page()
        .replace("\n    ", " ");
    assert!(
        page.contains("bank-0019, 980 more. No ids are compared"),
        "{page}"
    );
    assert!(!page.contains("bank-0020"));
    assert!(page.lines().count() < 200);
    // One of those that are not spelled out asks for no consent.
    let mut stated = Stated::of_many(30, ONE);
    stated
        .catalog
        .get_mut("bank-0025", "accounts")
        .policy
        .consent = None;
    let page = stated.statement().page().replace("\n    ", " ");
    assert!(
        page.contains("At bank-0025: dataset accounts, all rows"),
        "{page}"
    );
    // And where each has a way of its own, they are counted.
    for place in 0..30 {
        let name = format!("bank-{place:04}");
        let consent = column(&format!("ok{place}"));
        stated.catalog.get_mut(&name, "accounts").policy.consent = Some(consent);
    }
    let page = stated.statement().page().replace("\n    ", " ");
    assert!(page.contains("At bank-0019: ") && !page.contains("At bank-0020: "));
    assert!(page.contains("At 10 more: in further ways"), "{page}");
}
