//! The leakage statement says the truth about every plan of the vectors, to everyone who has to know it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken vector has to stop the test that reads it"
)]

mod published;

use entente_wire::canonical;
use entente_wire::leakage::{Statement, Who};
use entente_wire::plan::Operator;
use published::told::{any, not_prevented, one, state, told};
use published::{Published, vector};

#[test]
fn everyone_who_sees_bytes_is_there_and_every_recipient_is_named() {
    for told in told(&Published::load()) {
        let mut expected: Vec<Who> = told
            .plan
            .sides
            .iter()
            .map(|side| Who::Party {
                org: side.org.clone(),
            })
            .collect();
        expected.extend([Who::Coordinator, Who::Eavesdropper]);
        let got: Vec<&Who> = told
            .statement
            .observers
            .iter()
            .map(|observer| &observer.who)
            .collect();
        assert_eq!(got, expected.iter().collect::<Vec<_>>(), "{}", told.name);
        assert_eq!(
            told.statement.recipients,
            told.job.results_to.iter().cloned().collect::<Vec<_>>()
        );
        for observer in &told.statement.observers {
            assert!(
                !observer.receives.is_empty()
                    && !observer.learns.is_empty()
                    && !observer.cheating.is_empty()
            );
        }
        let page = told.statement.page();
        for name in told
            .job
            .results_to
            .iter()
            .chain(told.plan.sides.iter().map(|side| &side.org))
        {
            assert!(page.contains(name.as_str()), "{}: {name}", told.name);
        }
        assert!(page.contains("The coordinator") && page.contains("Whoever reads the network"));
    }
}

#[test]
fn a_reveal_is_called_a_reveal_and_a_count_a_count() {
    for told in told(&Published::load()) {
        let receiver = told.party(true);
        let by_id = any(&receiver.learns, "id by id");
        match told.plan.operator {
            Operator::Joint(_) => continue,
            Operator::Reveal { .. } | Operator::Table { .. } => {
                assert!(by_id, "{}: a table is computed after a reveal", told.name);
                assert!(!any(&receiver.learns, "Not which ids"));
            }
            Operator::Overlap { .. } => {
                assert!(!by_id, "{}", told.name);
                assert!(any(&receiver.learns, "the exact number"));
                assert!(any(&receiver.learns, "Not which ids these are"));
            }
        }
        let sender = told.party(false);
        let nothing = any(&sender.learns, "neither which ids are common nor, beyond");
        let result = any(&sender.receives, "The result");
        let (both, name) = (told.plan.is_mutual(), &told.name);
        assert_eq!((nothing, result), (!both, both), "{name}");
        assert_eq!(any(&sender.learns, "id by id"), both, "{name}");
    }
}

#[test]
fn what_only_honesty_stops_is_said_to_be_not_prevented() {
    for told in told(&Published::load()) {
        let receiver = not_prevented(told.party(true)).join("\n");
        assert!(
            receiver.contains("Enter ids that it does not hold"),
            "{}",
            told.name
        );
        match told.plan.operator {
            Operator::Joint(_) => continue,
            Operator::Reveal { .. } => assert!(receiver.contains("Keep the list of matched ids")),
            Operator::Table { .. } => {
                assert!(receiver.contains("compute other tables"));
                assert!(receiver.contains("groups that are smaller than allowed"));
            }
            Operator::Overlap { .. } => {
                assert!(receiver.contains("Recognise which of its ids matched"));
                assert!(receiver.contains("subtract the exact numbers"));
            }
        }
        assert!(receiver.contains("Break off once it has its result"));
    }
}

#[test]
fn a_wrong_result_and_a_cut_line_are_never_prevented() {
    for told in told(&Published::load()) {
        let sender = not_prevented(told.party(false)).join("\n");
        assert!(
            sender.contains("Leave out ids or invent some"),
            "{}",
            told.name
        );
        let [.., coordinator, eavesdropper] = told.statement.observers.as_slice() else {
            panic!("{}: observers are missing", told.name);
        };
        assert!(not_prevented(coordinator).contains(&"Delay or lose records."));
        assert!(not_prevented(eavesdropper).contains(&"Cut the line."));
    }
}

#[test]
fn a_condition_is_told_as_something_the_reader_at_the_other_side_learns() {
    let mut conditions = 0;
    for told in told(&Published::load()) {
        for side in &told.plan.sides {
            let is_receiver = side.org == told.plan.receiver;
            let other = told.plan.other_side(&side.org).unwrap();
            if !told.plan.recipients().contains(&&other.org) {
                continue;
            }
            let inside = side
                .derived
                .as_ref()
                .and_then(|derived| derived.filter.as_ref());
            for condition in inside.into_iter().chain(&side.filter) {
                conditions += 1;
                let reader = told.party(!is_receiver);
                assert!(any(&reader.learns, &condition.0), "{}", told.name);
            }
        }
    }
    assert!(
        conditions >= 4,
        "only {conditions} conditions were looked for"
    );
}

#[test]
fn no_noise_is_said_where_a_number_is_released() {
    for told in told(&Published::load()) {
        let (exact, noisy) = match &told.plan.operator {
            Operator::Reveal { .. } => (false, false),
            Operator::Overlap { .. } | Operator::Table { .. } => (true, false),
            Operator::Joint(joint) => (joint.epsilon.is_none(), joint.epsilon.is_some()),
        };
        let rests_on = &told.statement.assumptions;
        let said = |words: &str| any(rests_on, words);
        assert_eq!(
            (
                said("not differentially private"),
                said("table differentially private with a loss of")
            ),
            (exact, noisy),
            "{}",
            told.name
        );
    }
}

#[test]
fn the_page_holds_every_signed_word() {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    for told in told(&Published::load()) {
        let page = squeezed(&told.statement.page());
        let Statement {
            runs,
            recipients,
            observers,
            assumptions,
            cost,
        } = &told.statement;
        let mut words: Vec<String> = runs.iter().chain(assumptions).cloned().collect();
        words.extend(recipients.iter().map(ToString::to_string));
        for observer in observers {
            words.extend(observer.receives.iter().chain(&observer.learns).cloned());
            for cheat in &observer.cheating {
                words.push(cheat.attempt.clone());
                words.push(
                    cheat
                        .stopped_by
                        .trim_start_matches("not prevented")
                        .to_owned(),
                );
            }
        }
        words.extend([
            cost.bytes.to_string(),
            cost.seconds.to_string(),
            cost.memory_mib.to_string(),
        ]);
        for word in words {
            assert!(page.contains(&squeezed(&word)), "{}: {word}", told.name);
        }
    }
}

#[test]
fn every_party_derives_the_same_statement_bytes() {
    for (here, there) in told(&Published::load())
        .into_iter()
        .zip(told(&Published::load()))
    {
        let bytes = canonical::to_bytes(&here.statement);
        assert_eq!(
            bytes,
            canonical::to_bytes(&there.statement),
            "{}",
            here.name
        );
        let again: Statement = canonical::from_bytes(&bytes).unwrap();
        assert_eq!(again, here.statement);
        assert_eq!(again.page(), here.statement.page());
    }
}

#[test]
fn a_changed_policy_size_or_job_changes_the_statement() {
    let told = one("table over own columns");
    let mut changed = Published::load();
    changed.get_mut("river-pay", "users").ids_rounded += 1_000;
    assert_ne!(state(&told.plan, &told.job, &changed), told.statement);
    let mut changed = Published::load();
    changed.get_mut("river-pay", "users").policy.consent =
        Some(entente_wire::names::ColumnName("ok".to_owned()));
    assert_ne!(state(&told.plan, &told.job, &changed), told.statement);
    let mut job = told.job.clone();
    job.runs += 1;
    assert_ne!(state(&told.plan, &job, &Published::load()), told.statement);
}

#[test]
fn pages_are_exactly_those_of_the_vectors() {
    for (name, file) in [
        ("overlap size", "count"),
        ("overlap size by ECDH-PSI", "overlap"),
        ("reveal own rows", "reveal"),
        ("reveal own rows by ECDH-PSI", "reveal-ecdh"),
        ("reveal own rows to one that may cheat", "reveal-malicious"),
        ("both read own rows", "reveal-both"),
        ("table over own columns", "table"),
        ("table from a reveal", "table-vole"),
        ("the example of the manual", "manual"),
        ("two readers", "two-readers"),
        ("correlation across the parties", "correlation"),
    ] {
        let path = vector(&format!("pages/{file}.txt"));
        let page = one(name).statement.page();
        if std::env::var_os("ENTENTE_BLESS").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), page, "{file}");
    }
}
