//! What the leakage statement says of the blind join: nobody learns who matched, readers learn exactly the sums that are opened and
//! how much noise they carry, and what only honesty stops is said to be not prevented.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector has to stop the test that reads it"
)]

mod published;

use entente_wire::leakage::{Observer, Who, statement};
use entente_wire::plan::{Joint, MomentKind, Operator, SideColumn};
use entente_wire::seal::{BlindTerms, Protocol};
use published::told::{Told, any, not_prevented, one, told};
use published::{Published, protocol};

/// The questions that run by the blind join.
fn joints() -> Vec<(Told, Joint)> {
    let all = told(&Published::load()).into_iter();
    let joint = |told: Told| match told.plan.operator.clone() {
        Operator::Joint(joint) => Some((told, joint)),
        _ => None,
    };
    all.filter_map(joint).collect()
}

/// The two parties of a statement, and whether each reads.
fn parties<'t>(told: &'t Told, joint: &Joint) -> Vec<(&'t Observer, bool)> {
    let party = |observer: &'t Observer| match &observer.who {
        Who::Party { org } => Some((observer, joint.readers.contains(org))),
        Who::OtherParties | Who::Coordinator | Who::Eavesdropper => None,
    };
    told.statement.observers.iter().filter_map(party).collect()
}

#[test]
fn nobody_learns_who_matched_and_only_readers_learn_of_the_table() {
    let mut readers = 0;
    for (told, joint) in joints() {
        for (party, reads) in parties(&told, &joint) {
            let (name, learns) = (&told.name, &party.learns);
            assert!(any(learns, "Not which ids are common"), "{name}");
            assert!(!any(learns, "id by id"), "{name}");
            assert_eq!(any(learns, "Of each group"), reads, "{name}");
            assert_eq!(any(learns, "suppressed"), reads, "{name}");
            assert_eq!(any(learns, "Nothing about the table"), !reads, "{name}");
            assert_eq!(any(&party.receives, "The result"), reads, "{name}");
            assert_eq!(any(&party.receives, "opened sums"), reads, "{name}");
            let sizes = learns.iter().filter(|line| line.contains(" has at most "));
            assert_eq!(sizes.count(), 1, "{name}");
            readers += usize::from(reads);
        }
    }
    assert!(readers >= 15, "only {readers} readers");
}

#[test]
fn every_opened_sum_is_listed_to_its_readers_and_no_other() {
    for (told, joint) in joints() {
        let [numbers, values, squares, products] = [
            "the number of common ids",
            "have a value of",
            "the sum of squares of",
            "the sum of products of",
        ];
        let kind = |what: &MomentKind| match what {
            MomentKind::Ids => numbers,
            MomentKind::One { column, .. } => match column {
                SideColumn::Present { .. } => values,
                SideColumn::Value { .. } => "the sum of ",
                SideColumn::Square { .. } => squares,
                SideColumn::Product { .. } => products,
            },
            MomentKind::Both { .. } => products,
        };
        let opened: Vec<&str> = joint
            .moments
            .iter()
            .filter(|moment| moment.opened)
            .map(|moment| kind(&moment.what))
            .collect();
        for (party, _) in parties(&told, &joint)
            .into_iter()
            .filter(|(_, reads)| *reads)
        {
            let line = party
                .learns
                .iter()
                .find(|line| line.starts_with("Of each group"));
            let (_, list) = line.unwrap().split_once(" common ids").unwrap();
            let (_, list) = list.split_once(": ").unwrap();
            let (list, _) = list.split_once(". Everything").unwrap();
            let listed: Vec<&str> = list.split("; ").collect();
            assert_eq!(listed.len(), opened.len(), "{}: {list}", told.name);
            for (listed, opened) in listed.iter().zip(&opened) {
                assert!(listed.contains(opened), "{}: {listed}", told.name);
            }
            assert!(line.unwrap().contains(&joint.min_group.to_string()));
        }
        let exact = any(&told.statement.runs, "proven not to wrap");
        assert!(exact, "{}", told.name);
    }
}

#[test]
fn each_number_has_the_standard_error_of_its_noise() {
    let mut errors = 0;
    for (told, joint) in joints() {
        for (party, _) in parties(&told, &joint)
            .into_iter()
            .filter(|(_, reads)| *reads)
        {
            let line = party
                .learns
                .iter()
                .find(|line| line.starts_with("Of each group"));
            let line = line.unwrap();
            let said: Vec<f64> = line
                .split("(standard error at most ")
                .skip(1)
                .map(|rest| rest.split_once(')').unwrap().0.parse().unwrap())
                .collect();
            let opened = joint
                .moments
                .iter()
                .enumerate()
                .filter(|(_, moment)| moment.opened);
            let expected: Vec<f64> = opened
                .filter_map(|(place, moment)| {
                    let noise = joint.noise(place)?;
                    let scale = noise.numerator as f64 / noise.denominator as f64;
                    let unit = 10_f64.powi(decimals(&told, &moment.what));
                    Some(scale * (2.0 * joint.readers.len() as f64).sqrt() / unit)
                })
                .collect();
            assert_eq!(said.len(), expected.len(), "{}: {line}", told.name);
            for (said, expected) in said.iter().zip(&expected) {
                let ratio = said / expected;
                assert!(
                    (0.999..1.011).contains(&ratio),
                    "{}: {said}, {expected}",
                    told.name
                );
                errors += 1;
            }
        }
    }
    assert!(errors >= 6, "only {errors} errors were told");
}

/// Decimals of a sum's unit.
fn decimals(told: &Told, what: &MomentKind) -> i32 {
    let scale = |side: usize, place: usize| i32::from(told.plan.sides[side].measures[place].scale);
    let column = |side, column| match column {
        SideColumn::Present { .. } => 0,
        SideColumn::Value { place } => scale(side, place),
        SideColumn::Square { place } => 2 * scale(side, place),
        SideColumn::Product { places: [one, two] } => scale(side, one) + scale(side, two),
    };
    match what {
        MomentKind::Ids => 0,
        MomentKind::One { side, column: one } => column(*side, *one),
        MomentKind::Both {
            columns: [one, two],
        } => column(0, *one) + column(1, *two),
    }
}

#[test]
fn the_loss_of_a_run_stands_beside_what_a_year_allows() {
    let told = one("the example of the manual");
    let runs = &told.statement.runs;
    assert!(any(
        runs,
        "the node that does not read adds discrete Laplace noise"
    ));
    assert!(any(
        runs,
        "spends a privacy loss of 1.0, shared equally by the 3 sums"
    ));
    assert!(any(runs, "at most: north-bank 8.0, river-pay 8.0"));
    assert!(any(&told.statement.assumptions, "with a loss of 1.0"));
    let both = one("two readers");
    assert!(any(
        &both.statement.runs,
        "each node adds discrete Laplace noise"
    ));
    for receiver in [true, false] {
        assert!(any(&both.party(receiver).learns, "it could take off again"));
    }
    let exact = one("overlap size");
    assert!(any(&exact.statement.runs, "exactly, without noise"));
    assert!(!any(&exact.statement.runs, "privacy loss"));
}

#[test]
fn the_blind_join_is_said_to_stop_only_those_who_follow_it() {
    for (told, joint) in joints() {
        let receiver = not_prevented(told.party(true)).join("\n");
        let sender = not_prevented(told.party(false)).join("\n");
        for words in ["Encode several ids for one bin", "secret number or shares"] {
            assert!(receiver.contains(words), "{}: {words}", told.name);
        }
        for words in ["hints under which ids match", "find out bits"] {
            assert!(sender.contains(words), "{}: {words}", told.name);
        }
        for (party, reads) in parties(&told, &joint) {
            let open = not_prevented(party).join("\n");
            assert!(
                open.contains("change its shares of the table"),
                "{}",
                told.name
            );
            assert!(
                open.contains("Enter ids that it does not hold"),
                "{}",
                told.name
            );
            assert_eq!(open.contains("Break off once it has the table"), reads);
            let exact = joint.epsilon.is_none();
            assert_eq!(open.contains("subtract the exact tables"), reads && exact);
            let budget = |cheat: &&entente_wire::leakage::Cheat| {
                cheat.stopped_by.contains("noise and its node's budget")
            };
            assert_eq!(
                party.cheating.iter().any(|cheat| budget(&cheat)),
                reads && !exact
            );
        }
    }
}

#[test]
fn counts_and_bytes_are_those_of_the_sealed_parameters() {
    let mut told = one("the example of the manual");
    let catalog = Published::load();
    let publications = [
        catalog.get("north-bank", "customers"),
        catalog.get("river-pay", "users"),
    ];
    let (protocol, cost) = protocol(&told.plan, publications);
    let Protocol::Blind(terms) = protocol else {
        panic!("a table runs by the blind join");
    };
    let terms = BlindTerms {
        buckets: 4,
        receiver_bucket_ids: 7_600,
        sender_bucket_ids: 30_100,
        vector_elements: 9_957,
        hint_words: 5,
        ..terms
    };
    let protocol = Protocol::Blind(terms);
    told.statement = statement(&told.plan, &told.job, publications, &protocol, cost).unwrap();
    assert!(any(&told.statement.runs, "in 4 buckets, with SoftSpokenOT"));
    assert!(any(&told.statement.runs, "For each of 12 groups"));
    let (receiver, sender) = (told.party(true), told.party(false));
    assert!(any(
        &receiver.receives,
        "4 vectors that hold 361200 hints of 40 bytes"
    ));
    assert!(any(
        &sender.receives,
        "4 vectors of 9957 elements of 16 bytes"
    ));
    assert!(
        not_prevented(receiver)
            .join("\n")
            .contains("up to its padded size of 30400")
    );
    let eavesdropper = told.statement.observers.last().unwrap();
    assert!(any(
        &eavesdropper.learns,
        "both padded sizes and the shape of the table"
    ));
}
